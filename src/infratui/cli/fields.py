"""`infratui fields`: every scenario field, its default and range."""

from __future__ import annotations

import click

from .common import echo_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the scenario's fields: what --set and scenario files accept; `policy.…` are the limits of its policy."""
    from ..policy import PREFIX, Policy
    from ..scenario import INPUTS, Scenario
    from ..settings_text import describe_range

    defaults = Scenario().values()
    rows = [
        {"field": name, "default": defaults[name], "values": describe_range(name), "unit": spec.unit, "zero": spec.zero}
        for name, spec in INPUTS.items()
    ]
    rows += [
        {
            "field": f"{PREFIX}{name}",
            "default": entry.default,
            "values": describe_range(f"{PREFIX}{name}"),
            "unit": entry.spec.unit,
            "zero": entry.spec.zero,
        }
        for name, entry in Policy.FIELDS.items()
    ]
    if as_json:
        echo_json(rows, "fields")
        return
    for row in rows:
        zero = f", 0 = {row['zero']}" if row["zero"] and row["default"] is not None else ""
        default = row["zero"] if row["default"] is None else row["default"]
        click.echo(f"{row['field']:28}{default!s:18}{row['values']}{zero}  {row['unit']}".rstrip())
