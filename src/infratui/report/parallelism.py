"""Layouts in words: the headline, the reasons, what would help, and every panel of the section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.figures.compare import Better, Headline, headline
from ..engine.figures.derivation import Unit
from ..engine.figures.units import GB, ByteUnit, counted, format_bytes, format_count, format_seconds, significant
from ..engine.metrics import metric
from . import apart, demand, load_curve
from .deployment import layout_text, needs_offer, needs_text, placed_label, pools_data, way_flag, way_text
from .draw import BETWEEN
from .interval import around, rounded_count
from .layout_json import chosen_data, interval_of, row_data
from .names import short_name
from .parallelism_tables import LINKS, batching, layouts, link_words, links, typical
from .reasons import reason_text, reasons_text
from .shares import shares
from .show import Answer, Block, Prose, Says

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.derivation import Derivation
    from ..engine.sections.parallelism import Chosen, ParallelismResult

ASSUMED = (
    "input_tokens", "output_tokens", "prefix_hit", "node_link", "engine", "utilization", "max_batched_tokens",
    "max_num_seqs",
)  # fmt: skip
"""Inputs that the summary rests on without naming them."""
NO_DATA = "no measured data"
_SAME = 0.005
"""A difference that is none."""


def evaluate(evaluation: Evaluation) -> ParallelismResult:
    """The section's result."""
    return evaluation.parallelism


def derivations(result: ParallelismResult) -> Sequence[Derivation]:
    """The math behind the answer."""
    return result.derivations


def answer(result: ParallelismResult, bytes_as: ByteUnit) -> Answer:
    """The layout in words, its speed with the error of each figure, why this one, and the next best."""
    chosen = result.chosen
    if chosen is None:
        return Answer("No layout can be built", "", "bad", (Says("why", _refused(result, bytes_as)),))
    says = []
    if not chosen.fits:
        says = [Says("why", verdict(result, bytes_as))]
        if line := help_line(result):
            says.append(Says("or", line))
    else:
        says = [Says("why", f"{reasons_text(chosen.reasons)}{_shared(result)}")]
        if line := next_best(result):
            says.append(Says("or", line))
    figures = speed_line(chosen) if chosen.fits else ""
    return Answer(figure(result), figures, tone(result), tuple(says), needs_offer(_needed(result)))


