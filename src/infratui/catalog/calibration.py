"""The calibrated speed constants: read from, and written back to, `calibration.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar

from ..engine.speed.constants import Band, ConstantFamily, Constants, Generation, Parameter, Way
from ..value_types import dataclass
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@dataclass(frozen=True, slots=True)
class Fold:
    """Constants fitted without some rows: what those are scored with."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    way: Way
    """By study, or by model and GPU."""
    group: str
    values: Mapping[str, float]
    """Parameters that came out otherwise than with all rows."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How many requests a benchmark tool queues for a shape, where its rows do not say."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    input: int
    output: int
    requests: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    date: str
    method: str
    rows_fitted: int
    effective_parameters: float
    """Degrees of freedom that the rows, not the priors, decide."""
    parameters: tuple[Parameter, ...]
    families: tuple[ConstantFamily, ...]
    generations: tuple[Generation, ...]
    conventions: tuple[Convention, ...]
    conventions_source: str
    bands: tuple[Band, ...]

    def constants(self) -> Constants:
        """What predictions use: fitted on all studies."""
        return self._with({parameter.id: parameter.value for parameter in self.parameters})

    def with_values(self, values: Mapping[str, float]) -> Constants:
        """The same structure with other numbers for some parameters."""
        return self._with({parameter.id: parameter.value for parameter in self.parameters} | dict(values))

    def _with(self, values: dict[str, float]) -> Constants:
        return Constants(values, self.families, self.generations, self.bands)


@dataclass(frozen=True, slots=True)
class Folds:
    """Every fit that left rows out."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    folds: tuple[Fold, ...]


@cache
def calibration() -> Calibration:
    """The built-in calibration, read once."""
    return construct(Calibration, read_built_in(DATA / "calibration.yaml"))


@cache
def _folds() -> dict[tuple[Way, str], Fold]:
    found = construct(Folds, read_built_in(DATA / "calibration_folds.yaml"))
    return {(fold.way, fold.group): fold for fold in found.folds}


def fold_constants(way: Way, group: str) -> Constants:
    """Constants of the fit that did not see a study, or a model on a GPU; those of all rows where it took no part."""
    fold = _folds().get((way, group))
    return calibration().with_values(fold.values) if fold else speed_constants()


@cache
def speed_constants() -> Constants:
    """The constants that predictions use."""
    return calibration().constants()
