"""Traces of every format give the figures that an independent count of the same requests gives."""

from __future__ import annotations

import gzip
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.demand import measured, stream
from infratui.reality.text import UnreadableError

from .samples import REQUESTS, TRACES, azure, burstgpt, chats, mooncake, read, sessions


def quantile(values: list[int], share: float) -> float:
    """Straight lines between the ordered values, as statistics does it with its inclusive method."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share) - 1]


@pytest.mark.parametrize("name", TRACES)
def test_lengths_and_peaks_are_those_of_an_independent_count(name: str):
    found = read(TRACES[name])
    assert found.format == name
    assert found.requests == len(REQUESTS)
    for spread, place in ((found.input, 1), (found.output, 2)):
        values = [request[place] for request in REQUESTS]
        assert spread.mean == pytest.approx(statistics.fmean(values))
        assert spread.deviation == pytest.approx(statistics.pstdev(values))
        for share in (50, 90, 99):
            assert spread.at(share) == pytest.approx(quantile(values, share))
    times = sorted(request[0] for request in REQUESTS)
    seconds = times[-1] - times[0]
    assert found.seconds == pytest.approx(seconds)
    for window, peak in ((60, found.peak_60s), (10, found.peak_10s)):
        starts = range(0, math.ceil(seconds), window)
        counts = [sum(start <= at - times[0] < start + window for at in times) for start in starts]
        assert peak == pytest.approx(max(counts) / window / (len(times) / seconds))


def test_requests_in_flight_weigh_by_their_answer():
    found = read(TRACES["azure"]).in_flight
    weights = [answer for _, _, answer in REQUESTS]
    totals = [prompt + answer for _, prompt, answer in REQUESTS]
    mean = sum(w * t for w, t in zip(weights, totals, strict=True)) / sum(weights)
    square = sum(w * (t - mean) ** 2 for w, t in zip(weights, totals, strict=True)) / sum(weights)
    assert found.mean == pytest.approx(mean)
    assert found.deviation == pytest.approx(math.sqrt(square))
    assert found.decoding == pytest.approx(mean - sum(w * w for w in weights) / 2 / sum(weights))


def test_prefix_share_of_an_endless_cache():
    found = read(mooncake())
    seen: set[int] = set()
    hits = 0
    for number, (_, prompt, _) in enumerate(REQUESTS):
        if number % 2 and prompt > 512:
            hits += min(prompt, 1024) if 1 in seen else 0
            seen.add(1)
    assert found.prefix_share == pytest.approx(hits / sum(prompt for _, prompt, _ in REQUESTS), abs=0.001)
    assert hits


def test_the_size_of_blocks_is_told_by_the_numbers_of_hashes():
    share = read(chats()).prefix_share
    known: dict[int, int] = {}
    hits = 0
    for number, (_, prompt, _) in enumerate(REQUESTS):
        blocks = -(-prompt // 16)
        before = known.get(number // 3, 0)
        hits += min(prompt, 16 * min(blocks, before))
        known[number // 3] = max(before, blocks)
    assert share == pytest.approx(hits / sum(prompt for _, prompt, _ in REQUESTS), abs=0.001)


def test_nested_sessions_have_their_own_hashes():
    found = read(sessions())
    assert (found.format, found.requests) == ("sessions", 4)
    # The second request of each session repeats the first, and no session the other.
    assert found.prefix_share == pytest.approx(2 * 128 / (2 * (128 + 256)))
    assert found.peak_60s is None
    assert any("no arrival times" in note for note in found.notes)


def test_cached_tokens_that_a_gateway_logs_are_the_prefix_share():
    prompts = [prompt for _, prompt, _ in REQUESTS]
    assert read(TRACES["json"]).prefix_share == pytest.approx(sum(p // 2 for p in prompts) / sum(prompts))


def test_requests_without_an_answer_are_left_out_and_counted():
    text = burstgpt() + "9999,,1,ChatGPT,50,0,50,API log\r\n"
    found = read(text)
    assert found.requests == len(REQUESTS)
    assert "1 requests without an answer are left out" in found.notes


def test_order_does_not_matter():
    head, *rows = azure().splitlines()
    shuffled = "\n".join([head, *reversed(rows)])
    assert read(shuffled) == read(azure())


def test_gzip_is_read_as_it_is():
    assert read(gzip.compress(azure().encode())) == read(azure())


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_any_table_with_two_columns_of_tokens(separator: str):
    text = separator.join(("id", "prompt_tokens", "completion_tokens")) + "\n"
    text += "".join(separator.join((str(at), "20", "10")) + "\n" for at in range(5))
    found = read(text)
    assert (found.format, found.input.at(99), found.output.mean, found.seconds) == ("csv", 20, 10, None)


def test_a_json_list_and_an_object_over_lines():
    assert read('[{"isl": 5, "osl": 2}, {"isl": 7, "osl": 2}]').input.mean == 6
    assert read('{\n "id": "a", "requests": [\n {"in": 8, "out": 2}]\n}').requests == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("a,b\n1,2\n", "no columns of prompt and answer tokens among a, b"),
        ("prompt_tokens,completion_tokens\nx,y\n", "1 rows hold no token counts"),
        ("[1, 2]", "no JSON objects"),
        ("[1, 2", "no whole JSON"),
        ('{"a": 1}\n', "no request"),
        (b"\x1f\x8b\x08broken", "gzip"),
        (b"a\x00b\n", "null bytes"),
        ("ISL,OSL\n" * 2, "no request"),
    ],
)
def test_what_is_no_trace_is_one_line(text: str | bytes, why: str):
    with pytest.raises(UnreadableError, match=why) as refusal:
        read(text)
    assert "\n" not in str(refusal.value)


def test_bounds_hold_and_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measured, "MOST_REQUESTS", 10)
    assert read(azure()).requests == 10
    assert "the first 10 requests were read" in read(azure()).notes
    monkeypatch.setattr(stream, "MOST_BYTES", 1000)
    with pytest.raises(UnreadableError, match="GB of text"):
        read(gzip.compress(azure().encode()))
    monkeypatch.undo()
    monkeypatch.setattr(stream, "LONGEST_LINE", 100)
    with pytest.raises(UnreadableError, match="a line is longer"):
        read("x" * 300_000)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 900)), min_size=1, max_size=40))
def test_quantiles_rise(lengths: list[tuple[int, int]]):
    found = read(azure([(float(at), prompt, answer) for at, (prompt, answer) in enumerate(lengths)]))
    for spread, place in ((found.input, 0), (found.output, 1)):
        values = sorted(length[place] for length in lengths)
        assert list(spread.points) == sorted(spread.points)
        assert (spread.points[0], spread.points[-1]) == (values[0], values[-1])
        asked = [spread.at(percent / 4) for percent in range(401)]
        assert asked == sorted(asked)
        assert [spread.below(value) for value in values] == sorted(spread.below(value) for value in values)
