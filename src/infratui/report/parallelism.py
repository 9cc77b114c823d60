"""Layouts in words: the headline, the reasons, what would help, the summary, and the section as plain text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..engine.figures.units import GB, ByteUnit, format_bytes, format_count, format_seconds, significant
from .deployment import reason_text, reasons_text, way_flag, way_text

if TYPE_CHECKING:
    from ..engine.cluster.traffic import LinkTime
    from ..engine.sections.layout_table import LayoutRow
    from ..engine.sections.parallelism import Chosen, ParallelismResult
    from ..engine.speed import Band

NO_DATA = "no measured data"


def gpu_name(result: ParallelismResult) -> str:
    """The accelerator without its maker."""
    accelerator = result.accelerator
    return accelerator.name.removeprefix(accelerator.vendor).strip() or accelerator.name


def figure(result: ParallelismResult) -> str:
    """The layout that is drawn, or that there is none."""
    return result.chosen.layout.label if result.chosen else "No layout"


def tone(result: ParallelismResult) -> str:
    """`good`, `tight` where it fits but nothing can be predicted, `bad` where it does not fit."""
    if not result.fits:
        return "bad"
    return "good" if result.serving else "tight"


def band_text(band: Band | None) -> str:
    """` ±9 %`; empty without measured data."""
    return f" ±{band.mean_ape:.0f} %" if band else ""


def speed_line(chosen: Chosen) -> str:
    """TTFT, TPOT and tokens/s with the error of each, or why there are none."""
    serving = chosen.serving
    if serving is None:
        return chosen.no_speed
    line = (
        f"TTFT {format_seconds(serving.ttft_s)}{band_text(chosen.ttft_band)} · "
        f"TPOT {format_seconds(serving.tpot_s)}{band_text(chosen.tpot_band)} · "
        f"{format_count(round(serving.output_per_s))} tokens/s{band_text(chosen.throughput_band)}"
    )
    measured = any((chosen.ttft_band, chosen.tpot_band, chosen.throughput_band))
    return line if measured else f"{line}, {NO_DATA}"


def verdict(result: ParallelismResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """How fast the layout is, or by how much memory is short and how many GPUs are missing."""
    chosen = result.chosen
    if chosen is None:
        return "; ".join(result.refused)
    if not chosen.fits:
        short = format_bytes(chosen.memory.missing, bytes_as)
        return f"{format_count(result.gpus)} × {gpu_name(result)}: {short} short per GPU{_missing(result)}"
    return speed_line(chosen)


def _missing(result: ParallelismResult) -> str:
    needed = result.needed.plan
    if result.missing_gpus and needed:
        return f"; {result.missing_gpus:,} more would hold it as {needed.layout.label}"
    if needed is None:
        return f"; {result.needed.reason}" if result.needed.reason else ""
    if result.chosen and result.chosen.forced:
        return f"; {needed.layout.label} on {needed.layout.gpus} would hold it"
    return ""


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
    entries = (f"{way_text(entry)} ({entry.gpus:,} GPU{'' if entry.gpus == 1 else 's'})" for entry in result.help)
    return "what would help: " + ", ".join(entries)


def ladder_lines(result: ParallelismResult) -> Iterator[tuple[str, str]]:
    """Label and sentence: what the ladder takes, what prediction prefers, what is needed, what is copied."""
    if result.ladder is not None:
        yield "ladder", f"{result.ladder.label}: {' · '.join(result.ladder_reasons)}"
    else:
        yield "ladder", "; ".join(result.ladder_reasons)
    fastest = result.fastest
    if result.disagreement:
        yield "prediction", result.disagreement.removeprefix("prediction ")
    elif fastest is not None and fastest.serving is not None:
        rate = f"{format_count(round(fastest.serving.output_per_s))} tokens/s"
        agree = "agrees" if fastest.layout == result.ladder else "finds nothing worth a change"
        yield "prediction", f"{agree}: {fastest.layout.label} gives {rate}"
    needed = result.needed
    if needed.plan is not None:
        least = f"{needed.plan.layout.gpus:,} GPUs hold the load as {needed.plan.layout.label}"
        yield "at least", least
    elif needed.reason:
        yield "at least", needed.reason
    if result.help:
        yield "would help", help_line(result).removeprefix("what would help: ")


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
    micro = max(1.0, min(serving.batch, float(pp)))
    if serving.bubble:
        return (
            f"{significant(micro, 2)} micro-batches in {pp} stages: each stage waits {serving.bubble:.0%} of its time"
        )
    fill = (pp - 1) / (micro + pp - 1)
    return f"{pp} micro-batches keep {pp} stages busy: no bubble; a single pass would wait {fill:.0%}"


def communication_line(result: ParallelismResult) -> str:
    """What communication takes of a predicted step, by kind."""
    parts = result.chosen.parts if result.chosen else None
    if parts is None:
        return ""
    kinds = (("all-reduce", parts.all_reduce_s), ("all-to-all", parts.all_to_all_s), ("hops", parts.hop_s))
    named = [f"{name} {format_seconds(seconds)}" for name, seconds in kinds if seconds]
    if not named:
        return "nothing: GPUs of a replica send nothing to each other, and replicas never talk"
    return f"{', '.join(named)} of a step of {format_seconds(parts.total_s)}, at this batch"


def link_words(time: LinkTime) -> str:
    """`in the node` or `between nodes`."""
    return "in the node" if time.reach == "node" else "between nodes"


def bytes_per_token(size: int) -> str:
    """Bytes that one token sends, decimal whatever memory is shown in: links are rated so."""
    return format_bytes(size) if size else "–"


def summary(result: ParallelismResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences, for a ticket or a chat."""
    where = f"{result.model.name} on {result.gpus:,} × {gpu_name(result)}"
    chosen = result.chosen
    if chosen is None:
        return f"{where}: no layout can be built: {'; '.join(result.refused)}."
    because = f" ({reasons_text(chosen.reasons, bytes_as)})" if chosen.fits else ""
    sentences = [f"{where}: {chosen.layout.label}{because}."]
    sentences.append(f"{verdict(result, bytes_as)}.")
    serving = chosen.serving
    if serving is not None:
        sentences.append(
            f"{format_count(serving.concurrency)} requests in flight, {significant(serving.batch)} per replica; a step "
            f"is bound by {serving.bound}, MBU {serving.mbu:.0%}."
        )
    more = [bubble_line(result), copies_line(result, bytes_as), result.disagreement]
    if not chosen.fits:
        more.append(help_line(result))
    return " ".join(sentences + [f"{line[:1].upper()}{line[1:]}." for line in more if line])


