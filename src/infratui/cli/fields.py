"""`infratui fields`: every scenario field, its default and range."""

from __future__ import annotations

import click

from .common import echo_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the scenario's fields: what --set and scenario files accept."""
    from ..scenario import INPUTS, Scenario
    from ..settings_text import describe_range

    defaults = Scenario().values()
    rows = [
        {"field": name, "default": defaults[name], "values": describe_range(name), "unit": spec.unit, "zero": spec.zero}
        for name, spec in INPUTS.items()
    ]
    if as_json:
        echo_json(rows, "fields")
        return
    for row in rows:
        zero = f", 0 = {row['zero']}" if row["zero"] else ""
        click.echo(f"{row['field']:26}{row['default']!s:18}{row['values']}{zero}  {row['unit']}".rstrip())
