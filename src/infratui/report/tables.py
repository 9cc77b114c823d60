"""The catalog's tables as text with what it sorts by: screens, the command line and CSV share them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..engine.figures.units import format_count, format_tokens, format_usd, significant
from ..engine.model.architecture import parameters
from ..plain_text import inert

if TYPE_CHECKING:
    from ..catalog.load import Catalog


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a catalog table. `keep`: higher ones are dropped first where there is little room."""

    title: str
    number: bool = False
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A cell: its text, and the number it sorts by."""

    text: str
    rank: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A row; `detail` is what stands in no column: notes and source."""

    id: str
    cells: tuple[Value, ...]
    detail: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """One table, whole."""

    name: str
    title: str
    columns: tuple[Column, ...]
    records: tuple[Record, ...]

    def matching(self, words: str) -> tuple[Record, ...]:
        """The rows that hold every word, in any column or in their notes; every character counts as itself."""
        wanted = words.casefold().split()
        return tuple(record for record in self.records if all(word in _haystack(record) for word in wanted))


def catalog_table(name: str, facts: Catalog) -> CatalogTable:
    """A table by its name in reference pages. Raises KeyError for another name."""
    return _TABLES[name](facts)


def table_names() -> tuple[str, ...]:
    """The names there are."""
    return tuple(_TABLES)


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Comma-separated values with a head; no cell can start a formula in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def _haystack(record: Record) -> str:
    return " ".join((record.id, *(cell.text for cell in record.cells), record.detail)).casefold()


_LONGEST = 30
"""Cells of a column of words at most; what is longer stands whole in the detail."""


def _text(text: str, longest: int = _LONGEST) -> Value:
    return Value((text if len(text) <= longest else f"{text[: longest - 1]}…") or "–")


def _scaled(value: float | None, unit: float = 1.0, digits: int = 3) -> Value:
    if value is None:
        return Value("–")
    return Value(significant(value / unit, digits), value)


def _whole(value: float | None, unit: float = 1.0) -> Value:
    return Value("–") if value is None else Value(f"{value / unit:,.0f}", value)


