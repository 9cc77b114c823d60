"""The command of a section: options, then its answer as text, Markdown, CSV or JSON; the same for every section."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .common import Options, deployment_options, echo_json, guarded, line_width, output_options
from .sweep import OPTION as SWEEP
from .sweep import show_sweep

if TYPE_CHECKING:
    from ..report.sections import Outcome
    from ..scenario import Scenario

Changes = Callable[[Mapping[str, Any]], Mapping[str, object]]
"""What a command's own options say → scenario fields to change."""


def named(**fields: str) -> Changes:
    """Options that set a field each, where they are given: `named(batch="router_batch")`."""

    def changes(options: Mapping[str, Any]) -> dict[str, object]:
        given = {field: options[option] for option, field in fields.items()}
        return {field: value for field, value in given.items() if value is not None and value is not False}

    return changes


def section_command(name: str, about: str, options: tuple[click.Option, ...] = (), changes: Changes = named()) -> Any:  # noqa: B008
    """The command of the section `name`. Exit code 1 where its result says that the GPUs do not hold the load."""

    @click.option("--brief", is_flag=True, help="One paragraph.")
    @click.option("--markdown", is_flag=True, help="Print Markdown.")
    @click.option("--csv", "as_csv", is_flag=True, help="Print the tables as CSV.")
    @click.option("--gib", is_flag=True, help="Show GiB (2^30) rather than GB (10^9).")
    @output_options
    @deployment_options
    def command(deployment: Options, **given: Any) -> None:
        scenario = deployment.scenario()
        scenario = guarded(lambda: scenario.with_(**changes(given)))
        output = {key: given[key] for key in ("brief", "markdown", "as_csv", "gib", "as_json", "explain")}
        if given["sweep"]:
            show_sweep(deployment, scenario, name, given["sweep"], output)
            return
        found = evaluated(deployment, scenario, name)
        show(found, **output)
        if not getattr(found.result, "fits", True):
            sys.exit(1)

    command.__doc__ = about
    made = click.command(name)(command)
    made.params += (*options, SWEEP)
    return made


def evaluated(deployment: Options, scenario: Scenario, name: str) -> Outcome:
    """A section of a scenario. Ends the program in one line where there is no answer."""
    from ..engine.evaluate import evaluate
    from ..report.sections import Outcome, section

    entry = section(name)
    evaluation = evaluate(scenario, deployment.facts())
    return Outcome(entry, evaluation, guarded(lambda: entry.report_by(scenario.estimator).evaluate(evaluation)))


def show(found: Outcome, *, brief: bool, markdown: bool, as_csv: bool, gib: bool, as_json: bool, explain: bool) -> None:
    """Print a section in the form that was asked for."""
    from ..engine.figures.units import ByteUnit
    from ..report import printed

    bytes_as = ByteUnit.GIB if gib else ByteUnit.GB
    if as_json:
        echo_json(guarded(lambda: found.data(explain=explain)))
    elif brief:
        click.echo(found.summary(bytes_as))
    elif markdown:
        click.echo(guarded(lambda: printed.markdown(found, bytes_as)))
    elif as_csv:
        from ..report.tables import table_csv

        click.echo("\n".join(table_csv(table) for table in guarded(lambda: found.tables(bytes_as))), nl=False)
    else:
        width = line_width()
        printed.write(guarded(lambda: printed.section_lines(found, bytes_as, width)))
        if explain:
            from ..report.math import text

            click.echo("\n" + text(found.derivations(), bytes_as, found.evaluation.scenario.currency))
