"""`infratui reference`: terms, pages and decision trees as text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from .common import Options, deployment_options, echo_json, guarded, plain_table

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..report.library import Library
    from ..scenario import Scenario

WIDTH = 88


@click.command()
@click.argument("term", required=False)
@click.option("--search", "words", metavar="WORDS", help="Everything that mentions the words.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@deployment_options
def command(term: str | None, words: str | None, as_json: bool, deployment: Options) -> None:
    """Print TERM, a page or a decision tree; without one, list what there is."""
    from ..report.library import Library
    from ..store import config_directory

    library = Library.open(config_directory() / "glossary.yaml")
    if library.problem:
        click.echo(f"infratui: {library.problem}; your own terms are left out", err=True)
    if term is None or words is not None:
        entries = library.contents(words or "")
        if as_json:
            echo_json(entries, "entries")
        elif not entries:
            click.echo(f"nothing mentions {words!r}; fewer or other words may")
        else:
            plain_table(("name", "kind", "about"), [(entry.key, entry.kind, entry.about) for entry in entries])
        return
    guarded(lambda: _show(library, term, as_json, deployment))


def _show(library: Library, term: str, as_json: bool, deployment: Options) -> None:
    from ..engine.evaluate import evaluate
    from ..report.layout import lay_out, plain_lines
    from ..report.tables import table_names

    facts = deployment.facts()
    try:
        key = library.find(term)
    except ValueError:
        if term not in table_names():
            raise
        _print_table(term, facts, deployment.scenario())
        return
    scenario = deployment.scenario()
    evaluation = evaluate(scenario, facts) if library.slow(key) else None
    article = library.article(key, facts, evaluation)
    if as_json:
        echo_json(article)
        return
    click.echo(f"{article.title}\n{'=' * len(article.title)}\n")
    placed, _ = lay_out(article.blocks, WIDTH)
    for number, entry in enumerate(placed):
        if number:
            click.echo()
        if entry.data:
            _print_table(entry.data, facts, scenario)
        else:
            click.echo(plain_lines(entry.lines))


def _print_table(name: str, facts: Catalog, scenario: Scenario) -> None:
    from ..report.printed import block_lines, write
    from ..report.tables import catalog_table

    table = catalog_table(name, facts, scenario)
    kept = [at for at, column in enumerate(table.columns) if column.keep < 3]
    columns = tuple(table.columns[at] for at in kept)
    rows = tuple(replace(row, cells=tuple(row.cells[at] for at in kept)) for row in table.rows)
    write(block_lines(replace(table, title="", columns=columns, rows=rows), WIDTH)[1:])
