"""Static, dynamic and continuous batching of the same requests."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.speed.batching import (
    BatchingError,
    BatchingPolicy,
    BatchRequest,
    Phase,
    StepTimes,
    compare_policies,
    percentile,
    seeded_requests,
    simulate,
)


def linear_times(base_step_ms: float, step_ms_per_seq: float, prefill_ms_per_token: float) -> StepTimes:
    """Step times as straight lines: `base + per_seq · batch` for a decode step, `per_token · tokens` for a prefill."""
    return StepTimes(
        step_ms=lambda batch: base_step_ms + step_ms_per_seq * batch,
        prefill_ms=lambda tokens: prefill_ms_per_token * tokens,
    )


TIMES = linear_times(base_step_ms=20, step_ms_per_seq=0.5, prefill_ms_per_token=0.1)
WHOLE = linear_times(base_step_ms=10, step_ms_per_seq=0, prefill_ms_per_token=1)

lengths = st.tuples(st.integers(1, 50), st.integers(1, 50))
backlogs = st.lists(lengths, min_size=1, max_size=20).map(
    lambda pairs: [BatchRequest(number, 0.0, prompt, output) for number, (prompt, output) in enumerate(pairs)]
)
trickles = st.lists(st.tuples(st.floats(0, 500), lengths), min_size=1, max_size=20).map(
    lambda rows: [BatchRequest(number, at, prompt, output) for number, (at, (prompt, output)) in enumerate(rows)]
)
slot_counts = st.integers(1, 8)
linear = st.builds(linear_times, st.floats(1, 50), st.floats(0, 5), st.floats(0.01, 2))


class TestWorkedExample:
    """Two slots, three requests at time 0 with 10 prompt tokens and 2, 4, 2 output tokens; a step takes 10 ms."""

    requests = tuple(BatchRequest(number, 0.0, 10, output) for number, output in enumerate((2, 4, 2)))

    def test_static_pads_until_the_longest_is_done(self) -> None:
        result = simulate("static", self.requests, 2, WHOLE)

        # Prefill of two prompts 20, three steps 30; then prefill 10 and one step 10.
        assert [served.finished_ms for served in result.served] == [30, 50, 70]
        assert [served.ttft_ms for served in result.served] == [20, 20, 60]
        assert result.utilisation == pytest.approx((30 + 50 + 20) / 140)
        assert [(s.phase, s.start_ms, s.end_ms, s.request_id) for s in result.timeline[0]] == [
            (Phase.PREFILL, 0, 20, 0),
            (Phase.DECODE, 20, 30, 0),
            (Phase.IDLE, 30, 50, None),
            (Phase.PREFILL, 50, 60, 2),
            (Phase.DECODE, 60, 70, 2),
        ]

    def test_continuous_refills_the_slot_at_once(self) -> None:
        result = simulate("continuous", self.requests, 2, WHOLE)

        # Request 2 enters at 30; request 1 is held while its prompt is prefilled.
        assert [served.finished_ms for served in result.served] == [30, 60, 50]
        assert result.utilisation == pytest.approx((30 + 60 + 20) / 120)
        assert [(s.phase, s.start_ms, s.end_ms) for s in result.timeline[1]] == [
            (Phase.PREFILL, 0, 20),
            (Phase.DECODE, 20, 30),
            (Phase.HELD, 30, 40),
            (Phase.DECODE, 40, 60),
        ]
        assert result.output_tokens_per_s == pytest.approx(8 / 0.060)
        assert result.requests_per_s == pytest.approx(3 / 0.060)
        assert result.latency_p95_ms == 60

    def test_dynamic_starts_when_the_window_closes_and_static_waits(self) -> None:
        late = (BatchRequest(0, 0.0, 10, 2), BatchRequest(1, 100.0, 10, 2))

        static, dynamic, continuous = compare_policies(late, 2, WHOLE, window_ms=15)

        assert static.served[0].admitted_ms == 100
        assert dynamic.served[0].admitted_ms == 15
        assert dynamic.served[1].admitted_ms == 115
        assert continuous.served[0].admitted_ms == 0

    def test_dynamic_starts_early_when_full(self) -> None:
        requests = (BatchRequest(0, 0.0, 10, 2), BatchRequest(1, 5.0, 10, 2))

        assert simulate("dynamic", requests, 2, WHOLE, window_ms=1000).served[0].admitted_ms == 5


class TestLaws:
    @given(backlogs, slot_counts, linear)
    def test_continuous_uses_the_slots_at_least_as_well_as_static(
        self, requests: list[BatchRequest], slots: int, times: StepTimes
    ) -> None:
        static = simulate("static", requests, slots, times)
        continuous = simulate("continuous", requests, slots, times)

        assert continuous.utilisation >= static.utilisation - 1e-9
        assert continuous.makespan_ms <= static.makespan_ms * (1 + 1e-9)
        assert continuous.decode_steps <= static.decode_steps

    @given(trickles, slot_counts, linear, st.floats(0, 100), st.sampled_from(BatchingPolicy))
    def test_every_request_is_served_once_and_slots_have_no_gaps(
        self, requests: list[BatchRequest], slots: int, times: StepTimes, window_ms: float, policy: BatchingPolicy
    ) -> None:
        result = simulate(policy, requests, slots, times, window_ms=window_ms)

        assert sorted(served.request.id for served in result.served) == [request.id for request in requests]
        assert len(result.timeline) == slots
        for segments in result.timeline:
            assert segments[0].start_ms == result.start_ms
            assert segments[-1].end_ms == pytest.approx(result.end_ms)
            for left, right in pairwise(segments):
                assert left.end_ms == right.start_ms
                assert left.start_ms < left.end_ms
        assert 0 < result.utilisation <= 1 + 1e-9
        for served in result.served:
            assert served.request.arrival_ms <= served.admitted_ms < served.first_token_ms <= served.finished_ms
        busy = math.fsum(s.end_ms - s.start_ms for row in result.timeline for s in row if s.phase is not Phase.IDLE)
        assert busy == pytest.approx(result.utilisation * slots * result.makespan_ms)

    @given(trickles, linear)
    def test_one_slot_leaves_nothing_to_choose(self, requests: list[BatchRequest], times: StepTimes) -> None:
        ends = [result.end_ms for result in compare_policies(requests, 1, times, window_ms=0)]

        assert ends[0] == pytest.approx(ends[1])
        assert ends[0] == pytest.approx(ends[2])

    @pytest.mark.parametrize("seed", range(5))
    def test_a_usual_load_ranks_the_policies(self, seed: int) -> None:
        requests = seeded_requests(seed, 64, requests_per_s=8, prompt_tokens=500, output_tokens=80)

        static, dynamic, continuous = compare_policies(requests, 8, TIMES, window_ms=200)

        assert continuous.utilisation > static.utilisation
        assert continuous.latency_p95_ms < min(static.latency_p95_ms, dynamic.latency_p95_ms)
        assert continuous.ttft_p95_ms < static.ttft_p95_ms
        assert continuous.output_tokens_per_s > static.output_tokens_per_s


class TestRequests:
    def test_equal_seeds_give_equal_requests_and_timelines(self) -> None:
        first, second = (
            seeded_requests(5, 30, requests_per_s=2, prompt_tokens=300, output_tokens=100) for _ in range(2)
        )

        assert first == second
        assert simulate("continuous", first, 4, TIMES) == simulate("continuous", second, 4, TIMES)
        assert first != seeded_requests(6, 30, requests_per_s=2, prompt_tokens=300, output_tokens=100)

    def test_means_are_those_asked_for(self) -> None:
        requests = seeded_requests(1, 5000, requests_per_s=4, prompt_tokens=400, output_tokens=200)

        assert requests[0].arrival_ms == 0
        assert requests[-1].arrival_ms / 1e3 == pytest.approx(5000 / 4, rel=0.05)
        assert sum(r.prompt_tokens for r in requests) / 5000 == pytest.approx(400, rel=0.02)
        # Cutting the exponential at four means costs e⁻⁴, 2 %.
        assert sum(r.output_tokens for r in requests) / 5000 == pytest.approx(200 * (1 - math.exp(-4)), rel=0.05)

    def test_percentile_is_the_nearest_rank(self) -> None:
        assert percentile(range(1, 21), 95) == 19
        assert percentile([7.0], 95) == 7


class TestRefusals:
    one = (BatchRequest(0, 0.0, 1, 1),)

    @pytest.mark.parametrize(
        ("policy", "requests", "slots", "window_ms", "words"),
        [
            ("greedy", one, 1, 0, "policy = 'greedy'"),
            ("static", one, 0, 0, "slots = 0"),
            ("static", (), 1, 0, "requests = 0"),
            ("dynamic", one, 1, math.nan, "window"),
            ("static", (BatchRequest(3, math.inf, 1, 1),), 1, 0, "request 3: arrival"),
            ("static", (BatchRequest(3, 0.0, 0, 1),), 1, 0, "request 3: needs"),
            ("static", (BatchRequest(3, 0.0, 1, 0),), 1, 0, "request 3: needs"),
        ],
    )
    def test_what_cannot_be_simulated(
        self, policy: str, requests: tuple[BatchRequest, ...], slots: int, window_ms: float, words: str
    ) -> None:
        with pytest.raises(BatchingError, match=words):
            simulate(policy, requests, slots, TIMES, window_ms=window_ms)

    def test_step_times_that_are_none(self) -> None:
        with pytest.raises(BatchingError, match="prefill of 1 takes 0"):
            simulate("static", self.one, 1, linear_times(1, 0, 0))
        with pytest.raises(BatchingError, match="decode step of 1 takes nan"):
            simulate("continuous", (BatchRequest(0, 0.0, 1, 2),), 1, linear_times(math.nan, 0, 1))

    def test_requests_that_cannot_be_drawn(self) -> None:
        with pytest.raises(BatchingError, match="requests = 0"):
            seeded_requests(1, 0, requests_per_s=1, prompt_tokens=1, output_tokens=1)
        with pytest.raises(BatchingError, match="arrival rate"):
            seeded_requests(1, 1, requests_per_s=0, prompt_tokens=1, output_tokens=1)
        with pytest.raises(BatchingError, match="0 values"):
            percentile([], 95)