def row_cells(row: LayoutRow) -> tuple[str, ...]:
    """Layout, fits, TTFT, TPOT, tokens/s, bytes per token in and between nodes, bubble, KV copies; reason."""
    serving, traffic = row.serving, row.traffic
    label = row.layout.label + (f" ({row.idle} idle)" if row.idle else "")
    if serving is None or traffic is None:
        return (label, "✓" if row.legal else "✗", "–", "–", "–", "–", "–", "–", "–", row.reason)
    return (
        label,
        "✓",
        format_seconds(serving.ttft_s),
        format_seconds(serving.tpot_s),
        format_count(round(serving.output_per_s)),
        bytes_per_token(traffic.inside.bytes),
        bytes_per_token(traffic.between.bytes),
        f"{serving.bubble:.0%}",
        f"{row.kv_copies:.3g}×",
        row.reason,
    )


ROW_HEAD = ("layout", "", "TTFT", "TPOT", "tokens/s", "B/token in node", "between", "bubble", "KV copies", "reason")


def as_data(result: ParallelismResult, *, explain: bool = False) -> dict[str, Any]:
    """The section as JSON, units in the key names."""
    found: dict[str, Any] = {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "gpus": result.gpus,
        "gpus_per_node": result.gpus_per_node,
        "fits": result.fits,
        "layout": result.chosen.layout.label if result.chosen else None,
        "chosen": _chosen_data(result.chosen) if result.chosen else None,
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
        "layouts": [_row_data(row) for row in result.rows],
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
            }
            for run in result.batching
        ],
        "attention_dp_saving_bytes_per_user": result.attention_dp_saving,
        "summary": summary(result),
    }
    if explain:
        found["derivations"] = result.derivations
    return found


def _serving_data(row: LayoutRow | Chosen) -> dict[str, Any]:
    serving = row.serving
    if serving is None:
        return {"ttft_ms": None, "tpot_ms": None, "output_tokens_per_s": None}
    return {
        "ttft_ms": serving.ttft_s * 1e3,
        "tpot_ms": serving.tpot_s * 1e3,
        "output_tokens_per_s": serving.output_per_s,
        "output_tokens_per_s_per_gpu": serving.output_per_s_per_gpu,
        "batch_per_replica": serving.batch,
        "bound": serving.bound,
        "mbu": serving.mbu,
        "mfu": serving.mfu,
        "bubble": serving.bubble,
    }


def _sizes(row: LayoutRow | Chosen) -> dict[str, int]:
    layout = row.layout
    return {"tp": layout.tp, "pp": layout.pp, "dp": layout.dp, "ep": layout.ep}


def _chosen_data(chosen: Chosen) -> dict[str, Any]:
    def error(band: Band | None) -> float | None:
        return band.mean_ape if band else None

    return {
        **_sizes(chosen),
        "forced": chosen.forced,
        "reasons": [reason_text(reason) for reason in chosen.reasons],
        "idle_gpus": chosen.idle,
        "memory_short_bytes": chosen.memory.missing,
        "memory_free_bytes": chosen.memory.free,
        **_serving_data(chosen),
        "no_speed": chosen.no_speed,
        "ttft_error_pct": error(chosen.ttft_band),
        "tpot_error_pct": error(chosen.tpot_band),
        "throughput_error_pct": error(chosen.throughput_band),
    }


def _row_data(row: LayoutRow) -> dict[str, Any]:
    traffic = row.traffic
    return {
        "layout": row.layout.label,
        **_sizes(row),
        "gpus": row.layout.gpus,
        "idle_gpus": row.idle,
        "legal": row.legal,
        "reason": row.reason,
        **_serving_data(row),
        "kv_copies": row.kv_copies,
        "bytes_per_token_in_node": traffic.inside.bytes if traffic else None,
        "bytes_per_token_between_nodes": traffic.between.bytes if traffic else None,
    }
