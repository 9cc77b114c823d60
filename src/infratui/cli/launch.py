"""`infratui launch`: the command or manifest that starts what was sized, by engine and version."""

from __future__ import annotations

import click

from .common import Options, deployment_options, echo_json, echo_page, fail, guarded

_ENGINES = ("vllm", "sglang", "tensorrt-llm", "tgi", "llama.cpp", "ollama")
_FORMS = ("sh", "compose", "k8s", "lws", "kserve", "dynamo", "slurm")


@click.command()
@click.argument("engine", type=click.Choice(_ENGINES), required=False)
@click.option("--engine-version", default="", help="A version such as 0.25.1; the newest known where none is given.")
@click.option("--as", "form", type=click.Choice(_FORMS), default="sh", help="What runs it; a shell by default.")
@click.option("--dra", is_flag=True, help="With k8s: claim the GPUs by a ResourceClaimTemplate.")
@click.option("--explain", is_flag=True, help="Say what each argument states and which input it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@deployment_options
def command(
    deployment: Options, engine: str | None, engine_version: str, form: str, dra: bool, explain: bool, as_json: bool
) -> None:
    """Print what starts the chosen deployment: a command line, or a manifest that holds it.

    Every argument comes from an input or the chosen layout; --explain says which. What an engine or version cannot
    state is refused in a line. Nothing is run, and nothing leaves the machine.
    """
    from ..catalog.launch_flags import launch_flags
    from ..engine.case import Case, in_force
    from ..launching.engines import command as made_for
    from ..launching.manifests import written
    from ..launching.plan import for_engine, launch_plan
    from ..report import launch as report

    asked = deployment.scenario()
    scenario = guarded(lambda: for_engine(asked, engine or asked.engine, engine_version))
    flags = launch_flags()[engine or scenario.engine]
    plan = guarded(lambda: launch_plan(Case(in_force(scenario, deployment.facts()), deployment.facts())))
    started = guarded(lambda: made_for(plan, flags, scenario.engine_version))
    if dra and form != "k8s":
        fail("--dra: claims are written for k8s; give --as k8s")
    text = guarded(lambda: written(form, plan, started, dra=dra))
    if as_json:
        echo_json(report.data(plan, started, text))
        return
    if explain:
        echo_page(report.answer(plan, started), report.page(plan, started, text))
        return
    click.echo(text, nl=False)
