"""The quantization methods of the catalog, read once from methods.yaml when first asked for."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from infratui.catalog.built_in import DATA
from infratui.catalog.schema import checked
from infratui.catalog.trusted import construct
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats.methods import CalibrationNeed, QuantizationMethod
from infratui.value_types import dataclass

__all__ = ["CalibrationNeed", "QuantizationMethod", "methods_from", "quantization_methods"]


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    methods: tuple[QuantizationMethod, ...]


@cache
def quantization_methods() -> tuple[QuantizationMethod, ...]:
    """Every method, in the order of the file."""
    return construct(_File, read_built_in(DATA / "methods.yaml")).methods


def methods_from(document: Any, where: str) -> tuple[QuantizationMethod, ...]:
    """Build methods from a parsed document of the shape of methods.yaml.

    Raises:
        CatalogError: one line naming `where` and the key.
    """
    return checked(_File, document, where).methods
