"""`infratui moe`: dense beside mixture of experts, and the router."""

from __future__ import annotations

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options


@click.command()
@click.option("--dense", metavar="NAME|PATH", help="The dense model.")
@click.option("--moe", metavar="NAME|PATH", help="The mixture of experts.")
@click.option("--batch", type=click.IntRange(1, 4096), help="Tokens per step.")
@click.option("--gib", is_flag=True, help="Show GiB (2^30) rather than GB (10^9).")
@output_options
@deployment_options
def command(
    deployment: Deployment,
    dense: str | None,
    moe: str | None,
    batch: int | None,
    gib: bool,
    as_json: bool,
    explain: bool,
) -> None:
    """Compare a dense model with a mixture of experts at the same precision, load and GPUs."""
    from ..engine.evaluate import evaluate
    from ..engine.figures.units import ByteUnit
    from ..report import moe as report
    from ..report.deployment import with_deployment

    named = {"dense_model": dense, "moe_model": moe, "router_batch": batch}
    scenario = deployment.scenario()
    scenario = guarded(lambda: scenario.with_(**{key: value for key, value in named.items() if value is not None}))
    evaluation = evaluate(scenario, deployment.facts())
    result = guarded(lambda: evaluation.moe)
    bytes_as = ByteUnit.GIB if gib else ByteUnit.GB
    if as_json:
        echo_json(with_deployment(report.as_json(result, explain=explain), evaluation))
        return
    click.echo(report.text(result, bytes_as))
    if explain:
        from ..report.math import text

        click.echo("\n" + text(result.derivations, bytes_as))
