"""`infratui bits`: one value, alone or in a group, in every number format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .common import Options, deployment_options, echo_json, fail, guarded, output_options, plain_table

if TYPE_CHECKING:
    from ..engine.sections.bit_lab import LabResult


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("values", nargs=-1, metavar="[VALUE] [WEIGHT …]")
@click.option("--format", "name", metavar="NAME", help="One format: e4m3, bf16, nvfp4, int4_g128, q4_k …")
@click.option("--scale", metavar="NUMBER", help="The scale to use instead of the fitted one (with --format).")
@deployment_options
@output_options
def command(
    deployment: Options,
    values: tuple[str, ...],
    name: str | None,
    scale: str | None,
    as_json: bool,
    explain: bool,
) -> None:
    """What VALUE becomes in each number format; the WEIGHTs beside it share its scale (else 31 are drawn)."""
    from ..engine.evaluate import evaluate
    from ..engine.formats import quantize
    from ..engine.formats.lab import parse_value
    from ..report.bit_lab import decibels, number, percent, summary
    from ..report.math import text

    if scale is not None and name is None:
        fail("--scale goes with --format: each format has a scale of its own")
    changes: dict[str, object] = {}
    if values:
        changes["lab_value"] = guarded(lambda: parse_value(values[0]))
        changes["lab_group"] = " ".join(values[1:])
    if name:
        changes["lab_format"] = name
    if scale is not None:
        changes["lab_scale"] = guarded(lambda: parse_value(scale))
    scenario = guarded(lambda: deployment.scenario().with_(**changes))
    lab: LabResult = guarded(lambda: evaluate(scenario, deployment.facts()).lab)
    group = lab.group
    if scale is not None:
        # Says so of a format that takes none.
        group = guarded(lambda: quantize(lab.format, group.values, scale=parse_value(scale)))
    if as_json:
        echo_json(as_data(lab, name, scale is not None, group, explain))
        return
    if name:
        _one(lab, group)
    else:
        plain_table(
            ("format", "bits", "decoded", "error", "relative", "group SNR", "tensor SNR"),
            [
                (
                    snap.format.id,
                    f"{snap.format.effective_bits:g}",
                    number(snap.decoded),
                    f"{snap.absolute_error:.3g}",
                    percent(snap.relative_error),
                    decibels(snap.group_db),
                    decibels(snap.tensor_db),
                )
                for snap in lab.snaps
            ],
            right=tuple(range(1, 7)),
        )
        beside = "drawn" if lab.is_drawn else "given"
        others = len(group.values) - 1
        click.echo(f"\n{lab.value:g} among {others} {beside} weights; formats without a scale do not see them.")
    if name and scale is None:
        click.echo("\n" + summary(lab))
    if explain:
        from ..engine.sections.bit_lab import explain as explain_weight

        click.echo("\n" + text((explain_weight(group, 0),)))


def _one(lab: LabResult, group: Any) -> None:
    from ..report.bit_lab import bits_text, decibels, number, percent

    encoded = group.encoded(0)
    click.echo(f"{lab.format.label}: {lab.format.effective_bits:g} bits per value. {lab.format.notes}")
    rows = [
        ("value", f"{encoded.value:.9g}"),
        ("bits", bits_text(encoded)),
        *((stored.name, f"{number(stored.value)} in {stored.type}") for stored in encoded.stored),
        ("decoded", f"{number(encoded.decoded)} = {encoded.expression}"),
        ("error", f"{encoded.absolute_error:.6g} ({percent(encoded.relative_error)})"),
        ("below", "none" if encoded.below is None else number(encoded.below)),
        ("above", "none" if encoded.above is None else number(encoded.above)),
        ("group", f"{len(group.values)} weights, {decibels(group.snr_db)}, {group.flushed} became zero"),
        ("native on", ", ".join(lab.format.native_hardware) or "no matrix unit"),
    ]
    for label, words in rows:
        click.echo(f"  {label:18} {words}")


def as_data(lab: LabResult, name: str | None, scaled: bool, group: Any, explain: bool) -> dict[str, Any]:
    """The lab as JSON."""
    encoded = group.encoded(0)
    data: dict[str, Any] = {
        "value": lab.value,
        "format": lab.format.id,
        "scale_given": scaled,
        "bits": [{"letter": field.letter, "name": field.name, "bits": field.bits} for field in encoded.bits],
        "decoded": encoded.decoded,
        "absolute_error": encoded.absolute_error,
        "relative_error": encoded.relative_error,
        "below": encoded.below,
        "above": encoded.above,
        "shared": [{"name": each.name, "type": each.type, "value": each.value} for each in encoded.stored],
        "expression": encoded.expression,
        "group": {
            "drawn": lab.is_drawn,
            "values": group.values,
            "decoded": group.decoded,
            "codes": group.codes,
            "snr_db": group.snr_db,
        },
    }
    if name is None:
        data["formats"] = [
            {
                "format": snap.format.id,
                "bits_per_value": snap.format.effective_bits,
                "decoded": snap.decoded,
                "absolute_error": snap.absolute_error,
                "relative_error": snap.relative_error,
                "group_snr_db": snap.group_db,
                "tensor_snr_db": snap.tensor_db,
            }
            for snap in lab.snaps
        ]
    if lab.outlier is not None:
        data["outlier"] = {
            "others_before_db": lab.outlier.others_before_db,
            "others_after_db": lab.outlier.others_after_db,
        }
    if explain:
        data["derivations"] = lab.derivations()
    return data