def _shared(result: ParallelismResult) -> str:
    """What the copies have to do with each other."""
    layout = result.chosen.layout if result.chosen else None
    if layout is None or layout.dp == 1 or layout.ep > layout.tp:
        return ""
    users = -(-int(result.serving.concurrency) // layout.dp) if result.serving else 0
    each = f", {counted(users, 'user')} each" if users else ""
    size = layout.gpus_per_replica
    held = f"{counted(size, 'GPU')} hold{'s' if size == 1 else ''} one copy"
    return f" · {held}, {layout.gpus:,} hold {layout.dp:,}{each}"


def next_best(result: ParallelismResult) -> str:
    """The best layout beside the chosen one, and what it would change."""
    chosen = result.chosen
    mine = chosen.serving if chosen else None
    if chosen is None or mine is None:
        return ""
    rows = [row for row in result.rows if row.serving is not None and row.layout != chosen.layout and not row.idle]
    if not rows or rows[0].serving is None:
        return "no other layout of these GPUs holds it"
    other = rows[0].layout
    change = rows[0].serving.output_per_s / mine.output_per_s - 1
    speed = "as fast" if abs(change) < _SAME else f"{abs(change):.0%} {'more' if change > 0 else 'fewer'} tok/s"
    lost = f"a lost GPU then stops {counted(other.gpus_per_replica, 'GPU')} instead of {chosen.layout.gpus_per_replica}"
    if other.gpus_per_replica == chosen.layout.gpus_per_replica:
        lost = "a lost GPU stops as many"
    return f"{other.label} ({layout_text(other)}): {speed}; {lost}"


def page(result: ParallelismResult, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """Every panel, in reading order."""
    return (
        reasons(result, bytes_as),
        layouts(result, bytes_as),
        sent(result),
        links(result),
        batching(result),
        typical(result),
    )


def rest(evaluation: Evaluation, bytes_as: ByteUnit) -> tuple[Block, ...]:
    """What takes longer: the layout under load, and prefill and decode apart."""
    return (*demand.of(evaluation), *load_curve.of(evaluation), apart.of(evaluation))


def rest_data(evaluation: Evaluation) -> dict[str, Any]:
    """The same as plain values."""
    return demand.data_of(evaluation) | load_curve.data_of(evaluation) | apart.data_of(evaluation)


def headlines(evaluation: Evaluation, result: ParallelismResult) -> tuple[Headline, ...]:
    """What two scenarios are compared by."""
    none = "no layout serves it"

    def seconds(key: str) -> float | None:
        value = metric(evaluation, key)
        return None if value is None else value / 1e3

    rate, each = metric(evaluation, "tokens_per_s"), metric(evaluation, "tokens_per_s_user")
    total = result.serving.output_per_s if result.serving else None
    return (
        headline("Time to first token", seconds("ttft_ms"), Unit.SECONDS, words=none),
        headline("Time per output token", seconds("tpot_ms"), Unit.SECONDS, words=none),
        headline("Output of one replica", rate, Unit.TOKENS_PER_S, Better.HIGHER, none),
        headline("Output of all replicas", total, Unit.TOKENS_PER_S, Better.HIGHER, none),
        headline("Output per user", each, Unit.TOKENS_PER_S, Better.HIGHER, none),
        headline("Pipeline bubble", metric(evaluation, "bubble_pct"), Unit.PERCENT, words=none),
    )


def figure(result: ParallelismResult) -> str:
    """The layout that is drawn, in words, or how many GPUs are missing."""
    chosen = result.chosen
    if chosen is None:
        return "No layout"
    words = layout_text(chosen.layout)
    if chosen.fits:
        return f"{words} ({placed_label(chosen.layout, chosen.pools)})"
    if needed := _needed(result):
        return needs_text(needed, result.accelerator, result.gpus)
    return f"{chosen.layout.label} ({words}) does not hold it"


def _needed(result: ParallelismResult) -> int:
    """GPUs that it takes where there are too few; 0 where that is not what is missing."""
    needed, chosen = result.needed.gpus, result.chosen
    return needed if needed is not None and needed > result.gpus and chosen and not chosen.fits else 0


def tone(result: ParallelismResult) -> str:
    """`good`, `tight` where it fits but nothing can be predicted, `bad` where it does not fit."""
    if not result.fits:
        return "bad"
    return "good" if result.serving else "tight"


def speed_line(chosen: Chosen) -> str:
    """TTFT, TPOT and tokens/s with the interval around each, or why there are none."""
    serving = chosen.serving
    if serving is None:
        return reason_text(chosen.no_speed)
    ttft = around(serving.ttft_s, interval_of(chosen.ttft_band), format_seconds)
    tpot = around(serving.tpot_s, interval_of(chosen.tpot_band), format_seconds)
    rate = around(serving.output_per_s, interval_of(chosen.throughput_band), rounded_count)
    if serving.output_tokens < 2:
        # Nothing comes after the first token.
        each = f"done after {format_seconds(serving.ttft_s)}{ttft}"
        line = f"{format_count(round(serving.output_per_s))} requests/s{rate} · {each}"
        return line if any((chosen.ttft_band, chosen.throughput_band)) else f"{line}, {NO_DATA}"
    line = (
        f"{format_count(round(serving.output_per_s))} tok/s{rate} · "
        f"first token {format_seconds(serving.ttft_s)}{ttft} · next {format_seconds(serving.tpot_s)}{tpot}"
    )
    plan = chosen.plan
    if plan is not None and (pace := plan.constants.pace_on(plan.accelerator.id)) != 1:
        line += f", at the pace of host {plan.constants.host} (times × {pace:.3g})"
    measured = any((chosen.ttft_band, chosen.tpot_band, chosen.throughput_band))
    return line if measured else f"{line}, {NO_DATA}"


def verdict(result: ParallelismResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """How fast the layout is, or by how much memory is short and how many GPUs are missing."""
    chosen = result.chosen
    if chosen is None:
        return _refused(result, bytes_as)
    if not chosen.fits:
        short = format_bytes(chosen.memory.missing, bytes_as)
        return (
            f"{format_count(result.gpus)} × {short_name(result.accelerator)}: {short} short per GPU{_missing(result)}"
        )
    return speed_line(chosen)


def _missing(result: ParallelismResult) -> str:
    needed = result.needed.plan
    if result.missing_gpus and needed:
        return f"; {result.missing_gpus:,} more would hold it as {needed.layout.label}"
    if needed is None:
        return f"; {reason_text(result.needed.reason)}" if result.needed.reason else ""
    if result.chosen and result.chosen.forced:
        return f"; {needed.layout.label} on {needed.layout.gpus} would hold it"
    return ""


def _refused(result: ParallelismResult, bytes_as: ByteUnit) -> str:
    return reasons_text(result.refused, bytes_as, "; ")


def why(result: ParallelismResult) -> str:
    """Why this layout, in one line; what would help where it does not fit."""
    chosen = result.chosen
    if chosen is None or not chosen.fits:
        return help_line(result) or "free what is set by hand (0 = auto), or take more GPUs"
    return reasons_text(chosen.reasons)


def help_line(result: ParallelismResult) -> str:
    """What would let it fit, each with the GPUs it would then take."""
    if not result.help:
        return ""
    return BETWEEN.join(_way_and_gpus(way_text(entry), counted(entry.gpus, "GPU")) for entry in result.help)


def _way_and_gpus(way: str, takes: str) -> str:
    return way if way == takes else f"{way} ({takes})"


def _ladder_lines(result: ParallelismResult) -> Iterator[tuple[str, str]]:
    """Label and sentence: what the rule takes, what is fastest, what is needed, what would help."""
    rule = reasons_text(result.ladder_reasons, between="; ")
    if result.ladder is not None:
        rule = f"the first layout that fits, fewest GPUs per copy: {result.ladder.label}, {layout_text(result.ladder)}"
    yield "rule", rule
    fastest, chosen = result.fastest, result.chosen
    if fastest is not None and fastest.serving is not None and result.serving is not None and chosen is not None:
        gain = fastest.serving.output_per_s / result.serving.output_per_s - 1
        if fastest.layout == chosen.layout or gain < _SAME:
            yield "fastest", "no layout is faster than the one above"
        else:
            yield "fastest", f"{fastest.layout.label} ({layout_text(fastest.layout)}) would be {gain:.0%} faster"
    needed = result.needed
    if needed.plan is not None:
        layout = needed.plan.layout
        yield "fewest", f"{layout.gpus:,} would run it, as {layout.label}: {layout_text(layout)}"
    elif needed.reason:
        yield "fewest", reason_text(needed.reason)
    if result.help:
        yield "would help", help_line(result)


def copies_line(result: ParallelismResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """How often tensor-parallel ranks hold the same cache, and what attention data parallelism would save."""
    chosen = result.chosen
    if chosen is None or chosen.layout.tp == 1 or not result.attention_dp_saving:
        return ""
    saving = format_bytes(result.attention_dp_saving, bytes_as)
    return (
        f"TP{chosen.layout.tp} holds each cached token {significant(result.kv_copies, 2)} times; one copy, as with "
        f"attention data parallelism, would save {saving} per user"
    )


def bubble_line(result: ParallelismResult) -> str:
    """What pipeline stages wait; empty without a pipeline."""
    chosen, serving = result.chosen, result.serving
    if chosen is None or serving is None or chosen.layout.pp == 1:
        return ""
    pp = chosen.layout.pp
    micro = max(1.0, pp * (1 - serving.bubble))
    if serving.bubble:
        several = "es" if micro > 1 else ""
        waits = f"each stage waits {serving.bubble:.0%} of its time"
        return f"{significant(micro, 2)} micro-batch{several} in {pp} stages: {waits}"
    fill = (pp - 1) / (micro + pp - 1)
    return f"{pp} micro-batches keep {pp} stages busy: no bubble; a single pass would wait {fill:.0%}"


def communication_line(result: ParallelismResult) -> str:
    """What communication takes of a predicted step, by kind."""
    parts = result.chosen.parts if result.chosen else None
    if parts is None:
        return ""
    kinds = (
        ("all-reduce", parts.all_reduce_s),
        ("all-to-all", parts.all_to_all_s),
        ("hops", parts.hop_s),
        ("cache exchange", parts.context_s),
    )
    named = [f"{name} {format_seconds(seconds)}" for name, seconds in kinds if seconds]
    if not named:
        return "nothing: no GPU waits for another; copies are independent"
    return f"{', '.join(named)} of a step of {format_seconds(parts.total_s)}, at this batch"


def summary(result: ParallelismResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences, for a ticket or a chat."""
    where = f"{result.model.name} on {result.gpus:,} × {short_name(result.accelerator)}"
    chosen = result.chosen
    if chosen is None:
        return f"{where}: no layout can be built: {_refused(result, bytes_as)}."
    because = f" ({reasons_text(chosen.reasons, bytes_as)})" if chosen.fits else ""
    sentences = [f"{where}: {placed_label(chosen.layout, chosen.pools)}, {layout_text(chosen.layout)}{because}."]
    sentences.append(f"{verdict(result, bytes_as)}.")
    serving = chosen.serving
    if serving is not None:
        sentences.append(
            f"{format_count(serving.concurrency)} requests in flight, {significant(serving.batch)} per replica; a step "
            f"is bound by {serving.bound}, MBU {serving.mbu:.0%}."
        )
    more = [bubble_line(result), copies_line(result, bytes_as), next_best(result) if chosen.fits else ""]
    if not chosen.fits:
        more.append(f"what would help: {line}" if (line := help_line(result)) else "")
    return " ".join(sentences + [f"{line[:1].upper()}{line[1:]}." for line in more if line])


def reasons(result: ParallelismResult, bytes_as: ByteUnit) -> Prose:
    """What the ladder takes, what prediction prefers, what is needed, what waits and what is copied."""
    lines = [*_ladder_lines(result), ("bubble", bubble_line(result)), ("KV copies", copies_line(result, bytes_as))]
    said = [Says(label, line) for label, line in lines if line]
    if (chosen := result.chosen) is not None and chosen.pools is None:
        layers = [(stage.first_layer, stage.last_layer) for stage in chosen.stages]
        said += shares(chosen.layout, result.model.hidden_size, layers)
    return Prose("why", "Why this layout", tuple(said))


def sent(result: ParallelismResult) -> Prose:
    """What communication takes of a step."""
    line = communication_line(result)
    return Prose("links", LINKS, (Says("takes", line, muted=True),) if line else ())


def data(result: ParallelismResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as plain values, units in the key names."""
    return {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "gpus": result.gpus,
        "gpus_per_node": result.gpus_per_node,
        "fits": result.fits,
        "layout": placed_label(result.chosen.layout, result.chosen.pools) if result.chosen else None,
        "prefill": pools_data(result.chosen.pools) if result.chosen else None,
        "chosen": chosen_data(result.chosen) if result.chosen else None,
        "refused": result.refused,
        "ladder": result.ladder.label if result.ladder else None,
        "ladder_reasons": result.ladder_reasons,
        "fastest": result.fastest.layout.label if result.fastest else None,
        "disagreement": result.disagreement,
        "needed_gpus": result.needed.plan.layout.gpus if result.needed.plan else None,
        "needed_reason": result.needed.reason,
        "missing_gpus": result.missing_gpus,
        "help": [
            {
                "change": dict(entry.changes),
                "words": way_text(entry),
                "gpus": entry.gpus,
                "holds": entry.holds,
                "flag": way_flag(entry),
            }
            for entry in result.help
        ],
        "layouts": [row_data(row) for row in result.rows],
        "links": [
            {
                "link": time.link.id,
                "where": link_words(time),
                "used": time.used,
                "gb_per_s": time.bandwidth / GB if time.bandwidth else None,
                "bytes_per_token": time.share.bytes,
                "transfer_us_per_token": None if time.transfer_s is None else time.transfer_s * 1e6,
                "latency_us_per_token": None if time.latency_s is None else time.latency_s * 1e6,
            }
            for time in result.links
        ],
        "batching": [
            {
                "policy": run.policy.value,
                "utilisation": run.utilisation,
                "latency_p95_ms": run.latency_p95_ms,
                "ttft_p95_ms": run.ttft_p95_ms,
                "output_tokens_per_s": run.output_tokens_per_s,
                "quiet_ttft_p95_ms": quiet.ttft_p95_ms,
            }
            for run, quiet in zip(result.batching, result.quiet_batching, strict=True)
        ],
        "attention_dp_saving_bytes_per_user": result.attention_dp_saving,
        "summary": summary(result),
    }
