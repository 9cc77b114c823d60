"""Files broken in the ways that transfers, editors and people break them, from a seed."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Any

HOSTILE_BYTES = (
    b"\x00", b"\xff", b"\xfe\xff", b"\x1b[2J", b"\x9b", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"[" * 200,
    b"{" * 50, b'"', b"'", b"]", b"}", b":", b",", b"- ", b"? ", b"&a ", b"*a", b"!!int ", b"---\n", b"...\n", b"<<: ",
    b"%YAML 1.1\n", b"\r\n", b"\r", b"\t", b"#", b"|", b">", b"9" * 60, b"1e999", b"-1", b"0", b"nan", b".inf", b"null",
    b"true", b"~", b"0x10", b"1_0", b"=cmd|x", b"@", b"a" * 5000, b"\n" * 200, "٣".encode(), "\u2028".encode(),
)  # fmt: skip
HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, -(10**30), 0.5, 1e308, -0.0, float("nan"), float("inf"), "", "x",
    "\x1b[2J", "\ud800", "9" * 40, "fp8", [], [None], [[]], [1] * 5000, {}, {"a": {}}, {"": 0}, "re:(a+)+$", "٣",
)  # fmt: skip
_NUMBER = re.compile(rb"[0-9]+")


def broken_bytes(dice: random.Random, seed: bytes, other: bytes) -> bytes:
    """The seed after one to six accidents."""
    data = bytearray(seed)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.choice((1, 2, 8, 64, 512)))
        match dice.randrange(9):
            case 0 if data:
                data[at % len(data)] = dice.randrange(256)
            case 1:
                data[at:at] = dice.choice(HOSTILE_BYTES)
            case 2:
                data[at:end] = dice.choice(HOSTILE_BYTES)
            case 3:
                del data[at:end]
            case 4:
                data[at:at] = data[at:end] * dice.choice((1, 2, 50))
            case 5:
                del data[at:]
            case 6:
                start = dice.randrange(len(other) + 1)
                data[at:end] = other[start : start + dice.choice((8, 64, 512))]
            case 7 if numbers := list(_NUMBER.finditer(data)):
                number = dice.choice(numbers)
                data[number.start() : number.end()] = dice.choice((b"0", b"-3", b"7", b"9" * 25, b"1e9", b"2.5", b"64"))
            case _:
                lines = data.split(b"\n")
                dice.shuffle(lines)
                data = bytearray(b"\n".join(lines))
    return bytes(data)


def broken_value(dice: random.Random, value: Any) -> Any:
    """A JSON value with one to three of its parts replaced, renamed or left out."""
    changed = json.loads(json.dumps(value))
    for _ in range(dice.choice((1, 1, 2, 3))):
        holders = [holder for holder in _holders(changed) if holder]
        if not holders:
            return dice.choice(HOSTILE_VALUES)
        holder = dice.choice(holders)
        key = dice.choice(list(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))
        match dice.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[dice.choice(("", "x", "Name", "\x1b", str(key).upper()))] = holder.pop(key)
            case _:
                holder[key] = dice.choice(HOSTILE_VALUES)
    return changed


def _holders(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(inner for entry in value.values() for inner in _holders(entry))]
    if isinstance(value, list):
        return [value, *(inner for entry in value for inner in _holders(entry))]
    return []


def safetensors(header: bytes, data: int = 64, length: int | None = None) -> bytes:
    """A file with this header."""
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(data)


def gguf(metadata: dict[str, Any], tensors: dict[str, tuple[int, ...]]) -> bytes:
    """A whole file: metadata of whole numbers, texts and lists of texts, and F32 tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    body = b""
    for key, value in metadata.items():
        body += text(key)
        if isinstance(value, int):
            body += struct.pack("<II", 4, value)
        elif isinstance(value, str):
            body += struct.pack("<I", 8) + text(value)
        else:
            body += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    offset = 0
    for name, shape in tensors.items():
        body += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        size = 4
        for side in shape:
            size *= side
        offset += size
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    return head + body + bytes(-len(head + body) % 32) + bytes(offset)
