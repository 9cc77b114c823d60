"""The quantization methods of the catalog, read once from methods.yaml when first asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats.methods import CalibrationNeed, QuantizationMethod

__all__ = ["CalibrationNeed", "QuantizationMethod", "methods_from", "quantization_methods"]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: tuple[QuantizationMethod, ...] = Field(min_length=1)


@cache
def quantization_methods() -> tuple[QuantizationMethod, ...]:
    """Every method, in the order of the file."""
    path = DATA / "methods.yaml"
    return methods_from(read_built_in(path), path.name)


def methods_from(document: Any, where: str) -> tuple[QuantizationMethod, ...]:
    """Build methods from a parsed document of the shape of methods.yaml.

    Raises:
        CatalogError: one line naming `where` and the key.
    """
    try:
        return TypeAdapter(_File).validate_python(document).methods
    except ValidationError as problem:
        first = problem.errors()[0]
        raise CatalogError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
