"""`--sweep FIELD=VALUES`: a section's answer over one field, with progress where it takes longer than a moment."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from .common import Options, echo_json, fail, guarded
from .progress import followed

if TYPE_CHECKING:
    from ..engine.sweep import SweepResult
    from ..scenario import Scenario

OPTION = click.Option(
    ["--sweep"], metavar="FIELD=VALUES", help="Vary one field: users=1..500, users=1..500:25, context=8K,64K,1M."
)


def show_sweep(deployment: Options, scenario: Scenario, command: str, text: str, output: dict[str, Any]) -> None:
    """Sweep a section and print it. Ends the program in one line where nothing can be swept."""
    from ..engine.figures.units import ByteUnit
    from ..report import sweep as words
    from ..report.printed import markdown_block
    from ..report.reasons import reason_text
    from ..report.sections import section
    from ..report.tables import table_csv
    from .show import emit

    if output["explain"]:
        fail("--sweep has no math to explain; leave --explain out, or --sweep")
    facts = deployment.facts()
    found = _swept(deployment, scenario, section(command).id, text)
    if not found.answered:
        why = reason_text(found.points[0].refusal) if found.points else "stopped"
        fail(f"--sweep {found.field}: no answer at any value: {why}")
    bytes_as = ByteUnit.GIB if output["gib"] else ByteUnit.GB
    answer = words.answer(found, facts)
    if output["as_json"]:
        echo_json({"sweep": words.data(found)})
    elif output["as_csv"]:
        click.echo(table_csv(words.table(found, facts, bytes_as)), nl=False)
    elif output["brief"]:
        click.echo(f"{answer.text}: {answer.figure}. {answer.detail}.")
    elif output["markdown"]:
        blocks = (words.steps(found, facts), words.table(found, facts, bytes_as))
        click.echo("\n\n".join(text for block in blocks if (text := markdown_block(block))))
    else:
        emit(answer, words.page(found, facts, bytes_as))
    if not found.whole:
        sys.exit(128 + signal.SIGINT)


def _swept(deployment: Options, scenario: Scenario, section: str, text: str) -> SweepResult:
    from ..engine.evaluate import Evaluator
    from ..engine.sweep import SweepPoint, SweepResult, sweep
    from ..settings_text import parse_sweep

    name, values = guarded(lambda: parse_sweep(text))
    facts = deployment.facts()

    def check() -> None:
        for value in values:
            deployment.check_names(scenario.with_(**{name: value}))

    guarded(check)
    points: list[SweepPoint] = []
    whole = True
    try:
        points.extend(followed(sweep(Evaluator(facts), scenario, section, name, values), len(values), "values"))
    except KeyboardInterrupt:
        # What is there is shown.
        whole = False
    return SweepResult(section, name, scenario, tuple(points), whole)
