"""Results of load generators: what each shape says, in one unit; what is none of them is refused in a line."""

from __future__ import annotations

import json
import random

import pytest

from infratui.reality.benchmarks import read_benchmark
from infratui.reality.benchmarks.reading import BenchPoint, BenchReading
from infratui.reality.text import UnreadableError
from tests.measured import samples


def read(content: object) -> BenchReading:
    return read_benchmark(content if isinstance(content, str) else json.dumps(content))


def _read(text: str) -> tuple[str, tuple[BenchPoint, ...]]:
    """What is said where it is refused, and the points where it is not."""
    try:
        return "", read_benchmark(text).points
    except UnreadableError as error:
        return str(error), ()


class TestVllm:
    def test_means_in_milliseconds(self) -> None:
        found = read(samples.vllm())
        assert (found.tool, found.plan.model) == ("vllm bench serve", "meta-llama/Llama-3.1-8B-Instruct")
        assert found.points == (BenchPoint("16 at once", 1000.0, 100.0, 16.0, None, 120.0, 12.0, 800.0),)

    def test_the_variant_in_seconds_is_told_by_its_keys(self) -> None:
        (point,) = read(samples.in_seconds()).points
        assert point.ttft_ms == pytest.approx(110.0)
        assert point.tpot_ms == pytest.approx(11.5)
        assert point.medians

    def test_a_pace_that_is_kept_gives_the_requests_in_flight(self) -> None:
        (point,) = read(samples.vllm(max_concurrency=None, request_rate=8.0)).points
        assert point.concurrency == pytest.approx(8.0 * (0.120 + 99 * 0.012))
        assert point.by_little

    def test_a_pace_below_one_in_flight_has_no_throughput(self) -> None:
        (point,) = read(samples.vllm(max_concurrency=None, request_rate=0.1, request_throughput=0.1)).points
        assert (point.concurrency, point.output_per_s) == (1.0, None)

    @pytest.mark.parametrize("rate", ["inf", 1000.0])
    def test_all_at_once_has_no_latency(self, rate: object) -> None:
        (point,) = read(samples.vllm(max_concurrency=None, request_rate=rate)).points
        assert (point.concurrency, point.requests, point.ttft_ms, point.tpot_ms) == (None, 160, None, None)
        assert point.output_per_s == 800.0

    def test_nothing_completed_is_said(self) -> None:
        with pytest.raises(UnreadableError, match="no request was completed"):
            read(samples.vllm(completed=0))


class TestOthers:
    def test_guidellm(self) -> None:
        found = read(samples.guidellm())
        streams, paced, flat = found.points
        assert (streams.concurrency, streams.ttft_ms, streams.output_per_s) == (8.0, 90.0, 512.0)
        # Its own TPOT counts the first token; the gap between tokens is what others call TPOT.
        assert streams.tpot_ms == 11.0
        assert paced.concurrency == pytest.approx(4.0 * 1.5)
        assert paced.by_little
        assert (flat.concurrency, flat.requests, flat.tpot_ms) == (None, 90, None)

    def test_genai_perf_units_are_converted(self) -> None:
        found = read(samples.genai_perf())
        (point,) = found.points
        assert found.tool == "GenAI-Perf"
        assert (point.ttft_ms, point.tpot_ms) == (100.0, 19.0)
        assert point.concurrency == pytest.approx(4.0)

    def test_aiperf_states_its_concurrency(self) -> None:
        found = read(samples.aiperf())
        (point,) = found.points
        assert (found.tool, point.concurrency, point.input_tokens) == ("AIPerf", 100.0, 700.0)
        assert not point.by_little

    def test_a_unit_that_is_not_known_is_refused(self) -> None:
        content = samples.genai_perf()
        content["inter_token_latency"]["unit"] = "fortnights"
        with pytest.raises(UnreadableError, match="fortnights"):
            read(content)

    def test_records_of_failed_requests_do_not_count(self) -> None:
        found = read(samples.records())
        (point,) = found.points
        # Four requests of a second each within 2.5 seconds.
        assert point.concurrency == pytest.approx(4 / 2.5)
        assert point.output_per_s == pytest.approx(4 * 50 / 2.5)
        assert point.ttft_ms == pytest.approx(101.5)
        assert found.left_out == ("2 requests failed or were cancelled",)

    def test_llama_bench(self) -> None:
        found = read(samples.llama_bench())
        prompt, answer, deep = found.points
        assert (found.plan.weights, found.plan.gpu, found.plan.gpus) == ("q4_k_m", "NVIDIA GeForce RTX 4090", 1)
        assert prompt.ttft_ms == pytest.approx(512 / 9000 * 1000)
        assert answer.tpot_ms == pytest.approx(1000 / 140)
        assert (deep.input_tokens, deep.output_tokens) == (4096.0, 128.0)
        assert found.left_out == ("test 4: prompt and answer in one figure",)
        lines = read("\n".join(map(json.dumps, samples.llama_bench())))
        assert lines == found

    def test_inferencex(self) -> None:
        found = read([samples.inferencex(), samples.inferencex(conc=8, spec_decoding="mtp"), samples.inferencex(tp=4)])
        (point,) = found.points
        assert (point.output_per_s, point.ttft_ms, point.tpot_ms) == (2400.0, 200.0, 9.0)
        assert (found.plan.gpu, found.plan.tp, found.plan.engine) == ("h200", 8, "vllm")
        assert "drafts tokens (mtp)" in found.left_out[0]
        assert "another model, GPU or layout" in found.left_out[1]

    def test_older_points_do_not_state_lengths(self) -> None:
        content = samples.inferencex()
        del content["isl"]
        with pytest.raises(UnreadableError, match="lengths are not stated"):
            read(content)


class TestHostile:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "empty"),
            ("[]", "no result of"),
            ("{}", "no result of"),
            ("null", "no result of"),
            ("{", "not well-formed"),
            ("[" * 100_000, "nested"),
            ("9" * 10_000, "a number in it"),
            ("Metric,avg\nInter Token Latency (ms),5\n", "give its profile_export"),
            ("============ Serving Benchmark Result ============", "--save-result"),
            ("| model | size |\n", "-o json"),
            (json.dumps({"benchmarks": [3, None, {"metrics": []}]}), "nothing to compare"),
        ],
    )
    def test_what_is_no_result_is_one_line(self, text: str, said: str) -> None:
        with pytest.raises(UnreadableError, match=said) as error:
            read_benchmark(text)
        assert str(error.value).isprintable()

    @pytest.mark.parametrize("name", sorted(samples.all_texts()))
    def test_truncations_and_mutations_answer_or_refuse(self, name: str) -> None:
        whole = samples.all_texts()[name]
        rng = random.Random(name)
        for trial in range(150):
            text = whole[: rng.randrange(len(whole))] if trial % 3 == 0 else whole
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(text) + 1)
                junk = rng.choice(["\x1b[2J", "\x00", "-", "1e999", "NaN", "null", '"', "[", "9" * 30, "{}", "\u202e"])
                text = text[:at] + junk + text[at + rng.randrange(5) :]
            said, points = _read(text)
            assert said.isprintable()
            for point in points:
                assert point.input_tokens >= 0
                assert point.output_tokens >= 1
                assert point.concurrency is None or point.concurrency >= 1
