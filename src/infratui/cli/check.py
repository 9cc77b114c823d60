"""`infratui check`: scenario files held against their policies, in the form that a person or a pipeline reads."""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import check_names, echo_json, echo_page

if TYPE_CHECKING:
    import datetime as dt

    from ..catalog.load import Catalog
    from ..checking import CheckedFile

_FORMATS = ("text", "json", "junit", "github", "markdown")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="PLAN.yaml…", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True, help="What to print.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day that prices age to; today by default."
)
def command(files: tuple[Path, ...], form: str, on: dt.datetime | None) -> None:
    """Hold scenario files against the policies that they state.

    A file states limits under `policy:`, such as `fits: true` or `ttft_ms_p95: 800`; `infratui fields` lists them. Exit
    code 0: all hold; 1: one is broken; 2: a file is unreadable or states no policy; 3: cannot tell, since the published
    interval of a figure straddles its limit. Of several files the worst counts: 2 over 1 over 3.
    """
    # A pipeline waits for it: to look through what it has imported for garbage takes a tenth of the whole.
    gc.set_threshold(100_000)
    from ..catalog.errors import CatalogError
    from ..catalog.load import default_catalog
    from ..checking import worst_code
    from ..report import check as report
    from .common import fail

    try:
        facts = default_catalog(on.date() if on else None).check()
    except CatalogError as error:
        fail(str(error))
    found = tuple(checked_file(path, facts) for path in files)
    match form:
        case "json":
            echo_json(report.data(found, facts.today.isoformat()))
        case "junit":
            click.echo(report.junit(found), nl=False)
        case "github":
            click.echo(report.github(found), nl=False)
        case "markdown":
            click.echo(report.markdown(found), nl=False)
        case _:
            _write(found)
    sys.exit(worst_code(tuple(entry.exit_code for entry in found)))


def checked_file(path: Path, facts: Catalog) -> CheckedFile:
    """One file; what cannot be read is said in its line."""
    from ..checking import CheckedFile, checked_policy
    from ..engine.evaluate import evaluate
    from ..plain_text import printable
    from ..scenario import ScenarioError
    from ..store import line_of_key, load_scenario

    name = printable(str(path))
    try:
        scenario = load_scenario(path)
        check_names(scenario, facts, path, scenario)
        if not scenario.policy:
            raise ScenarioError(f"{name}: states no policy; add limits under `policy:`, such as `  fits: true`")
        lines = {limit: line_of_key(path, f"policy.{limit}") for limit in scenario.policy.stated()}
        at = line_of_key(path, "policy")
    except (ScenarioError, OSError) as error:
        said = printable(str(error), 400) if not isinstance(error, OSError) else f"{name}: {error.strerror}"
        place = re.match(r".*?\.ya?ml:(\d{1,9}): ", said)
        return CheckedFile(name, error=said, line=int(place[1]) if place else 1)
    checked = checked_policy(evaluate(scenario, facts), facts.today)
    return CheckedFile(name, scenario.name, checked, "", at, lines)


def _write(found: tuple[CheckedFile, ...]) -> None:
    from ..report import check as report

    for entry in found:
        if entry.checked is None:
            click.echo(f"infratui: {entry.error}", err=True)
            continue
        echo_page(report.answer(entry), report.page(entry))
