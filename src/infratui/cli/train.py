"""`infratui train`: memory of training a model, or adapters beside it, by ZeRO stage."""

from __future__ import annotations

import sys
from typing import Any

import click

from .common import Options, Whole, echo_json, fail, guarded


@click.command()
@click.option("--model", metavar="NAME|PATH", default="llama-3.3-70b", show_default=True, help="What is trained.")
@click.option("--gpu", metavar="NAME", help="Accelerator that it must fit.")
@click.option("--gpus", type=Whole(1, 65_536), default=8, show_default=True, help="Data-parallel GPUs.")
@click.option("--precision", metavar="NAME", help="Of the weights: bf16; under LoRA also nf4, int8 …")
@click.option("--optimizer", metavar="NAME", default="adam", show_default=True, help="adam, adam-8bit, sgd-momentum …")
@click.option("--tokens", metavar="TOKENS", default="2K", show_default=True, help="Of one sequence.")
@click.option("--micro-batch", type=Whole(1, 65_536), default=1, show_default=True, help="Sequences of a GPU at once.")
@click.option("--recompute", type=click.Choice(["none", "selective", "full"]), default="selective", show_default=True)
@click.option("--lora", type=Whole(1, 4096), metavar="RANK", help="Train adapters of this rank, not the weights.")
@click.option("--targets", type=click.Choice(["qv", "attention", "all"]), default="all", show_default=True)
@click.option("--gib", is_flag=True, help="Show GiB (2^30) rather than GB (10^9).")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--explain", is_flag=True, help="Show the math.")
def command(**given: Any) -> None:
    """Weights, gradients, optimizer and activations on each GPU, for every ZeRO stage. Exit code 1: nothing fits."""
    from ..catalog.optimizers import optimizers
    from ..engine.figures.units import ByteUnit, parse_tokens
    from ..engine.training.memory import Training, evaluate_training
    from ..report import training as words
    from ..report.math import text
    from ..report.tables import table_csv
    from .show import emit

    facts = Options().facts()
    known = optimizers()
    if given["optimizer"] not in known:
        fail(f"--optimizer {given['optimizer'][:40]!r} is not known; there are {', '.join(known)}")

    def read() -> Training:
        return Training(
            facts.model(given["model"]),
            facts.precision(given["precision"] or "bf16"),
            known[given["optimizer"]],
            given["gpus"],
            parse_tokens(given["tokens"]),
            given["micro_batch"],
            given["recompute"],
            given["lora"] or 0,
            given["targets"],
        )

    card = guarded(lambda: facts.accelerator(given["gpu"]) if given["gpu"] else None)
    found = guarded(lambda: evaluate_training(read(), card))
    bytes_as = ByteUnit.GIB if given["gib"] else ByteUnit.GB
    if given["as_json"]:
        echo_json(words.data(found, explain=given["explain"]))
    elif given["as_csv"]:
        click.echo(table_csv(words.table(found, bytes_as)), nl=False)
    else:
        emit(words.answer(found, bytes_as), words.page(found, bytes_as))
        if given["explain"]:
            click.echo("\n" + text((found.derivation,), bytes_as))
    if card is not None and not any(stage.fits for stage in found.stages):
        sys.exit(1)
