"""Whether an engine's version can say a plan, and knows the flags that somebody adds to it."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.case import Case
from ..engine.deployment.judge import NoReplicaError
from ..value_types import dataclass
from .engines import command
from .flags import EngineFlags, LaunchError, LaunchFlag
from .plan import for_engine, launch_plan


@dataclass(frozen=True, slots=True)
class FlagCheck:
    """What a version makes of the plan and of further flags."""

    engine: str
    version: str
    stated: int = 0
    """Flags that the plan takes, all of them known to the version."""
    refusal: str = ""
    """Why the plan cannot be said; empty: it can."""
    missing: tuple[LaunchFlag, ...] = ()
    """Further flags that other versions have and this one does not."""
    unknown: tuple[str, ...] = ()
    """Further flags that stand in no table read here."""


def check_flags(asked: str, case: Case, tables: Mapping[str, EngineFlags]) -> FlagCheck:
    """`vllm 0.25.1 --enable-lora …`: the engine, its version (the scenario's or the newest read), flags of one's own.

    Raises ValueError for what is no such text, and where the scenario has no plan at all.
    """
    words = asked.split()
    engine = words[0] if words else ""
    if engine not in tables:
        raise LaunchError(f"{engine[:40]!r} is no engine here; there are {', '.join(tables)}")
    version = words[1].removeprefix("v") if len(words) > 1 and not words[1].startswith("-") else ""
    extra = [word for word in words[1:] if word.startswith("-")]
    served = for_engine(case.whole, engine, version)
    table = tables[engine]
    version = version or served.engine_version or table.newest
    known = {word: [entry for entry in table.flags if entry.flag == word] for word in extra}
    missing = tuple(
        entries[-1]
        for entries in known.values()
        if entries and not any(entry.exists_in(version) for entry in entries)
    )  # fmt: skip
    unknown = tuple(word for word, entries in known.items() if not entries)
    own = case.with_(engine=served.engine, engine_version=served.engine_version)
    try:
        started = command(launch_plan(own), table, version)
    except (LaunchError, NoReplicaError) as error:
        return FlagCheck(engine, version, 0, str(error), missing, unknown)
    return FlagCheck(engine, version, sum(bool(entry.flag) for entry in started.arguments), "", missing, unknown)
