"""The catalog: built-in facts and the user's own, each table and each model read when first asked for."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..engine.architecture import Model
from ..engine.facts import UnknownFactError
from ..engine.hardware import Accelerator, Link, Price, System
from ..engine.precision import Precision
from .errors import CatalogError
from .matching import match_accelerator, match_model, nearest, plain
from .schema import TYPES, FlawedRowError, build
from .yaml_io import Key, line_of, parse, printable, read_text

if TYPE_CHECKING:
    from ..engine.cost.api_price import ApiList
    from ..engine.cost.assumptions import CostRules
    from ..engine.cost.notes import CostNotes
    from ..engine.formats import NumberFormat
    from ..engine.parallelism import TypicalDeployment
    from ..engine.quality import QualityTable
    from ..engine.quantization_methods import QuantizationMethod
    from ..engine.runtime_memory import RuntimeTable
    from ..engine.speed.constants import Constants

Row = TypeVar("Row", Model, Accelerator, System, Link, Precision)

Place = TypeVar("Place", System, Link)

BUILT_IN = Path(__file__).parent
_BUILT_IN_BYTES = 4_000_000
_TABLES = (*TYPES, "formats", "aliases")
"""What a user's file may hold."""
_CHECKPOINT_ENDINGS = (".gguf", ".safetensors", ".json")


