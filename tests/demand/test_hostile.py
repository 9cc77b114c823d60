"""Truncated, mutated and hostile traces and metrics: an answer or one line, and no control byte in either."""

from __future__ import annotations

import gzip
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.measuring import measured_in
from infratui.reality.text import UnreadableError
from infratui.report import demand as report
from infratui.report import printed
from infratui.report.as_json import dumps
from infratui.scenario import Scenario
from infratui.store import dump

from .samples import REQUESTS, TRACES, read, sessions, vllm

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
SOURCES = [text.encode() for text in (*TRACES.values(), sessions(), vllm(), vllm(REQUESTS[:9]) + vllm())]
SOURCES.append(gzip.compress(SOURCES[0]))
SPLICES = (
    b"\x1b[2J", b"\x1b]0;x\x07", b"\x00", b"9" * 30, b"-1", b"NaN", b"1e999", b"\xff\xfe", b"\n", b",", b"{",
    b"[" * 3000, b'"', b"\xe2\x80\xae", b"Infinity", b"{}}",
)  # fmt: skip


def answered(raw: bytes) -> None:
    """Read; what comes of it is an answer or one line, without anything that steers a terminal."""
    try:
        found = read(raw)
    except UnreadableError as refusal:
        said = str(refusal)
        assert "\n" not in said
    else:
        lines = [line for block in report.page(found) for line in printed.block_lines(block, 100)]
        lines += printed.answer_lines(report.answer(found), 100)
        said = dumps(report.data(found)) + "\n".join(text for line in lines for text, _ in line)
        said += dump(measured_in(Scenario(), found)[0])
    assert not CONTROLS.search(said)


@pytest.mark.parametrize("place", range(len(SOURCES)))
def test_cut_anywhere(place: int):
    raw = SOURCES[place]
    for at in range(0, len(raw), max(1, len(raw) // 30)):
        answered(raw[:at])
        answered(raw[at:])


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(SOURCES) - 1), seed=st.integers(0, 1 << 30))
def test_mutated(place: int, seed: int):
    chance = random.Random(seed)
    raw = bytearray(SOURCES[place])
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(raw))
        if chance.random() < 0.5:
            raw[at : at + chance.randint(0, 9)] = chance.choice(SPLICES)
        else:
            raw[at] = chance.randrange(256)
    answered(bytes(raw))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes):
    answered(raw)
