"""The door of this package: a folder or file on disk → architecture, precision and stored bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..engine.model.architecture import ArchitectureError, Model, parameters
from ..engine.model.precision import Precision
from ..value_types import dataclass
from .config import draft_of, text_model
from .draft import assemble
from .errors import CheckpointError
from .fields import Fields, is_there, open_file, read_object
from .matching import bounded
from .quantization import StoragePlan, plan_of, precision_of, wide_bits, wide_precision
from .tensors import Tensor, TensorFacts, gather, implausible, is_plain, measured_precision, stored_bits
from .text import safe_text

CACHES = {"fp8": "fp8", "int8": "int8-kv", "nvfp4": "nvfp4"}
"""Formats that a checkpoint may declare for its KV cache → precision ids."""
_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".mar", ".nemo"}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the headers of a checkpoint say."""

    model: Model
    precision: Precision | None = None
    """Bits by part as stored; None where the weights are plain 16 or 32 bit (`model.weight_precision` names which)."""
    tensors: TensorFacts | None = None
    """Bytes and elements, where tensor headers or an index are there."""
    kv_format: str = ""
    """Format that the checkpoint calibrates its KV cache for, such as `fp8`; empty: none."""
    warnings: tuple[str, ...] = ()


def read(path: Path) -> Checkpoint:
    """Read a checkpoint folder, `config.json`, safetensors file or index, or GGUF file.

    Only headers are read, in bounded size; nothing is executed. Raises CheckpointError.
    """
    try:
        return _read(Path(path))
    except CheckpointError:
        raise
    except ArchitectureError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from None
    except ValueError as error:
        # Paths with null bytes and the like; values inside files are checked where they are read.
        raise CheckpointError(f"{path}: {error}; a path to a checkpoint is expected") from None


def _read(path: Path) -> Checkpoint:
    if not path.exists():
        raise CheckpointError(f"{path}: no such file or folder; give a checkpoint folder, .safetensors or .gguf file")
    if path.is_dir():
        return _read_folder(path)
    suffix = path.suffix.lower()
    if suffix in _PICKLED:
        raise CheckpointError(
            f"{path.name}: pickled weights can run code and are not opened; give the folder with config.json,"
            " safetensors or GGUF"
        )
    if suffix == ".gguf" or _starts_with_gguf(path):
        return _read_gguf(path)
    if suffix == ".safetensors" or path.name.endswith(".safetensors.index.json"):
        return _read_safetensors(path)
    if path.name == "hf_quant_config.json":
        return _read_folder(path.parent)
    if suffix == ".json":
        return _read_config(path, origin=path)
    raise CheckpointError(f"{path.name}: not a known kind of file; config.json, .safetensors or .gguf is expected")


def _starts_with_gguf(path: Path) -> bool:
    with open_file(path) as file:
        return file.read(4) == b"GGUF"


def _read_folder(folder: Path) -> Checkpoint:
    config = folder / "config.json"
    if is_there(config):
        return _read_config(config, origin=folder)
    from .gguf import split_files

    models = {split_files(path)[1]: path for path in sorted(folder.glob("*.gguf"), reverse=True)}
    models = {name: path for name, path in models.items() if not name.lower().startswith("mmproj")} or models
    if len(models) == 1:
        return _read_gguf(next(iter(models.values())))
    if models:
        shown = ", ".join(safe_text(name, 40) for name in sorted(models)[:4])
        raise CheckpointError(f"{folder}: holds {len(models)} GGUF models ({shown} …); name one of the files")
    for name in ("params.json", "consolidated.safetensors"):
        if (folder / name).is_file():
            raise CheckpointError(f"{folder}: holds {name} but no config.json; the Hugging Face layout is expected")
    raise CheckpointError(f"{folder}: holds no config.json and no .gguf file; give a checkpoint folder")


def _name_of(path: Path) -> str:
    """The folder's name, or the file's where it is not a plain config.json."""
    resolved = path if path.name not in {"", ".", ".."} else path.resolve()
    name = resolved.name
    if resolved.name == "config.json":
        name = resolved.parent.name or resolved.resolve().parent.name
    return safe_text(name.removesuffix(".json").removesuffix(".gguf")) or "checkpoint"


def _read_safetensors(path: Path) -> Checkpoint:
    config = path.parent / "config.json"
    if not is_there(config):
        raise CheckpointError(
            f"{path.name}: no config.json beside it; tensors alone do not tell heads, experts per token and windows"
        )
    return _read_config(config, origin=path.parent, only=None if path.name.endswith(".json") else path)


def _read_config(path: Path, *, origin: Path, only: Path | None = None) -> Checkpoint:
    config = Fields(read_object(path), safe_text(path.name))
    draft, family = draft_of(config)
    separate_path = path.with_name("hf_quant_config.json")
    separate = Fields(read_object(separate_path), separate_path.name) if is_there(separate_path) else None
    with bounded():
        plan = plan_of(config, separate)
    text = text_model(config)
    wide = text if "torch_dtype" in text or "dtype" in text else config
    model = assemble(
        draft,
        model_id=_name_of(origin),
        family=family,
        origin=safe_text(str(origin), 4096),
        weight_precision=wide_precision(wide),
    )
    stated = precision_of(model, plan, wide_bits(wide)) if plan is not None else None
    warnings = [*draft.warnings, *(plan.warnings if plan else ())]
    facts = _tensor_facts(path.parent, model, warnings, only)
    return _finish(model, stated, facts, plan, warnings)


