"""GGUF headers: typed metadata and tensor descriptions, read without the tensors."""

from __future__ import annotations

import math
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

from ..value_types import dataclass
from .errors import CheckpointError
from .fields import open_file
from .tensors import Tensor
from .text import safe_text

HEADER_LIMIT = 128 * 2**20
"""Bytes of all headers of a model; vocabularies make them tens of megabytes."""

MOST_KEYS = 16_384
MOST_TENSORS = 65_536
MOST_FILES = 2_000
MOST_KEPT = 4_096
"""Longest list that is kept: one value per layer. Vocabularies are stepped over."""
MOST_KEPT_BYTES = 16 * 2**20
MOST_STRINGS = 4_000_000
"""Texts in all lists of a model: a vocabulary and its merges come to less than a million."""

_BLOCK = 2**20

Value = int | float | bool | str | tuple[int | float | bool, ...]

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d"}
_BOOL, _STRING, _ARRAY = 7, 8, 9

BLOCKS: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
"""Type number → name, weights per block, bytes per block (ggml-org/llama.cpp, gguf-py/gguf/constants.py)."""


@dataclass(frozen=True, slots=True)
class Header:
    """Metadata and tensors of one file."""

    metadata: dict[str, Value]
    lengths: dict[str, int]
    """Lengths of all lists, also of those that are not kept."""
    tensors: tuple[Tensor, ...]
    shapes: dict[str, tuple[int, ...]]
    """Dimensions, fastest first, of the tensors outside the layers."""


@dataclass(slots=True)
class Budget:
    """What the headers of one model may still take, all its files together, so that none keeps anyone waiting."""

    bytes: int = HEADER_LIMIT
    keys: int = MOST_KEYS
    tensors: int = MOST_TENSORS
    strings: int = MOST_STRINGS
    kept: int = MOST_KEPT_BYTES


class _Cursor:
    """Reads forward through a file, never past its end nor past the budget."""

    def __init__(self, file: BinaryIO, size: int, name: str, budget: Budget) -> None:
        self._file, self._full, self.name, self.at, self.budget = file, size, name, 0, budget
        self._size = min(size, budget.bytes)

    def spend(self, what: str, count: int, noun: str, most: int) -> None:
        """Take `count` from the budget of `what`. Raises CheckpointError."""
        left = getattr(self.budget, what) - count
        if left < 0:
            stated = f"{count:,} {noun} stated" if count > most else f"over {most:,} {noun} in all"
            raise CheckpointError(f"{self.name}: {stated}; at most {most:,} are expected")
        setattr(self.budget, what, left)

    def need(self, count: int, what: str) -> None:
        if self.at + count > self._size:
            if self._size < self._full:
                raise CheckpointError(
                    f"{self.name}: header beyond {HEADER_LIMIT // 2**20} MiB; a GGUF header is smaller"
                )
            raise CheckpointError(f"{self.name}: ends within {what} (byte {self._full:,}); the file is cut short")

    def take(self, count: int, what: str) -> bytes:
        self.need(count, what)
        data = self._file.read(count)
        if len(data) != count:
            raise CheckpointError(f"{self.name}: ends within {what}; the file is cut short")
        self.at += count
        return data

    def skip(self, count: int, what: str) -> None:
        self.need(count, what)
        self._file.seek(count, 1)
        self.at += count

    def number(self, form: str, what: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form), what))[0])

    def string(self, what: str, keep: int) -> str:
        """A length and its bytes; at most `keep` bytes are kept."""
        length = self.number("<Q", what)
        self.need(length, what)
        kept = self.take(min(length, keep), what)
        self.skip(length - len(kept), what)
        return kept.decode("utf-8", "replace")

    def skip_strings(self, count: int, what: str) -> None:
        """Step over texts, each a length and its bytes, a block of the file at a time."""
        # Each has at least its own length of 8 bytes.
        self.need(8 * count, what)
        self.spend("strings", count, "texts", MOST_STRINGS)
        length_at = struct.Struct("<Q").unpack_from
        while count:
            block = self._file.read(min(_BLOCK, self._size - self.at))
            end, place = len(block) - 8, 0
            while count and place <= end:
                place += 8 + length_at(block, place)[0]
                count -= 1
            if not place:
                self.need(8, what)
            self.need(place, what)
            self._file.seek(place - len(block), 1)
            self.at += place


def read_header(path: Path, budget: Budget | None = None) -> Header:
    """Metadata and tensor descriptions of one GGUF file; `budget` is what all files of a model share.

    Raises CheckpointError.
    """
    name = safe_text(path.name)
    budget = budget or Budget()
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        cursor = _Cursor(file, size, name, budget)
        if cursor.take(4, "the magic number") != b"GGUF":
            raise CheckpointError(f"{name}: does not start with 'GGUF'; this is not a GGUF file")
        version = cursor.number("<I", "the version")
        if version not in (2, 3):
            hint = " (big-endian files are not read)" if version > 2**16 else ""
            raise CheckpointError(f"{name}: GGUF version {version}{hint}; 2 or 3 is expected")
        tensor_count = cursor.number("<Q", "the tensor count")
        key_count = cursor.number("<Q", "the key count")
        cursor.spend("tensors", tensor_count, "tensors", MOST_TENSORS)
        cursor.spend("keys", key_count, "metadata keys", MOST_KEYS)
        metadata: dict[str, Value] = {}
        lengths: dict[str, int] = {}
        for _ in range(key_count):
            key = cursor.string("a metadata key", 512)
            if key in metadata or key in lengths:
                raise CheckpointError(f"{name}: key {key!r} appears twice; each key must appear once")
            _read_value(cursor, key, metadata, lengths)
        header = _read_tensors(cursor, tensor_count, metadata, lengths, size)
        budget.bytes -= cursor.at
        return header


