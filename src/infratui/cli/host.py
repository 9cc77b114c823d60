"""`infratui host`: what hardware is there, from any listing of it, and into a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import Options, echo_json, echo_page, fail
from .sources import is_file, text_of

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..reality.host.reading import HostReading


@click.command()
@click.argument("sources", nargs=-1, metavar="[-|FILE|INSTANCE_TYPE]…")
@click.option("--apply", "target", type=click.Path(path_type=Path), help="Write the hardware into this scenario file.")
@click.option("--node", help="With --apply: take the cards of this node only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(sources: tuple[str, ...], target: Path | None, node: str | None, as_json: bool) -> None:
    """Say what hardware a listing shows, or what this machine has.

    Reads nvidia-smi (table, -L, -q, -q -x, CSV query, topo -m), amd-smi and rocm-smi, kubectl get nodes -o json or
    describe node, scontrol show node and sinfo, a cloud's instance type; its kind is told by its content, and one text
    may hold several. Without an argument this machine is asked, through NVML. Nothing leaves the machine: for another
    host, `ssh node nvidia-smi | infratui host -`.
    """
    from ..reality.text import UnreadableError
    from ..report import host as report

    facts = Options().facts()
    try:
        reading = _reading(sources, facts)
    except UnreadableError as error:
        fail(str(error))
    if node is not None:
        reading = _only(reading, node)
    if as_json:
        echo_json(report.data(reading))
    else:
        echo_page(report.answer(reading), report.page(reading))
    if target is not None:
        _apply(reading, target, facts)


def _reading(sources: tuple[str, ...], facts: Catalog) -> HostReading:
    from ..catalog.host_names import host_tables
    from ..reality.host import read_host
    from ..reality.host.nvml import of_this_machine

    if not sources:
        return of_this_machine(facts)
    texts = [text_of(source) if source == "-" or is_file(source) else source for source in sources]
    return read_host("\n".join(texts), host_tables(), facts)


def _only(reading: HostReading, node: str) -> HostReading:
    from dataclasses import replace

    devices = tuple(entry for entry in reading.devices if entry.node == node)
    if not devices:
        names = ", ".join(dict.fromkeys(entry.node or "(unnamed)" for entry in reading.devices))
        fail(f"--node: {node[:60]!r} is not listed; there are {names[:200]}")
    return replace(reading, devices=devices, links=tuple(link for link in reading.links if link.node == node))


def _apply(reading: HostReading, target: Path, facts: Catalog) -> None:
    from ..hosts import apply_hardware
    from ..scenario import Scenario, ScenarioError
    from ..store import expanded, load_scenario, save_scenario

    try:
        path = expanded(target)
        scenario = load_scenario(path) if path.exists() else Scenario()
        changed, said = apply_hardware(scenario, reading, facts)
        save_scenario(changed, path)
    except ScenarioError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{target}: {error.strerror}")
    click.echo(f"infratui: {target}: {said}", err=True)
