"""The catalog: built-in facts and the user's own, each table and each model read when first asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..engine.cluster.abilities import EngineProfile
from ..engine.cluster.hardware import Accelerator, Link, Price, System
from ..engine.facts import UnknownFactError
from ..engine.model.architecture import Model
from ..engine.model.precision import Precision
from .built_in import DATA
from .matching import looks_like_path, match_accelerator, match_model, nearest, plain
from .measurements import Measurements
from .rows import Raw, make, read_built_in, read_table
from .user_files import UserFacts, user_directory
from .yaml_io import line_of, printable

if TYPE_CHECKING:
    from ..engine.cost.api_price import ApiList
    from ..engine.cost.assumptions import CostRules
    from ..engine.cost.notes import CostNotes
    from ..engine.formats import NumberFormat
    from ..engine.formats.methods import QuantizationMethod
    from ..engine.formats.quality import QualityTable
    from ..engine.memory.runtime import RuntimeTable
    from ..engine.sections.moe import Counterparts
    from ..engine.sections.parallelism import TypicalDeployment
    from ..engine.speed.constants import Constants

Place = TypeVar("Place", System, Link)

STORED = "@stored"
"""`MODEL@stored` names the precision that a model's weights are stored in."""


class Catalog(Measurements):
    """Facts by name. Implements `engine.facts.Facts`; rows are made once and then shared."""

    def __init__(self, user_dir: Path | None = None, today: dt.date | None = None) -> None:
        """`user_dir`: a folder of `*.yaml` that add to or override the built-in facts; None: built-in facts only.

        `today`: the day that ages are counted from; None: the clock's.
        """
        self._user_dir = user_dir
        self._today = today
        self._models: dict[str, Model] = {}
        self._checkpoints: dict[str, Model] = {}
        self._stored: dict[str, Precision] = {}
        self._resolved: dict[str, str] = {}
        self._matched: dict[str, Accelerator] = {}
        self._prices: dict[str, tuple[Price, ...]] = {}

    # Models

    def model_ids(self) -> tuple[str, ...]:
        """All model ids, sorted. Reads no model."""
        return self._model_ids

    def model(self, name: str) -> Model:
        """By id, alias, Hugging Face id (also of a quantized or tuned variant) or path of a checkpoint."""
        if name in self._checkpoints:
            return self._checkpoints[name]
        model_id = self._resolved.get(name) or self._resolve_model(name)
        if model_id is None:
            self._checkpoints[name] = model = self._checkpoint(name)
            return model
        self._resolved[name] = model_id
        if model_id not in self._models:
            self._models[model_id] = self._load_model(model_id)
        return self._models[model_id]

    def at_hand(self, name: str) -> bool:
        """Whether a model, or `MODEL@stored`, is known or refused without reading a checkpoint on disk."""
        name = name.removesuffix(STORED)
        if name in self._checkpoints or name in self._resolved:
            return True
        try:
            return self._resolve_model(name) is not None
        except UnknownFactError:
            return True

    def models(self) -> tuple[Model, ...]:
        """Every model of the catalog, in the order of `model_ids`."""
        return tuple(self.model(model_id) for model_id in self._model_ids)

    def aliases(self) -> Mapping[str, str]:
        """Other names of models → their ids."""
        return self._aliases

    # Hardware and prices

    def accelerator(self, name: str) -> Accelerator:
        """By id or leniently by name: `H100 80GB HBM3`, `H100-SXM-80GB`, `h100`."""
        found = self._accelerators.get(name) or self._matched.get(name)
        if found is None:
            found = self._accelerators.get(match_accelerator(name, self.accelerators()) or "")
        if found is None:
            raise self._unknown("accelerator", name, self._accelerators)
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
        from .cost_data import cost_rules

        return cost_rules()

    def cost_notes(self) -> CostNotes:
        """Signals for buying and renting, and the costs that price lists leave out."""
        from .cost_data import cost_notes

        return cost_notes()

    @property
    def today(self) -> dt.date:
        """The day that ages are counted from."""
        return self._today or dt.date.today()

    # Precisions

    def precision(self, name: str) -> Precision:
        """By id, label or alias; `MODEL@stored` is how a model is released, or a checkpoint on disk is stored."""
        if name.endswith(STORED):
            model = self.model(name.removesuffix(STORED))
            return self._stored.get(name) or self.precision(model.weight_precision)
        found = self._precisions.get(name) or self._precision_names.get(plain(name))
        if found is None:
            raise self._unknown("precision", name, self._precisions)
        return found

    def precisions(self) -> tuple[Precision, ...]:
        return tuple(self._precisions.values())

    # Number formats, what was published about them, and methods

    def formats(self) -> tuple[NumberFormat, ...]:
        """Number formats in the order of the catalog, the user's own last."""
        return self._formats

    def format(self, name: str) -> NumberFormat:
        """By id, label or alias. Raises FormatError."""
        from .formats_data import find_format

        return find_format(name, self._formats)

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

    @cached_property
    def _precisions(self) -> dict[str, Precision]:
        found = read_table("precisions", Precision, self._user.rows("precisions"))
        if not self._user.rows("formats"):
            return found
        from .formats_data import precision_of

        stored = {precision.format for precision in found.values()}
        for entry in self._formats:
            row = self._user.rows("formats").get(entry.id)
            if row is not None and "weights" in entry.used_for and entry.id not in stored and entry.id not in found:
                found[entry.id] = precision_of(entry, row.source.origin)
        return found

    @cached_property
    def _formats(self) -> tuple[NumberFormat, ...]:
        from .formats_data import formats_from, number_formats

        found = {entry.id: entry for entry in number_formats()}
        for raw in self._user.rows("formats").values():
            where = f"{printable(str(raw.source.file))}:{line_of(raw.source.text, raw.source.path)}"
            (entry,) = formats_from({"formats": [raw.data]}, where, tuple(found.values()))
            found[entry.id] = entry
        return tuple(found.values())

    @cached_property
    def _precision_names(self) -> dict[str, Precision]:
        found: dict[str, Precision] = {}
        for precision in self.precisions():
            for name in (precision.id, precision.label, *precision.aliases):
                found.setdefault(plain(name), precision)
        return found

    @cached_property
    def _built_in_models(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((DATA / "models").glob("*.yaml"))}

    @cached_property
    def _model_ids(self) -> tuple[str, ...]:
        return tuple(sorted({*self._built_in_models, *self._user.rows("models")}))

    @cached_property
    def _aliases(self) -> dict[str, str]:
        data, _ = read_built_in("aliases.yaml")
        found: dict[str, str] = dict(data)
        for raw in self._user.listed("aliases"):
            if not isinstance(raw.data, dict):
                raise raw.source.error((), "write `name: model-id` lines")
            for alias, model_id in raw.data.items():
                if model_id not in self._model_ids:
                    near = ", ".join(nearest(str(model_id), self._model_ids))
                    raise raw.source.error((alias,), f"no model {printable(str(model_id), 40)!r}; nearest: {near}")
                found[alias] = model_id
        return found

    @cached_property
    def _hf_ids(self) -> dict[str, str]:
        # One line of each file tells; parsing ninety files for it would be felt.
        found: dict[str, str] = {}
        for model_id, path in self._built_in_models.items():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("hf_id: "):
                    found[line.removeprefix("hf_id: ").strip()] = model_id
                    break
        for model_id, raw in self._user.rows("models").items():
            hf_id = raw.data.get("hf_id") if isinstance(raw.data, dict) else None
            if isinstance(hf_id, str):
                found[hf_id] = model_id
        return found

    # Models

    def _resolve_model(self, name: str) -> str | None:
        """The id behind a name; None when it names a checkpoint on disk. Raises UnknownFactError."""
        if name in self._built_in_models or name in self._user.rows("models"):
            return name
        alias = self._aliases.get(name) or self._aliases.get(name.lower())
        if alias is not None:
            return alias
        if name.lower() in self._model_ids:
            return name.lower()
        if looks_like_path(name):
            return None
        found = self._hf_ids.get(name) or match_model(name, (*self._model_ids,), self._hf_ids)
        if found is None:
            found = match_model(name, (), self._aliases)
        if found is None:
            raise self._unknown("model", name, (*self._model_ids, *self._aliases))
        return found

    def _load_model(self, model_id: str) -> Model:
        base: Raw | None = None
        if model_id in self._built_in_models:
            base = Raw(*read_built_in("models", f"{model_id}.yaml"))
        return make(Model, base, self._user.rows("models").get(model_id))

    def _checkpoint(self, name: str) -> Model:
        from .. import checkpoint

        try:
            path = Path(name).expanduser()
        except RuntimeError:
            path = Path(name)
        found = checkpoint.read(path)
        if found.precision is None:
            return found.model
        # What this checkpoint stores is a precision of its own, known by the checkpoint's name.
        own = f"{name}{STORED}"
        self._stored[own] = replace(found.precision, id=own)
        return replace(found.model, weight_precision=own)

    @cached_property
    def _user(self) -> UserFacts:
        return UserFacts(self._user_dir)

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

    # Errors

    def _named(self, what: str, name: str, rows: Mapping[str, Place]) -> Place:
        found = rows.get(name)
        if found is None:
            key = plain(name)
            found = next((row for row in rows.values() if key in (plain(row.id), plain(row.name))), None)
        if found is None:
            raise self._unknown(what, name, rows)
        return found

    def _unknown(self, what: str, name: str, known: Iterable[str]) -> UnknownFactError:
        near = ", ".join(nearest(name, known))
        listed = {"model": "models", "accelerator": "gpus", "precision": "quant --set shown_formats=all"}.get(what)
        hint = f"nearest: {near}" if near else f"`infratui {listed}` lists them" if listed else f"no {what} is like it"
        own = "; of any other give the folder of its config.json" if what == "model" else ""
        return UnknownFactError(f"unknown {what} {printable(name, 60)!r}; {hint}{own}")


def default_catalog(today: dt.date | None = None) -> Catalog:
    """The built-in facts with the user's own on top. Raises CatalogError when one of the user's files is broken."""
    return Catalog(user_directory(), today)
