"""The published quality evidence of the catalog, read once from quality.yaml when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from typing import Any, ClassVar, NamedTuple

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.schema import checked
from infratui.catalog.trusted import construct
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats.quality import Evidence, Limits, QualityTable, Reach, Rules
from infratui.value_types import dataclass

_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class _Thresholds:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    accuracy: Limits
    perplexity: Limits


class _Row(NamedTuple):
    model: str
    method: str
    scheme: str
    weight_bits: float | None
    activation_bits: float | None
    kv_bits: float | None
    metric: str
    baseline: float
    quantized: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    source: str
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class _Size:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    billions: float
    mixture: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar[dict[str, str]] = _FORBID

    thresholds: _Thresholds
    reach: Reach
    rows_for_a_model: int
    references: tuple[str, ...]
    lower_is_better: frozenset[str]
    sources: tuple[_Source, ...]
    sizes: Mapping[str, _Size] = field(default_factory=dict)


@cache
def quality_table() -> QualityTable:
    """The evidence that ships with the package."""
    path = DATA / "quality.yaml"
    return _table(construct(_File, read_built_in(path)), path.name)


def quality_from(document: Any, where: str) -> QualityTable:
    """Build the table from a parsed document of the shape of quality.yaml.

    Raises:
        CatalogError: one line naming `where` and the key.
    """
    return _table(checked(_File, document, where), where)


def _table(file: _File, where: str) -> QualityTable:
    if file.rows_for_a_model < 1:
        raise CatalogError(f"{where}: rows_for_a_model: {file.rows_for_a_model} is not allowed; write 1 or more")
    for at, source in enumerate(file.sources):
        if any(score <= 0 for row in source.rows for score in (row.baseline, row.quantized)):
            raise CatalogError(f"{where}: sources.{at}.rows: a score is above 0")
    for name, limits in (("accuracy", file.thresholds.accuracy), ("perplexity", file.thresholds.perplexity)):
        if limits.safe >= limits.caution:
            raise CatalogError(f"{where}: thresholds.{name}: safe is not below caution; swap or change them")
    evidence = tuple(
        Evidence(
            model=row.model,
            method=row.method,
            scheme=row.scheme,
            weight_bits=row.weight_bits,
            activation_bits=row.activation_bits,
            kv_bits=row.kv_bits,
            metric=row.metric,
            higher_is_better=row.metric not in file.lower_is_better,
            baseline=row.baseline,
            quantized=row.quantized,
            note=row.note,
            source=source.source,
        )
        for source in file.sources
        for row in source.rows
    )
    rules = Rules(
        accuracy=file.thresholds.accuracy,
        perplexity=file.thresholds.perplexity,
        rows_for_a_model=file.rows_for_a_model,
        references=file.references,
        reach=file.reach,
        sizes={name: (size.billions, size.mixture) for name, size in file.sizes.items()},
    )
    return QualityTable(evidence, rules)
