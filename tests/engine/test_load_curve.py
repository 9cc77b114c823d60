"""The load curve against a simulation of the engine, step by step, and against what must hold of any curve."""

from __future__ import annotations

import dataclasses
import heapq
import random
from collections import deque
from itertools import pairwise

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import evaluate
from infratui.engine.sections.load_curve import queue_of
from infratui.engine.speed.queueing import Service
from infratui.engine.speed.tails import FirstToken, QueueChain, load_point
from infratui.report import load_curve as words
from infratui.store import load_preset

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def simulated(
    service: Service, first: FirstToken, rate: float, *, seed: int, count: int
) -> tuple[list[float], list[float], float]:
    """TTFT and TPOT of requests with random arrivals, sorted, and tokens/s; one replica, prompts in order of arrival.

    An iteration gives every running request a token and computes prompts up to the engine's budget of tokens.
    """
    draw = random.Random(seed)
    now, arrival = 0.0, draw.expovariate(rate)
    waiting: deque[float] = deque()
    at_work: deque[list[float]] = deque()
    ends: list[tuple[int, int, float]] = []
    ttft, tpot = [], []
    iteration = tokens = number = 0
    answer = int(service.output_tokens)
    size = max(first.chunks, 1e-9)
    while len(tpot) < count:
        if not ends and not waiting and not at_work:
            now = arrival
        while arrival <= now:
            waiting.append(arrival)
            arrival += draw.expovariate(rate)
        if ends and not waiting and not at_work:
            # Nothing changes until an answer ends or a request arrives: those iterations at once.
            step = service.step_s(len(ends))
            skipped = min(ends[0][0] - iteration - 1, int((arrival - now) / step))
            if skipped > 0:
                iteration += skipped
                now += skipped * step
                tokens += skipped * len(ends)
                continue
        joined, prompts, room = [], 0.0, 1.0
        while room > 1e-9 and (at_work or (waiting and len(ends) + len(joined) < service.max_concurrency)):
            if not at_work:
                at_work.append([waiting.popleft(), size])
            part = min(room, at_work[0][1])
            room -= part
            prompts += part / size
            at_work[0][1] -= part
            if at_work[0][1] <= 1e-12:
                joined.append(at_work.popleft()[0])
        alone = not ends
        if alone:
            now += first.alone_s * min(1.0, prompts) + max(0.0, prompts - 1) * service.prefill_s
        else:
            now += service.step_s(len(ends)) + prompts * service.prefill_s
        iteration += 1
        tokens += len(ends)
        while ends and ends[0][0] <= iteration:
            _, _, began = heapq.heappop(ends)
            tpot.append((now - began) / answer)
        for came in joined:
            ttft.append(now - came + first.overhead_s + (0.0 if alone else first.stages_s))
            number += 1
            heapq.heappush(ends, (iteration + answer, number, now))
    warm = count // 10
    return sorted(ttft[warm:]), sorted(tpot[warm:]), tokens / now


def agrees(
    service: Service, first: FirstToken, rate: float, *, count: int, within: float = 0.10, rare: float = 0.10
) -> None:
    point = load_point(QueueChain(service), first, rate)
    assert point is not None
    ttft, tpot, tokens = simulated(service, first, rate, seed=3, count=count)
    for name, share in SHARES.items():
        for told, seen in ((point.ttft, ttft), (point.tpot, tpot)):
            found = seen[int(share * len(seen))]
            near = rare if name == "p99" else within
            assert getattr(told, name) == pytest.approx(found, rel=near), (name, getattr(told, name), found)
    assert point.output_per_s == pytest.approx(tokens, rel=within)


FEW_SLOTS = 16
PRESETS = ["starter", "team", "production", "enterprise", "single-gpu-moe", "frontier-moe", "coding-agents"]
SHORT_PROMPTS = Service(0.012, lambda batch: 0.011 + 0.00006 * batch, 200, 256, 1, 0.0)


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_a_load_below_the_knee_is_as_simulated(load) -> None:
    capacity = QueueChain(SHORT_PROMPTS).capacity_per_s
    agrees(SHORT_PROMPTS, FirstToken(0.02, 0.03), load * capacity, count=6000)


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
def test_the_presets_are_as_simulated_up_to_the_knee(catalog, preset, share) -> None:
    evaluation = evaluate(load_preset(preset), catalog)
    chosen = evaluation.parallelism.chosen
    assert chosen is not None
    assert chosen.plan is not None
    queue = queue_of(chosen.plan, evaluation.case.workload())
    chain, first = queue.chain, queue.first
    one = dataclasses.replace(chain.service, replicas=1)
    rate = share * evaluation.load_curve.knee.requests_per_s / chain.service.replicas
    # Prompts of several iterations come in clumps: a hundredth of the requests needs more of them to settle.
    # With few slots the simulated p99 itself moves by a tenth from seed to seed at the knee.
    few = one.max_concurrency <= FEW_SLOTS and share == 1.0
    agrees(one, first, rate, count=20_000 if first.chunks > 1 else 12_000, rare=0.15 if few else 0.10)


