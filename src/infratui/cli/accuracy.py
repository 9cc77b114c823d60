"""`infratui accuracy`: the engine's error against measured data it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .common import Options, echo_json, guarded, plain_table

if TYPE_CHECKING:
    from ..engine.measured.accuracy import Key


@click.command()
@click.option(
    "--by", type=click.Choice(["regime", "model", "gpu", "engine"]), default="regime", show_default=True,
    help="Group the rows.",
)  # fmt: skip
@click.option("--left-out", is_flag=True, help="List the rows that are not scored, and why.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(by: Key, left_out: bool, as_json: bool) -> None:
    """Score the predictions on measured rows, each predicted by fits that did not see it.

    Rows are left out by source, and by model and GPU; the worse counts. Beside two baselines: the rule of thumb, and a
    plain roofline at 100 % efficiency. Errors in percent; `inside` is how many the printed interval holds.
    """
    from ..report.accuracy import published, rows_of

    facts = Options().facts()
    found = guarded(lambda: published(facts))
    if left_out:
        listed = [{"id": entry.row.id, "source": entry.row.source, "reason": entry.reason} for entry in found.left_out]
        if as_json:
            echo_json(listed, "left_out")
        else:
            plain_table(("row", "why it is not scored"), [(row["id"], row["reason"]) for row in listed])
        return
    rows = rows_of(found, facts, by)
    if as_json:
        echo_json(rows, "accuracy")
        return
    names = (
        "quantity", by, "n", "sources", "median", "mean", "p90", "bias", "inside", "rule of thumb", "roofline 100 %"
    )  # fmt: skip
    plain_table(
        names,
        [
            (
                row.quantity,
                row.group,
                str(row.n),
                str(row.sources),
                f"{row.median_ape:.1f}",
                f"{row.mean_ape:.1f}",
                f"{row.p90_ape:.1f}",
                f"{row.bias:+.1f}",
                "–" if row.inside is None else f"{row.inside:.0%}",
                "–" if row.rule_of_thumb_mean is None else f"{row.rule_of_thumb_mean:.0f}",
                "–" if row.roofline_mean is None else f"{row.roofline_mean:.0f}",
            )
            for row in rows
        ],
        right=tuple(range(2, 11)),
    )
    click.echo(
        "\nAbsolute percentage errors; baselines as means. Speed is left out by source, or by model and GPU: the worse."
        "\nIntervals are made to hold 80 % of such rows. Memory is in-sample."
    )
