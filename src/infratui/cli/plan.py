"""`infratui plan`: the layouts of given GPUs, or the cheapest plan for a demand over the whole catalog."""

from __future__ import annotations

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options, plain_table


@click.command()
@click.option("--requests", type=click.IntRange(0, 10**13), help="Requests per day to plan for.")
@click.option("--ttft", type=float, metavar="MS", help="Time to first token to hold; 0: none.")
@click.option("--tpot", type=float, metavar="MS", help="Time per output token to hold; 0: none.")
@click.option("--format", "formats", multiple=True, metavar="NAME", help="Only these weight formats: fp8, int4-awq …")
@click.option("--min-bits", type=float, default=8.0, show_default=True, help="Narrowest weights to try unasked.")
@output_options
@deployment_options
def command(
    deployment: Deployment,
    requests: int | None,
    ttft: float | None,
    tpot: float | None,
    formats: tuple[str, ...],
    min_bits: float,
    as_json: bool,
    explain: bool,
) -> None:
    """List every layout of the scenario's GPUs, legal or refused, and which to take.

    With --requests, --ttft, --tpot or --format: find the cheapest plan for that demand instead, over format ×
    accelerator × count × layout × batch; --gpu keeps to one accelerator. Exit code 1: it does not fit, or nothing holds
    the targets.
    """
    if requests is None and ttft is None and tpot is None and not formats:
        fits = _layouts(deployment, as_json, explain)
    else:
        named = {"requests_per_day": requests, "ttft_ms": ttft, "tpot_ms": tpot}
        fits = _demand(deployment, {key: value for key, value in named.items() if value is not None}, formats, min_bits,
                       as_json, explain)  # fmt: skip
    if not fits:
        raise SystemExit(1)


def _layouts(deployment: Deployment, as_json: bool, explain: bool) -> bool:
    from ..engine.evaluate import evaluate
    from ..report.deployment import with_deployment
    from ..report.math import text as math_text
    from ..report.parallelism import ROW_HEAD, as_data, ladder_lines, row_cells, summary

    evaluation = evaluate(deployment.scenario(), deployment.facts())
    result = guarded(lambda: evaluation.parallelism)
    if as_json:
        echo_json(with_deployment(as_data(result, explain=explain), evaluation))
        return bool(result.fits)
    click.echo(summary(result) + "\n")
    for label, sentence in ladder_lines(result):
        click.echo(f"{label:11} {sentence}")
    click.echo("")
    chosen = result.chosen.layout if result.chosen else None
    rows = [("●" if row.layout == chosen else "", *row_cells(row)) for row in result.rows]
    plain_table(("", *ROW_HEAD), rows, right=tuple(range(3, 10)))
    if explain:
        click.echo("\n" + math_text(result.derivations))
    return bool(result.fits)


def _demand(
    deployment: Deployment,
    changes: dict[str, object],
    formats: tuple[str, ...],
    min_bits: float,
    as_json: bool,
    explain: bool,
) -> bool:
    from ..engine.case import Case
    from ..engine.deployment.planner import Search, plan_demand
    from ..report.cost import plan_text
    from ..report.math import text as math_text

    scenario, facts = deployment.scenario(), deployment.facts()
    search = Search((deployment.gpu,) if deployment.gpu else (), formats, min_bits)
    plan = guarded(lambda: plan_demand(Case(scenario.with_(**changes), facts), search))
    if as_json:
        from ..report.cost_json import plan_json

        echo_json(plan_json(plan, explain=explain))
    else:
        click.echo(plan_text(plan))
        if explain and plan.derivations:
            click.echo("\n" + math_text(plan.derivations))
    return plan.best is not None
