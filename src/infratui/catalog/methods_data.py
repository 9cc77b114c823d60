"""The quantization methods of the catalog, read once from methods.yaml when first asked for."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from infratui.catalog.errors import CatalogError
from infratui.catalog.yaml_io import read_built_in


class Calibration(StrEnum):
    """Whether a method needs sample data."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class QuantizationMethod(BaseModel):
    """One way to quantize a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    label: str = Field(min_length=1)
    does: str
    """What happens to the weights, in a sentence."""
    idea: str
    """Why that helps."""
    formats: tuple[str, ...] = Field(min_length=1)
    """Ids of the number formats it writes."""
    weights: str
    activations: str
    calibration: Calibration
    calibration_data: str
    engines: tuple[str, ...] = Field(min_length=1)
    runs_on: tuple[str, ...] = Field(min_length=1)
    """Architectures with kernels for the result."""
    compute: str
    """The format in which matrix products are computed."""
    choose_when: str
    avoid_when: str
    evidence: tuple[str, ...]
    """Quality schemes or method names that speak for it."""
    source: str = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: tuple[QuantizationMethod, ...] = Field(min_length=1)


@cache
def quantization_methods() -> tuple[QuantizationMethod, ...]:
    """Every method, in the order of the file."""
    path = Path(__file__).with_name("methods.yaml")
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
