"""The catalog: built-in facts and the user's own, each table and each model read when first asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..engine.cluster.abilities import EngineProfile
from ..engine.cluster.hardware import Accelerator, Link, Price, System
from .known_models import ModelsAndFormats
from .matching import match_accelerator, plain
from .measurements import Measurements
from .rows import make, read_table
from .unknown import unknown
from .user_files import user_directory

if TYPE_CHECKING:
    from ..engine.cost.api_price import ApiList
    from ..engine.cost.assumptions import CostRules
    from ..engine.cost.notes import CostNotes
    from ..engine.formats.methods import QuantizationMethod
    from ..engine.formats.quality import QualityTable
    from ..engine.memory.runtime import RuntimeTable
    from ..engine.sections.moe import Counterparts
    from ..engine.sections.parallelism import TypicalDeployment
    from ..engine.speed.constants import Constants

Place = TypeVar("Place", System, Link)


class Catalog(ModelsAndFormats, Measurements):
    """Facts by name. Implements `engine.facts.Facts`; rows are made once and then shared."""

    def __init__(self, user_dir: Path | None = None, today: dt.date | None = None) -> None:
        """`user_dir`: a folder of `*.yaml` that add to or override the built-in facts; None: built-in facts only.

        `today`: the day that ages are counted from; None: the clock's.
        """
        super().__init__(user_dir)
        self._today = today
        self._matched: dict[str, Accelerator] = {}
        self._prices: dict[str, tuple[Price, ...]] = {}

    # Hardware and prices

    def accelerator(self, name: str) -> Accelerator:
        """By id or leniently by name: `H100 80GB HBM3`, `H100-SXM-80GB`, `h100`."""
        found = self._accelerators.get(name) or self._matched.get(name)
        if found is None:
            found = self._accelerators.get(match_accelerator(name, self.accelerators()) or "")
        if found is None:
            raise unknown("accelerator", name, self._accelerators)
        # Files of measurements repeat the same lenient name row after row.
        self._matched[name] = found
        return found

    def accelerators(self) -> tuple[Accelerator, ...]:
        """All accelerators, in the order of the catalog, the user's own last."""
        return tuple(self._accelerators.values())

    def system(self, name: str) -> System:
        return self._named("system", name, self._systems)

    def systems(self) -> tuple[System, ...]:
        return tuple(self._systems.values())

    def link(self, name: str) -> Link:
        return self._named("link", name, self._links)

    def links(self) -> tuple[Link, ...]:
        return tuple(self._links.values())

    def typical_deployments(self) -> tuple[TypicalDeployment, ...]:
        """What the reference lists per model size."""
        from .deployments import typical_deployments

        return typical_deployments()

    def counterparts(self) -> Counterparts:
        """What stands beside a model where nothing is named."""
        from .deployments import counterparts

        return counterparts()

    def abilities(self, engine: str, version: str = "") -> EngineProfile:
        """What an engine can do and what it leaves out; empty version: the newest."""
        from .engine_abilities import abilities_of

        return abilities_of(engine, version)

    def runtime(self, host: str = "") -> RuntimeTable:
        """Fitted memory constants of the serving engines; as seen on a host whose profile is named."""
        from .runtime import runtime_table

        if not host:
            return runtime_table()
        from ..hosts import table_on

        return table_on(host, runtime_table())

    def speed(self, host: str = "") -> Constants:
        """Calibrated constants of the speed model; at the pace of a host whose profile is named."""
        from .calibration import speed_constants

        if not host:
            return speed_constants()
        from ..hosts import constants_on

        return constants_on(host, speed_constants())

    def prices(self, accelerator_id: str) -> tuple[Price, ...]:
        """Dated prices of one accelerator: the user's own first, then the newest first."""
        if accelerator_id not in self._prices:
            from .price_table import prices_of

            self._prices[accelerator_id] = prices_of(accelerator_id, self._user.listed("prices"))
        return self._prices[accelerator_id]

    def api_prices(self, model_id: str) -> ApiList | None:
        """What providers charge per token for a model; None where no price is known."""
        from .cost_data import api_prices

        return api_prices().get(model_id)

    def cost_rules(self) -> CostRules:
        """What money rests on besides prices, each with its source."""
        from .cost_rules import cost_rules

        return cost_rules()

    def cost_notes(self) -> CostNotes:
        """Signals for buying and renting, and the costs that price lists leave out."""
        from .cost_data import cost_notes

        return cost_notes()

    @property
    def today(self) -> dt.date:
        """The day that ages are counted from."""
        return self._today or dt.date.today()

    def quality(self) -> QualityTable:
        """Published comparisons of quantized models with their baselines."""
        from .quality_data import quality_table

        return quality_table()

    def methods(self) -> tuple[QuantizationMethod, ...]:
        """Ways to quantize a model."""
        from .methods_data import quantization_methods

        return quantization_methods()

    # Tables, each read when first asked for

    @cached_property
    def _accelerators(self) -> dict[str, Accelerator]:
        return read_table("accelerators", Accelerator, self._user.rows("accelerators"))

    @cached_property
    def _systems(self) -> dict[str, System]:
        return read_table("systems", System, self._user.rows("systems"))

    @cached_property
    def _links(self) -> dict[str, Link]:
        return read_table("links", Link, self._user.rows("links"))

    def check(self) -> Catalog:
        """Read everything that the user's files add, and nothing where they add nothing. Raises CatalogError."""
        tables = {
            "accelerators": self.accelerators, "systems": self.systems, "links": self.links,
            "precisions": self.precisions, "formats": self.formats,
        }  # fmt: skip
        for table, read in tables.items():
            if self._user.rows(table):
                read()
        for model_id in self._user.rows("models"):
            self.model(model_id)
        if self._user.listed("aliases"):
            self.aliases()
        for raw in self._user.listed("prices"):
            make(Price, None, raw)
        return self

    def _named(self, what: str, name: str, rows: Mapping[str, Place]) -> Place:
        found = rows.get(name)
        if found is None:
            key = plain(name)
            found = next((row for row in rows.values() if key in (plain(row.id), plain(row.name))), None)
        if found is None:
            raise unknown(what, name, rows)
        return found


def default_catalog(today: dt.date | None = None) -> Catalog:
    """The built-in facts with the user's own on top. Raises CatalogError when one of the user's files is broken."""
    return Catalog(user_directory(), today)