def _read_value(cursor: _Cursor, key: str, metadata: dict[str, Value], lengths: dict[str, int]) -> None:
    kind = cursor.number("<I", f"key {key!r}")
    if kind == _STRING:
        metadata[key] = cursor.string(f"key {key!r}", 4096)
        cursor.spend("kept", len(str(metadata[key])), "bytes of texts", MOST_KEPT_BYTES)
    elif kind == _ARRAY:
        inner = cursor.number("<I", f"key {key!r}")
        count = cursor.number("<Q", f"key {key!r}")
        lengths[key] = count
        if inner == _STRING:
            cursor.skip_strings(count, f"key {key!r}")
        elif inner in _SCALARS:
            width = struct.calcsize(_SCALARS[inner])
            cursor.need(width * count, f"key {key!r}")
            if count > MOST_KEPT:
                cursor.skip(width * count, f"key {key!r}")
            else:
                cursor.spend("kept", 8 * count, "bytes of lists", MOST_KEPT_BYTES)
                form = f"<{count}{_SCALARS[inner][1]}"
                values = struct.unpack(form, cursor.take(width * count, f"key {key!r}"))
                metadata[key] = tuple(bool(value) for value in values) if inner == _BOOL else values
        else:
            raise CheckpointError(f"{cursor.name}: key {key!r} lists values of type {inner}; types 0 to 12 exist")
    elif kind in _SCALARS:
        value = struct.unpack(_SCALARS[kind], cursor.take(struct.calcsize(_SCALARS[kind]), f"key {key!r}"))[0]
        metadata[key] = bool(value) if kind == _BOOL else value
    else:
        raise CheckpointError(f"{cursor.name}: key {key!r} has type {kind}; types 0 to 12 exist")


def _read_tensors(
    cursor: _Cursor, count: int, metadata: dict[str, Value], lengths: dict[str, int], size: int
) -> Header:
    tensors: list[Tensor] = []
    shapes: dict[str, tuple[int, ...]] = {}
    ends: list[tuple[int, str]] = []
    for _ in range(count):
        tensor_name = cursor.string("a tensor name", 512)
        what = f"tensor {tensor_name!r}"
        rank = cursor.number("<I", what)
        if rank > 8:
            raise CheckpointError(f"{cursor.name}: {what} has {rank} dimensions; at most 4 are expected")
        shape = struct.unpack(f"<{rank}Q", cursor.take(8 * rank, what))
        type_number = cursor.number("<I", what)
        offset = cursor.number("<Q", what)
        if type_number not in BLOCKS:
            raise CheckpointError(f"{cursor.name}: {what} has type {type_number}; known types are 0 to {max(BLOCKS)}")
        type_name, block, block_bytes = BLOCKS[type_number]
        if any(not 0 < side <= 2**40 for side in shape) or (shape and shape[0] % block):
            raise CheckpointError(
                f"{cursor.name}: {what} of type {type_name} has shape {shape};"
                f" rows of whole blocks of {block} are expected"
            )
        elements = math.prod(shape)
        stored = elements // block * block_bytes
        tensors.append(Tensor(tensor_name, type_name, elements, stored))
        ends.append((offset + stored, what))
        if "blk." not in tensor_name or ".0." in tensor_name:
            shapes[tensor_name] = shape
    alignment = metadata.get("general.alignment", 32)
    if isinstance(alignment, bool) or not isinstance(alignment, int) or not 0 < alignment <= 2**20:
        raise CheckpointError(f"{cursor.name}: general.alignment is {alignment!r:.40}; a power of two is expected")
    start = -(-cursor.at // alignment) * alignment
    for end, what in ends:
        if start + end > size:
            raise CheckpointError(
                f"{cursor.name}: {what} ends at byte {start + end:,} of {size:,}; the file is cut short"
            )
    return Header(metadata, lengths, tuple(tensors), shapes)


_SPLIT = re.compile(r"^(.*)-(\d{5})-of-(\d{5})\.gguf$", re.DOTALL)


def split_files(path: Path) -> tuple[tuple[Path, ...], str, int]:
    """All files of a split model that are there, the model's name without the part number, and how many there are."""
    match = _SPLIT.match(path.name)
    if match is None or not 0 < int(match[3]) <= MOST_FILES:
        return (path,), path.name.removesuffix(".gguf"), 1
    names = [f"{match[1]}-{number:05d}-of-{match[3]}.gguf" for number in range(1, int(match[3]) + 1)]
    files = tuple(path.with_name(name) for name in names if path.with_name(name).is_file())
    return files or (path,), match[1], len(names)
