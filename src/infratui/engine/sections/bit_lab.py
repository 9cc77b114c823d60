"""The bit lab: what one value and the group it shares a scale with become in every number format."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ...value_types import dataclass
from ..case import Case
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..formats import Encoded, FormatError, NumberFormat, QuantizedGroup, encode_value, quantize
from ..formats.codec import relative
from ..formats.errors import finite
from ..formats.lab import (
    GROUP_LIMIT,
    LAYER_STANDARD_DEVIATION,
    Distribution,
    ErrorRow,
    OutlierEffect,
    RotationEffect,
    draw_weights,
    error_table,
    outlier_effect,
    parse_group,
    rotation_effect,
)

TENSOR_WEIGHTS = 1024
"""Weights of the drawn tensor that formats are compared on."""
DRAWN_BESIDE = GROUP_LIMIT - 1
"""Weights drawn beside the value where none are given."""
_VALUE_SIGMAS = 2.0
"""The typed value stands this many standard deviations out among the weights drawn beside it."""

DECODED = "decoded"
ABSOLUTE = Formula("absolute_error", "max(decoded - value, value - decoded)", Unit.COUNT, term="rounding")
RELATIVE = Formula("relative_error", "100 * absolute_error / max(value, 0 - value)", Unit.PERCENT, term="rounding")
BITS = Formula("bits_per_value", "element_bits + shared_bits / block", Unit.BITS, term="effective-bits")


@dataclass(frozen=True, slots=True)
class Snap:
    """Where the value lands in one format, as a member of the group."""

    format: NumberFormat
    decoded: float
    absolute_error: float
    relative_error: float | None
    group_db: float | None
    """Signal-to-noise ratio of the whole group in decibels; None: nothing was lost."""
    tensor_db: float | None
    """Likewise of the drawn tensor."""
    flushed_share: float
    """Share of the drawn tensor's weights that became zero."""


@dataclass(frozen=True, slots=True, eq=False)
class LabResult:
    """Everything the bit lab shows."""

    value: float
    format: NumberFormat
    group: QuantizedGroup
    """The value and the weights beside it in the chosen format, the value first."""
    scale: float
    """The scale that is set instead of a fitted one; 0: fitted, or a format that takes none."""
    is_drawn: bool
    """The weights beside the value were drawn, not typed."""
    snaps: tuple[Snap, ...]
    """Every format, in the order of the catalog."""
    outlier: OutlierEffect | None
    """What an outlier in the last place does to the others; None for a value alone."""
    rotation: RotationEffect | None
    """The group with the outlier, as it is and rotated; None unless its size is a power of two."""
    seed: int
    distribution: Distribution

    @property
    def alone(self) -> Encoded:
        """The value encoded with no neighbours."""
        return encode_value(self.format, self.value, scale=self.scale or None)

    @property
    def encoded(self) -> Encoded:
        """The value as a member of the group."""
        return self.group.encoded(0)

    @property
    def snap(self) -> Snap:
        """The chosen format's row."""
        return next(snap for snap in self.snaps if snap.format is self.format)

    def neighbour(self, by: int) -> NumberFormat:
        """The format `by` places on in the catalog, around its ends."""
        formats = [snap.format for snap in self.snaps]
        return formats[(formats.index(self.format) + by) % len(formats)]

    def derivations(self, index: int = 0) -> tuple[Derivation, ...]:
        """The math of one weight of the group: scale, decoded value, errors."""
        return (explain(self.group, index),)


def evaluate_lab(case: Case) -> LabResult:
    """The bit lab of a scenario. Raises ValueError in one line for a format that is unknown."""
    scenario, facts = case.scenario, case.facts
    formats, chosen = tuple(facts.formats()), facts.format(scenario.lab_format)
    distribution = Distribution(scenario.lab_distribution)
    weights = group_of(scenario.lab_value, scenario.lab_group, distribution, scenario.lab_seed)
    tensor = {row.format.id: row for row in tensor_errors(formats, distribution, scenario.lab_seed)}
    scale = scenario.lab_scale if takes_scale(chosen) else 0.0
    group = quantize(chosen, weights, scale=scale or None)
    snaps = tuple(
        _snap(entry, group if entry is chosen else quantize(entry, weights), tensor[entry.id]) for entry in formats
    )
    outlier = outlier_effect(chosen, weights, len(weights) - 1, scenario.lab_outlier) if len(weights) > 1 else None
    return LabResult(
        value=scenario.lab_value,
        format=chosen,
        group=group,
        scale=scale,
        is_drawn=not scenario.lab_group.strip(),
        snaps=snaps,
        outlier=outlier,
        rotation=_rotation(chosen, outlier),
        seed=scenario.lab_seed,
        distribution=distribution,
    )


