"""Memory in words: the headline, why it takes as many GPUs as it does, and every panel of the section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..engine.figures.compare import Better, Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import (
    GB,
    GIB,
    ByteUnit,
    format_bytes,
    format_count,
    format_gigabytes,
    format_seconds,
    format_tokens,
    significant,
)
from .deployment import reason_text, reasons_text, way_flag, way_text, ways_text
from .names import short_name
from .show import (
    Answer,
    Bar,
    Bars,
    Block,
    Cell,
    Chart,
    Column,
    Curve,
    Line,
    Lines,
    Prose,
    Row,
    Rule,
    Says,
    Stack,
    StackPart,
    Table,
)

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.vram import AcceleratorRow, VramResult
    from ..engine.sections.vram_result import Estimate

ASSUMED = ("mean_fill", "shared_prefix", "engine", "utilization", "max_batched_tokens", "max_num_seqs")
"""Inputs that the summary rests on without naming them."""
TONES = {"fits": "good", "tight": "tight", "no": "bad"}
GLYPHS = {"fits": "✓", "tight": "!", "no": "✗"}
_CURVES = ("good", "key", "weights", "kv", "tight")
"""One colour per context, short to long; each curve is labelled too."""


def evaluate(evaluation: Evaluation) -> VramResult:
    """The section's result."""
    return evaluation.vram


def derivations(result: VramResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: VramResult, bytes_as: ByteUnit) -> Answer:
    """What it needs, whether the chosen GPUs hold it, and why it takes as many as it does."""
    return Answer(
        total_text(result.headline, bytes_as),
        verdict(result, bytes_as),
        TONES[result.selected.verdict],
        reasons(result, bytes_as),
    )


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
    estimate, plan = result.headline, result.selected.plan
    short = "; ".join(result.selected.refused) or reasons_text(result.selected.reasons) or "no layout"
    smallest = result.smallest.plan
    return (
        headline("Memory of one replica", estimate.total, Unit.BYTES),
        headline("Weights", estimate.weights, Unit.BYTES),
        headline("KV cache", estimate.kv_cache, Unit.BYTES),
        headline("Runtime", estimate.runtime, Unit.BYTES),
        headline("GPUs needed", smallest.layout.gpus if smallest else None, words=result.smallest.reason),
        headline("Free per GPU", plan.free if plan else None, Unit.BYTES, Better.HIGHER, short),
        headline("Largest users", plan.max_users if plan else None, Unit.COUNT, Better.HIGHER, short),
        headline("Longest context", plan.max_context if plan else None, Unit.TOKENS, Better.HIGHER, short),
    )


def total_text(estimate: Estimate, bytes_as: ByteUnit) -> str:
    """`409 GB ±4 %`."""
    band = f" ±{estimate.band_pct:.0f} %" if estimate.band_pct is not None else ""
    return f"{format_bytes(estimate.total, bytes_as)}{band}"


def chosen(result: VramResult) -> str:
    """`8 × H100 SXM`."""
    accelerator = result.selected.accelerator
    return f"{result.selected.gpus} × {short_name(accelerator)}"


def verdict(result: VramResult, bytes_as: ByteUnit) -> str:
    """Whether the chosen GPUs hold the load, and by how much."""
    selected = result.selected
    name = chosen(result)
    if selected.plan is None:
        return f"{name}: no legal layout"
    layout = selected.plan.layout.label
    if selected.verdict == "no":
        short = format_bytes(selected.missing, bytes_as)
        add = f"; {selected.missing_gpus} more would do" if selected.missing_gpus else ""
        return f"{name} {'do' if selected.gpus > 1 else 'does'} not hold it: {short} short per GPU{add}"
    free = format_bytes(selected.plan.free, bytes_as)
    hold = "hold it" if selected.gpus > 1 else "holds it"
    barely = " barely" if selected.verdict == "tight" else ""
    return f"{name}{barely} {hold} as {layout}, {free} free per GPU"


def reasons(result: VramResult, bytes_as: ByteUnit) -> str:
    """Why so many GPUs, and what the other estimator says."""
    parts = []
    least, selected = result.smallest, result.selected
    if ways := ways_text(result.ways):
        parts.append(f"would hold it: {ways}")
    if (plan := selected.plan) is not None:
        room = f"room for {format_count(plan.max_users)} users or {format_tokens(plan.max_context)} tokens each"
        parts.append(room if plan.max_users else "not one user fits")
    if least.plan is not None:
        need = least.plan.layout.gpus
        parts.append(f"min {need} GPU{'s' if need > 1 else ''}")
    elif least.reason:
        parts.append(least.reason)
    other = result.rule_of_thumb if result.estimator == "detailed" else result.detailed
    parts.append(f"{other.estimator.replace('-', ' ')} {format_bytes(other.total, bytes_as)}")
    return " · ".join(parts)


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
    count = f"{load.users:,} user{'s' if load.users > 1 else ''}"
    precision, cache = result.deployment.precision.label, result.deployment.kv_precision.label
    return (
        f"{result.model.name} with {precision} weights and {cache} KV cache, for {count} at "
        f"{format_tokens(load.context)} tokens{fill}: {total_text(headline, bytes_as)} ({parts}; {result.estimator} "
        f"estimate). {verdict(result, bytes_as)}. {reasons(result, bytes_as)}."
    )


