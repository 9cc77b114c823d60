"""One value in every number format, in words: its bits, its error, its group, and what an outlier does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .show import Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.cluster.hardware import Accelerator
    from ..engine.formats import Encoded
    from ..engine.formats.methods import QuantizationMethod
    from ..engine.sections.bit_lab import LabResult, Snap
    from ..engine.sections.quantization import QuantizationResult

_METHODS_AGAINST_OUTLIERS = ("gptq", "awq", "smoothquant", "rotations")
"""Methods that exist because of outliers and rounding errors."""


_SNAP_COLUMNS = (
    Column("Number format", "left", flex=True),
    Column("bits", keep=3),
    Column("value becomes"),
    Column("off by"),
    Column("group", keep=1),
    Column("tensor", keep=2),
    Column("→ 0", keep=4),
    Column("here", "left", keep=5),
)


def _snap_row(snap: Snap, lab: LabResult, accelerator: Accelerator | None) -> Row:
    """Where the value lands in one format."""
    entry, marked = snap.format, snap.format is lab.format
    here = "native" if accelerator is not None and entry.is_native_on(accelerator.arch) else ""
    exact = 1e9
    return Row(
        entry.id,
        (
            Cell(entry.label, "bold" if marked else ""),
            Cell(f"{entry.effective_bits:.6g}", "", entry.effective_bits),
            Cell(number(snap.decoded), "", snap.decoded),
            Cell(percent(snap.relative_error), "", snap.relative_error or 0.0),
            Cell(decibels(snap.group_db), "", exact if snap.group_db is None else snap.group_db),
            Cell(decibels(snap.tensor_db), "", exact if snap.tensor_db is None else snap.tensor_db),
            Cell(f"{100 * snap.flushed_share:.0f} %", "bad" if snap.flushed_share > 0.01 else "", snap.flushed_share),
            Cell(here, "good"),
        ),
        marked=marked,
    )


def page(lab: LabResult, result: QuantizationResult) -> tuple[Block, ...]:
    """The value in every number format, and what an outlier does to its group."""
    return snaps(lab, result.accelerator), outlier(lab, result.methods)


def summary(lab: LabResult) -> str:
    """The lab in plain sentences."""
    encoded, entry = lab.encoded, lab.format
    shared = "; ".join(f"{stored.name} {number(stored.value)} ({stored.type})" for stored in encoded.stored)
    with_scale = f" with {shared}" if shared else ""
    text = (
        f"{lab.value:g} in {entry.label} is {number(encoded.decoded)} ({bits_text(encoded)}{with_scale}), "
        f"off by {encoded.absolute_error:.3g} ({percent(encoded.relative_error)}). "
        f"The group of {len(lab.group.values)} keeps {decibels(lab.group.snr_db)}."
    )
    if lab.outlier is not None and entry.has_block_scale:
        text += (
            f" An outlier beside it takes the others from {decibels(lab.outlier.others_before_db)} to "
            f"{decibels(lab.outlier.others_after_db)}."
        )
    return text


def snaps(lab: LabResult, accelerator: Accelerator | None) -> Table:
    """Where the lab's value lands in every number format."""
    rows = tuple(_snap_row(snap, lab, accelerator) for snap in lab.snaps)
    return Table("snaps", "The value in every number format", _SNAP_COLUMNS, rows)


_READ_DB = "Higher is better; below 10 dB a value is noise."


def decibels(value: float | None) -> str:
    """A signal-to-noise ratio; `exact` where nothing was lost."""
    return "exact" if value is None else f"{value:.1f} dB"


def number(value: float) -> str:
    """A weight as a person reads it: every digit of short ones, nine significant digits of long ones."""
    text = f"{value:.12g}"
    return text if float(text) == value and len(text) <= 12 else f"{value:.9g}"


def percent(share: float | None) -> str:
    """A relative error: `3.71 %`, `exact` for none; an en dash for a value of zero."""
    if share is None:
        return "–"
    if share == 0:
        return "exact"
    return f"{100 * share:.2g} %" if share < 0.001 else f"{100 * share:.2f} %"


def bits_text(encoded: Encoded) -> str:
    """`S0 E0110 M101`."""
    return " ".join(f"{field.letter}{field.bits}" for field in encoded.bits)


def came_from(lab: LabResult) -> Iterator[Says]:
    """Whose scale it is, the two values that the format has around the weight, and what cutting off would take."""
    encoded = lab.encoded
    for stored in encoded.stored[:1]:
        whose = "set by you" if lab.scale else f"fitted to the largest of its {len(lab.group.values)} weights"
        yield Says("", f"is the {stored.name}, {whose}.", number(stored.value), "key")
    if encoded.relative_error == 0:
        yield Says("", f"{number(encoded.value)} is a value of the format: nothing is lost.")
        return
    ends = [end for end in _around(encoded) if end is not None]
    told = " and ".join(f"{number(end)} ({percent(_off(end, encoded.value))} off)" for end in ends)
    yield Says("", f"lies between {told}: rounding takes the nearer." if len(ends) > 1 else f"ends at {told}.",
               number(encoded.value), "key")  # fmt: skip
    toward_zero = min(ends, key=abs)
    if len(ends) > 1 and toward_zero != encoded.decoded:
        off = percent(_off(toward_zero, encoded.value))
        yield Says("", f"Cutting off instead of rounding would take {number(toward_zero)}: {off} off.")


def _around(encoded: Encoded) -> tuple[float | None, float | None]:
    """The format's values on either side of the weight."""
    if encoded.decoded <= encoded.value:
        return encoded.decoded, encoded.above
    return encoded.below, encoded.decoded


def _off(end: float, value: float) -> float | None:
    return abs(end - value) / abs(value) if value else None


def outlier(lab: LabResult, methods: tuple[QuantizationMethod, ...]) -> Prose:
    """What one outlier does to its group, and which methods answer it."""
    effect, entry = lab.outlier, lab.format
    says = list(came_from(lab))
    if effect is None:
        says.append(Says("", "A value alone has nobody to harm: give weights beside it."))
    else:
        others = len(effect.before.values) - 1
        size = number(effect.after.values[effect.index])
        says.append(
            Says("", f"Weight {effect.index + 1} of the group becomes an outlier of {size}.", entry.label, "key")
        )
        before, after = decibels(effect.others_before_db), decibels(effect.others_after_db)
        zeros = f"{effect.others_flushed_after} of them become zero, {effect.others_flushed_before} did before"
        if entry.has_block_scale:
            says.append(
                Says(
                    "",
                    f"is the accuracy of the other {others} weights; {zeros}. {_READ_DB}",
                    f"{before} → {after}",
                    "bad",
                )
            )
            says.append(Says("", "The scale follows the largest weight of a block, so all others get coarser steps."))
        else:
            says.append(
                Says(
                    "",
                    f"is the accuracy that the other {others} weights keep: no scale is shared. {_READ_DB}",
                    after,
                    "good",
                )
            )
    if lab.rotation is not None and entry.has_block_scale:
        plain, rotated = decibels(lab.rotation.plain_db), decibels(lab.rotation.rotated_db)
        says.append(Says("", "for the whole group when it is rotated first.", f"{plain} → {rotated}", "good"))
    answers = (method for method in methods if method.id in _METHODS_AGAINST_OUTLIERS)
    says.extend(Says("", method.idea, method.label, "key") for method in answers)
    return Prose("outlier", "Where the error comes from, and one outlier", tuple(says))
