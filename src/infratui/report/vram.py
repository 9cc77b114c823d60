"""Memory in words: the headline, why it takes as many GPUs as it does, and every panel of the section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..engine.cluster.abilities import Cannot
from ..engine.figures.derivation import Unit
from ..engine.figures.reason import Reason
from ..engine.figures.units import (
    ByteUnit,
    counted,
    format_bytes,
    format_count,
    format_gigabytes,
    format_seconds,
    format_tokens,
    significant,
)
from .deployment import layout_text, needs_offer, needs_text, placed_label, ways_text
from .money import money
from .names import short_name
from .reasons import reason_text, reasons_text
from .show import (
    Answer,
    Bar,
    Bars,
    Block,
    Line,
    Lines,
    Prose,
    Says,
    Stack,
    StackPart,
)
from .thumb_words import unknown_text
from .vram_accelerators import TONES, _sane, accelerators
from .vram_growth import chosen, growth
from .vram_json import data as data

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.compare import Headline
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.vram import VramResult
    from ..engine.sections.vram_result import Estimate

ASSUMED = ("mean_fill", "shared_prefix", "engine", "utilization", "max_batched_tokens", "max_num_seqs")
"""Inputs that the summary rests on without naming them."""


def evaluate(evaluation: Evaluation) -> VramResult:
    """The section's result."""
    return evaluation.vram


def first(evaluation: Evaluation) -> VramResult:
    """What of the result is there within a frame; `answer` then leaves lines empty that are still to come."""
    return evaluation.vram_first


