"""What training takes on each GPU, by ZeRO stage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import ByteUnit, counted, format_bytes, format_count, format_tokens
from .names import short_name
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.facts import Facts
    from ..engine.training.memory import TrainingMemory, TrainingResult
    from ..scenario import Scenario

_SHARDS = ("nothing", "optimizer", "and gradients", "and weights")
_COLUMNS = (
    Column("ZeRO", "left", term="zero"),
    Column("Divides", "left", keep=3),
    Column("Weights", term="weights"),
    Column("Gradients"),
    Column("Optimizer"),
    Column("Activations", term="activations"),
    Column("Per GPU", term="vram"),
    Column("Fewest GPUs", keep=1, term="node"),
    Column("", "left"),
)
_RECOMPUTE = {
    "none": "all activations are stored, attention scores too",
    "selective": "activations without attention scores (flash attention)",
    "full": "layers are computed again: their inputs are stored",
}


def answer(found: TrainingResult, bytes_as: ByteUnit = ByteUnit.GB) -> Answer:
    """The stage that fits with the least exchange, or what the last one needs."""
    training = found.training
    what = f"{training.model.name}, "
    what += f"LoRA rank {training.adapter_rank}" if training.adapter_rank else "all weights"
    cards = counted(training.gpus, "GPU")
    if found.accelerator is None:
        last = found.stages[-1]
        text = f"{format_bytes(last.total, bytes_as)} per GPU with ZeRO-3 on {cards}"
        return Answer(text, what, "", _basis(found))
    cards = f"{training.gpus:,} × {short_name(found.accelerator)}"
    first = next((stage for stage in found.stages if stage.fits), None)
    if first is not None:
        name = f"ZeRO-{first.stage}" if first.stage else "plain data parallelism"
        text = f"{cards} hold it with {name}: {format_bytes(first.total, bytes_as)} per GPU"
        return Answer(text, what, "good", _basis(found))
    least = min((count for count in found.fewest if count is not None), default=None)
    way = f"{least:,} would with ZeRO-3" if least else "no number of them does; shorten sequences or recompute"
    return Answer(f"{cards} do not hold it; {way}", what, "bad", _basis(found))


def _basis(found: TrainingResult) -> tuple[Says, ...]:
    training = found.training
    text = (
        f"{format_count(found.trained)} trained parameters · {training.precision.label} weights · "
        f"{training.optimizer.label} · {training.micro_batch} × {format_tokens(training.tokens)} tokens a GPU · "
        f"{_RECOMPUTE[training.recompute]}"
    )
    return (Says("", text),)


def page(found: TrainingResult, bytes_as: ByteUnit = ByteUnit.GB) -> tuple[Block, ...]:
    """The stages, and what is left out."""
    return (table(found, bytes_as), notes())


def table(found: TrainingResult, bytes_as: ByteUnit = ByteUnit.GB) -> Table:
    """One row per ZeRO stage."""
    rows = tuple(_row(stage, found.fewest[at], bytes_as) for at, stage in enumerate(found.stages))
    gpus = found.training.gpus
    return Table("stages", f"Per GPU on {gpus:,} data-parallel GPU{'s' if gpus > 1 else ''}", _COLUMNS, rows)


LORA_RANK = 16
"""Where the scenario has no adapters."""


def of_scenario(name: str, facts: Facts, scenario: Scenario, rank: int) -> Table:
    """The stages for the scenario's model on its GPUs, or why there are none. `rank`: of adapters; 0: all weights."""
    from ..engine.training.memory import ADAM, Training, evaluate_training

    model, card = facts.model(scenario.model), facts.accelerator(scenario.accelerator)
    what = f"LoRA rank {rank}" if rank else "all weights, Adam"
    title = f"{model.name} on {scenario.gpus:,} × {short_name(card)}: {what}"
    asked = Training(model, facts.precision("bf16"), ADAM, scenario.gpus, adapter_rank=rank)
    try:
        return replace(table(evaluate_training(asked, card)), id=name, title=title)
    except ValueError as error:
        return Table(name, title, (Column("", "left"),), (Row("none", (Cell(str(error), "muted"),)),))


def _row(stage: TrainingMemory, fewest: int | None, bytes_as: ByteUnit) -> Row:
    def size(value: int, tone: str = "") -> Cell:
        return Cell(format_bytes(value, bytes_as), tone, float(value))

    words, tone = ("✓ fits", "good") if stage.fits else ("✗ short", "bad")
    return Row(
        str(stage.stage),
        (
            Cell(str(stage.stage), "bold"),
            Cell(_SHARDS[stage.stage]),
            size(stage.weights),
            size(stage.gradients),
            size(stage.optimizer),
            size(stage.activations),
            size(stage.total, "bold"),
            Cell("–", "muted") if fewest is None else Cell(f"{fewest:,}", rank=float(fewest)),
            Cell("") if stage.fits is None else Cell(words, tone),
        ),
    )


def notes() -> Prose:
    """What the figures leave out."""
    return Prose(
        "training-basis",
        "",
        (
            Says(
                "Basis",
                "model states as in the ZeRO paper (arXiv 1910.02054), activations as in arXiv 2205.05198 without "
                "tensor parallelism; buffers of the framework, fragmentation and the logits of the head are left out",
                muted=True,
            ),
        ),
    )


def data(found: TrainingResult, *, explain: bool = False) -> dict[str, Any]:
    """The stages as plain values, in bytes."""
    training = found.training
    told: dict[str, Any] = {
        "model": training.model.id,
        "precision": training.precision.id,
        "optimizer": training.optimizer.id,
        "gpus": training.gpus,
        "accelerator": found.accelerator.id if found.accelerator else None,
        "tokens": training.tokens,
        "micro_batch": training.micro_batch,
        "recompute": training.recompute,
        "lora_rank": training.adapter_rank or None,
        "trained_parameters": found.trained,
        "stages": [
            {
                "zero": stage.stage,
                "weights_bytes": stage.weights,
                "gradients_bytes": stage.gradients,
                "optimizer_bytes": stage.optimizer,
                "activations_bytes": stage.activations,
                "total_bytes": stage.total,
                "fits": stage.fits,
                "fewest_gpus": fewest,
            }
            for stage, fewest in zip(found.stages, found.fewest, strict=True)
        ],
    }
    return told | ({"derivations": (found.derivation,)} if explain else {})
