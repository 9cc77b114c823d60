"""Host profiles: what a log or a listing showed of a machine, kept as YAML and used by later predictions for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .engine.figures.units import GIB, MIB
from .engine.memory.runtime import OnHost, RuntimeTable
from .plain_text import printable
from .scenario import Scenario, ScenarioError
from .store import config_directory, write_text
from .value_types import dataclass

if TYPE_CHECKING:
    from .benchmarking import BenchComparison
    from .engine.facts import Facts
    from .engine.speed.constants import Constants
    from .reality.comparison import Reconciliation
    from .reality.host.reading import Device, HostReading

SCHEMA = 1
SAVED_TERMS = ("weights", "activation", "non_torch", "graphs")
"""Terms whose offset says something of later starts on the host."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Offset:
    """One term: measured less predicted, in bytes of one GPU, and the line that says so."""

    bytes: int
    line: str = ""


@dataclass(frozen=True, slots=True)
class HostPace:
    """How fast a machine is: seconds measured over seconds predicted, and what says so."""

    pace: float
    figures: int = 0
    """Measured figures that it is the median of."""
    line: str = ""


SLOWEST = 5.0
"""A pace beyond this, or below one over it, is another machine or another model than was meant."""


@dataclass(frozen=True, slots=True)
class HostProfile:
    """What is known of a machine."""

    name: str
    accelerator: str = ""
    """Catalog id; empty: not known."""
    gpus: int = 0
    memory_mib: int = 0
    """Of the smallest card, as the driver reports; 0: not known."""
    visible_bytes: int = 0
    """Of one card, as an engine saw; 0: not known."""
    link: str = ""
    engine: str = ""
    engine_version: str = ""
    model: str = ""
    """What was served when the offsets were measured."""
    offsets: dict[str, Offset] | None = None
    speed: HostPace | None = None
    """None: nothing was measured."""


def profile_directory() -> Path:
    """Where profiles are kept."""
    return config_directory() / "hosts"


def profile_path(name: str) -> Path:
    """The file of a profile. Raises ScenarioError for what is no short name."""
    if not _NAME.fullmatch(name):
        raise ScenarioError(f"host {printable(name, 40)!r}: write a short name of letters, digits, dots and dashes")
    return profile_directory() / f"{name}.yaml"


def profile_names() -> tuple[str, ...]:
    """The profiles that are kept."""
    try:
        return tuple(sorted(path.stem for path in profile_directory().iterdir() if path.suffix == ".yaml"))
    except OSError:
        return ()


def load_profile(name: str) -> HostProfile:
    """A profile by its name. Raises ScenarioError in one line."""
    from .catalog.yaml_io import read

    path = profile_path(name)
    if not path.is_file():
        known = ", ".join(profile_names()) or "none yet"
        raise ScenarioError(
            f"no host profile {name!r}; there are: {known}. `infratui reconcile LOG --save NAME` makes one"
        )
    content = read(path, error=ScenarioError)
    where = printable(str(path))
    if not isinstance(content, dict):
        raise ScenarioError(f"{where}:1: not a host profile; write `key: value` lines")
    known_keys = {"schema", "name", *(field for field in HostProfile.__dataclass_fields__ if field != "name")}
    for key in content:
        if key not in known_keys:
            raise ScenarioError(
                f"{where}: unknown key {printable(str(key), 40)!r}; there are {', '.join(sorted(known_keys))}"
            )
    if content.get("schema", SCHEMA) != SCHEMA:
        raise ScenarioError(f"{where}: schema: this infratui reads {SCHEMA}")
    return HostProfile(
        name=name,
        accelerator=_text(content, "accelerator", where),
        gpus=_count(content, "gpus", where),
        memory_mib=_count(content, "memory_mib", where),
        visible_bytes=_count(content, "visible_bytes", where),
        link=_text(content, "link", where),
        engine=_text(content, "engine", where),
        engine_version=_text(content, "engine_version", where),
        model=_text(content, "model", where),
        offsets=_offsets(content.get("offsets"), where),
        speed=_pace(content.get("speed"), where),
    )


