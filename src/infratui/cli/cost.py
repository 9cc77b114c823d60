"""`infratui cost`: buy or rent, breakevens, levers and what moves the decision."""

from __future__ import annotations

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options


@click.command()
@click.option("--requests", type=click.IntRange(0, 10**13), help="Requests per day.")
@click.option("--hours", type=float, help="Hours of service per day.")
@click.option("--compliance", is_flag=True, help="Data must stay on premises.")
@click.option("--brief", is_flag=True, help="One paragraph.")
@output_options
@deployment_options
def command(
    deployment: Deployment,
    requests: int | None,
    hours: float | None,
    compliance: bool,
    brief: bool,
    as_json: bool,
    explain: bool,
) -> None:
    """Buy or rent: what the demand takes, what each option costs, and which to take."""
    from ..engine.evaluate import evaluate
    from ..report.cost import summary, text
    from ..report.math import text as math_text

    scenario = deployment.scenario()
    named = {"requests_per_day": requests, "hours_per_day": hours, "compliance": compliance or None}
    scenario = guarded(lambda: scenario.with_(**{key: value for key, value in named.items() if value is not None}))
    evaluation = evaluate(scenario, deployment.facts())
    result = guarded(lambda: evaluation.cost)
    if brief:
        click.echo(summary(result))
        return
    levers, tornado = guarded(lambda: evaluation.cost_levers), guarded(lambda: evaluation.cost_tornado)
    if as_json:
        from ..report.cost_json import cost_json
        from ..report.deployment import with_deployment

        echo_json(with_deployment(cost_json(result, levers, tornado, explain=explain), evaluation))
        return
    click.echo(text(result, levers, tornado))
    if explain:
        click.echo("\n" + math_text(result.derivations))
