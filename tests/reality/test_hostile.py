"""Truncated, mutated and hostile logs and listings: an answer or one line, and no control byte in either."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.host_names import host_tables
from infratui.catalog.load import default_catalog
from infratui.reality.host import read_host
from infratui.reality.text import UnreadableError, decoded
from infratui.reconciling import compare
from infratui.report import host as host_report
from infratui.report import printed
from infratui.report import reconcile as log_report
from infratui.report.as_json import dumps

from .samples import LISTINGS, LOGS

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
SPLICES = (
    b"\x1b[2J",
    b"\x1b]0;x\x07",
    b"\x00",
    b"9" * 30,
    b"-1",
    b"NaN",
    b"1e999",
    b"\xff\xfe",
    b"\n",
    b"|",
    b"{",
    b"\xe2\x80\xae",
)


def of_log(raw: bytes) -> str:
    found = compare(decoded(raw), default_catalog())
    lines = [line for block in log_report.page(found) for line in printed.block_lines(block, 100)]
    lines += printed.answer_lines(log_report.answer(found), 100)
    return dumps(log_report.data(found)) + "\n".join(text for line in lines for text, _ in line)


def of_listing(raw: bytes) -> str:
    found = read_host(decoded(raw), host_tables(), default_catalog())
    lines = [line for block in host_report.page(found) for line in printed.block_lines(block, 100)]
    lines += printed.answer_lines(host_report.answer(found), 100)
    return dumps(host_report.data(found)) + "\n".join(text for line in lines for text, _ in line)


def answered(read: Callable[[bytes], str], raw: bytes) -> None:
    """Read; what comes of it is an answer or one line, without anything that steers a terminal."""
    try:
        said = read(raw)
    except UnreadableError as refusal:
        said = str(refusal)
        assert "\n" not in said
    assert not CONTROLS.search(said)


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """The bytes cut, spliced, repeated or with other numbers."""
    text = bytearray(raw)
    if rng.randrange(3) == 0:
        return bytes(text[: rng.randrange(len(text) + 1)])
    for _ in range(rng.randrange(1, 12)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(4):
            case 0:
                del text[at : at + rng.randrange(60)]
            case 1:
                text[at:at] = rng.choice(SPLICES)
            case 2:
                start = rng.randrange(len(text) + 1)
                text[at:at] = text[start : start + rng.randrange(200)]
            case _:
                found = re.search(rb"[0-9.]+", bytes(text[at : at + 200]))
                if found:
                    text[at + found.start() : at + found.end()] = rng.choice((b"0", b"-1", b"999999999999", b"", b"7"))
    return bytes(text)


KINDS = [*[(of_log, text.encode()) for text in LOGS], *[(of_listing, text.encode()) for text in LISTINGS]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(KINDS) - 1), st.randoms(use_true_random=False))
def test_any_mutation_is_answered(at: int, rng: random.Random):
    read, raw = KINDS[at]

    answered(read, mutated(raw, rng))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([of_log, of_listing]))
def test_any_bytes_are_answered(raw: bytes, read: Callable[[bytes], str]):
    answered(read, raw)


@pytest.mark.parametrize("at", range(len(KINDS)))
def test_every_kind_ends_anywhere(at: int):
    read, raw = KINDS[at]

    for end in range(0, len(raw), max(1, len(raw) // 12)):
        answered(read, raw[:end])


@pytest.mark.soak
@pytest.mark.parametrize("at", range(len(KINDS)))
def test_ten_thousand_mutations_of_each_kind(at: int):
    read, raw = KINDS[at]
    rng = random.Random(at)

    for _ in range(10_000):
        answered(read, mutated(raw, rng))


def test_control_bytes_of_a_log_are_gone():
    raw = LOGS[1].replace("Llama-3.1-8B-Instruct", "Llama\x1b[31m-3.1-8B\x07-Instruct\u202e").encode()

    assert "Llama-3.1-8B-Instruct" in of_log(raw)
