"""`infratui gpus`: the accelerators of the catalog."""

from __future__ import annotations

import click

from .common import Options, echo_json, guarded, plain_table


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the accelerators, or show NAME, matched leniently. Peak rates are dense."""
    from ..engine.figures.units import GIB

    facts = Options().facts()
    found = guarded(lambda: (facts.accelerator(name),) if name else facts.accelerators())
    if as_json:
        echo_json(found, "gpus")
        return

    def tera(value: float | None) -> str:
        return f"{value / 1e12:,.0f}" if value else "–"

    plain_table(
        ("id", "name", "memory GiB", "TB/s", "BF16", "FP8", "FP4 TFLOP/s", "link GB/s", "W"),
        [
            (
                gpu.id + (" *" if gpu.origin != "built-in" else ""),
                gpu.name,
                f"{gpu.memory / GIB:,.1f}",
                f"{gpu.bandwidth / 1e12:.2f}" if gpu.bandwidth else "–",
                tera(gpu.peak("bf16")),
                tera(gpu.fp8),
                tera(gpu.fp4),
                f"{gpu.link_bandwidth / 1e9:,.0f}" if gpu.link_bandwidth else "–",
                f"{gpu.tdp_w:,.0f}" if gpu.tdp_w else "–",
            )
            for gpu in found
        ],
        right=tuple(range(2, 9)),
    )
    if name:
        from ..report.tables import link_name

        (gpu,) = found
        click.echo()
        for label, said in (("link", link_name(gpu, facts)), ("notes", gpu.notes), ("source", gpu.source)):
            if said:
                click.echo(f"{label:7} {said}")
