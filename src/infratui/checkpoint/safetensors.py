"""Safetensors headers: an 8-byte length, then JSON with type, shape and place of every tensor."""

from __future__ import annotations

import math
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

from .errors import CheckpointError
from .fields import Fields, open_file, parse_object, read_object
from .tensors import Tensor
from .text import safe_text

HEADER_LIMIT = 25_000_000
"""Largest header in bytes: 200,000 tensors in one file. The format allows four times as much."""

INDEX_LIMIT = 25_000_000
MOST_FILES = 2_000
MOST_TENSORS = 400_000
"""Tensors of all files: the largest mixtures, expert by expert with their scales, come to half of it."""

TYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
"""Bits of one element by type name (huggingface/safetensors, Dtype)."""


def read_header(path: Path) -> list[Tensor]:
    """All tensors of one file, checked against its size. Raises CheckpointError."""
    name = safe_text(path.name)
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        prefix = file.read(8)
        if len(prefix) < 8:
            raise CheckpointError(f"{name}: {len(prefix)} bytes long; a safetensors file starts with an 8-byte length")
        length = int.from_bytes(prefix, "little")
        if length > HEADER_LIMIT:
            raise CheckpointError(f"{name}: header of {length:,} bytes; at most {HEADER_LIMIT:,} are allowed")
        if length > size - 8:
            raise CheckpointError(f"{name}: header of {length:,} bytes in a file of {size:,}; the file is cut short")
        header = file.read(length)
    if not header.startswith(b"{"):
        raise CheckpointError(f"{name}: header does not start with '{{'; this is not a safetensors file")
    entries = parse_object(header, f"{name} header")
    data = size - 8 - length
    tensors: list[Tensor] = []
    spans: list[tuple[int, int]] = []
    fields = Fields(entries, f"{name} header")
    for key, entry in entries.items():
        if key == "__metadata__":
            continue
        tensor, span = _tensor(fields, key, entry, data)
        tensors.append(tensor)
        if span[0] != span[1]:
            spans.append(span)
    spans.sort()
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise CheckpointError(f"{name} header: tensors overlap at byte {start:,}; each needs a place of its own")
    return tensors


def _tensor(header: Fields, key: str, entry: Any, data: int) -> tuple[Tensor, tuple[int, int]]:
    """One entry of a header. Raises CheckpointError."""
    try:
        name, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if type(begin) is int and type(end) is int and 0 <= begin <= end <= data and len(shape) <= 32:
            elements = 1
            for side in shape:
                if type(side) is not int or not 0 <= side <= 2**48:
                    raise ValueError
                elements *= side
            if elements * TYPE_BITS[name] + 7 >> 3 == end - begin:
                return Tensor(key, name, elements, end - begin), (begin, end)
    except (KeyError, TypeError, ValueError):
        pass
    raise _complaint(header, key, entry, data)


def _complaint(header: Fields, key: str, entry: Any, data: int) -> CheckpointError:
    """What is wrong with an entry, which is looked for only where something is: there are hundreds of thousands."""
    if not isinstance(entry, dict):
        return CheckpointError(f"{header.at(safe_text(key))} is no object; dtype, shape and data_offsets are expected")
    fields = Fields(entry, header.at(safe_text(key)))
    type_name = fields.text("dtype")
    if type_name not in TYPE_BITS:
        return fields.wrong("dtype", f"one of {', '.join(TYPE_BITS)}")
    shape = fields.integers("shape", low=0, high=2**48)
    offsets = fields.integers("data_offsets", low=0, high=2**63)
    if shape is None or len(shape) > 32:
        return fields.wrong("shape", "a list of sizes")
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        return fields.wrong("data_offsets", "a pair of begin and end")
    if offsets[1] > data:
        return CheckpointError(
            f"{fields.at('data_offsets')} ends at byte {offsets[1]:,} of {data:,}; the file is cut short"
        )
    bits = math.prod(shape) * TYPE_BITS[type_name]
    return CheckpointError(
        f"{fields.at('data_offsets')} spans {offsets[1] - offsets[0]:,} bytes; {type_name} of that shape takes"
        f" {-(-bits // 8):,}"
    )


def read_index(path: Path) -> tuple[tuple[str, ...], int]:
    """File names and stated total bytes of `model.safetensors.index.json`. Raises CheckpointError."""
    index = Fields(read_object(path, INDEX_LIMIT), safe_text(path.name))
    weight_map = index.section("weight_map")
    if weight_map is None:
        raise index.missing("weight_map", "an object from tensor to file")
    names = set()
    for key, value in weight_map.values.items():
        if not isinstance(value, str):
            raise weight_map.wrong(key, "a file name")
        names.add(value)
    for name in names:
        # A file elsewhere is none of this checkpoint's business.
        if "/" in name or "\\" in name or name in {"", ".", ".."} or "\0" in name or len(name) > 255:
            raise CheckpointError(
                f"{weight_map.where} names file {safe_text(name, 60)!r}; a plain file name is expected"
            )
    if len(names) > MOST_FILES:
        raise CheckpointError(f"{weight_map.where} names {len(names):,} files; at most {MOST_FILES:,} are expected")
    metadata = index.section("metadata")
    total = 0
    if metadata is not None and isinstance(metadata.values.get("total_size"), int | float):
        stated = metadata.number("total_size", low=0, high=2.0**62, default=0)
        total = int(stated)
    return tuple(sorted(names)), total


def files_of(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a folder without an index, duplicates in another layout left out."""
    found = sorted(folder.glob("*.safetensors"))[: MOST_FILES + 1]
    if len(found) > MOST_FILES:
        raise CheckpointError(f"{folder.name} holds over {MOST_FILES:,} safetensors files; one checkpoint is expected")
    own = [path for path in found if not path.name.startswith(("consolidated", "adapter", "optimizer", "training"))]
    return tuple(own or [path for path in found if path.name.startswith("consolidated")])
