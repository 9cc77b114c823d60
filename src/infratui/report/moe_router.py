"""The router of the mixture in words: one batch, the load that it leaves on experts and on GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.figures.units import significant
from .show import Line, Lines, Prose, Says

if TYPE_CHECKING:
    from ..engine.experts.router import RouterResult
    from ..engine.experts.spread import Placement

_LEVELS = "▁▂▃▄▅▆▇"


_MOST_GPUS = 48
"""GPUs that one line of load shows."""


_COPIES = 6
"""Copied experts that are named."""


def gate(router: RouterResult) -> str:
    """How the router scores and chooses."""
    spec = router.spec
    scores = "softmax" if spec.gate == "softmax" else "sigmoid + bias" if spec.bias_correction else "sigmoid"
    groups = f", best {spec.group_top_k} of {spec.groups} groups" if spec.groups > 1 else ""
    return f"{scores}{groups}"


def times(ratio: float) -> str:
    """A ratio in as many digits as tell it from one: `3.1×`, `1.05×`."""
    return f"{significant(ratio, 2 if ratio >= 1.095 else 3)}×"


def router(found: RouterResult) -> Prose:
    """One batch through the router of one layer."""
    batch = found.batch
    said = [
        Says(
            "batch",
            f"{batch.batch} tokens touch {batch.touched} experts ({batch.touched_expected:.1f} if the choice were "
            f"uniform); the busiest expert gets {significant(batch.imbalance)}× the average",
        )
    ]
    if batch.capacity is not None:
        said.append(
            Says(
                "capacity",
                f"{batch.capacity} tokens per expert: {batch.assignments_dropped} assignments overflow, "
                f"{batch.tokens_dropped} tokens lose an expert",
            )
        )
    title = f"Router of layer {found.layer}: top-{found.spec.top_k} of {found.spec.experts}"
    return Prose("routing", title, tuple(said))


def router_title(router: RouterResult, *, whole: bool, pace: str) -> str:
    """Title of the routing panel; `pace` is how fast it plays."""
    own = "" if router.spec.top_k == router.own_top_k else f" (its own is {router.own_top_k})"
    what, other = ("a whole batch", "tokens") if whole else ("token by token", "the batch")
    title = f"Router of layer {router.layer}: top-{router.spec.top_k} of {router.spec.experts}{own}, {what}"
    return f"{title} · {pace} · v: {other}"


def loads(router: RouterResult) -> Lines:
    """Load per GPU, in order and with hot experts copied; nothing where there is one GPU."""
    title = "Experts on GPUs: this batch"
    if router.ep == 1:
        return Lines("placement", title, ())
    lines = (_loads("in order", router.linear), _loads("hot ones copied", router.replicated))
    return Lines("placement", title, lines)


def placement(router: RouterResult) -> Prose:
    """What the fullest GPU costs, and what copies would."""
    if router.ep == 1:
        lines = [Says("", "One GPU holds all experts: nothing waits for another. Raise EP to spread them.")]
    else:
        copies = router.replicated.copies
        copied = sorted(
            (expert for expert, count in enumerate(copies) if count > 1),
            key=lambda expert: (-copies[expert], -router.batch.load[expert], expert),
        )
        names = ", ".join(f"E{expert} ×{copies[expert]}" for expert in copied[:_COPIES])
        more = f" and {len(copied) - _COPIES} more" if len(copied) > _COPIES else ""
        lines = [
            Says(
                "",
                "The expert part of a step waits for the fullest GPU: "
                f"{significant(router.linear.slowdown)}× as long as with an even load, "
                f"{significant(router.replicated.slowdown)}× with {sum(copies) - len(copies)} "
                f"copies of experts in each layer ({names}{more}).",
            )
        ]
    if router.ep_note:
        lines.append(Says("", f"{router.ep_note}.", muted=True))
    return Prose("placement", "Experts on GPUs: this batch", tuple(lines))


def _loads(label: str, placement: Placement) -> Line:
    loads = placement.load_per_gpu
    top = max(loads) or 1.0
    bars = "".join(_LEVELS[min(6, int(load / top * 7))] for load in loads[:_MOST_GPUS])
    return (
        (f" {label:<16}", "muted"),
        (f"{times(placement.slowdown):>6}", "bold"),
        (" ", ""),
        (bars + ("…" if len(loads) > _MOST_GPUS else ""), "weights"),
    )
