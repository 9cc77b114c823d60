"""Writes the accuracy table into the README: `python -m tools.readme`."""

from __future__ import annotations

import sys
from pathlib import Path

from infratui.catalog.load import Catalog
from infratui.report.accuracy import AccuracyRow, published, rows_of

GOALS = {
    ("weights per GPU", ""): 3.0,
    ("KV tokens, given KV space", ""): 2.0,
    ("tpot", "dense"): 10.0,
    ("tpot", "moe"): 18.0,
    ("ttft", ""): 15.0,
    ("ttft under load", ""): 25.0,
    ("throughput", "dense"): 15.0,
    ("max throughput", "dense"): 12.0,
    ("max throughput", "moe"): 20.0,
}
"""Mean error that the model is built for, by quantity and regime (empty: both)."""
BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"


def table(rows: tuple[AccuracyRow, ...]) -> str:
    """The rows as a Markdown table."""
    head = (
        "| quantity | regime | rows | sources | median | mean | p90 | bias | goal | inside | rule of thumb | roofline |"
    )
    lines = [head, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        baselines = (row.rule_of_thumb_mean, row.roofline_mean)
        others = " | ".join("–" if value is None else f"{value:.0f} %" for value in baselines)
        lines.append(
            f"| {row.quantity} | {row.group} | {row.n} | {row.sources} | {row.median_ape:.1f} % | {row.mean_ape:.1f} % "
            f"| {row.p90_ape:.1f} % | {row.bias:+.1f} % | {_goal(row)} | {_inside(row)} | {others} |"
        )
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _goal(row: AccuracyRow) -> str:
    goal = GOALS.get((row.quantity, row.group)) or GOALS.get((row.quantity, ""))
    if goal is None:
        return "–"
    return f"{goal:g} %" if row.mean_ape <= goal else f"**{goal:g} %, missed**"


def _inside(row: AccuracyRow) -> str:
    return "–" if row.inside is None else f"{row.inside:.0%}"


def filled(readme: str) -> str:
    """The README with the current table between its marks."""
    facts = Catalog()
    rows = rows_of(published(facts), facts, "regime")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def main() -> None:
    """Rewrite README.md, or the file that is named."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "README.md")
    path.write_text(filled(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
