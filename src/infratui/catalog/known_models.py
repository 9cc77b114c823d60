"""Models by every name they have, and the formats that they are stored in, also those that only their names tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.facts import UnknownFactError
from ..engine.model.architecture import Model
from ..engine.model.precision import Precision
from .built_in import DATA
from .matching import looks_like_path, match_model, nearest, plain
from .rows import make, read_built_in, read_table
from .unknown import unknown
from .user_files import UserFacts
from .yaml_io import line_of, printable

if TYPE_CHECKING:
    from ..engine.formats import NumberFormat

STORED = "@stored"
"""`MODEL@stored` names the precision that a model's weights are stored in."""


class ModelsAndFormats:
    """The part of the catalog that knows what is served and how it is stored; each model is read when asked for."""

    def __init__(self, user_dir: Path | None) -> None:
        self._user_dir = user_dir
        self._models: dict[str, Model] = {}
        self._checkpoints: dict[str, Model] = {}
        self._stored: dict[str, Precision] = {}
        self._resolved: dict[str, str] = {}

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
        model = self._models[model_id]
        return model if name == model_id or self.names(name, model) else self._variant(name, model)

    def names(self, name: str, model: Model) -> bool:
        """Whether a name is the model's own: its id, its repository, an alias; any other is read as the model's."""
        own = (model.id, model.hf_id.lower())
        return name.lower() in own or self._aliases.get(name) == model.id or model.id not in self._model_ids

    def _variant(self, name: str, model: Model) -> Model:
        """A model as a checkpoint stores it whose name says how: `Qwen/Qwen3-32B-AWQ` is released in AWQ."""
        from ..engine.measured.format_names import find_format

        stored = find_format(name.rsplit("/", 1)[-1], model, self.precision)
        if stored is None or stored.id == model.weight_precision:
            return model
        self._checkpoints[name] = found = replace(model, weight_precision=stored.id)
        return found

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

    @cached_property
    def _built_in_models(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((DATA / "models").glob("*.yaml"))}

    @cached_property
    def _model_ids(self) -> tuple[str, ...]:
        return tuple(sorted({*self._built_in_models, *self._user.rows("models")}))

    @cached_property
    def _aliases(self) -> dict[str, str]:
        found: dict[str, str] = dict(read_built_in("aliases.yaml"))
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
            raise unknown("model", name, (*self._model_ids, *self._aliases))
        return found

    def _load_model(self, model_id: str) -> Model:
        base = read_built_in("models", f"{model_id}.yaml") if model_id in self._built_in_models else None
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

    # Precisions

    def precision(self, name: str) -> Precision:
        """By id, label or alias; `MODEL@stored` is how a model is released, or a checkpoint on disk is stored."""
        if name.endswith(STORED):
            model = self.model(name.removesuffix(STORED))
            return self._stored.get(name) or self.precision(model.weight_precision)
        found = self._precisions.get(name) or self._precision_names.get(plain(name))
        if found is None:
            raise unknown("precision", name, self._precisions)
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
    def _user(self) -> UserFacts:
        return UserFacts(self._user_dir)
