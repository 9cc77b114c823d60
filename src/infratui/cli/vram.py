"""`infratui vram`: memory, and what fits where."""

from __future__ import annotations

import sys

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options


@click.command()
@click.option("--gib", is_flag=True, help="Show GiB (2^30) rather than GB (10^9).")
@output_options
@deployment_options
def command(deployment: Deployment, gib: bool, as_json: bool, explain: bool) -> None:
    """Memory of a deployment. Exit code 1 when the GPUs do not hold it."""
    from ..engine.evaluate import evaluate
    from ..engine.figures.units import ByteUnit
    from ..report import vram
    from ..report.deployment import with_deployment

    scenario, facts = deployment.scenario(), deployment.facts()
    evaluation = evaluate(scenario, facts)
    result = guarded(lambda: evaluation.vram)
    bytes_as = ByteUnit.GIB if gib else ByteUnit.GB
    if as_json:
        echo_json(with_deployment(vram.as_json(result, explain=explain), evaluation))
    else:
        click.echo(vram.text(result, bytes_as))
        if explain:
            from ..report.math import text

            click.echo("\n" + text(result.derivations, bytes_as))
    sys.exit(0 if result.fits else 1)