def _pace(value: object, where: str) -> HostPace | None:
    if value is None:
        return None
    pace = value.get("pace") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(pace, int | float) or isinstance(pace, bool):
        raise ScenarioError(f"{where}: speed: write `pace:`, seconds measured over seconds predicted")
    if not 1 / SLOWEST <= pace <= SLOWEST:
        raise ScenarioError(f"{where}: speed: pace {pace:g} is no machine's; write {1 / SLOWEST:g} to {SLOWEST:g}")
    return HostPace(float(pace), _count(value, "figures", where), _text(value, "line", where))


def _text(content: dict[str, Any], key: str, where: str) -> str:
    value = content.get(key, "")
    if value is not None and not isinstance(value, str | int | float):
        raise ScenarioError(f"{where}: {key}: write text")
    return "" if value is None else str(value)


def _count(content: dict[str, Any], key: str, where: str) -> int:
    value = content.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**48:
        raise ScenarioError(f"{where}: {key}: {printable(str(value), 40)} is not a whole number from 0")
    return value


def _offsets(value: object, where: str) -> dict[str, Offset]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ScenarioError(f"{where}: offsets: write one entry per term: {', '.join(SAVED_TERMS)}")
    found: dict[str, Offset] = {}
    for term, entry in value.items():
        size = entry.get("bytes") if isinstance(entry, dict) else None
        if term not in SAVED_TERMS or not isinstance(size, int) or isinstance(size, bool) or abs(size) >= 2**48:
            raise ScenarioError(
                f"{where}: offsets: {printable(str(term), 40)}: write `bytes:` of {', '.join(SAVED_TERMS)}"
            )
        found[term] = Offset(size, str(entry.get("line", "")))
    return found


def save_profile(profile: HostProfile) -> Path:
    """Write a profile in one piece. Raises ScenarioError."""
    path = profile_path(profile.name)
    write_text(path, dump_profile(profile))
    return path


