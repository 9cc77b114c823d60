"""`infratui plan`: the cheapest plan for a demand within its latency targets, over the whole catalog."""

from __future__ import annotations

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options


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
    """Find the cheapest plan: format × accelerator × count × layout × batch. --gpu keeps to one accelerator.

    Exit code 1: nothing holds the targets.
    """
    from ..engine.planner import Search, plan_demand
    from ..report.cost import plan_text
    from ..report.math import text as math_text

    scenario, facts = deployment.scenario(), deployment.facts()
    named = {"requests_per_day": requests, "ttft_ms": ttft, "tpot_ms": tpot}
    scenario = guarded(lambda: scenario.with_(**{key: value for key, value in named.items() if value is not None}))
    search = Search((deployment.gpu,) if deployment.gpu else (), formats, min_bits)
    plan = guarded(lambda: plan_demand(scenario, facts, search))
    if as_json:
        from ..report.cost_json import plan_json

        echo_json(plan_json(plan, explain=explain))
    else:
        click.echo(plan_text(plan))
        if explain and plan.derivations:
            click.echo("\n" + math_text(plan.derivations))
    if plan.best is None:
        raise SystemExit(1)
