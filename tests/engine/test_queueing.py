"""Waiting at an offered load, against queues with known answers."""

import math
import random
import time
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.speed.queueing import QueueingError, QueueLatency, Service, queue_at_load


def constant(seconds: float, slots: int = 1, **fields: float) -> Service:
    """A service whose step does not depend on the batch: c independent servers."""
    return Service(0.0, lambda batch: seconds, 1, slots, **fields)  # type: ignore[arg-type]


def latency(service: Service, requests_per_s: float) -> QueueLatency:
    settled = queue_at_load(service, requests_per_s).latency
    assert settled is not None
    return settled


services = st.builds(
    lambda prefill, base, per_seq, output, slots, replicas, cv: Service(
        prefill, lambda batch: base + per_seq * batch, output, slots, replicas, cv
    ),
    prefill=st.floats(0, 2),
    base=st.floats(0.001, 0.1),
    per_seq=st.floats(0, 0.01),
    output=st.integers(1, 1000),
    slots=st.integers(1, 200),
    replicas=st.integers(1, 8),
    cv=st.floats(0, 2),
)
shares = st.floats(0, 0.99)


class TestKnownQueues:
    @pytest.mark.parametrize("load", [0.1, 0.5, 0.9, 0.99])
    def test_one_slot_is_mm1(self, load: float) -> None:
        """M/M/1: W = ρ/(μ−λ), share that waits ρ, 95th percentile ln(20ρ)/(μ−λ)."""
        result = latency(constant(2.0), load / 2)

        assert result.wait_mean_s == pytest.approx(load / (0.5 - load / 2))
        assert result.wait_share == pytest.approx(load)
        assert result.wait_p95_s == pytest.approx(max(0, math.log(20 * load)) / (0.5 - load / 2))
        assert result.latency_mean_s == pytest.approx(result.wait_mean_s + 2)
        assert result.concurrency_mean == pytest.approx(load)

    def test_equal_requests_wait_half_as_long(self) -> None:
        """M/D/1 (Pollaczek–Khinchine): ρ/(2(μ−λ))."""
        assert latency(constant(1.0, service_cv=0), 0.5).wait_mean_s == pytest.approx(0.5)

    def test_independent_slots_are_mmc(self) -> None:
        """Erlang C with 2 servers at ρ = 0.75 (offered 1.5): 9/14 wait, W = (9/14)/(2−1.5) seconds."""
        result = latency(constant(1.0, slots=2), 1.5)

        assert result.wait_share == pytest.approx(9 / 14)
        assert result.wait_mean_s == pytest.approx(9 / 14 / 0.5)
        assert result.concurrency_mean == pytest.approx(1.5)

    def test_replicas_are_queues_of_their_own(self) -> None:
        assert latency(constant(1.0, replicas=4), 2.0) == latency(constant(1.0), 0.5)

    def test_a_simulation_of_the_engine_agrees(self) -> None:
        """Exponential answers on 8 slots whose step grows with the batch, simulated event by event."""
        service = Service(0.0, lambda batch: 0.02 + 0.002 * batch, 50, 8)
        rate = 0.85 * queue_at_load(service, 0).capacity_per_s

        wait_s, concurrency = simulated(service, rate, seed=4, count=60_000)

        predicted = latency(service, rate)
        assert predicted.wait_mean_s == pytest.approx(wait_s, rel=0.15)
        assert predicted.concurrency_mean == pytest.approx(concurrency, rel=0.03)


def simulated(service: Service, rate: float, *, seed: int, count: int) -> tuple[float, float]:
    """Mean wait and concurrency when running requests share the engine and need exponential amounts of steps."""
    draw = random.Random(seed).expovariate
    now, area, waited, started = 0.0, 0.0, 0.0, 0
    next_arrival = draw(rate)
    waiting: deque[float] = deque()
    running = 0
    while started < count:
        completions = running / (service.output_tokens * service.step_s(running)) if running else 0.0
        # Exponential work has no memory: the next completion is drawn anew after every event.
        next_end = now + draw(completions) if running else math.inf
        event = min(next_arrival, next_end)
        area += running * (event - now)
        now = event
        if now == next_end:
            running -= 1
        else:
            waiting.append(now)
            next_arrival = now + draw(rate)
        while waiting and running < service.max_concurrency:
            waited += now - waiting.popleft()
            started += 1
            running += 1
    return waited / started, area / now


