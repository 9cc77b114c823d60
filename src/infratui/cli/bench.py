"""`infratui bench`: a load generator's result beside the prediction. The program's own speed is `make bench`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .common import Options, deployment_options, echo_json, echo_page, fail, guarded
from .sources import text_of

if TYPE_CHECKING:
    from ..benchmarking import BenchComparison


@click.command()
@click.argument("result", metavar="FILE|-")
@click.option("--host", metavar="NAME", default="", help="Predict at the pace of this host's profile.")
@click.option("--save", metavar="NAME", default="", help="Keep the measured pace in this host's profile.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@deployment_options
def command(deployment: Options, result: str, host: str, save: str, as_json: bool) -> None:
    """Set a benchmark of a server beside what is predicted for it.

    Reads the JSON of vllm bench serve (--save-result), GuideLLM, GenAI-Perf, AIPerf (and its records), llama-bench (-o
    json) and InferenceX; which it is its content tells. Model, GPUs and layout are those that you give, then those
    that the file states; what neither says is asked for. Every figure has its error, and whether it lies in the
    published interval. --save keeps the median pace with the host: --host and `--set host=NAME` make all predicted
    times on its card so much longer or shorter, and nothing else. Exit code 0: every figure inside; 1: one is outside;
    2: unreadable. (How fast infratui itself is, `make bench` measures.)
    """
    from ..report import bench as report

    found = guarded(lambda: _compared(text_of(result), deployment, host))
    if as_json:
        echo_json(report.data(found))
    else:
        echo_page(report.answer(found), report.page(found))
    if save:
        _save(found, save)
    if not found.within:
        sys.exit(1)


def _compared(text: str, deployment: Options, host: str) -> BenchComparison:
    from ..benchmarking import compare_bench
    from ..scenario import Scenario

    scenario = deployment.scenario()
    given = {setting.partition("=")[0].strip() for setting in deployment.settings}
    if deployment.preset or deployment.file:
        given |= set(Scenario.FIELDS)
    named = {"model": deployment.model, "accelerator": deployment.gpu, "gpus": deployment.gpus}
    given |= {field for field, value in named.items() if value is not None}
    if host:
        scenario = scenario.with_(host=host)
    return compare_bench(text, scenario, deployment.facts(), given)


def _save(found: BenchComparison, name: str) -> None:
    from ..hosts import save_profile, with_pace
    from ..scenario import ScenarioError

    try:
        path = save_profile(with_pace(found, name))
    except ScenarioError as error:
        fail(str(error))
    click.echo(f"infratui: {path}: kept; `--host {name}` and `--set host={name}` use it", err=True)
