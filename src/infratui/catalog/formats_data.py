"""The number formats of the catalog, read once from formats.yaml when first asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Literal

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.schema import LARGEST, checked
from infratui.catalog.trusted import construct
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats import (
    CodebookElement,
    Coding,
    Family,
    Fit,
    FloatElement,
    FormatError,
    IntegerElement,
    KSearch,
    NumberFormat,
    PowerOfTwoElement,
    Rounding,
    ScaleType,
    Scaling,
    Specials,
)
from infratui.engine.model.architecture import Part
from infratui.engine.model.precision import PartBits, Precision
from infratui.plain_text import printable
from infratui.value_types import dataclass

E8M0 = ScaleType("E8M0", PowerOfTwoElement())
"""The power-of-two scale of the OCP MX specification 1.0."""


_FORBID = {"extra": "forbid"}
"""A key that is not known is a slip."""
_ID = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class _Float:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    exponent: int
    mantissa: int
    bias: int
    specials: Specials
    kind: Literal["float"] = "float"

    def build(self) -> FloatElement:
        _within("exponent", self.exponent, 1, 11)
        _within("mantissa", self.mantissa, 0, 51)
        _within("bias", self.bias, 0, 1023)
        return FloatElement(self.exponent, self.mantissa, self.bias, self.specials)


@dataclass(frozen=True, slots=True)
class _Integer:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    bits: int
    lowest: int
    highest: int
    coding: Coding
    rounding: Rounding = Rounding.HALF_EVEN
    kind: Literal["integer"] = "integer"

    def build(self) -> IntegerElement:
        _within("bits", self.bits, 1, 16)
        start = 0 if self.coding is Coding.OFFSET else -(1 << (self.bits - 1))
        low = self.lowest if self.coding is Coding.OFFSET else start
        if not low <= self.lowest < self.highest < low + (1 << self.bits):
            raise CatalogError(f"{self.lowest} to {self.highest} does not fit in {self.bits} bits; widen or narrow it")
        return IntegerElement(self.bits, self.lowest, self.highest, self.coding, self.rounding)


@dataclass(frozen=True, slots=True)
class _Codebook:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    values: tuple[float, ...]
    kind: Literal["codebook"] = "codebook"

    def build(self) -> CodebookElement:
        _within("number of values", len(self.values), 2, 256)
        if list(self.values) != sorted(set(self.values)):
            raise CatalogError("codebook values are not ascending; sort them and drop repeats")
        return CodebookElement(self.values)


@dataclass(frozen=True, slots=True)
class _Scaling:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    fit: Fit
    scale: str
    block: int | None = None
    zero_point_bits: int = 0
    tensor_scale: str | None = None
    search: KSearch | None = None

    def build(self, element: FloatElement | IntegerElement | CodebookElement, scales: _ScaleTypes) -> Scaling:
        _within("block", self.block or 1, 1, LARGEST)
        _within("zero_point_bits", self.zero_point_bits, 0, 16)
        whole = isinstance(element, IntegerElement)
        if (self.fit is Fit.MINMAX) != (self.zero_point_bits > 0) or (self.zero_point_bits and not whole):
            raise CatalogError("a zero point goes with fit minmax and an integer element, and only with them")
        if (self.fit is Fit.K_SEARCH) != (self.search is not None) or (self.search and not whole):
            raise CatalogError("search goes with fit k_search and an integer element, and only with them")
        if self.scale == "e8m0" and self.fit is not Fit.ABSMAX:
            raise CatalogError("an e8m0 scale goes with fit absmax")
        if self.search is not None:
            _within("sub_block", self.search.sub_block, 1, LARGEST)
            _within("sub_scale_bits", self.search.sub_scale_bits, 1, 8)
            _within("steps", self.search.steps, 0, 100)
            if self.search.step <= 0:
                raise CatalogError("the step of a search is above 0")
        return Scaling(
            fit=self.fit,
            scale=_scale_type(self.scale, scales),
            block=self.block,
            zero_point_bits=self.zero_point_bits,
            tensor_scale=_scale_type(self.tensor_scale, scales) if self.tensor_scale else None,
            search=self.search,
        )


@dataclass(frozen=True, slots=True)
class _Format:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    id: str
    label: str
    family: Family
    element: _Float | _Integer | _Codebook
    native: tuple[str, ...]
    used_for: tuple[str, ...]
    evidence: tuple[str, ...]
    notes: str
    source: str
    scaling: _Scaling | None = None
    stored_bits: int | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    formats: tuple[_Format, ...]


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise CatalogError(f"{name} {value:g} is not allowed; write a number from {low:g} to {high:g}")


_ScaleTypes = Mapping[str, ScaleType]


def number_formats() -> tuple[NumberFormat, ...]:
    """Every format, in the order of the file: plain floats first, then blocks, integers, tables and GGUF."""
    return _built_in()


def number_format(name: str) -> NumberFormat:
    """The format with this id or alias, in any case, with `-` or `_`.

    Raises:
        FormatError: naming the formats there are.
    """
    return find_format(name, number_formats())


def find_format(name: str, formats: Sequence[NumberFormat]) -> NumberFormat:
    """The one of `formats` with this id, label or alias, in any case, with `-` or `_`.

    Raises:
        FormatError: naming the formats there are.
    """
    key = _key(name)
    for entry in formats:
        if key in map(_key, (entry.id, entry.label, *entry.aliases)):
            return entry
    known = ", ".join(entry.id for entry in formats)
    shown = "".join(char for char in name[:40] if char.isprintable())
    raise FormatError(f"number format {shown!r} is unknown; use one of {known}")


def formats_from(document: Any, where: str, known: Sequence[NumberFormat] = ()) -> tuple[NumberFormat, ...]:
    """Build formats from a parsed document of the shape of formats.yaml.

    Entries may use the names of `known` formats as scales, and take their ids, not their aliases.

    Raises:
        CatalogError: one line naming `where`, the format and the key.
    """
    return _built(checked(_File, document, where).formats, where, known)


def _built(entries: Sequence[_Format], where: str, known: Sequence[NumberFormat] = ()) -> tuple[NumberFormat, ...]:
    scales: dict[str, ScaleType] = {"e8m0": E8M0}
    built: list[NumberFormat] = []
    replaced = {entry.id for entry in entries}
    kept = [entry for entry in known if entry.id not in replaced]
    for own in kept:
        _offer_scale(own, scales)
    names = {name for own in kept for name in (own.id, *own.aliases)}
    for entry in entries:
        if not _ID.fullmatch(entry.id):
            raise CatalogError(f"{where}: id {printable(entry.id, 40)!r} is not allowed; use a-z, 0-9 and _")
        taken = names.intersection({entry.id, *entry.aliases})
        if taken:
            raise CatalogError(f"{where}: {entry.id}: the name {sorted(taken)[0]} is used twice; choose another")
        names.update({entry.id, *entry.aliases})
        try:
            made = _number_format(entry, scales)
        except CatalogError as problem:
            raise CatalogError(f"{where}: {entry.id}: {problem}") from None
        built.append(made)
        _offer_scale(made, scales)
    return tuple(built)


_KEPT_WIDE = (Part.EMBEDDING, Part.HEAD, Part.ROUTER, Part.NORMS, Part.EXTRA)


def precision_of(entry: NumberFormat, origin: str) -> Precision:
    """Weights stored in a format that no precision describes: linear layers in it, all else in 16 bit."""
    return Precision(
        id=entry.id,
        label=entry.label,
        bits=entry.effective_bits,
        family=entry.family.value,
        parts=tuple(PartBits(part, 16.0) for part in _KEPT_WIDE),
        block=(entry.scaling.block or 0) if entry.scaling else 0,
        for_kv="kv" in entry.used_for,
        quality=entry.evidence,
        format=entry.id,
        aliases=entry.aliases,
        notes=entry.notes,
        source=entry.source,
        origin=origin,
    )


def _offer_scale(entry: NumberFormat, scales: dict[str, ScaleType]) -> None:
    if entry.scaling is None and isinstance(entry.element, FloatElement):
        scales[entry.id] = ScaleType(entry.label.removeprefix("FP8 "), entry.element)


def _number_format(entry: _Format, scales: _ScaleTypes) -> NumberFormat:
    if not (entry.label and entry.source):
        raise CatalogError("label or source is empty; fill it in")
    element = entry.element.build()
    _within("stored_bits", entry.stored_bits or 1, 1, 64)
    return NumberFormat(
        id=entry.id,
        label=entry.label,
        family=entry.family,
        element=element,
        scaling=entry.scaling.build(element, scales) if entry.scaling else None,
        stored_bits=entry.stored_bits or element.bits,
        native_hardware=entry.native,
        used_for=entry.used_for,
        evidence=entry.evidence,
        aliases=entry.aliases,
        notes=entry.notes,
        source=entry.source,
    )


def _scale_type(name: str, scales: _ScaleTypes) -> ScaleType:
    if name not in scales:
        raise CatalogError(f"scale {name!r} is no float format above this entry; use one of {', '.join(scales)}")
    return scales[name]


def _key(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


@cache
def _built_in() -> tuple[NumberFormat, ...]:
    path = DATA / "formats.yaml"
    return _built(construct(_File, read_built_in(path)).formats, path.name)