def lead(result: VramResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """The panels that go with the answer."""
    return (stack(result, bytes_as),)


def derivations(result: VramResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: VramResult, bytes_as: ByteUnit) -> Answer:
    """Whether the chosen GPUs hold it, or what does; then the fewest, the cheapest, what would help, the textbook."""
    selected = result.selected
    says: list[Says] = []
    if result.fits:
        says.append(Says("fewest", fewest_text(result, bytes_as)))
    elif (ways := ways_text(result.ways)) or not result.rows:
        says.append(Says("or", ways))
    if selected.refused and not isinstance(selected.refused[0].kind, Cannot):
        says.append(Says("why", reasons_text(selected.refused, bytes_as, "; ")))
    if (cheap := cheapest_text(result)) or not result.rows:
        says.append(Says("cheapest", cheap))
    says.append(Says("textbook", other_estimator(result, bytes_as), muted=True))
    offer = needs_offer(_needed(result))
    return Answer(verdict(result), room(result, bytes_as), TONES[selected.verdict], tuple(says), offer)


def page(result: VramResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel, in reading order."""
    return (
        stack(result, bytes_as),
        accelerators(result, bytes_as),
        growth(result, bytes_as),
        parts(result, bytes_as),
        fullest_gpu(result, bytes_as),
        startup(result, bytes_as),
        estimates(result, bytes_as),
    )


def headlines(evaluation: Evaluation, result: VramResult) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    from ..engine.figures.compare import Better, headline

    estimate, plan = result.headline, result.selected.plan
    short = reasons_text(result.selected.refused or result.selected.reasons, between="; ") or "no layout"
    smallest = result.smallest.plan
    return (
        headline("Memory of one replica", estimate.total, Unit.BYTES),
        headline("Weights", estimate.weights, Unit.BYTES),
        headline("KV cache", estimate.kv_cache, Unit.BYTES),
        headline("Runtime", estimate.runtime, Unit.BYTES),
        headline("GPUs needed", smallest.layout.gpus if smallest else None, words=reason_text(result.smallest.reason)),
        headline("Free per GPU", plan.free if plan else None, Unit.BYTES, Better.HIGHER, short),
        headline("Largest users", plan.max_users if plan else None, Unit.COUNT, Better.HIGHER, short),
        headline("Longest context", plan.max_context if plan else None, Unit.TOKENS, Better.HIGHER, short),
    )


def total_text(estimate: Estimate, bytes_as: ByteUnit) -> str:
    """`409 GB ±4 %`."""
    band = f" ±{estimate.band_pct:.0f} %" if estimate.band_pct is not None else ""
    return f"{format_bytes(estimate.total, bytes_as)}{band}"


def verdict(result: VramResult) -> str:
    """Whether the chosen GPUs hold the load; where they do not, how many would."""
    selected, least = result.selected, result.smallest
    if selected.verdict != "no":
        barely = " barely" if selected.verdict == "tight" else ""
        return f"{chosen(result)}{barely} hold{'' if selected.gpus > 1 else 's'} it"
    if result.selected.refused and isinstance(result.selected.refused[0].kind, Cannot):
        return reason_text(result.selected.refused[0])
    if least.gpus is None:
        return f"{chosen(result)} do not hold it: {none_text(least.reason)}"
    if needed := _needed(result):
        return needs_text(needed, selected.accelerator, selected.gpus)
    return f"{least.gpus:,} × {short_name(selected.accelerator)} would hold it, but not as set by hand"


def _needed(result: VramResult) -> int:
    """GPUs that it takes where there are too few; 0 where that is not what is missing."""
    selected, needed = result.selected, result.smallest.gpus
    return needed if needed is not None and selected.verdict == "no" and needed > selected.gpus else 0


def none_text(reason: Reason | None) -> str:
    """Why no number of GPUs holds it."""
    return reason_text(reason) or "too large for any layout up to 16,384 GPUs"


def room(result: VramResult, bytes_as: ByteUnit) -> str:
    """The layout with what is left on it, or how much is short."""
    selected = result.selected
    plan = selected.plan
    if plan is None:
        return ""
    layout = f"{layout_text(plan.layout)} ({placed_label(plan.layout, selected.pools)})"
    if selected.verdict == "no":
        tight = "not even the weights fit" if not plan.kv_space else f"room for {counted(plan.max_users, 'user')}"
        return f"{format_bytes(selected.missing, bytes_as)} short on each GPU as {plan.layout.label}: {tight}"
    users = f"room for {counted(plan.max_users, 'user')}, or {format_tokens(plan.max_context)} tokens each"
    return f"{layout} · {format_bytes(plan.free, bytes_as)} free per GPU · {users}"


def fewest_text(result: VramResult, bytes_as: ByteUnit) -> str:
    """The fewest of this accelerator that hold the load."""
    least, selected = result.smallest, result.selected
    plan = least.plan
    if plan is None:
        return none_text(least.reason)
    cards = f"{plan.layout.gpus:,}"
    if plan.layout.gpus == selected.gpus:
        return f"{cards}: one less does not hold it"
    left = f"{format_bytes(plan.free, bytes_as)} free per GPU"
    return f"{cards} would do: {layout_text(plan.layout)} ({plan.layout.label}), {left}"


def cheapest_text(result: VramResult) -> str:
    """The GPUs that hold the load for the least money, by published rents."""
    held = ((result.monthly(entry), entry) for entry in result.rows if _sane(entry))
    priced = sorted(((usd, entry) for usd, entry in held if usd is not None), key=lambda pair: pair[0])
    found = [
        f"{entry.gpus:,} × {short_name(entry.accelerator)} {money(usd, result.currency)}" for usd, entry in priced[:3]
    ]
    if not found:
        return ""
    then = f"; then {', '.join(found[1:])}" if found[1:] else ""
    return f"by memory alone {found[0]} a month rented{then}"


def other_estimator(result: VramResult, bytes_as: ByteUnit) -> str:
    """What the estimator that is not chosen says, and why it differs."""
    total = format_bytes(result.headline.total, bytes_as)
    if result.unknown_cache is not None:
        return f"no figure: {unknown_text(result.model.name, result.unknown_cache).partition(';')[0]}"
    other = result.rule_of_thumb.total
    return f"the textbook formula says {format_bytes(other, bytes_as)}, counted here {total}"


def summary(result: VramResult, bytes_as: ByteUnit) -> str:
    """The answer in plain sentences, for a ticket or a chat."""
    headline, load = result.headline, result.load
    parts = " + ".join(
        f"{label} {format_bytes(amount, bytes_as)}"
        for label, amount in (
            ("weights", headline.weights), ("KV cache", headline.kv_cache), ("runtime", headline.runtime)
        )
    )  # fmt: skip
    fill = f", filled {load.mean_fill:.0%} on average" if load.mean_fill < 1 else ""
    held = load.context if load.lengths is None else load.tokens
    if load.lengths is not None:
        fill = f" as measured, {load.lengths.mean:,.0f} in the mean"
    count = counted(load.users, "user")
    precision, cache = result.deployment.precision.label, result.deployment.kv_precision.label
    return (
        f"{result.model.name} with {precision} weights and {cache} KV cache, for {count} at "
        f"{format_tokens(held)} tokens{fill}: {total_text(headline, bytes_as)} ({parts}; detailed "
        f"estimate). {verdict(result)}: {_more(result, bytes_as)}."
    )


def _more(result: VramResult, bytes_as: ByteUnit) -> str:
    says = [f"{entry.label}: {entry.text}" for entry in answer(result, bytes_as).lines]
    return "; ".join(part for part in (room(result, bytes_as), *says) if part)


def stack(result: VramResult, bytes_as: ByteUnit) -> Stack:
    """The fullest GPU to scale, and below it what all of them hold; by the rule of thumb, the sum alone."""
    estimate, plan, totals = result.headline, result.selected.plan, result.selected.totals
    if plan is None or totals is None:
        amounts = (("weights", estimate.weights, "weights"), ("KV cache", estimate.kv_cache, "kv"),
                   ("runtime", estimate.runtime, "overhead"))  # fmt: skip
        parts = tuple(StackPart(label, amount, format_bytes(amount, bytes_as), tone) for label, amount, tone in amounts)
        return Stack("total", "In all", parts, label="in all")
    inside = plan.runtime_inside
    amounts = (("weights", plan.weights.total, "weights"), ("KV cache", plan.kv_needed, "kv"),
               ("runtime", inside, "overhead"))  # fmt: skip
    parts = tuple(StackPart(label, amount, format_gigabytes(amount, bytes_as), tone) for label, amount, tone in amounts)
    requested = format_bytes(plan.requested, bytes_as)
    if plan.fits:
        parts += (StackPart("free", plan.free, format_bytes(plan.free, bytes_as), "muted"),)
    else:
        # What is short stands last, so that it is what lies beyond the mark.
        parts += (StackPart("short", plan.missing, format_gigabytes(plan.missing, bytes_as), "bad"),)
        parts = (parts[0], replace(parts[1], amount=max(0, plan.kv_needed - plan.missing)), *parts[2:])
    everywhere = "in all" if totals.gpus == 1 else f"all {totals.gpus:,} GPUs"
    return Stack("total", "On the fullest GPU", parts, 0 if plan.fits else plan.requested, requested,
                 label="fullest GPU", below=(Says(everywhere, in_all(result, bytes_as)),))  # fmt: skip


def in_all(result: VramResult, bytes_as: ByteUnit) -> str:
    """`weights 145 (2 × 72.7) + KV cache 268 + runtime 50 = 464 of 612 GB`."""
    totals, plan = result.selected.totals, result.selected.plan
    assert totals is not None
    assert plan is not None
    copies = plan.layout.dp
    each = f" ({copies} × {format_gigabytes(totals.weights // copies, bytes_as)})" if copies > 1 else ""
    parts = (
        f"weights {format_gigabytes(totals.weights, bytes_as)}{each}",
        f"KV cache {format_gigabytes(totals.kv_cache, bytes_as)}",
        f"runtime {format_gigabytes(totals.runtime, bytes_as)}",
    )
    return f"{' + '.join(parts)} = {total_text(result.headline, bytes_as)} of {format_bytes(totals.capacity, bytes_as)}"


def parts(result: VramResult, bytes_as: ByteUnit) -> Bars:
    """Weights of the checkpoint by part, with parameters and bits."""
    found = tuple(
        Bar(
            entry.part.value.replace("_", " "),
            entry.bytes,
            format_bytes(entry.bytes, bytes_as),
            "weights",
            f"{format_count(entry.parameters)} × {significant(entry.bits)} bit",
        )
        for entry in result.weights_by_part
        if entry.bytes
    )
    return Bars("parts", "Weights by part", found)


def fullest_gpu(result: VramResult, bytes_as: ByteUnit) -> Bars:
    """Memory of the tightest GPU of the chosen layout; empty where no layout is legal."""
    title, plan = "On the fullest GPU", result.selected.plan
    if plan is None:
        return Bars("gpu", title, ())
    experts = sum(entry.bytes for entry in plan.weights.parts if entry.part == "routed_experts")
    held = f"of them experts {format_bytes(experts, bytes_as)}" if experts else ""
    amounts = (
        ("weights", plan.weights.total, "weights", held),
        ("KV cache", plan.kv_needed, "kv", f"room for {format_bytes(plan.kv_space, bytes_as)}"),
        ("activations", plan.runtime.activation, "overhead", ""),
        ("CUDA graphs", plan.runtime.graphs, "overhead", ""),
        ("non-torch", plan.runtime.non_torch, "overhead", ""),
        ("free", plan.free, "good", f"of {format_bytes(plan.requested, bytes_as)} requested"),
    )
    found = tuple(
        Bar(label, amount, format_bytes(amount, bytes_as), tone, note) for label, amount, tone, note in amounts
    )
    return Bars("gpu", title, found)


def startup(result: VramResult, bytes_as: ByteUnit) -> Lines:
    """What the engine will print, and where a cache can wait."""
    return Lines("startup", "What the engine will print, and where KV can wait", tuple(_startup(result, bytes_as)))


def _startup(result: VramResult, bytes_as: ByteUnit) -> Iterator[Line]:
    if result.startup is not None:
        yield from (((f"INFO  {line}", "good"),) for line in result.startup.lines)
    else:
        yield (("what it prints of its cache is known of vLLM alone", "muted"),)
    if result.prefix is not None:
        saved = format_bytes(result.prefix.saved, bytes_as)
        yield ((f"shared prefix of {format_tokens(result.prefix.tokens)}: saves {saved} per GPU", ""),)
    user = format_bytes(result.kv_bytes_per_user, bytes_as)
    yield ((f"one user's cache: {user}, {result.kv_bytes_per_token:,.0f} B per token", ""),)
    for tier in result.tiers:
        compute = "unknown" if tier.recompute_s is None else format_seconds(tier.recompute_s)
        worth = {True: "restore", False: "recompute", None: "unknown"}[tier.worth_it]
        back = f"{format_seconds(tier.restore_s)} back at {significant(tier.bandwidth / 1e9)} GB/s"
        yield (f"{tier.name:12}", "bold"), (f" {back}, {compute} to compute again", ""), (f" → {worth}", "key")
        if tier.capacity:
            room = f"{format_bytes(int(tier.capacity), bytes_as)} a GPU keep {format_count(tier.users)} more users"
            yield ((" " * 13, ""), (f"{room}; {format_seconds(tier.restore_s)} later each first token", "muted"))


def estimates(result: VramResult, bytes_as: ByteUnit) -> Prose:
    """Both estimators beside each other."""
    said = []
    for name, estimate in (("detailed", result.detailed), ("rule of thumb", result.rule_of_thumb)):
        amounts = (estimate.weights, estimate.kv_cache, estimate.runtime)
        weights, cache, runtime = (format_bytes(amount, bytes_as) for amount in amounts)
        said.append(
            Says(name, f"weights {weights}, KV cache {cache}, runtime {runtime}", total_text(estimate, bytes_as))
        )
    return Prose("estimates", "By either estimator", tuple(said))
