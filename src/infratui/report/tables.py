"""The catalog's tables as text with what it sorts by: screens, the command line and CSV share them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..engine.figures.units import format_count, format_tokens, format_usd, significant
from ..engine.model.architecture import parameters
from ..plain_text import inert
from .show import Cell, Column, Row, Table

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..engine.cluster.hardware import Accelerator
    from ..scenario import Scenario


_LONG = 18
"""Characters of a column of words that needs no whole line of its own."""


def catalog_table(name: str, facts: Catalog, scenario: Scenario | None = None) -> Table:
    """A table by its name in reference pages. Raises KeyError for another name.

    `scenario`: what the tables that are computed are of; None: the one that a first start has.
    """
    if name in _COMPUTED:
        from ..scenario import Scenario

        return _COMPUTED[name](facts, scenario or Scenario())
    table = _TABLES[name](facts)
    return replace(table, columns=tuple(_flexible(at, table) for at in range(len(table.columns))))


def _flexible(at: int, table: Table) -> Column:
    """A column of long words shares the room that the others leave."""
    longest = max((len(row.cells[at].text) for row in table.rows), default=0)
    return replace(table.columns[at], flex=at == 0 or longest > _LONG)


def table_names() -> tuple[str, ...]:
    """The names there are."""
    return (*_TABLES, *_COMPUTED)


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Comma-separated values with a head; no cell can start a formula in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def table_csv(table: Table) -> str:
    """A table with its head; a column without a title is the verdict."""
    head = [column.title or "verdict" for column in table.columns]
    return as_csv(head, [[cell.text for cell in row.cells] for row in table.rows])


def _word(title: str, keep: int = 0) -> Column:
    return Column(title, "left", keep)


def _number(title: str, keep: int = 0) -> Column:
    return Column(title, "right", keep)


def _value(text: str, rank: float | None = None) -> Cell:
    return Cell(text, "", rank)


def _record(id: str, cells: tuple[Cell, ...], detail: str = "", own: bool = False) -> Row:
    return Row(id, cells, "", False, detail, own)


def _text(text: str) -> Cell:
    return _value(text or "–")


def _scaled(value: float | None, unit: float = 1.0, digits: int = 3) -> Cell:
    if value is None:
        return _value("–")
    return _value(significant(value / unit, digits), value)


def _whole(value: float | None, unit: float = 1.0) -> Cell:
    return _value("–") if value is None else _value(f"{value / unit:,.0f}", value)


def _detail(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _largest(value: float | None) -> Cell:
    if value is None:
        return _value("–")
    return _value(f"{value:,.4g}" if value < 1000 or value > 1e7 else f"{value:,.0f}", float(value))


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def link_name(gpu: Accelerator, facts: Catalog) -> str:
    """What joins the accelerators of a node: `NVSwitch gen3`, `PCIe 5.0` where nothing else does."""
    if gpu.link:
        return facts.link(gpu.link).name
    bus = f"PCIe {gpu.pcie_gen}.0" if gpu.pcie_gen else ""
    return f"{gpu.link_unrated}, rate unknown" if gpu.link_unrated else bus


def _accelerators(facts: Catalog) -> Table:
    columns = (
        _word("Accelerator"), _number("GiB"), _word("Memory", 4), _number("GB/s"),
        _number("BF16"), _number("FP8", 1), _number("FP4", 1), _number("Link GB/s", 2),
        _word("Link", 3), _number("Node", 4), _number("W", 3), _word("Vendor", 5), _word("Architecture", 6),
    )  # fmt: skip
    rows = tuple(
        _record(
            gpu.id,
            (
                _text(gpu.name.removeprefix("NVIDIA ").removeprefix("AMD ")), _scaled(gpu.memory_gib),
                _text(gpu.memory_type), _whole(gpu.bandwidth, 1e9), _whole(gpu.peak("bf16"), 1e12),
                _whole(gpu.fp8, 1e12), _whole(gpu.fp4, 1e12), _whole(gpu.link_bandwidth, 1e9),
                _text(link_name(gpu, facts)), _whole(gpu.gpus_per_node), _whole(gpu.tdp_w), _text(gpu.vendor),
                _text(gpu.arch),
            ),
            _detail("TFLOP/s dense", link_name(gpu, facts), gpu.notes, gpu.source),
            gpu.origin != "built-in",
        )
        for gpu in facts.accelerators()
    )  # fmt: skip
    return Table("accelerators", "Accelerators, TFLOP/s dense", columns, rows)


def _systems(facts: Catalog) -> Table:
    columns = (
        _word("System"), _number("GPUs"), _number("GB"), _number("kW", 2), _word("USD"),
        _word("Priced", 3), _word("Kind", 4), _word("Inside", 5), _number("Network", 4),
    )  # fmt: skip

    def price(low: float | None, high: float | None) -> Cell:
        if low is None and high is None:
            return _value("–")
        ends = [format_usd(end) for end in dict.fromkeys((low, high)) if end is not None]
        return _value("–".join(ends), low if low is not None else high)

    rows = tuple(
        _record(
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
    return Table("systems", "Systems", columns, rows)


def _interconnects(facts: Catalog) -> Table:
    columns = (
        _word("Link"), _number("GB/s each way"), _number("measured", 2), _number("µs", 1),
        _word("Scope"), _word("Used by", 3), _word("Status", 4),
    )  # fmt: skip
    rows = tuple(
        _record(
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
    return Table("interconnects", "Interconnects, per direction", columns, rows)


def _precisions(facts: Catalog) -> Table:
    columns = (
        _word("Precision"), _number("bits"), _word("computes in"), _number("activations", 2),
        _word("for"), _word("Notes", 4),
    )  # fmt: skip
    rows = tuple(
        _record(
            entry.id,
            (
                _text(entry.label), _value(f"{entry.bits:.4g}", entry.bits), _text(entry.compute.upper()),
                _whole(entry.activation_bits),
                _text(", ".join(["weights"] * entry.for_weights + ["KV cache"] * entry.for_kv)),
                _text(entry.notes),
            ),
            _detail(entry.notes, entry.source),
            entry.origin != "built-in",
        )
        for entry in facts.precisions()
    )  # fmt: skip
    return Table("precisions", "Precisions of weights and cache", columns, rows)


def _formats(facts: Catalog) -> Table:
    columns = (
        _word("Format"), _number("bits"), _number("with scales"), _word("S E M"), _number("largest"),
        _word("Native on", 2), _word("Kind", 3),
    )  # fmt: skip
    rows = []
    for entry in facts.formats():
        element = entry.element
        exponent, mantissa = getattr(element, "exponent_bits", None), getattr(element, "mantissa_bits", None)
        fields = f"1 {exponent} {mantissa}" if exponent is not None else "–"
        largest = getattr(element, "highest", None)
        cells = (
            _text(entry.label), _whole(entry.stored_bits), _value(f"{entry.effective_bits:.4g}", entry.effective_bits),
            _value(fields), _largest(largest),
            _text(_first(entry.native_hardware)), _text(entry.family.value.replace("_", " ")),
        )  # fmt: skip
        native = ", ".join(entry.native_hardware)
        rows.append(
            _record(entry.id, cells, _detail(f"native on {native}" if native else "", entry.notes, entry.source))
        )
    return Table("formats", "Number formats", columns, tuple(rows))


def _models(facts: Catalog) -> Table:
    columns = (
        _word("Model"), _number("Parameters"), _number("Active"), _number("Layers", 3),
        _number("Context", 1), _word("Licence", 2), _word("Released as", 4),
    )  # fmt: skip
    rows = []
    for model in facts.models():
        count = parameters(model)
        cells = (
            _text(model.name), _value(format_count(count.total), count.total),
            _value(format_count(count.active), count.active), _whole(model.layers),
            _value(format_tokens(model.max_context), model.max_context), _text(model.license),
            _text(model.weight_precision),
        )  # fmt: skip
        rows.append(_record(model.id, cells, _detail(model.source), model.origin != "built-in"))
    return Table("models", "Models", columns, tuple(rows))


_KINDS = {
    "on_demand": "on demand",
    "spot": "spot",
    "reserved_1y": "reserved 1 y",
    "reserved_3y": "reserved 3 y",
    "purchase": "purchase",
}


def _prices(facts: Catalog) -> Table:
    columns = (
        _word("Accelerator"), _word("Kind"), _number("USD"), _word("Provider"), _word("Date", 1),
        _word("Region", 4), _word("Basis", 3),
    )  # fmt: skip
    rows = []
    for gpu in facts.accelerators():
        for at, price in enumerate(facts.prices(gpu.id)):
            unit = "" if price.kind == "purchase" else "/h"
            cells = (
                _text(gpu.name.removeprefix("NVIDIA ").removeprefix("AMD ")), _text(_KINDS[price.kind]),
                _value(f"{format_usd(price.usd)}{unit}", price.usd), _text(price.provider), _text(price.date),
                _text(price.region), _text("offer" if price.quoted else "estimate"),
            )  # fmt: skip
            detail = _detail(price.provider, price.listed_as, price.date_basis, price.notes, price.source)
            rows.append(_record(f"{gpu.id}-{at}", cells, detail, price.origin != "built-in"))
    return Table("prices", "Prices per GPU", columns, tuple(rows))


def _quality(facts: Catalog) -> Table:
    columns = (
        _word("Model"), _word("Method"), _word("Scheme", 3), _word("Metric", 1), _number("before", 2),
        _number("after", 2), _number("loss %"),
    )  # fmt: skip
    rows = []
    for at, row in enumerate(facts.quality().evidence):
        cells = (
            _text(row.model), _text(row.method), _text(row.scheme), _text(row.metric),
            _value(f"{row.baseline:.4g}", row.baseline), _value(f"{row.quantized:.4g}", row.quantized),
            _value(f"{row.loss_percent:.1f}".replace("-", "−"), row.loss_percent),
        )  # fmt: skip
        detail = _detail(row.model, row.method, row.scheme, row.metric, row.note, row.source)
        rows.append(_record(str(at), cells, detail))
    return Table("quality", "Published losses of quality", columns, tuple(rows))


def _classic_sizes(facts: Catalog) -> Table:
    sizes = ("7b", "13b", "70b", "405b", "745b")
    classic = [entry for entry in facts.precisions() if entry.classic]
    columns = (_word("Model"), *(_number(f"{entry.label} GB") for entry in classic))
    rows = []
    for size in sizes:
        model = facts.model(size)
        count = model.rule_of_thumb.parameters if model.rule_of_thumb else parameters(model).total
        weights = [count * entry.nominal_bytes for entry in classic]
        cells = (_value(size.upper(), count), *(_scaled(weight, 1e9) for weight in weights))
        rows.append(_record(size, cells, f"{format_count(count)} parameters × bytes of each format"))
    return Table("classic-sizes", "Weights of the classic sizes", columns, tuple(rows))


_TABLES: Mapping[str, Callable[[Catalog], Table]] = {
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


def _training(facts: Catalog, scenario: Scenario) -> Table:
    from .training import of_scenario

    return of_scenario("training", facts, scenario, 0)


def _lora(facts: Catalog, scenario: Scenario) -> Table:
    from .training import LORA_RANK, of_scenario

    return of_scenario("training-lora", facts, scenario, scenario.adapter_rank or LORA_RANK)


_COMPUTED: Mapping[str, Callable[[Catalog, Scenario], Table]] = {"training": _training, "training-lora": _lora}
