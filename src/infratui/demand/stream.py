"""Lines of a file or a pipe, a piece at a time: packed or not, with bounds on size and on the length of a line."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from ..plain_text import printable
from ..reality.text import UnreadableError
from ..value_types import dataclass

MOST_BYTES = 4_000_000_000
"""Unpacked bytes that are read at most; a packed file of zeros has no end."""
LONGEST_LINE = 4_000_000
"""Bytes of one line: hashes of a prompt of a million tokens."""
_PIECE = 1 << 18
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class DemandSource:
    """What is read: its name for messages, how to get more bytes of it, and when it was written."""

    name: str
    read: Callable[[int], bytes]
    """So many bytes at most; none: the end."""
    written_s: float | None = None
    """Seconds of the file's last change; None: a pipe."""


def file_source(name: str, opened: ExitStack, *, pipes: bool = False) -> DemandSource:
    """A file, open until `opened` is left. Raises OSError, or ValueError for what is no file with text.

    `pipes`: named ones too, as a shell's `<(…)` makes them; whoever opens one waits for its writer.
    """
    path = Path(name).expanduser()
    # Reading a device may never end.
    if path.exists() and not path.is_file() and not (pipes and path.is_fifo()):
        raise ValueError("not a file with text")
    file = opened.enter_context(path.open("rb"))
    return DemandSource(printable(path.name), file.read, path.stat().st_mtime)


def lines(source: DemandSource) -> Iterator[str]:
    """Its lines as text, without their ends. Raises UnreadableError for what is no text, or beyond all bounds."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    left = ""
    for piece in _unpacked(source):
        if b"\x00" in piece:
            raise UnreadableError(f"{source.name}: holds null bytes; give a trace or metrics as text")
        *whole, left = (left + decode(piece)).replace("\r\n", "\n").split("\n")
        yield from whole
        if len(left) > LONGEST_LINE:
            raise UnreadableError(f"{source.name}: a line is longer than {LONGEST_LINE:,} bytes; write one per request")
    left += decode(b"", True)
    if left:
        yield left


def _unpacked(source: DemandSource) -> Iterator[bytes]:
    total = 0
    first = source.read(_PIECE)
    unpack = zlib.decompressobj(31) if first[:2] == b"\x1f\x8b" else None
    if first[:2] in _UTF16:
        raise UnreadableError(f"{source.name}: is UTF-16; write it as UTF-8")
    if first[:3] == b"\xef\xbb\xbf":
        first = first[3:]
    piece = first
    while piece:
        if unpack is None:
            pieces: Iterator[bytes] = iter((piece,))
        else:
            pieces = _inflated(unpack, piece, source.name)
        for part in pieces:
            total += len(part)
            if total > MOST_BYTES:
                raise UnreadableError(f"{source.name}: more than {MOST_BYTES / 1e9:.0f} GB of text; give a part of it")
            yield part
        if unpack is not None and unpack.eof:
            return
        piece = source.read(_PIECE)


def _inflated(unpack: zlib._Decompress, piece: bytes, name: str) -> Iterator[bytes]:
    """A piece unpacked, a bounded part at a time."""
    while piece:
        try:
            part = unpack.decompress(piece, _PIECE)
        except zlib.error:
            raise UnreadableError(f"{name}: is no whole gzip file; copy it again") from None
        if part:
            yield part
        piece = unpack.unconsumed_tail
