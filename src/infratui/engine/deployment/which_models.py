"""The reverse question: which models given GPUs hold for a load, in their released and in their best-fitting format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..cost.prices import PriceKind, price_range
from ..figures.derivation import Ledger
from ..model.architecture import Model, parameters
from ..model.precision import Precision
from ..sections.moe_side import PER_MTOK
from .answer import deployed

if TYPE_CHECKING:
    from ..case import Case

FORMATS = ("fp8", "int8", "nvfp4", "int4-awq")
"""Formats that serving engines store weights in today, the widest first: what is tried where the released one is too
wide."""
_NARROWER = 0.5
"""Bits per weight that make a difference."""
_QUIET = Ledger(recording=False)


@dataclass(frozen=True, slots=True)
class ModelFit:
    """A model in one format on the GPUs at hand, as the search of every section finds it."""

    precision: Precision
    holds: bool
    meets: bool
    """The latency targets as well."""
    gpus: int
    """In use by the layout."""
    layout: str
    """Empty: none can be built."""
    max_users: int
    fewest: int | None
    """GPUs of this kind that hold it; None: no number does."""
    ttft_s: float | None
    tpot_s: float | None
    output_per_s: float | None
    usd_per_mtok: float | None
    """USD per 1M output tokens with all users at work all the time, all GPUs at the on-demand price; None: no price."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model and what these GPUs make of it."""

    model: Model
    parameters: int
    active: int
    released: ModelFit
    best: ModelFit | None
    """The released format where it holds, else the widest one that does; None: none does."""
    reaches: bool
    """Its context window is as long as the scenario's."""

    @property
    def shown(self) -> ModelFit:
        """The fit to look at: the best one, else that of the released format."""
        return self.best or self.released

    @property
    def as_released(self) -> bool:
        return self.best is self.released

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """What serves first, the largest model first; then what needs the fewest GPUs more."""
        fit = self.shown
        if self.best is None or not self.reaches:
            return 3 if self.best is None else 2, fit.fewest or 1 << 30, -self.parameters, self.model.id
        return 0 if fit.meets or fit.tpot_s is None else 1, 0, -self.parameters, self.model.id


def which_models(case: Case, models: Iterable[Model]) -> Iterator[ModelRow]:
    """One row per model, in the order given; sort by `rank` for the table.

    Layout sizes that the scenario sets are of its own model: others are free.
    """
    usd_per_hour = _usd_per_hour(case)
    for model in models:
        own = model is case.model
        free = {"model": model.id, "tp": 0, "pp": 0, "dp": 0, "ep": 0, "dcp": 0, "pools": ""}
        asked = case if own else case.with_(**free, **({} if model.answers else {"output_tokens": 1}))
        released = case.facts.precision(model.weight_precision)
        first = _fit(asked, released, usd_per_hour)
        best = first if first.holds else None
        for precision in _narrower(case, released) if best is None else ():
            fit = _fit(asked, precision, usd_per_hour)
            if fit.holds:
                best = fit
                break
        count = parameters(model)
        reaches = model.max_context >= case.load.context
        yield ModelRow(model, count.total, count.active, first, best, reaches)


def _narrower(case: Case, released: Precision) -> Iterator[Precision]:
    """Formats of fewer bits that the accelerator computes with, or unpacks from; the widest first."""
    bits = released.bits
    for name in FORMATS:
        precision = case.facts.precision(name)
        computed = precision.compute == "bf16" or case.accelerator.peak(precision.compute)
        # What is hardly narrower than the format before holds no more.
        if precision.bits < bits - _NARROWER and computed:
            bits = precision.bits
            yield precision


def _fit(case: Case, precision: Precision, usd_per_hour: float | None) -> ModelFit:
    found = deployed(case.with_(precision=precision.id))
    plan, best = found.plan, found.choice.best
    rate = best.output_per_s if best is not None and found.holds else None
    usd = None
    if usd_per_hour is not None and rate:
        usd = float(_QUIET(PER_MTOK, gpus=case.gpus, usd_per_hour=usd_per_hour, tokens_per_s=rate))
    return ModelFit(
        precision,
        found.holds,
        best is not None and found.holds and best.meets,
        plan.layout.gpus if plan else 0,
        plan.layout.label if plan else "",
        plan.max_users if plan else 0,
        found.fewest.gpus,
        best.ttft_s if best and found.holds else None,
        best.tpot_s if best and found.holds else None,
        rate,
        usd,
    )


def _usd_per_hour(case: Case) -> float | None:
    if case.scenario.on_demand_usd:
        return case.scenario.on_demand_usd
    found = price_range(case.facts.prices(case.accelerator.id), PriceKind.ON_DEMAND)
    return found.median if found else None
