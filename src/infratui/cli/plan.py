"""`infratui plan`: the layouts of given GPUs, or the cheapest plan for a demand over the whole catalog."""

from __future__ import annotations

import sys
from typing import Any

import click

from .common import Number, Options, Whole, deployment_options, echo_json, fail, guarded, line_width, output_options
from .section import evaluated, show
from .sweep import OPTION as SWEEP
from .sweep import show_sweep


@click.command()
@click.option("--requests", type=Whole(0, 10**13), help="Requests per day to plan for.")
@click.option("--ttft", type=Number(), metavar="MS", help="Time to first token to hold; 0: none.")
@click.option("--tpot", type=Number(), metavar="MS", help="Time per output token to hold; 0: none.")
@click.option("--format", "formats", multiple=True, metavar="NAME", help="Only these weight formats: fp8, int4-awq …")
@click.option("--min-bits", type=Number(), default=8.0, show_default=True, help="Narrowest weights to try unasked.")
@click.option("--sweep", metavar=SWEEP.metavar, help=SWEEP.help)
@click.option("--brief", is_flag=True, help="One paragraph.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the tables as CSV.")
@click.option("--gib", is_flag=True, help="Show GiB (2^30) rather than GB (10^9).")
@output_options
@deployment_options
def command(
    deployment: Options,
    requests: int | None,
    ttft: float | None,
    tpot: float | None,
    formats: tuple[str, ...],
    min_bits: float,
    sweep: str | None,
    **output: Any,
) -> None:
    """List every layout of the scenario's GPUs, legal or refused, and which to take.

    With --requests, --ttft, --tpot or --format: find the cheapest plan for that demand instead, over format ×
    accelerator × count × layout × batch; --gpu keeps to one accelerator. Exit code 1: it does not fit, or nothing holds
    the targets.
    """
    if sweep:
        if requests is not None or ttft is not None or tpot is not None or formats:
            fail("--sweep goes with the layouts of a scenario; set its fields with --set instead of options of a plan")
        show_sweep(deployment, deployment.scenario(), "plan", sweep, output)
        return
    if requests is None and ttft is None and tpot is None and not formats:
        found = evaluated(deployment, deployment.scenario(), "plan")
        show(found, **output)
        fits = found.result.fits
    else:
        named = {"requests_per_day": requests, "ttft_ms": ttft, "tpot_ms": tpot}
        changes: dict[str, object] = {key: value for key, value in named.items() if value is not None}
        fits = _demand(deployment, changes, formats, min_bits, output)
    if not fits:
        sys.exit(1)


def _demand(
    deployment: Options,
    changes: dict[str, object],
    formats: tuple[str, ...],
    min_bits: float,
    output: dict[str, Any],
) -> bool:
    from ..engine.case import Case, in_force
    from ..engine.deployment.planner import Search, plan_demand
    from ..report import plans, printed
    from ..report.math import text

    scenario, facts = deployment.scenario(), deployment.facts()
    search = Search((deployment.gpu,) if deployment.gpu else (), formats, min_bits)
    plan = guarded(lambda: plan_demand(Case(in_force(scenario.with_(**changes), facts), facts), search))
    if output["as_json"]:
        echo_json(plans.data(plan) | ({"derivations": plan.derivations} if output["explain"] else {}))
        return plan.best is not None
    width = line_width()
    lines = [((plans.demand(plan), ""),), *printed.answer_lines(plans.answer(plan), width)]
    for block in plans.page(plan, shown=12):
        lines += printed.block_lines(block, width)
    printed.write(lines)
    if output["explain"] and plan.derivations:
        click.echo("\n" + text(plan.derivations))
    return plan.best is not None