def _tensor_facts(folder: Path, model: Model, warnings: list[str], only: Path | None) -> TensorFacts | None:
    from .safetensors import MOST_TENSORS, files_of, read_header, read_index

    total, names = 0, None
    index = folder / "model.safetensors.index.json"
    if only is not None and not is_there(index):
        files: tuple[Path, ...] = (only,)
    elif is_there(index):
        stated, total = read_index(index)
        names = stated
        files = tuple(folder / name for name in stated)
    else:
        files = files_of(folder)
    there = [file for file in files if is_there(file)]
    if not there:
        return TensorFacts(total, 0, complete=False) if total else None
    complete = len(there) == len(files)
    if not complete:
        warnings.append(
            f"{len(files) - len(there)} of {len(files)} safetensors files are not there; bytes are incomplete"
        )
    layers = model.layers

    def tensors() -> Iterable[Tensor]:
        seen: set[str] = set()
        for file in there:
            for tensor in read_header(file):
                if tensor.name in seen:
                    raise CheckpointError(f"{safe_text(file.name)}: tensor {tensor.name!r} stands in two files")
                seen.add(tensor.name)
                if len(seen) > MOST_TENSORS:
                    raise CheckpointError(f"{folder}: over {MOST_TENSORS:,} tensors; one checkpoint is expected")
                yield tensor

    facts = gather(tensors(), layers, complete=complete)
    if names is not None and total and complete and total != facts.bytes_total:
        warnings.append(f"the index states {total:,} bytes, the headers {facts.bytes_total:,}; the headers are used")
    return facts


def _finish(
    model: Model,
    stated: Precision | None,
    facts: TensorFacts | None,
    plan: StoragePlan | None,
    warnings: list[str],
    label: str = "",
) -> Checkpoint:
    """Let the tensors decide the bits, where all of them are there and go with the architecture."""
    precision = stated
    if facts is not None and facts.complete and facts.parts:
        bits = stored_bits(model, facts)
        wrong = implausible(bits)
        if wrong:
            warnings.append(
                f"the tensors do not go with the architecture ({', '.join(wrong)}); the configuration's bits are used"
            )
        else:
            plain = is_plain(bits, 32 if model.weight_precision == "fp32" else 16)
            if stated is not None or label or not plain:
                precision = measured_precision(model, facts, stated, label or _mixed_label(facts))
    if precision is not None:
        model = replace(model, weight_precision=precision.id)
    if plan is not None:
        model = replace(model, cache_precision=CACHES.get(plan.kv_format, ""))
    return Checkpoint(
        model, precision, facts, plan.kv_format if plan else "", tuple(safe_text(w, 300) for w in warnings)
    )


def _mixed_label(facts: TensorFacts) -> str:
    return " + ".join(name for name, _ in facts.types[:2])


def _read_gguf(path: Path) -> Checkpoint:
    from .gguf import Budget, read_header, split_files
    from .gguf_config import FILE_TYPES, config_of

    files, name, count = split_files(path)
    budget = Budget()
    headers = [read_header(file, budget) for file in files]
    where = safe_text(path.name)
    first = headers[0]
    stated = first.metadata.get("split.count", 1)
    count = max(count, stated) if isinstance(stated, int) else count
    tensors = [tensor for header in headers for tensor in header.tensors]
    names = frozenset(tensor.name for tensor in tensors)
    if len(names) != len(tensors):
        raise CheckpointError(f"{where}: a tensor appears twice; each must appear once")
    shapes = {key: shape for header in headers for key, shape in header.shapes.items()}
    config = config_of(replace(first, shapes=shapes), names, where)
    draft, family = draft_of(config)
    model = assemble(
        draft,
        model_id=safe_text(name.removesuffix(".gguf")) or "checkpoint",
        family=family,
        origin=safe_text(str(path), 4096),
        weight_precision="bf16",
    )
    warnings = list(draft.warnings)
    complete = len(files) >= count
    if not complete:
        warnings.append(f"{len(files)} of {count} files are there; bits by part are not known")
    facts = gather(tensors, model.layers, complete=complete) if tensors else None
    if facts is not None and complete:
        counted = sum(entry.elements for entry in facts.parts)
        expected = parameters(model).total
        if abs(counted - expected) > 0.01 * expected:
            warnings.append(f"the tensors hold {counted:,} weights, the architecture {expected:,}")
    kind = first.metadata.get("general.file_type")
    mixture = FILE_TYPES.get(kind, "") if isinstance(kind, int) else ""
    label = f"GGUF {mixture}".strip() if mixture else "GGUF " + (_mixed_label(facts) if facts else "")
    return _finish(model, None, facts, None, warnings, label=label.strip())
