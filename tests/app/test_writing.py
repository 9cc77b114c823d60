"""What goes to the terminal arrives whole and in order, whoever writes it; one that takes nothing is not waited for."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from io import TextIOWrapper

import pytest
from textual.drivers._writer_thread import WriterThread

from infratui.app.terminal.driver import Terminal


class Wire:
    """A terminal that is a pipe, and the thread that writes to it where it takes nothing at once."""

    def __init__(self) -> None:
        self.end, begin = os.pipe()
        self.stream = TextIOWrapper(os.fdopen(begin, "wb"), encoding="utf-8")
        self.terminal = Terminal(self.stream, begin)
        self.writer = WriterThread(self.terminal)  # type: ignore[arg-type]
        self.later: list[str] = []

    def send(self, text: str) -> None:
        def later(text: str) -> None:
            self.later.append(text)
            self.writer.write(text)

        self.terminal.send(text, later)

    def read(self, count: int) -> str:
        found = b""
        while len(found) < count:
            found += os.read(self.end, 4096)
        return found.decode()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    wire.writer.start()
    yield wire
    wire.writer.stop()
    wire.stream.close()
    os.close(wire.end)


def test_a_short_text_is_written_at_once(wire: Wire) -> None:
    wire.send("short")
    assert not wire.later
    assert wire.read(5) == "short"


def test_what_comes_behind_a_long_text_waits_for_it(wire: Wire) -> None:
    dice = random.Random(11)
    texts = [chr(97 + at % 26) * dice.choice((1, 9, 400, 3_000, 20_000)) for at in range(120)]
    whole = "".join(texts)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(wire.read(len(whole))))
    reader.start()
    for at, text in enumerate(texts):
        wire.send(text)
        if not at % 10:
            time.sleep(0.01)
    reader.join()
    assert found == [whole]
    assert wire.later
    assert len(wire.later) < len(texts)


def test_a_terminal_that_takes_nothing_is_not_waited_for(wire: Wire) -> None:
    filled = 0
    while wire.terminal._takes:
        filled += os.write(wire.stream.fileno(), b"-" * 4096)
    wire.send("a")
    wire.send("b")
    assert wire.later == ["a", "b"]
    assert wire.read(filled + 2)[-2:] == "ab"
    while wire.terminal._owed:
        time.sleep(0.001)
    wire.send("c")
    assert wire.later == ["a", "b"]
    assert wire.read(1) == "c"