def _detail(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _largest(value: float | None) -> Value:
    if value is None:
        return Value("–")
    return Value(f"{value:,.4g}" if value < 1000 or value > 1e7 else f"{value:,.0f}", float(value))


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def _accelerators(facts: Catalog) -> CatalogTable:
    columns = (
        Column("Accelerator"), Column("GiB", True), Column("Memory", keep=4), Column("GB/s", True),
        Column("BF16", True), Column("FP8", True, 1), Column("FP4", True, 1), Column("Link GB/s", True, 2),
        Column("Node", True, 4), Column("W", True, 3), Column("Vendor", keep=5), Column("Architecture", keep=6),
    )  # fmt: skip
    records = tuple(
        Record(
            gpu.id,
            (
                _text(gpu.name.removeprefix("NVIDIA ").removeprefix("AMD ")), _scaled(gpu.memory_gib),
                _text(gpu.memory_type), _whole(gpu.bandwidth, 1e9), _whole(gpu.peak("bf16"), 1e12),
                _whole(gpu.fp8, 1e12), _whole(gpu.fp4, 1e12), _whole(gpu.link_bandwidth, 1e9),
                _whole(gpu.gpus_per_node), _whole(gpu.tdp_w), _text(gpu.vendor), _text(gpu.arch),
            ),
            _detail("TFLOP/s dense", gpu.notes, gpu.source),
            gpu.origin != "built-in",
        )
        for gpu in facts.accelerators()
    )  # fmt: skip
    return CatalogTable("accelerators", "Accelerators, TFLOP/s dense", columns, records)


def _systems(facts: Catalog) -> CatalogTable:
    columns = (
        Column("System"), Column("GPUs", True), Column("GB", True), Column("kW", True, 2), Column("USD", keep=0),
        Column("Priced", keep=3), Column("Kind", keep=4), Column("Inside", keep=5), Column("Network", True, 4),
    )  # fmt: skip

    def price(low: float | None, high: float | None) -> Value:
        if low is None and high is None:
            return Value("–")
        ends = [format_usd(end) for end in dict.fromkeys((low, high)) if end is not None]
        return Value("–".join(ends), low if low is not None else high)

    records = tuple(
        Record(
            system.id,
            (
                _text(system.name), _whole(system.gpus), _whole(system.memory_total_gb),
                _scaled(system.power_kw_max), price(system.price_usd_low, system.price_usd_high),
                _text(system.price_date), _text(system.kind), _text(system.scale_up),
                _text(
                    f"{system.fabric_nics} × {system.fabric_gbit_s_per_nic:g} Gb/s"
                    if system.fabric_nics and system.fabric_gbit_s_per_nic else ""
                ),
            ),
            _detail(system.name, system.price_basis, system.scale_up, system.notes, system.source),
            system.origin != "built-in",
        )
        for system in facts.systems()
    )  # fmt: skip
    return CatalogTable("systems", "Systems", columns, records)


def _interconnects(facts: Catalog) -> CatalogTable:
    columns = (
        Column("Link"), Column("GB/s each way", True), Column("measured", True, 2), Column("µs", True, 1),
        Column("Scope"), Column("Used by", keep=3), Column("Status", keep=4),
    )  # fmt: skip
    records = tuple(
        Record(
            link.id,
            (
                _text(link.name), _scaled(link.bandwidth, 1e9), _scaled(link.measured_bandwidth, 1e9),
                _scaled(link.latency_us), _text(link.scope), _text(link.used_by), _text(link.status),
            ),
            _detail(link.name, link.used_by, link.measured_basis, link.latency_basis, link.notes, link.source),
            link.origin != "built-in",
        )
        for link in facts.links()
    )  # fmt: skip
    return CatalogTable("interconnects", "Interconnects, per direction", columns, records)


def _precisions(facts: Catalog) -> CatalogTable:
    columns = (
        Column("Precision"), Column("bits", True), Column("computes in"), Column("activations", True, 2),
        Column("for"), Column("Notes", keep=4),
    )  # fmt: skip
    records = tuple(
        Record(
            entry.id,
            (
                _text(entry.label), Value(f"{entry.bits:.4g}", entry.bits), _text(entry.compute.upper()),
                _whole(entry.activation_bits),
                _text(", ".join(["weights"] * entry.for_weights + ["KV cache"] * entry.for_kv)),
                _text(entry.notes),
            ),
            _detail(entry.notes, entry.source),
            entry.origin != "built-in",
        )
        for entry in facts.precisions()
    )  # fmt: skip
    return CatalogTable("precisions", "Precisions of weights and cache", columns, records)


def _formats(facts: Catalog) -> CatalogTable:
    from ..catalog.formats_data import number_formats

    columns = (
        Column("Format"), Column("bits", True), Column("with scales", True), Column("S E M"), Column("largest", True),
        Column("Native on", keep=2), Column("Kind", keep=3),
    )  # fmt: skip
    records = []
    for entry in number_formats():
        element = entry.element
        exponent, mantissa = getattr(element, "exponent_bits", None), getattr(element, "mantissa_bits", None)
        fields = f"1 {exponent} {mantissa}" if exponent is not None else "–"
        largest = getattr(element, "highest", None)
        cells = (
            _text(entry.label), _whole(entry.stored_bits), Value(f"{entry.effective_bits:.4g}", entry.effective_bits),
            Value(fields), _largest(largest),
            _text(_first(entry.native_hardware)), _text(entry.family.value.replace("_", " ")),
        )  # fmt: skip
        native = ", ".join(entry.native_hardware)
        records.append(
            Record(entry.id, cells, _detail(f"native on {native}" if native else "", entry.notes, entry.source))
        )
    return CatalogTable("formats", "Number formats", columns, tuple(records))


def _models(facts: Catalog) -> CatalogTable:
    columns = (
        Column("Model"), Column("Parameters", True), Column("Active", True), Column("Layers", True, 3),
        Column("Context", True, 2), Column("Licence"), Column("Released as", keep=4),
    )  # fmt: skip
    records = []
    for model in facts.models():
        count = parameters(model)
        cells = (
            _text(model.name), Value(format_count(count.total), count.total),
            Value(format_count(count.active), count.active), _whole(model.layers),
            Value(format_tokens(model.max_context), model.max_context), _text(model.license),
            _text(model.weight_precision),
        )  # fmt: skip
        records.append(Record(model.id, cells, _detail(model.source), model.origin != "built-in"))
    return CatalogTable("models", "Models", columns, tuple(records))


_KINDS = {
    "on_demand": "on demand",
    "spot": "spot",
    "reserved_1y": "reserved 1 y",
    "reserved_3y": "reserved 3 y",
    "purchase": "purchase",
}


def _prices(facts: Catalog) -> CatalogTable:
    columns = (
        Column("Accelerator"), Column("Kind"), Column("USD", True), Column("Provider"), Column("Date"),
        Column("Region", keep=4), Column("Basis", keep=3),
    )  # fmt: skip
    records = []
    for gpu in facts.accelerators():
        for at, price in enumerate(facts.prices(gpu.id)):
            unit = "" if price.kind == "purchase" else "/h"
            cells = (
                _text(gpu.name.removeprefix("NVIDIA ").removeprefix("AMD ")), _text(_KINDS[price.kind]),
                Value(f"{format_usd(price.usd)}{unit}", price.usd), _text(price.provider, 18), _text(price.date, 10),
                _text(price.region), _text("offer" if price.quoted else "estimate"),
            )  # fmt: skip
            detail = _detail(price.provider, price.listed_as, price.date_basis, price.notes, price.source)
            records.append(Record(f"{gpu.id}-{at}", cells, detail, price.origin != "built-in"))
    return CatalogTable("prices", "Prices per GPU", columns, tuple(records))


def _quality(facts: Catalog) -> CatalogTable:
    from ..catalog.quality_data import quality_table

    columns = (
        Column("Model"), Column("Method"), Column("Scheme", keep=2), Column("Metric"), Column("before", True, 1),
        Column("after", True, 1), Column("loss %", True),
    )  # fmt: skip
    records = []
    for at, row in enumerate(quality_table().evidence):
        cells = (
            _text(row.model), _text(row.method), _text(row.scheme), _text(row.metric),
            Value(f"{row.baseline:.4g}", row.baseline), Value(f"{row.quantized:.4g}", row.quantized),
            Value(f"{row.loss_percent:.1f}".replace("-", "−"), row.loss_percent),
        )  # fmt: skip
        detail = _detail(row.model, row.method, row.scheme, row.metric, row.note, row.source)
        records.append(Record(str(at), cells, detail))
    return CatalogTable("quality", "Published losses of quality", columns, tuple(records))


def _classic_sizes(facts: Catalog) -> CatalogTable:
    sizes = ("7b", "13b", "70b", "405b", "745b")
    classic = [entry for entry in facts.precisions() if entry.classic]
    columns = (Column("Model"), *(Column(f"{entry.label} GB", True) for entry in classic))
    records = []
    for size in sizes:
        model = facts.model(size)
        count = model.rule_of_thumb.parameters if model.rule_of_thumb else parameters(model).total
        weights = [count * entry.nominal_bytes for entry in classic]
        cells = (Value(size.upper(), count), *(_scaled(weight, 1e9) for weight in weights))
        records.append(Record(size, cells, f"{format_count(count)} parameters × bytes of each format"))
    return CatalogTable("classic-sizes", "Weights of the classic sizes", columns, tuple(records))


_TABLES: Mapping[str, Callable[[Catalog], CatalogTable]] = {
    "accelerators": _accelerators,
    "systems": _systems,
    "interconnects": _interconnects,
    "precisions": _precisions,
    "formats": _formats,
    "models": _models,
    "prices": _prices,
    "quality": _quality,
    "classic-sizes": _classic_sizes,
}
