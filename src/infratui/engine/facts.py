"""What the engine asks of a catalog. The engine never opens a file: it is handed something of this shape."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from .cluster.abilities import EngineProfile
from .cluster.hardware import Accelerator, Link, Price
from .model.architecture import Model
from .model.precision import Precision

if TYPE_CHECKING:
    from .cost.api_price import ApiList
    from .cost.assumptions import CostRules
    from .cost.notes import CostNotes
    from .formats import NumberFormat
    from .formats.methods import QuantizationMethod
    from .formats.quality import QualityTable
    from .memory.runtime import RuntimeTable
    from .sections.moe import Counterparts
    from .sections.parallelism import TypicalDeployment
    from .speed.constants import Constants


class UnknownFactError(ValueError):
    """A name that the catalog does not carry: what, and the nearest names."""


class Facts(Protocol):
    """A catalog, as the engine sees it. Lookups raise UnknownFactError with the nearest known names."""

    def model(self, name: str) -> Model:
        """By id, alias, Hugging Face id or path of a checkpoint."""

    def precision(self, name: str) -> Precision: ...

    def precisions(self) -> Sequence[Precision]: ...

    def accelerator(self, name: str) -> Accelerator:
        """By id or leniently by name: `H100 80GB HBM3`, `H100-SXM-80GB`, `h100`."""

    def accelerators(self) -> Sequence[Accelerator]: ...

    def link(self, name: str) -> Link: ...

    def links(self) -> Sequence[Link]: ...

    def typical_deployments(self) -> Sequence[TypicalDeployment]:
        """What the reference lists per model size."""

    def counterparts(self) -> Counterparts:
        """What stands beside a model where nothing is named."""

    def runtime(self, host: str = "") -> RuntimeTable:
        """Fitted memory constants of the serving engines; as seen on a host where one is named."""

    def abilities(self, engine: str, version: str = "") -> EngineProfile:
        """What an engine can do and what it leaves out; empty version: the newest."""

    def speed(self, host: str = "") -> Constants:
        """Calibrated constants of the speed model; at the pace of a host where one is named."""

    def formats(self) -> Sequence[NumberFormat]:
        """Number formats, the user's own last."""

    def format(self, name: str) -> NumberFormat:
        """By id, label or alias. Raises FormatError."""

    def quality(self) -> QualityTable:
        """Published comparisons of quantized models with their baselines."""

    def methods(self) -> Sequence[QuantizationMethod]:
        """Ways to quantize a model."""

    def prices(self, accelerator_id: str) -> Sequence[Price]:
        """Dated prices of one accelerator; empty where none is published."""

    def api_prices(self, model_id: str) -> ApiList | None:
        """What providers charge per token for a model; None where no price is known."""

    def cost_rules(self) -> CostRules:
        """What money rests on besides prices."""

    def cost_notes(self) -> CostNotes:
        """Signals for buying and renting, and hidden costs."""

    @property
    def today(self) -> dt.date:
        """The day that ages are counted from: the engine has no clock."""