def user_directory() -> Path:
    """Where the user's own facts live: `~/.config/infratui/catalog` under XDG."""
    from platformdirs import user_config_path

    return user_config_path("infratui") / "catalog"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a raw row stands, for messages."""

    file: Path
    text: str
    path: tuple[Key, ...]
    origin: str

    def error(self, path: Sequence[Key], message: str) -> CatalogError:
        whole = (*self.path, *path)
        key = ".".join(str(part) for part in whole if isinstance(part, str) or len(path)) or "file"
        return CatalogError(f"{printable(str(self.file))}:{line_of(self.text, whole)}: {printable(key, 80)}: {message}")


@dataclass(frozen=True, slots=True)
class _Raw:
    """A row before it is checked. An override knows the row that it changes."""

    data: object
    source: _Source


class Catalog:
    """Facts by name. Implements `engine.facts.Facts`; rows are made once and then shared."""

    def __init__(self, user_dir: Path | None = None, today: dt.date | None = None) -> None:
        """`user_dir`: a folder of `*.yaml` that add to or override the built-in facts; None: built-in facts only.

        `today`: the day that ages are counted from; None: the clock's.
        """
        self._user_dir = user_dir
        self._today = today
        self._models: dict[str, Model] = {}
        self._checkpoints: dict[str, Model] = {}
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

    def runtime(self) -> RuntimeTable:
        """Fitted memory constants of the serving engines."""
        from .runtime import runtime_table

        return runtime_table()

    def speed(self) -> Constants:
        """Calibrated constants of the speed model."""
        from .calibration import speed_constants

        return speed_constants()

    def prices(self, accelerator_id: str) -> tuple[Price, ...]:
        """Dated prices of one accelerator: the user's own first, then the newest first."""
        if accelerator_id not in self._prices:
            self._prices[accelerator_id] = self._load_prices(accelerator_id)
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
        """By id, label or alias."""
        found = self._precisions.get(name)
        if found is None:
            found = self._precision_names.get(plain(name))
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
        return self._table("accelerators", Accelerator)

    @cached_property
    def _systems(self) -> dict[str, System]:
        return self._table("systems", System)

    @cached_property
    def _links(self) -> dict[str, Link]:
        return self._table("links", Link)

    @cached_property
    def _precisions(self) -> dict[str, Precision]:
        found = self._table("precisions", Precision)
        if not self._user_rows("formats"):
            return found
        from .formats_data import precision_of

        stored = {precision.format for precision in found.values()}
        for entry in self._formats:
            row = self._user_rows("formats").get(entry.id)
            if row is not None and "weights" in entry.used_for and entry.id not in stored and entry.id not in found:
                found[entry.id] = precision_of(entry, row.source.origin)
        return found

    @cached_property
    def _formats(self) -> tuple[NumberFormat, ...]:
        from .formats_data import formats_from, number_formats

        found = {entry.id: entry for entry in number_formats()}
        for raw in self._user_rows("formats").values():
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
        return {path.stem: path for path in sorted((BUILT_IN / "models").glob("*.yaml"))}

    @cached_property
    def _model_ids(self) -> tuple[str, ...]:
        return tuple(sorted({*self._built_in_models, *self._user_rows("models")}))

    @cached_property
    def _aliases(self) -> dict[str, str]:
        file = BUILT_IN / "aliases.yaml"
        found: dict[str, str] = dict(parse(read_text(file, limit=_BUILT_IN_BYTES), name=str(file)))
        for raw in self._user["aliases"]:
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
        for model_id, raw in self._user_rows("models").items():
            hf_id = raw.data.get("hf_id") if isinstance(raw.data, dict) else None
            if isinstance(hf_id, str):
                found[hf_id] = model_id
        return found

    # Models

    def _resolve_model(self, name: str) -> str | None:
        """The id behind a name; None when it names a checkpoint on disk. Raises UnknownFactError."""
        if name in self._built_in_models or name in self._user_rows("models"):
            return name
        alias = self._aliases.get(name) or self._aliases.get(name.lower())
        if alias is not None:
            return alias
        if name.lower() in self._model_ids:
            return name.lower()
        if _looks_like_path(name):
            return None
        found = self._hf_ids.get(name) or match_model(name, (*self._model_ids,), self._hf_ids)
        if found is None:
            found = next((i for a, i in self._aliases.items() if match_model(name, (a,), {}) is not None), None)
        if found is None:
            raise self._unknown("model", name, (*self._model_ids, *self._aliases))
        return found

    def _load_model(self, model_id: str) -> Model:
        file = self._built_in_models.get(model_id)
        base: _Raw | None = None
        if file is not None:
            text = read_text(file, limit=_BUILT_IN_BYTES)
            base = _Raw(parse(text, name=str(file)), _Source(file, text, (), "built-in"))
        row = self._user_rows("models").get(model_id)
        return self._make(Model, base, row)

    def _checkpoint(self, name: str) -> Model:
        from .. import checkpoint

        reader = cast(Callable[[Path], Model], getattr(checkpoint, "read"))  # noqa: B009 - a late import, typed here
        return reader(Path(name).expanduser())

    # Rows

    def _table(self, table: str, kind: type[Row]) -> dict[str, Row]:
        file = BUILT_IN / f"{table}.yaml"
        text = read_text(file, limit=_BUILT_IN_BYTES)
        own = self._user_rows(table)
        found: dict[str, Row] = {}
        for index, data in enumerate(parse(text, name=str(file))):
            raw = _Raw(data, _Source(file, text, (index,), "built-in"))
            found[data["id"]] = self._make(kind, raw, own.get(data["id"]))
        for row_id, row in own.items():
            if row_id not in found:
                found[row_id] = self._make(kind, None, row)
        return found

    def _make(self, kind: type[Row], base: _Raw | None, own: _Raw | None) -> Row:
        """A row from the built-in one, the user's, or the user's keys over the built-in ones."""
        raw = own or base
        if raw is None:
            raise CatalogError("nothing to make a row from")
        data = raw.data
        if base is not None and own is not None and isinstance(base.data, dict) and isinstance(own.data, dict):
            data = {**base.data, **own.data}
        try:
            row = build(kind, data)
        except FlawedRowError as error:
            raise raw.source.error(error.flaw.path, error.flaw.message) from None
        return replace(row, origin=raw.source.origin) if own is not None else row

    def _load_prices(self, accelerator_id: str) -> tuple[Price, ...]:
        own = [self._price(raw) for raw in self._user["prices"] if _names(raw, accelerator_id)]
        built_in = [
            self._price(_Raw({"accelerator": accelerator_id, **_spelled(offer, self._offers)}, source))
            for offer, source in self._built_in_offers(accelerator_id)
        ]
        # Sorting is stable: within a day the catalog's order stays.
        built_in.sort(key=lambda price: price.date, reverse=True)
        return (*own, *built_in)

    def _price(self, raw: _Raw) -> Price:
        try:
            price = build(Price, raw.data)
        except FlawedRowError as error:
            raise raw.source.error(error.flaw.path, error.flaw.message) from None
        return replace(price, origin=raw.source.origin)

    @cached_property
    def _offers(self) -> dict[str, Any]:
        file = BUILT_IN / "prices.yaml"
        return cast(dict[str, Any], parse(read_text(file, limit=_BUILT_IN_BYTES), name=str(file)))

    def _built_in_offers(self, accelerator_id: str) -> Iterator[tuple[dict[str, Any], _Source]]:
        file = BUILT_IN / "prices.yaml"
        for index, offer in enumerate(self._offers["offers"].get(accelerator_id, ())):
            yield offer, _Source(file, "", ("offers", accelerator_id, index), "built-in")

    # The user's own

    def _user_rows(self, table: str) -> dict[str, _Raw]:
        """The user's rows of a table by id; a later file wins."""
        return self._user_by_id[table]

    @cached_property
    def _user_by_id(self) -> dict[str, dict[str, _Raw]]:
        found: dict[str, dict[str, _Raw]] = {}
        for table, rows in self._user.items():
            if table in ("prices", "aliases"):
                continue
            found[table] = {_row_id(raw): raw for raw in rows}
        return found

    @cached_property
    def _user(self) -> dict[str, list[_Raw]]:
        """All raw rows of the user's files by table."""
        found: dict[str, list[_Raw]] = {table: [] for table in _TABLES}
        if self._user_dir is None or not self._user_dir.is_dir():
            return found
        for file in sorted(self._user_dir.glob("*.yaml")):
            text = read_text(file)
            data = parse(text, name=str(file))
            for table, path, row in _rows(data, _Source(file, text, (), str(file))):
                found[table].append(_Raw(row, _Source(file, text, path, str(file))))
        return found

    # Errors

    def _named(self, what: str, name: str, rows: Mapping[str, Place]) -> Place:
        found = rows.get(name)
        if found is None:
            key = plain(name)
            found = next((row for row in rows.values() if key in (plain(row.id), plain(row.name))), None)
        if found is None:
            raise self._unknown(what, name, rows)
        return found

    def _unknown(
        self, what: str, name: str, known: Iterator[str] | Mapping[str, Any] | Sequence[str]
    ) -> UnknownFactError:
        near = ", ".join(nearest(name, known))
        hint = f"nearest: {near}" if near else f"no {what} is like it"
        return UnknownFactError(f"unknown {what} {printable(name, 60)!r}; {hint}")


