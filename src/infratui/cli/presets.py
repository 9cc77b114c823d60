"""`infratui presets`: the presets, built in and the user's own."""

from __future__ import annotations

from functools import partial

import click

from .common import echo_json, guarded, plain_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the presets: what --preset takes."""
    from ..store import load_preset, presets

    found = [(preset, guarded(partial(load_preset, preset.id))) for preset in guarded(presets)]
    rows = [
        {"id": preset.id, "own": preset.own, "about": preset.about, **scenario.changed()} for preset, scenario in found
    ]
    if as_json:
        echo_json(rows, "presets")
        return
    plain_table(
        ("preset", "name", "model", "weights", "users", "context", "GPUs"),
        [
            (
                preset.id + (" *" if preset.own else ""),
                preset.title,
                scenario.model,
                scenario.precision or "as released",
                f"{scenario.users:,}",
                f"{scenario.context:,}",
                f"{scenario.gpus} × {scenario.accelerator}",
            )
            for preset, scenario in found
        ],
        right=(4, 5),
    )