def takes_scale(entry: NumberFormat) -> bool:
    """Whether a scale can be set: where there is one, and it is not searched for."""
    return entry.scaling is not None and entry.scaling.search is None


def group_of(value: float, beside: str, distribution: Distribution, seed: int) -> tuple[float, ...]:
    """The value first, then the weights typed beside it, or `DRAWN_BESIDE` drawn ones of its size.

    Raises:
        FormatError: for a value or weight that is no finite number, or too many of them.
    """
    first = finite(value)
    if beside.strip():
        typed = parse_group(beside)
        if len(typed) >= GROUP_LIMIT:
            raise FormatError(f"{len(typed)} weights; give at most {GROUP_LIMIT - 1} beside the value")
        return (first, *typed)
    spread = abs(first) / _VALUE_SIGMAS or LAYER_STANDARD_DEVIATION
    return (first, *draw_weights(distribution, DRAWN_BESIDE, seed, standard_deviation=spread))


@lru_cache(maxsize=16)
def tensor_errors(formats: tuple[NumberFormat, ...], distribution: Distribution, seed: int) -> tuple[ErrorRow, ...]:
    """Every format on the same `TENSOR_WEIGHTS` drawn weights."""
    return error_table(formats, draw_weights(distribution, TENSOR_WEIGHTS, seed))


def _snap(entry: NumberFormat, group: QuantizedGroup, tensor: ErrorRow) -> Snap:
    error = abs(group.decoded[0] - group.values[0])
    return Snap(
        format=entry,
        decoded=group.decoded[0],
        absolute_error=error,
        relative_error=relative(error, group.values[0]),
        group_db=group.snr_db,
        tensor_db=tensor.snr_db,
        flushed_share=tensor.flushed_share,
    )


def _rotation(entry: NumberFormat, outlier: OutlierEffect | None) -> RotationEffect | None:
    values: Sequence[float] = outlier.after.values if outlier else ()
    # A Hadamard rotation exists for powers of two.
    if len(values) < 2 or len(values) & (len(values) - 1):
        return None
    return rotation_effect(entry, values)


def explain(group: QuantizedGroup, index: int) -> Derivation:
    """How weight `index` is stored and read back: shared numbers, the bits worked out, errors."""
    entry, encoded, ledger = group.format, group.encoded(index), Ledger()
    scaling = entry.scaling
    for number in encoded.stored:
        ledger(
            Formula(number.name.replace(" ", "_").replace("-", "_"), repr(number.value), Unit.COUNT, term="scale"),
            note=f"stored as {number.type}, shared by {sharers(entry, number.name)}",
        )
    ledger(
        Formula(DECODED, encoded.expression, Unit.COUNT, basis=Basis.EXACT, term="sign-exponent-mantissa"),
        source=entry.source,
        note="bits " + " ".join(field.bits for field in encoded.bits),
    )
    error = ledger(ABSOLUTE, decoded=encoded.decoded, value=encoded.value)
    if encoded.relative_error is not None:
        ledger(RELATIVE, absolute_error=error, value=encoded.value)
    if scaling is not None and scaling.block and scaling.search is None:
        ledger(
            BITS,
            element_bits=entry.stored_bits,
            shared_bits=scaling.scale.bits + scaling.zero_point_bits,
            block=scaling.block,
        )
    return ledger.derivation(f"{encoded.value:.6g} in {entry.label}")


def sharers(entry: NumberFormat, name: str) -> str:
    """Who shares a stored number: `128 weights`, `a row`, `the whole tensor`."""
    scaling = entry.scaling
    if scaling is None or name == "tensor scale":
        return "the whole tensor"
    if scaling.search is not None and name.startswith("sub-block"):
        return f"{scaling.search.sub_block} weights"
    return f"{scaling.block} weights" if scaling.block else "a row"