def stack(result: VramResult, bytes_as: ByteUnit) -> Stack:
    """Weights, cache and runtime beside what the chosen GPUs have, or the fewest where those do not hold it."""
    estimate, selected, least = result.headline, result.selected, result.smallest.plan
    name = short_name(selected.accelerator)
    capacity, words = 0, ""
    if selected.verdict != "no" and selected.totals is not None:
        capacity = selected.totals.capacity
        words = f"{selected.totals.gpus} × {name}: {format_bytes(capacity, bytes_as)}"
    elif least:
        capacity = least.requested * least.layout.gpus
        words = f"{least.layout.gpus} × {name}: {format_bytes(capacity, bytes_as)}"
    amounts = (("weights", estimate.weights, "weights"), ("KV cache", estimate.kv_cache, "kv"),
               ("runtime", estimate.runtime, "overhead"))  # fmt: skip
    return Stack(
        "total",
        "In all",
        tuple(StackPart(label, amount, format_bytes(amount, bytes_as), tone) for label, amount, tone in amounts),
        capacity,
        words,
    )


def accelerators(result: VramResult, bytes_as: ByteUnit) -> Table:
    """The fewest of every accelerator that hold the load."""
    columns = (
        Column("GPU", "left", flex=True),
        Column(f"usable {bytes_as.value}", keep=4, term="gpu-memory-utilization"),
        Column("GPUs"),
        Column("layout", "left", keep=1, term="tensor-parallelism"),
        Column("nodes", keep=5, term="node"),
        Column(f"free {bytes_as.value}", keep=2),
        Column("max users", term="concurrency"),
        Column("max ctx", keep=3, term="context-window"),
        Column("fits", "left"),
    )
    selected = result.selected.accelerator
    rows = tuple(_accelerator(entry, bytes_as, entry.accelerator is selected) for entry in result.rows)
    return Table("fits", "On every accelerator", columns, rows)


def _accelerator(entry: AcceleratorRow, bytes_as: ByteUnit, marked: bool) -> Row:
    accelerator = entry.accelerator
    own = accelerator.origin != "built-in"
    name = Cell(("◆ " if own else "") + short_name(accelerator), "bold" if marked else "")
    usable = Cell(format_gigabytes(entry.usable, bytes_as), "", entry.usable)
    fits = Cell(f"{GLYPHS[entry.verdict]} {entry.verdict.value}", TONES[entry.verdict])
    detail = f"{accelerator.name}: {entry.reason or entry.verdict.value}"
    if entry.gpus is None or entry.layout is None or entry.free is None:
        none, low = Cell("–", "muted", float("inf")), Cell("–", "muted", -1.0)
        cells = (name, usable, none, Cell("none legal", "muted"), none, low, low, low, fits)
        return Row(accelerator.id, cells, "", marked, detail, own)
    arithmetic = entry.gpus_arithmetic
    gpus = f"{arithmetic}→{entry.gpus}" if arithmetic is not None and arithmetic != entry.gpus else str(entry.gpus)
    cells = (
        name,
        usable,
        Cell(gpus, "bold", entry.gpus),
        Cell(entry.layout.label, "", entry.gpus),
        Cell(str(entry.nodes), "", entry.nodes),
        Cell(format_gigabytes(entry.free, bytes_as), "", entry.free),
        Cell(format_count(entry.max_users or 0), "", entry.max_users),
        Cell(format_tokens(entry.max_context or 0), "", entry.max_context),
        fits,
    )
    return Row(accelerator.id, cells, "", marked, detail, own)


def growth(result: VramResult, bytes_as: ByteUnit) -> Chart:
    """Memory of all GPUs against users, one curve per context, the capacity as a rule."""
    size = GB if bytes_as is ByteUnit.GB else GIB
    last = min((line.points[-1][0] for line in result.growth.lines), default=1)
    # A round end of the axis: the picture stands still while the number of users moves a little.
    end = _round_down(last)
    curves = tuple(
        Curve(
            format_tokens(line.context),
            _until([(float(users), total / size) for users, total in line.points], end),
            _CURVES[at % len(_CURVES)],
        )
        for at, line in enumerate(result.growth.lines)
    )
    capacity = result.growth.capacity / size
    return Chart(
        curves=curves,
        rules=(
            *((Rule(chosen(result), capacity, "bad"),) if capacity else ()),
            *((Rule("", float(result.load.users), "muted", upright=True),) if result.load.users <= end else ()),
        ),
        x_label="users",
        y_label=bytes_as.value,
        x_text=lambda value: format_count(round(value)),
        y_text=lambda value: format_count(round(value)),
        top=capacity * 2 if capacity else None,
        id="growth",
        title="How it grows: all GPUs, by users and context",
    )


