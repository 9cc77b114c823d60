"""`infratui demand`: what a trace or a running server's metrics say of the demand, and into a scenario."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import Number, Options, echo_json, echo_page, fail

if TYPE_CHECKING:
    from ..demand.measured import MeasuredDemand
    from ..demand.stream import DemandSource
    from ..report.show import Block
    from ..scenario import Scenario


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|- [FILE2]")
@click.option(
    "--apply",
    "target",
    type=click.Path(path_type=Path),
    help="Write the measured demand into this scenario file, a new one if need be.",
)
@click.option("--seconds", type=Number(), help="Between two scrapes, where neither they nor their files tell.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(files: tuple[str, ...], target: Path | None, seconds: float | None, as_json: bool) -> None:
    """Say what a service is asked for: lengths of prompts and answers, peaks, repetition.

    Reads the Prometheus metrics of vLLM, SGLang, TGI and Dynamo (one scrape tells lengths; two of the same server
    rates as well), and traces: Azure's, BurstGPT's, Mooncake's, sessions with prefix hashes, any CSV or JSON lines
    with prompt and answer tokens, gzip too. What a file is, is told by its content. With --apply the scenario is
    sized for what was measured; its typed lengths and peak stay, and count again after `--set demand_profile=none`.
    """
    from ..catalog.demand_names import demand_names
    from ..demand.reading import read_demand
    from ..reality.text import UnreadableError
    from ..report import demand as report

    if len(files) > 2:
        fail("more than two files; give one trace, or two scrapes of one server")
    if seconds is not None and not 0 < seconds < 1e9:
        fail("--seconds: write a number above 0")
    with ExitStack() as opened:
        sources = [_source(name, opened) for name in files]
        try:
            found = read_demand(sources, demand_names(), seconds)
        except UnreadableError as error:
            fail(str(error))
        except OSError as error:
            fail(f"{files[0]}: cannot be read: {error.strerror or error}; check the path")
    changed = None if target is None else _apply(found, target)
    if as_json:
        echo_json(report.data(found))
        return
    echo_page(report.answer(found), (*report.page(found), *(() if changed is None else _effect(changed))))


def _source(name: str, opened: ExitStack) -> DemandSource:
    """A file or standard input, opened. Ends the program in one line where there is none."""
    from ..demand.stream import DemandSource, file_source

    try:
        if name == "-":
            if sys.stdin is None or sys.stdin.isatty():
                fail("standard input is a terminal; pipe the text in, or name a file")
            return DemandSource("standard input", sys.stdin.buffer.read)
        return file_source(name, opened, pipes=True)
    except (OSError, ValueError, RuntimeError) as error:
        fail(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}; check the path")


def _effect(scenario: Scenario) -> tuple[Block, ...]:
    """What the measured demand changes in the scenario that it was written into."""
    from ..engine.evaluate import evaluate
    from ..report import demand as report

    line, _, asks = report.of(evaluate(scenario, Options().facts())) or (None, None, None)
    return () if line is None or asks is None else (line, asks)


def _apply(found: MeasuredDemand, target: Path) -> Scenario:
    """Write the demand into a scenario file. Ends the program in one line where that cannot be done."""
    from ..measuring import measured_in
    from ..scenario import Scenario, ScenarioError
    from ..store import expanded, load_scenario, save_scenario

    try:
        path = expanded(target)
        scenario = load_scenario(path) if path.exists() else Scenario()
        changed, said = measured_in(scenario, found)
        save_scenario(changed, path)
    except ScenarioError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{target}: {error.strerror}")
    click.echo(f"infratui: {target}: {said}; `--set demand_profile=none` drops it", err=True)
    return changed
