"""Layouts by the rule of thumb in words: the ladder of splits, sized on the weights alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Headline, headline
from ..engine.figures.units import ByteUnit, counted, format_bytes
from .deployment import layout_text
from .names import short_name
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table
from .thumb_words import GIGABYTES, NO_SPEED, unknown_text

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.memory.rule_of_thumb import RuleOfThumbSplit
    from ..engine.sections.thumb import ThumbLayouts, ThumbStep

ASSUMED = ()
"""Inputs that the summary rests on without naming them: the rule asks for no more."""
_KINDS = {
    "none": "no parallelism: it fits on one GPU",
    "data": "data parallelism: it fits on one GPU, the others hold copies",
    "tensor": "tensor parallelism in one node",
    "tensor+data": "tensor parallelism in a node, copies",
    "tensor+pipeline": "tensor parallelism in a node, stages across nodes",
    "tensor+pipeline+data": "tensor parallelism in a node, stages across nodes, copies",
}


def evaluate(evaluation: Evaluation) -> ThumbLayouts:
    """The section by the rule."""
    return evaluation.thumb_layouts


def derivations(result: ThumbLayouts) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def kind_text(split: RuleOfThumbSplit) -> str:
    """The rung of the ladder in words."""
    return _KINDS[split.kind] if split.enough else f"too few: the weights take {split.min_gpus:,}"


def answer(result: ThumbLayouts, bytes_as: ByteUnit) -> Answer:
    """The rung of the ladder, why, and what the rule does not say."""
    split, sizing = result.split, result.sizing
    name = short_name(sizing.accelerator)
    says = []
    if not split.enough:
        text = f"By the rule of thumb it needs {split.min_gpus:,} × {name}, you have {sizing.gpus:,}"
    else:
        text = f"By the rule of thumb {layout_text(split.layout)} ({split.layout.label})"
    size = f"{format_bytes(sizing.weights, bytes_as)} of weights on cards of {sizing.card_gb:g} GB"
    says.append(Says("why", f"{kind_text(split)}; {size} take {split.min_gpus:,} ({GIGABYTES})"))
    if sizing.unknown is not None:
        says.append(Says("cache", unknown_text(sizing.model.name, sizing.unknown), muted=True))
    elif split.enough and not sizing.holds:
        users = counted(sizing.users, "user")
        says.append(Says("!", f"with the cache of {users} it takes {counted(sizing.least, 'GPU')}", "", "tight"))
    if idle := sizing.gpus - split.layout.gpus:
        says.append(Says("idle", f"{idle:,} of {sizing.gpus:,} GPUs are left over"))
    says.append(Says("speed", NO_SPEED, muted=True))
    tone = "bad" if not split.enough else "good" if result.fits else "tight"
    return Answer(text, "", tone, tuple(says))


def page(result: ThumbLayouts, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel that the rule can fill."""
    return reasons(result), layouts(result, bytes_as)


def layouts(result: ThumbLayouts, bytes_as: ByteUnit) -> Table:
    """The ladder: what each number of GPUs is split into."""
    columns = (
        Column("GPUs"),
        Column("layout", "left"),
        Column("strategy", "left", flex=True, sortable=False),
        Column("idle", keep=1),
        Column(f"weights {bytes_as.value} each", keep=2),
    )
    rows = tuple(_row(step, result, bytes_as) for step in result.steps)
    return Table("layouts", "The ladder: one split for every number of GPUs", columns, rows)


def _row(step: ThumbStep, result: ThumbLayouts, bytes_as: ByteUnit) -> Row:
    split, marked = step.split, step.gpus == result.sizing.gpus
    each = result.sizing.weights / split.layout.gpus_per_replica
    cells = (
        Cell(f"{step.gpus:,}", "bold" if marked else "", step.gpus),
        Cell(split.layout.label if split.enough else "–", "" if split.enough else "muted"),
        Cell(kind_text(split), "" if split.enough else "bad"),
        Cell(f"{step.gpus - split.layout.gpus:,}" if split.enough else "–", "", step.gpus - split.layout.gpus),
        Cell(format_bytes(round(each), bytes_as) if split.enough else "–", "", each),
    )
    return Row(counted(step.gpus, "GPU"), cells, "", marked)


def reasons(result: ThumbLayouts) -> Prose:
    """The five rungs, in the order in which they are tried."""
    node = "one node of 8"
    return Prose(
        "why",
        "Why this split",
        (
            Says("1", "fits on one GPU, one GPU: no parallelism"),
            Says("2", "fits on one GPU, several: data parallelism"),
            Says("3", f"needs 2 to 8 GPUs: tensor parallelism within {node}"),
            Says("4", "needs more: tensor parallelism in each node, pipeline stages across"),
            Says("5", "what is left over: copies"),
            Says("here", kind_text(result.split), result.split.layout.label if result.split.enough else ""),
        ),
    )


def headlines(evaluation: Evaluation, result: ThumbLayouts) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    split = result.split
    return (
        headline("GPUs for the weights", split.min_gpus),
        headline("Replicas", split.layout.dp if split.enough else None, words="too few GPUs"),
    )


def summary(result: ThumbLayouts, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences."""
    sizing = result.sizing
    said = answer(result, bytes_as)
    more = ". ".join(line.text[:1].upper() + line.text[1:] for line in said.lines)
    return f"{sizing.model.name} on {sizing.gpus:,} × {short_name(sizing.accelerator)}: {said.text}. {more}."


def data(result: ThumbLayouts, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values."""
    sizing, split = result.sizing, result.split
    return {
        "model": sizing.model.id,
        "estimator": "rule-of-thumb",
        "accelerator": sizing.accelerator.id,
        "gpus": sizing.gpus,
        "card_gb": sizing.card_gb,
        "fits": result.fits,
        "layout": split.layout.label if split.enough else None,
        "strategy": split.kind if split.enough else None,
        "weights_bytes": sizing.weights,
        "needed_gpus": split.min_gpus,
        "layouts": [
            {
                "gpus": step.gpus,
                "layout": step.split.layout.label if step.split.enough else None,
                "strategy": step.split.kind if step.split.enough else None,
                "idle_gpus": step.gpus - step.split.layout.gpus if step.split.enough else None,
            }
            for step in result.steps
        ],
        "ttft_ms": None,
        "tpot_ms": None,
        "output_tokens_per_s": None,
        "no_speed": NO_SPEED,
        "summary": summary(result),
    }