def _round_down(value: int) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10 ** (len(str(value)) - 1)
    return float(max(step * power for step in (1, 2, 5) if step * power <= value))


def _until(points: list[tuple[float, float]], end: float) -> tuple[tuple[float, float], ...]:
    """The points up to an x, with one on it."""
    kept = [point for point in points if point[0] <= end]
    beyond = next((point for point in points if point[0] > end), None)
    if kept and beyond is not None and kept[-1][0] < end:
        (x, y), (next_x, next_y) = kept[-1], beyond
        kept.append((end, y + (next_y - y) * (end - x) / (next_x - x)))
    return tuple(kept)


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
    """What vLLM will print, and where a cache can wait."""
    return Lines("startup", "What vLLM will print, and where KV can wait", tuple(_startup(result, bytes_as)))


def _startup(result: VramResult, bytes_as: ByteUnit) -> Iterator[Line]:
    if result.startup is not None:
        yield from (((f"INFO  {line}", "good"),) for line in result.startup.lines)
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


def data(result: VramResult, *, explain: bool = False) -> dict[str, object]:
    """The section as plain values for scripts. Bytes are integers; GiB where the engine's own log prints GiB."""
    selected = result.selected
    plan = selected.plan
    return {
        "model": result.model.id,
        "precision": result.deployment.precision.id,
        "kv_precision": result.deployment.kv_precision.id,
        "users": result.load.users,
        "context_tokens": result.load.context,
        "estimator": result.estimator,
        "estimates": {
            estimate.estimator: {
                "weights_bytes": estimate.weights,
                "kv_cache_bytes": estimate.kv_cache,
                "runtime_bytes": estimate.runtime,
                "total_bytes": estimate.total,
                "total_gib": estimate.total / GIB,
                "band_pct": estimate.band_pct,
            }
            for estimate in (result.detailed, result.rule_of_thumb)
        },
        "checkpoint_bytes": result.checkpoint_bytes,
        "checkpoint_gib": result.checkpoint_bytes / GIB,
        "weights_by_part": {
            entry.part: {"parameters": entry.parameters, "bits": entry.bits, "bytes": entry.bytes}
            for entry in result.weights_by_part
        },
        "kv_bytes_per_token": result.kv_bytes_per_token,
        "kv_bytes_per_user": result.kv_bytes_per_user,
        "kv_gib_per_user": result.kv_bytes_per_user / GIB,
        "kv_groups": result.kv_groups,
        "kv_offload": [
            {
                "tier": tier.name,
                "bytes_per_gpu": tier.capacity or None,
                "bytes_per_s": tier.bandwidth,
                "more_users": tier.users,
                "ttft_cost_s": tier.restore_s,
                "recompute_s": tier.recompute_s,
            }
            for tier in result.tiers
        ],
        "fits": result.fits,
        "selected": {
            "accelerator": selected.accelerator.id,
            "gpus": selected.gpus,
            "verdict": selected.verdict,
            "missing_bytes_per_gpu": selected.missing,
            "missing_gpus": selected.missing_gpus,
            "reasons": [reason_text(reason, ByteUnit.GB) for reason in selected.reasons] or selected.refused,
            "kv_copies": selected.kv_copies,
            "layout": None if plan is None else plan.layout,
            "per_gpu": None
            if plan is None
            else {
                "visible_gib": plan.visible / GIB,
                "requested_gib": plan.requested / GIB,
                "weights_gib": plan.weights.total / GIB,
                "activation_gib": plan.runtime.activation / GIB,
                "non_torch_gib": plan.runtime.non_torch / GIB,
                "cudagraph_gib": plan.runtime.graphs / GIB,
                "kv_space_gib": plan.kv_space / GIB,
                "kv_needed_gib": plan.kv_needed / GIB,
                "free_gib": plan.free / GIB,
            },
            "kv_tokens": None if plan is None else plan.kv_tokens,
            "max_concurrency": None if plan is None else plan.concurrency,
            "max_users": None if plan is None else plan.max_users,
            "max_context": None if plan is None else plan.max_context,
        },
        "ways_out": [
            {
                "change": dict(entry.changes),
                "words": way_text(entry),
                "flag": way_flag(entry),
                "gpus": entry.gpus,
                "holds": entry.holds,
            }
            for entry in result.ways
        ],
        "vllm_startup": None if result.startup is None else result.startup.lines,
        "accelerators": [
            {
                "id": row.accelerator.id,
                "usable_gib": row.usable / GIB,
                "gpus_arithmetic": row.gpus_arithmetic,
                "gpus": row.gpus,
                "layout": None if row.layout is None else row.layout.label,
                "nodes": row.nodes,
                "free_gib_per_gpu": None if row.free is None else row.free / GIB,
                "max_users": row.max_users,
                "max_context": row.max_context,
                "verdict": row.verdict,
                "reason": row.reason,
            }
            for row in result.rows
        ],
    }
