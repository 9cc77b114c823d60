"""What the terminal sends, made into keys and pastes: any byte may come, and a paste is never taken for commands.

The parser is Textual's own, `textual._xterm_parser`: no public module makes keys of bytes. Its `_timeout_time` says
until when it waits for the rest of a sequence.
"""

from __future__ import annotations

import re
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator

from textual import constants, events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

SILENCE_S = 0.5
"""A paste whose end does not come is over when nothing has come for this long."""
LONGEST_S = 10.0
"""No paste goes on beyond this, so that keys mean something again."""
LONGEST_PASTE = 100_000
"""Characters of a paste that are kept."""
BURST = 32
"""More printable characters at once than this were pasted: no one types ahead so far, and no key repeats so fast."""
_DIFFERENT = 8
"""A held key, or two, repeats few characters; a text has more."""
BURST_GOES_ON_S = 0.05
"""What comes this soon after a burst still belongs to it."""
_PIECES = re.compile(r"\x1b[^\x1b]*|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
"""A sequence and what follows it, a control key, or text with its line ends."""
_ALT_DIGIT = re.compile(r"\x1b[0-9]")


class Keyboard:
    """Reads a stream of bytes. `feed` what came; `tick` when nothing did, so that what waits for more is told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser()
        self._held = ""
        """The beginning of a mark that is not here as a whole."""
        self._paste: list[str] | None = None
        self._pasted = 0
        self._paste_since = 0.0
        self._last = 0.0
        self._burst_until = 0.0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that the bytes make."""
        self._last = self._clock()
        text, self._held = self._held + self._decode(data), ""
        while text:
            mark = BRACKETED_PASTE_START if self._paste is None else BRACKETED_PASTE_END
            before, found, text = text.partition(mark)
            if not found:
                before, self._held = _without_beginning(before, mark)
            if self._paste is None:
                yield from self._keys(before)
                if found:
                    self._paste, self._pasted, self._paste_since = [], 0, self._last
            else:
                self._take(before)
                if found:
                    yield self._pasted_text()

    @property
    def is_waiting(self) -> bool:
        """More is to come, or `tick` has something to say once it does not."""
        return self._paste is not None or bool(self._held) or self._parser._timeout_time is not None

    def tick(self) -> Iterator[Message]:
        """The messages that nothing more is waited for."""
        now = self._clock()
        if self._paste is not None:
            if now - self._last > SILENCE_S or now - self._paste_since > LONGEST_S:
                self._held = ""
                yield self._pasted_text()
            return
        if self._held and now - self._last >= constants.ESCAPE_DELAY:
            held, self._held = self._held, ""
            yield from self._parse(held)
        if self._parser._timeout_time is not None and now - self._last >= constants.ESCAPE_DELAY:
            # It has waited long enough already, by one clock for all.
            self._parser._timeout_time = 0.0
        yield from self._parser.tick()

    def _take(self, text: str) -> None:
        if self._paste is not None and self._pasted < LONGEST_PASTE:
            self._paste.append(text[: LONGEST_PASTE - self._pasted])
            self._pasted += len(text)

    def _pasted_text(self) -> events.Paste:
        text, self._paste = "".join(self._paste or ()), None
        return events.Paste(text.replace("\x00", ""))

    def _keys(self, text: str) -> Iterator[Message]:
        for piece in _PIECES.findall(text):
            if _ALT_DIGIT.match(piece):
                # Textual takes them for what one terminal makes of Option and a digit: ™, £, ¢ …
                yield events.Key(f"alt+{piece[1]}", None)
                piece = piece[2:]
                if not piece:
                    continue
            whole = not piece.startswith("\x1b") and self._parser._timeout_time is None
            if whole and (self._last < self._burst_until or _is_burst(piece)):
                self._burst_until = self._last + BURST_GOES_ON_S
                yield from self._burst(piece)
            else:
                yield from self._parse(piece)

    def _burst(self, text: str) -> Iterator[Message]:
        line, enter = text[:-1], text[-1:]
        if enter != "\r" or "\r" in line or "\n" in line:
            yield events.Paste(text)
        else:
            # One line and enter is what a script types into a field.
            yield events.Paste(line)
            yield from self._parse(enter)

    def _parse(self, text: str) -> list[Message]:
        try:
            return list(self._parser.feed(text))
        except Exception:
            # Sequences can be written that its number conversions do not take; this one is dropped.
            old, self._parser = self._parser, XTermParser()
            self._parser.mouse_pixels = old.mouse_pixels
            self._parser.terminal_size, self._parser.terminal_pixel_size = old.terminal_size, old.terminal_pixel_size
            return []


def _is_burst(text: str) -> bool:
    printable = [character for character in text if character.isprintable()]
    return len(printable) > BURST and len(set(printable)) > _DIFFERENT


def _without_beginning(text: str, mark: str) -> tuple[str, str]:
    """The text, and what at its end may be the beginning of the mark."""
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], text[-length:]
    return text, ""
