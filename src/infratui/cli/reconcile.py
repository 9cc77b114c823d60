"""`infratui reconcile`: a serving engine's start-up log beside the prediction with exactly its settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .common import Options, echo_json, echo_page, fail, guarded
from .sources import text_of

if TYPE_CHECKING:
    from ..reality.comparison import Reconciliation


@click.command()
@click.argument("log", metavar="LOG|-")
@click.option(
    "--model", metavar="NAME", default="", help="The model, where the log's name for it is not in the catalog."
)
@click.option("--gpu", metavar="NAME|SIZE", default="", help="The card, or its visible memory: h100, '15.92 GiB'.")
@click.option("--host", metavar="NAME", default="", help="Use this host profile.")
@click.option("--save", metavar="NAME", default="", help="Keep what the log teaches as a host profile.")
@click.option("--gb", is_flag=True, help="Show GB (10^9) rather than GiB, which engines print.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(log: str, model: str, gpu: str, host: str, save: str, gb: bool, as_json: bool) -> None:
    """Explain a start-up log of vLLM, SGLang, TensorRT-LLM or llama.cpp.

    Reads settings and figures, predicts with exactly those, and sets both side by side: what each gap comes from, what
    stays unexplained, and for a start that failed the cheapest ways out. Exit code 0: as predicted; 1: outside the
    published band, or the start failed; 2: unreadable.
    """
    from ..engine.figures.units import ByteUnit
    from ..report import reconcile as report

    found = guarded(lambda: _compared(text_of(log), model, gpu, host))
    bytes_as = ByteUnit.GB if gb else ByteUnit.GIB
    if as_json:
        echo_json(report.data(found))
    else:
        echo_page(report.answer(found, bytes_as), report.page(found, bytes_as))
    if save:
        _save(found, save)
    if not found.within_band:
        sys.exit(1)


def _compared(text: str, model: str, gpu: str, host: str) -> Reconciliation:
    from ..hosts import load_profile
    from ..reconciling import compare

    facts = Options().facts()
    return compare(text, facts, model=model, gpu=gpu, profile=load_profile(host) if host else None)


def _save(found: Reconciliation, name: str) -> None:
    from ..hosts import profile_of, save_profile
    from ..scenario import ScenarioError

    try:
        path = save_profile(profile_of(found, name))
    except ScenarioError as error:
        fail(str(error))
    click.echo(f"infratui: {path}: kept; `infratui reconcile LOG --host {name}` uses it", err=True)
