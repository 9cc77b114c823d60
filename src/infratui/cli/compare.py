"""`infratui compare`: two scenarios side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import Options, echo_json, fail, guarded

if TYPE_CHECKING:
    from ..scenario import Scenario


@click.command()
@click.argument("a", metavar="A.yaml")
@click.argument("b", metavar="B.yaml")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--gib", is_flag=True, help="Sizes in GiB instead of GB.")
def command(a: str, b: str, as_json: bool, gib: bool) -> None:
    """Compare two scenarios, each a file or a preset: inputs that differ, and every headline with its difference."""
    from ..engine.evaluate import Evaluator
    from ..engine.figures.units import ByteUnit
    from ..report import compare, printed

    first, second = _scenario(a), _scenario(b)
    evaluator = Evaluator(Options().facts())
    found = guarded(lambda: compare.comparison(evaluator(first), evaluator(second)))
    if as_json:
        echo_json(compare.as_json(found))
    else:
        unit = ByteUnit.GIB if gib else ByteUnit.GB
        lines = list(printed.answer_lines(compare.answer(found, unit), printed.WIDTH))
        for table in compare.page(found, unit):
            lines += printed.block_lines(table, printed.WIDTH)
        printed.write(lines)


def _scenario(name: str) -> Scenario:
    """A scenario file, or a preset by its name."""
    from ..scenario import ScenarioError
    from ..store import named_scenario

    try:
        return named_scenario(name)
    except ScenarioError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{name}: {error.strerror}")