def dump_profile(profile: HostProfile) -> str:
    """A profile as a person would write it."""
    lines = [f"schema: {SCHEMA}"]
    for key in ("accelerator", "gpus", "memory_mib", "visible_bytes", "link", "engine", "engine_version", "model"):
        value = getattr(profile, key)
        if value:
            lines.append(f"{key}: {value if isinstance(value, int) else _quoted(value)}")
    if profile.offsets:
        lines.append("# Measured less predicted, bytes of one GPU, with the line that says so.")
        lines.append("offsets:")
        for term, offset in profile.offsets.items():
            lines += [f"  {term}:", f"    bytes: {offset.bytes}", f"    line: {_quoted(offset.line)}"]
    if profile.speed:
        lines.append("# Seconds measured over seconds predicted: all predicted times on this card are so much longer.")
        lines += ["speed:", f"  pace: {profile.speed.pace:.4g}", f"  figures: {profile.speed.figures}"]
        lines.append(f"  line: {_quoted(profile.speed.line)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else " " for char in escaped) + '"'


def profile_of(found: Reconciliation, name: str) -> HostProfile:
    """What a log teaches about its host. Implausible figures are left out. Raises ScenarioError where nothing stays."""
    offsets = {
        entry.term: Offset(round(entry.gap), entry.line)
        for entry in found.terms
        if entry.term in SAVED_TERMS and entry.gap is not None and entry.line
    }
    visible = found.visible
    if not offsets and visible is None:
        raise ScenarioError("the log has no figure to keep beside a prediction: no host profile is written")
    return HostProfile(
        name,
        accelerator=visible.card if visible else "",
        gpus=(found.reading.settings.tp or 1) * (found.reading.settings.pp or 1),
        visible_bytes=visible.bytes if visible and visible.basis in ("log", "gpu") else 0,
        engine=found.reading.engine,
        engine_version=found.reading.engine_version,
        model=found.reading.model,
        offsets=offsets,
    )


def apply_hardware(
    scenario: Scenario, reading: HostReading, facts: Facts, chosen: Device | None = None
) -> tuple[Scenario, str]:
    """The scenario on the listed hardware, and what was set in words. Raises ScenarioError where none can be set."""
    from .reality.host.apply import settle

    settled = settle(reading, facts, chosen)
    if isinstance(settled, str):
        raise ScenarioError(f"the hardware cannot be set: {settled}")
    known = {key: value for key, value in settled.changes.items() if key in Scenario.FIELDS}
    kept = ""
    if settled.memory_mib:
        # What its driver reports is not the catalog's: the scenario refers to the host that says so.
        name = next((entry.node for entry in reading.devices if _NAME.fullmatch(entry.node)), "my-hardware")
        profile = HostProfile(
            name, settled.accelerator, settled.gpus, settled.memory_mib, link=settled.link, offsets={}
        )
        kept = f", kept as host profile {save_profile(profile).stem}"
        known["host"] = name
    elif scenario.host:
        known["host"] = ""
    changed = scenario.with_(**known)
    if not (changed.tp <= settled.gpus and changed.pp <= settled.gpus):
        changed = changed.with_(tp=0, pp=0, dp=0, ep=0, dcp=0)
    said = [f"{settled.gpus} × {settled.accelerator}, {settled.gpus_per_node} per node"]
    if settled.link:
        said.append(f"joined by {settled.link}")
    if settled.memory_mib:
        said.append(f"the smallest card reports {settled.memory_mib / 1024:.1f} GiB ({settled.memory_mib:,} MiB){kept}")
    said += [f"left out: {entry}" for entry in settled.left_out[:3]]
    return changed, "; ".join(said)


def with_pace(found: BenchComparison, name: str) -> HostProfile:
    """The host's profile with the pace that a benchmark shows; what it holds of memory stays.

    Raises ScenarioError where the profile is of another card, or the pace is no machine's.
    """
    pace = found.pace
    if pace is None:
        raise ScenarioError("no figure has a prediction beside it: no host profile is written")
    if not found.paces_agree:
        raise ScenarioError(
            f"the figures disagree: {found.paces[0]:.2g} to {found.paces[-1]:.2g} times the predicted time; no one "
            f"pace describes them: no host profile is written"
        )
    pace *= found.host_pace
    if not 1 / SLOWEST <= pace <= SLOWEST:
        raise ScenarioError(
            f"{pace:.2g} times the predicted time is no machine's pace: what was measured is another model, card or "
            f"layout than {found.model} on {found.accelerator}; no host profile is written"
        )
    known = load_profile(name) if profile_path(name).is_file() else HostProfile(name, found.accelerator, offsets={})
    if known.accelerator not in ("", found.accelerator):
        raise ScenarioError(f"host {name} has {known.accelerator}; {found.accelerator} was measured: give another name")
    figures = sum(len(point.figures) for point in found.points)
    line = f"{found.reading.tool}: {found.model} in {found.precision} as {found.layout.label}"
    return replace(known, accelerator=found.accelerator, speed=HostPace(pace, figures, line))


def constants_on(name: str, constants: Constants) -> Constants:
    """The speed model at the pace of a host. Raises ScenarioError where its profile is missing or broken."""
    path = profile_path(name)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _constants_on(name, stamp, constants)


@lru_cache(maxsize=16)
def _constants_on(name: str, stamp: int, constants: Constants) -> Constants:
    profile = load_profile(name)
    if profile.speed is None:
        return constants
    return replace(constants, host=name, pace=profile.speed.pace, paced=profile.accelerator)


def table_on(name: str, table: RuntimeTable) -> RuntimeTable:
    """The memory constants as seen on a host. Raises ScenarioError where its profile is missing or broken."""
    path = profile_path(name)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _table_on(name, stamp, table.on)


@lru_cache(maxsize=16)
def _table_on(name: str, stamp: int, on: Callable[[OnHost], RuntimeTable]) -> RuntimeTable:
    profile = load_profile(name)
    offsets = {term: offset.bytes for term, offset in (profile.offsets or {}).items()}
    return on(
        OnHost(
            name,
            profile.accelerator,
            profile.visible_bytes,
            profile.memory_mib * MIB,
            offsets.get("activation", 0),
            offsets.get("non_torch", 0),
            offsets.get("graphs", 0),
            profile.engine,
        )
    )


def visible_gib(profile: HostProfile) -> str:
    """The visible memory of a profile as `--gpu` takes it; empty: not known."""
    return f"{profile.visible_bytes / GIB:.4f} GiB" if profile.visible_bytes else ""