def default_catalog() -> Catalog:
    """The built-in facts with the user's own on top. Raises CatalogError when one of the user's files is broken."""
    return Catalog(user_directory())


def _looks_like_path(name: str) -> bool:
    if name.startswith((".", "~", os.sep)) or name.lower().endswith(_CHECKPOINT_ENDINGS):
        return True
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _rows(data: object, source: _Source) -> Iterator[tuple[str, tuple[Key, ...], object]]:
    """Table, path and raw row of everything in a user's file: tables by name, or one model on its own."""
    tables = _TABLES
    if data is None:
        return
    if not isinstance(data, dict):
        raise source.error((), "a list or a value; write tables such as `accelerators:` with entries below")
    if "groups" in data and "id" in data:
        yield "models", (), data
        return
    for table, rows in data.items():
        if table not in tables:
            near = nearest(table, tables, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"tables are {', '.join(tables)}"
            raise source.error((table,), f"unknown table; {hint}")
        if table == "aliases":
            yield table, (table,), rows
        elif isinstance(rows, list):
            for index, row in enumerate(rows):
                yield table, (table, index), row
        else:
            raise source.error((table,), "write a list of entries, each starting with `- id:`")


def _row_id(raw: _Raw) -> str:
    row_id = raw.data.get("id") if isinstance(raw.data, dict) else None
    if not isinstance(row_id, str) or not row_id or len(row_id) > 80 or not row_id.isprintable() or " " in row_id:
        raise raw.source.error(("id",), "is missing or not a short name without blanks; write `id: my-name`")
    return row_id


def _names(raw: _Raw, accelerator_id: str) -> bool:
    return not isinstance(raw.data, dict) or raw.data.get("accelerator") in (accelerator_id, None)


_OFFER_KEYS = {"as": "listed_as", "gpus": "gpus_in_offer", "basis": "date_basis"}


def _spelled(offer: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """An offer of the price table with its short keys, source and date basis written out."""
    found = {_OFFER_KEYS.get(key, key): value for key, value in offer.items()}
    found["source"] = table["sources"].get(offer["source"], offer["source"])
    if "basis" in offer:
        found["date_basis"] = table["date_bases"].get(offer["basis"], offer["basis"])
    return found
