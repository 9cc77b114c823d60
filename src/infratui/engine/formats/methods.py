"""Ways to quantize a model: what each does, needs and runs on, and when to choose it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from ...value_types import dataclass


class CalibrationNeed(StrEnum):
    """Whether a method needs sample data."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class QuantizationMethod:
    """One way to quantize a model."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: str
    label: str
    does: str
    """What happens to the weights, in a sentence."""
    idea: str
    """Why that helps."""
    formats: tuple[str, ...]
    """Ids of the number formats it writes."""
    weights: str
    activations: str
    calibration: CalibrationNeed
    calibration_data: str
    engines: tuple[str, ...]
    runs_on: tuple[str, ...]
    """Architectures with kernels for the result."""
    compute: str
    """The format in which matrix products are computed."""
    choose_when: str
    avoid_when: str
    evidence: tuple[str, ...]
    """Quality schemes or method names that speak for it."""
    source: str

    def runs_on_arch(self, architecture: str) -> bool:
        """Whether kernels for the result exist on this architecture."""
        return architecture in self.runs_on
