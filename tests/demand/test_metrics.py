"""Metrics of servers: lengths from one scrape, rates from two, each thing counted once, saturation by the queue."""

from __future__ import annotations

import itertools

import pytest

from infratui.catalog.demand_names import demand_names
from infratui.reality.text import UnreadableError

from .samples import REQUESTS, histogram, read, vllm

HALF = REQUESTS[:30]
PROMPTS = [prompt for _, prompt, _ in REQUESTS]


def test_one_scrape_gives_lengths_and_says_so():
    found = read(vllm())
    assert (found.format, found.requests, found.seconds) == ("prometheus vllm", len(REQUESTS), None)
    assert found.input.mean == pytest.approx(sum(PROMPTS) / len(PROMPTS))
    assert found.prefix_share == pytest.approx(0.25, abs=0.001)
    said = " ".join(found.notes)
    assert "one scrape tells lengths, not rates" in said
    assert "straight lines within the buckets" in said


@pytest.mark.parametrize("share", [10, 50, 90])
def test_quantiles_are_straight_lines_within_a_bucket(share: int):
    """As Prometheus' own histogram_quantile has them."""
    bounds = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
    rank = share / 100 * len(PROMPTS)
    for low, high in itertools.pairwise(bounds):
        below, upto = sum(p <= low for p in PROMPTS), sum(p <= high for p in PROMPTS)
        if upto >= rank:
            assert read(vllm()).input.at(share) == pytest.approx(low + (high - low) * (rank - below) / (upto - below))
            break


def test_two_scrapes_give_the_rate_between_them():
    found = read(vllm(HALF), vllm(), written=(1000.0, 1060.0))
    assert found.requests == 30
    assert found.seconds == 60
    assert found.requests_per_s == 0.5
    assert found.input.mean == pytest.approx(sum(PROMPTS[30:]) / 30)
    assert any("by the files' times" in note for note in found.notes)
    assert found.peak_60s is None


def test_two_scrapes_in_one_file_and_stated_seconds():
    found = read(vllm(HALF) + vllm(), seconds=15)
    assert (found.requests, found.requests_per_s) == (30, 2.0)


def test_timestamps_of_the_scrapes_are_taken_first():
    def stamped(text: str, at: int) -> str:
        return "\n".join(line if line.startswith("#") else f"{line} {at}" for line in text.splitlines())

    found = read(stamped(vllm(HALF), 1_000_000), stamped(vllm(), 1_090_000), written=(0.0, 5.0))
    assert found.seconds == 90


def test_a_restart_leaves_the_later_scrape():
    found = read(vllm(), vllm(HALF), written=(0.0, 60.0))
    assert (found.requests, found.seconds) == (30, None)
    assert any("restarted" in note for note in found.notes)


def test_old_and_new_names_at_once_are_counted_once():
    both = ("kv_cache_usage_perc", "gpu_cache_usage_perc", "prefix_cache", "gpu_prefix_cache")
    one, two = read(vllm()), read(vllm(names=both))
    assert (two.requests, two.prefix_share, two.input) == (one.requests, one.prefix_share, one.input)
    assert any("counted once" in note and "gpu_cache_usage_perc" in note for note in two.notes)


def test_replicas_are_summed():
    text = histogram("vllm:request_prompt_tokens", PROMPTS, 'engine="0"')
    text += histogram("vllm:request_prompt_tokens", PROMPTS, 'engine="1"')
    text += histogram("vllm:request_generation_tokens", [9] * len(PROMPTS), 'engine="0"')
    text += histogram("vllm:request_generation_tokens", [9] * len(PROMPTS), 'engine="1"')
    assert read(text).requests == 2 * len(PROMPTS)


def test_saturation_is_told_by_the_queue_whatever_the_cache():
    full = read(vllm(waiting=37, running=64, use=0.28))
    assert full.saturated is True
    assert any("37 requests wait" in note and "28% of the cache" in note for note in full.notes)
    assert read(vllm(waiting=0, running=64, use=0.99)).saturated is False
    assert read(vllm(waiting=1, running=64, use=0.5)).saturated is False


def test_saturation_by_the_time_in_the_queue():
    queue = "vllm:request_queue_time_seconds_count{} 60\nvllm:request_queue_time_seconds_sum{} 600\n"
    assert read(vllm() + queue).saturated is True


@pytest.mark.parametrize(
    ("engine", "prompts", "answers"),
    [
        ("sglang", "sglang:prompt_tokens_histogram", "sglang:generation_tokens_histogram"),
        ("tgi", "tgi_request_input_length", "tgi_request_generated_tokens"),
        ("dynamo", "dynamo_frontend_input_sequence_tokens", "dynamo_frontend_output_sequence_tokens"),
    ],
)
def test_every_engine(engine: str, prompts: str, answers: str):
    found = read(histogram(prompts, [10, 20, 30]) + histogram(answers, [1, 2, 3]))
    assert (found.format, found.requests, found.input.mean, found.output.mean) == (f"prometheus {engine}", 3, 20, 2)


def test_counters_alone_give_means_and_say_so():
    text = "sglang:prompt_tokens_total{} 300\nsglang:generation_tokens_total{} 60\nsglang:num_requests_total{} 3\n"
    text += "sglang:num_queue_reqs{} 0\n"
    found = read(text)
    assert (found.requests, found.input.mean, found.output.mean, found.by_length) == (3, 100, 20, ())
    assert any("means only" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (vllm(()), "counted no request"),
        ("# HELP go_goroutines x\ngo_goroutines 5\n", "no metric of a serving engine"),
        ("# HELP vllm:num_requests_waiting x\nvllm:num_requests_waiting{} 5\n", "no metrics of prompts and answers"),
    ],
)
def test_what_says_nothing_is_one_line(text: str, why: str):
    with pytest.raises(UnreadableError, match=why):
        read(text)


def test_a_trace_is_not_one_of_two_scrapes():
    with pytest.raises(UnreadableError, match="no Prometheus text"):
        read(vllm(), "prompt_tokens,completion_tokens\n1,1\n")


def test_every_name_is_told_once_with_its_versions():
    names = demand_names()
    assert len(names.known) == len(names.metrics)
    assert set(names.engines) <= set(names.sources)
    for entry in names.metrics:
        if entry.engine in ("vllm", "sglang"):
            assert entry.since, entry.name
