"""Bytes of a terminal made into keys and pastes: whatever comes, keys go on, and no paste becomes commands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from infratui.app.terminal.keyboard import BURST, LONGEST_PASTE, LONGEST_S, SILENCE_S, Keyboard

START, END = b"\x1b[200~", b"\x1b[201~"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Typist:
    """A keyboard whose time stands still until it is told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.keyboard = Keyboard(self.clock)

    def type(self, *reads: bytes) -> list[str]:
        return [_told(message) for data in reads for message in self.keyboard.feed(data)]

    def wait(self, seconds: float) -> list[str]:
        self.clock.now += seconds
        return [_told(message) for message in self.keyboard.tick()]


def _told(message: object) -> str:
    return (
        message.key if isinstance(message, events.Key) else f"{type(message).__name__}:{getattr(message, 'text', '')}"
    )


@pytest.fixture
def typist() -> Typist:
    return Typist()


@pytest.mark.parametrize("stray", [b"\xe9", b"\xff\xfe", b"\xc3", b"\xf0\x9f", b"\x80" * 9], ids=repr)
def test_keys_go_on_after_bytes_that_are_no_text(typist, stray) -> None:
    assert typist.type(stray, b"j")[-1] == "j"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_keys_go_on_after_any_bytes(reads) -> None:
    typist = Typist()
    typist.type(*reads)
    for _ in range(4):
        typist.wait(LONGEST_S + 1)
    assert typist.type(b"j")[-1] == "j"


@pytest.mark.parametrize(
    "sequence", [b"\x1b[99999999999u", b"\x1b[:;:u", b"\x1b[55296;1u", b"\x1b[9;9;9;9;9u"], ids=repr
)
def test_a_sequence_that_means_nothing_costs_no_key_behind_it(typist, sequence) -> None:
    assert typist.type(sequence + b"\x1b[B", b"j")[-2:] == ["down", "j"]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30))
def test_a_paste_is_one_wherever_the_reads_cut_it(at) -> None:
    typist = Typist()
    stream = b"j" + START + b"quit q q" + END + b"k"
    told = typist.type(stream[:at], stream[at:])
    assert told == ["j", "Paste:quit q q", "k"]


def test_escapes_within_a_paste_are_no_keys(typist) -> None:
    assert typist.type(START + b"a\x1b[Bq\x1bq" + END) == ["Paste:a\x1b[Bq\x1bq"]


def test_a_paste_without_an_end_does_not_keep_the_keyboard(typist) -> None:
    assert typist.type(START + b"half a text") == []
    assert typist.wait(SILENCE_S + 0.1) == ["Paste:half a text"]
    assert typist.type(b"j") == ["j"]


def test_keys_hit_in_despair_end_a_paste_without_an_end(typist) -> None:
    typist.type(START)
    told: list[str] = []
    while not told and typist.clock.now < LONGEST_S * 2:
        assert typist.type(b"q") == []
        told = typist.wait(SILENCE_S / 2)
    assert typist.clock.now <= LONGEST_S + 1
    assert typist.type(b"j") == ["j"]


def test_a_huge_paste_is_cut(typist) -> None:
    typist.type(START)
    for _ in range(60):
        typist.type(b"x" * 4096)
    (told,) = typist.type(END)
    assert len(told) == LONGEST_PASTE + len("Paste:")


def test_a_text_that_arrives_at_once_is_a_paste(typist) -> None:
    text = b"kubectl get pods --all-namespaces -o wide"
    assert typist.type(text + b"\nq\n") == [f"Paste:{text.decode()}\nq\n"]
    # The last read of a long one may be short.
    assert typist.type(b"quit") == ["Paste:quit"]
    typist.clock.now += 1
    assert typist.type(b"q") == ["q"]


@pytest.mark.parametrize("keys", [b"jjj\r1.5k\rjjjj\rmi300x\r", b"j" * 200, b"jk" * 100, b"\x1b[B" * 100], ids=len)
def test_keys_typed_ahead_or_held_are_keys(typist, keys) -> None:
    assert not [told for told in typist.type(keys) if told.startswith("Paste")]


def test_a_line_and_enter_at_once_is_typed_into_a_field(typist) -> None:
    path = "/srv/models/some-checkpoint-with-a-long-name"
    assert len(path) > BURST
    assert typist.type(b"\x15" + path.encode() + b"\r") == ["ctrl+u", f"Paste:{path}", "enter"]


def test_escape_is_told_when_nothing_follows_it(typist) -> None:
    assert typist.type(b"\x1b") == []
    assert typist.wait(0.2) == ["escape"]


@pytest.mark.parametrize("begun", [b"\x1b", b"\x1b[", b"\x1b[200", START, START + b"text", START + b"text\x1b[20"])
def test_it_waits_for_what_has_begun_and_for_nothing_else(typist, begun) -> None:
    """Whoever reads the keys sleeps where nothing is waited for."""
    assert not typist.keyboard.is_waiting
    typist.type(begun)
    assert typist.keyboard.is_waiting
    for _ in range(3):
        typist.wait(LONGEST_S + 1)
    assert not typist.keyboard.is_waiting
    typist.type(b"j")
    assert not typist.keyboard.is_waiting


def test_alt_and_a_digit_is_that(typist) -> None:
    """Textual has them as what Option makes of a digit on one keyboard: ™ for 2."""
    assert typist.type(b"\x1b2", b"\x1b3x", b"\x1b1\x1b5") == ["alt+2", "alt+3", "x", "alt+1", "alt+5"]
