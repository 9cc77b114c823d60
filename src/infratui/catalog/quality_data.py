"""The published quality evidence of the catalog, read once from quality.yaml when first asked for."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats.quality import Evidence, Limits, QualityTable, Reach, Rules

_Text = Annotated[str, Field(min_length=1)]
_Bits = Annotated[float | None, Field(gt=0)]
_Score = Annotated[float, Field(gt=0)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limits(_Entry):
    safe: float = Field(ge=0)
    caution: float = Field(gt=0)


class _Thresholds(_Entry):
    accuracy: _Limits
    perplexity: _Limits


class _Row(NamedTuple):
    model: _Text
    method: _Text
    scheme: _Text
    weight_bits: _Bits
    activation_bits: _Bits
    kv_bits: _Bits
    metric: _Text
    baseline: _Score
    quantized: _Score
    note: str = ""


class _Source(_Entry):
    source: _Text
    rows: tuple[_Row, ...] = Field(min_length=1)


class _Reach(_Entry):
    larger: float = Field(ge=1)
    smaller: float = Field(ge=1)
    mixture: float = Field(ge=1)
    across: float = Field(ge=1)


class _Size(_Entry):
    billions: float = Field(gt=0)
    mixture: bool = False


class _File(_Entry):
    thresholds: _Thresholds
    reach: _Reach
    sizes: dict[str, _Size] = Field(default_factory=dict)
    rows_for_a_model: int = Field(ge=1)
    references: tuple[str, ...]
    lower_is_better: frozenset[str]
    sources: tuple[_Source, ...]


@cache
def quality_table() -> QualityTable:
    """The evidence that ships with the package."""
    path = DATA / "quality.yaml"
    return quality_from(read_built_in(path), path.name)


def quality_from(document: Any, where: str) -> QualityTable:
    """Build the table from a parsed document of the shape of quality.yaml.

    Raises:
        CatalogError: one line naming `where` and the key.
    """
    try:
        file = TypeAdapter(_File).validate_python(document)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise CatalogError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
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
        accuracy=Limits(file.thresholds.accuracy.safe, file.thresholds.accuracy.caution),
        perplexity=Limits(file.thresholds.perplexity.safe, file.thresholds.perplexity.caution),
        rows_for_a_model=file.rows_for_a_model,
        references=file.references,
        reach=Reach(file.reach.larger, file.reach.smaller, file.reach.mixture, file.reach.across),
        sizes={name: (size.billions, size.mixture) for name, size in file.sizes.items()},
    )
    return QualityTable(evidence, rules)