def test_more_load_is_never_faster_and_nothing_is_told_beyond_what_can_be_held(catalog) -> None:
    curve = evaluate(load_preset("team"), catalog).load_curve
    for before, now in pairwise(curve.points):
        assert before.requests_per_s < now.requests_per_s < curve.most_per_s
        for quantity in ("ttft", "tpot"):
            assert getattr(before, quantity).p50 <= getattr(now, quantity).p50 * 1.03
            tails = getattr(now, quantity)
            assert tails.p50 <= tails.p90 <= tails.p95 <= tails.p99
    assert 0 < curve.knee.requests_per_s < curve.most_per_s
    assert curve.within[99] <= curve.within[90] <= curve.within[50] <= curve.most_per_s


def test_twice_the_replicas_hold_twice_the_load_at_the_same_latency(catalog) -> None:
    base = load_preset("team").with_(tp=1, pp=1, ep=1)
    one, two = (evaluate(base.with_(gpus=n, dp=n, users=8 * n), catalog).load_curve for n in (2, 4))
    assert two.most_per_s == pytest.approx(2 * one.most_per_s)
    for share, rate in one.within.items():
        assert two.within[share] == pytest.approx(2 * rate, rel=1e-6)
    assert two.knee.ttft == one.knee.ttft


def test_an_idle_layout_is_as_fast_as_one_request_alone(catalog) -> None:
    evaluation = evaluate(load_preset("production").with_(users=1), catalog)
    serving = evaluation.parallelism.serving
    assert serving is not None
    lowest = evaluation.load_curve.points[0]
    assert lowest.ttft.p50 == pytest.approx(serving.ttft_s, rel=0.02)
    assert lowest.tpot.p50 == pytest.approx(serving.tpot_s, rel=0.02)


def test_a_demand_beyond_what_can_be_held_has_no_latency(catalog) -> None:
    curve = evaluate(load_preset("team").with_(requests_per_day=10**9), catalog).load_curve
    assert curve.peak is None
    assert curve.peak_per_s > curve.most_per_s


def test_what_holds_nothing_has_no_curve(catalog) -> None:
    with pytest.raises(ValueError, match="nothing holds the load"):
        _ = evaluate(load_preset("team").with_(users=5000, context=131072), catalog).load_curve


def test_the_fleet_that_is_paid_for_has_tails_of_its_own(catalog) -> None:
    evaluation = evaluate(load_preset("frontier-moe"), catalog)
    found = evaluation.fleet_load
    assert found.replicas == evaluation.cost.fleet.replicas
    assert found.mean is not None
    assert found.peak is not None
    assert found.peak.requests_per_s * found.replicas == pytest.approx(evaluation.cost.offered.peak_rate)
    assert found.mean.tpot_mean_s < found.peak.tpot_mean_s < evaluation.cost.replica.tpot_s * 1.05
    told = words.fleet_data(evaluation)["latency_of_fleet"]
    assert told["peak"]["ttft_s"]["p99"] == found.peak.ttft.p99
    assert "p99" in words.fleet(evaluation)[0].sentences[1].text
    assert words.fleet(evaluate(load_preset("team").with_(ttft_ms=1.0), catalog)) == ()


@pytest.mark.parametrize(("preset", "output"), [("starter", 4), ("production", 4), ("production", 20), ("team", 8)])
def test_gaps_of_short_answers_near_saturation_stay_around_their_mean(
    preset: str, output: int, catalog: Catalog
) -> None:
    """Prompts of others that an answer sits through are no more than what the chain's own mean leaves room for."""
    found = evaluate(load_preset(preset).with_(output_tokens=output), catalog).load_curve
    for point in found.points:
        assert point.tpot.p50 <= 2 * point.tpot_mean_s
        assert point.tpot.p50 <= point.tpot.p90 <= point.tpot.p99
        assert point.tpot.p99 <= 30 * point.tpot_mean_s