class TestLaws:
    @given(services, shares, shares)
    def test_waiting_rises_with_load(self, service: Service, one: float, other: float) -> None:
        capacity = queue_at_load(service, 0).capacity_per_s
        low, high = sorted((one, other))

        light, heavy = latency(service, low * capacity), latency(service, high * capacity)

        for name in ("wait_mean_s", "wait_p95_s", "ttft_mean_s", "tpot_mean_s", "latency_mean_s", "concurrency_mean"):
            assert getattr(light, name) <= getattr(heavy, name) * (1 + 1e-6) + 1e-12

    @given(services, shares)
    def test_figures_are_finite_and_consistent(self, service: Service, share: float) -> None:
        capacity = queue_at_load(service, 0).capacity_per_s

        result = latency(service, share * capacity)

        assert all(math.isfinite(getattr(result, name)) for name in QueueLatency.__slots__)
        assert 0 <= result.wait_share <= 1
        assert result.wait_mean_s >= 0
        assert result.concurrency_mean <= service.max_concurrency * (1 + 1e-9)
        assert result.ttft_mean_s <= result.latency_mean_s * (1 + 1e-9)

    @given(services, st.floats(1, 100))
    def test_at_or_past_capacity_there_is_no_latency(self, service: Service, factor: float) -> None:
        capacity = queue_at_load(service, 0).capacity_per_s

        result = queue_at_load(service, capacity * factor * (1 + 1e-12))

        assert not result.stable
        assert result.latency is None
        assert result.verdict.startswith("saturated")

    @given(services)
    def test_an_idle_system_serves_at_once(self, service: Service) -> None:
        result = latency(service, 0.0)

        assert result.wait_mean_s == result.wait_p95_s == result.concurrency_mean == 0
        assert result.ttft_mean_s == pytest.approx(service.prefill_s + service.step_s(1))
        assert result.tpot_mean_s == pytest.approx(service.step_s(1))

    def test_capacity_counts_the_prefills_between_decode_steps(self) -> None:
        """32 running, 100 tokens of 20 ms and a 50 ms prefill each: 32 / (2 s + 1.6 s)."""
        service = Service(0.05, lambda batch: 0.02, 100, 32, replicas=2)

        assert queue_at_load(service, 1).capacity_per_s == pytest.approx(2 * 32 / 3.6)

    def test_many_slots_ask_for_few_steps_and_take_little_time(self) -> None:
        asked = []

        def step_s(batch: int) -> float:
            asked.append(batch)
            return 0.02 + 1e-5 * batch

        started = time.process_time()
        result = queue_at_load(Service(0.05, step_s, 200, 4096), 5)

        assert result.stable
        assert len(asked) < 80
        assert time.process_time() - started < 0.2


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"prefill_s": -1.0}, "prefill"),
            ({"prefill_s": math.nan}, "prefill"),
            ({"output_tokens": 0}, "output"),
            ({"max_concurrency": 0}, "max concurrency"),
            ({"max_concurrency": 10**6}, "max concurrency = 1000000: choose"),
            ({"replicas": 0}, "replicas"),
            ({"service_cv": -1.0}, "service variation"),
        ],
    )
    def test_a_service_that_cannot_be(self, fields: dict[str, float], words: str) -> None:
        usual = {"prefill_s": 0.1, "step_s": lambda batch: 0.02, "output_tokens": 10, "max_concurrency": 4}

        with pytest.raises(QueueingError, match=words):
            Service(**(usual | fields))  # type: ignore[arg-type]

    def test_loads_and_steps_that_cannot_be(self) -> None:
        with pytest.raises(QueueingError, match="arrival rate"):
            queue_at_load(constant(1.0), -1)
        with pytest.raises(QueueingError, match="arrival rate"):
            queue_at_load(constant(1.0), math.nan)
        with pytest.raises(QueueingError, match="decode step of 1"):
            queue_at_load(constant(0.0), 1)
