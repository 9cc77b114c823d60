"""`infratui quant`: the model in every precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .common import Deployment, deployment_options, echo_json, guarded, output_options, plain_table

if TYPE_CHECKING:
    from ..engine.sections.precision_rows import PrecisionRow
    from ..engine.sections.quantization import QuantizationResult


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every precision, not only FP32, FP16, FP8 and INT4.")
@click.option("--precision", metavar="NAME", help="The weights' precision: fp8, int4-awq, nvfp4, q4_k_m …")
@deployment_options
@output_options
def command(deployment: Deployment, everything: bool, precision: str | None, as_json: bool, explain: bool) -> None:
    """Weights, GPUs, speed and published quality of the model in each precision."""
    from ..engine.evaluate import evaluate
    from ..report.deployment import with_deployment
    from ..report.math import text
    from ..report.quantization import badge, rule_speed, saved, summary, times

    scenario = deployment.scenario()
    changes: dict[str, object] = {"shown_formats": "all"} if everything else {}
    if precision:
        changes["precision"] = precision
    evaluation = evaluate(scenario.with_(**changes), deployment.facts())
    result = guarded(lambda: evaluation.quantization)
    if as_json:
        echo_json(with_deployment(as_data(result, explain), evaluation))
        return
    click.echo(f"{result.model.name} on {result.accelerator.name}; speeds against {result.reference.precision.label}")
    click.echo(f"on {result.layout.label} with {result.batch:g} users per replica\n")
    plain_table(
        ("precision", "GB", "bits", "saved", "GPUs", "weights alone", "decode", "prefill", "rule", "runs", "quality"),
        [
            (
                row.precision.id,
                f"{row.weights / 1e9:,.1f}",
                f"{row.bits_per_weight:.3f}",
                saved(row.saved_pct),
                f"{row.gpus or '–'}",
                f"{row.gpus_alone or '–'}",
                times(row.speed.decode) if row.speed else "–",
                times(row.speed.prefill) if row.speed else "–",
                rule_speed(row),
                row.arithmetic.value,
                badge(row.quality),
            )
            for row in result.rows
        ],
        right=tuple(range(1, 9)),
    )
    click.echo(f"\n{summary(result)}")
    if explain:
        click.echo("\n" + text(result.derivations(result.chosen)))


def as_data(result: QuantizationResult, explain: bool) -> dict[str, Any]:
    """The result as JSON, units in the key names."""
    from ..report.quantization import summary

    return {
        "model": result.model.id,
        "accelerator": result.accelerator.id,
        "estimator": result.estimator,
        "layout": result.layout.label,
        "users_per_replica": result.batch,
        "speed_band_pct": result.band_pct,
        "no_speed": result.no_speed,
        "summary": summary(result),
        "precisions": [_row(result, row, explain) for row in result.rows],
        "kv_cache": [
            {
                "precision": row.precision.id,
                "bytes_per_user": row.bytes_per_user,
                "total_bytes": row.total,
                "saved_pct": row.saved_pct,
                "gpus": row.gpus,
                "quality": row.quality.badge,
                "quality_reason": row.quality.reason,
                "chosen": row.chosen,
            }
            for row in result.kv_rows
        ],
    }


def _row(result: QuantizationResult, row: PrecisionRow, explain: bool) -> dict[str, Any]:
    from ..report.quantization import decode_reason, prefill_reason

    found: dict[str, Any] = {
        "precision": row.precision.id,
        "label": row.precision.label,
        "chosen": row is result.chosen,
        "weights_bytes": row.weights,
        "bits_per_weight": row.bits_per_weight,
        "saved_pct": row.saved_pct,
        "gpus": row.gpus,
        "gpus_by_bytes": row.least.arithmetic,
        "layout": row.least.plan.layout.label if row.least.plan else None,
        "gpus_reason": row.least.reason,
        "gpus_weights_alone": row.gpus_alone,
        "gpus_weights_alone_reason": row.alone.reason,
        "arithmetic": row.arithmetic,
        "speed": None,
        "rule_of_thumb": {
            "weights_bytes": row.rule.weights,
            "gpus_weights_alone": row.rule.gpus,
            "speed": row.rule.speed,
            "speed_against_fp32": row.rule.speed_fp32,
        },
        "quality": row.quality.badge,
        "quality_reason": row.quality.reason,
        "evidence": [
            {
                "model": entry.model,
                "method": entry.method,
                "metric": entry.metric,
                "baseline": entry.baseline,
                "quantized": entry.quantized,
                "loss_pct": entry.loss_percent,
                "source": entry.source,
            }
            for entry in row.quality.rows
        ],
        "source": row.precision.source,
    }
    if row.speed is not None:
        found["speed"] = {
            "decode": row.speed.decode,
            "decode_one_user": row.speed.decode_alone,
            "prefill": row.speed.prefill,
            "decode_step_ms": 1e3 * row.speed.step_s,
            "prompt_ms": 1e3 * row.speed.prompt_s,
            "decode_bound": row.speed.bound,
            "why_decode": decode_reason(row.speed, row),
            "why_prefill": prefill_reason(row.speed, row),
        }
    if explain:
        found["derivations"] = result.derivations(row)
    return found
