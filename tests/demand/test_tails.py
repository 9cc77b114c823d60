"""Tails of unequal requests against a simulation of the engine, request by request; memory against drawn moments."""

from __future__ import annotations

import dataclasses
import heapq
import random
from collections import Counter, deque

import pytest

from infratui.catalog.load import Catalog
from infratui.demand.measured import spread_of
from infratui.demand_profile import DemandProfile, InFlight, LengthSpread, profile_from
from infratui.engine.evaluate import evaluate
from infratui.engine.memory.lengths import Lengths
from infratui.engine.sections.load_curve import Queue, queue_of
from infratui.engine.speed.queueing import Service
from infratui.scenario import Scenario

FACTS = Catalog()
TAILED = [10.0, *(60.0 * at for at in range(1, 23)), 2400.0, 6000.0]
MEASURED = {"input": {"mean": 850, "points": TAILED}, "output": {"mean": 150, "points": [at / 6 + 20 for at in TAILED]}}


def drawn(shares: tuple[tuple[object, float], ...], draw: random.Random) -> object:
    return draw.choices([value for value, _ in shares], [share for _, share in shares])[0]


def simulated(service: Service, queue: Queue, rate: float, *, count: int) -> tuple[list[float], list[float]]:
    """TTFT and mean gap of requests that are each of their own class; one replica, prompts in order of arrival."""
    assert queue.unequal is not None
    draw = random.Random(5)
    now, arrival, number, iteration = 0.0, draw.expovariate(rate), 0, 0
    waiting: deque[tuple[float, object]] = deque()
    at_work: deque[list[object]] = deque()
    ends: list[tuple[int, int, float, int]] = []
    ttft, gaps = [], []
    while len(gaps) < count:
        if not ends and not waiting and not at_work:
            now = arrival
        while arrival <= now:
            waiting.append((arrival, drawn(queue.unequal.prompts, draw)))
            arrival += draw.expovariate(rate)
        joined, prefill, alone_s, room = [], 0.0, 0.0, 1.0
        while room > 1e-9 and (at_work or (waiting and len(ends) + len(joined) < service.max_concurrency)):
            if not at_work:
                came, prompt = waiting.popleft()
                at_work.append([came, prompt, max(prompt.chunks, 1e-9)])
            came, prompt, left = at_work[0]
            part = min(room, left)
            whole = part / max(prompt.chunks, 1e-9)
            room -= part
            prefill += whole * max(0.0, service.prefill_s + prompt.longer_s)
            alone_s += whole * prompt.alone_s
            at_work[0][2] = left - part
            if at_work[0][2] <= 1e-12:
                joined.append((came, prompt))
                at_work.popleft()
        alone = not ends
        now += alone_s if alone else service.step_s(len(ends)) + prefill
        iteration += 1
        while ends and ends[0][0] <= iteration:
            _, _, began, answer = heapq.heappop(ends)
            gaps.append((now - began) / answer)
        for came, prompt in joined:
            ttft.append(now - came + prompt.overhead_s + (0.0 if alone else prompt.stages_s))
            number += 1
            answer = max(1, round(drawn(queue.unequal.answers, draw)))
            heapq.heappush(ends, (iteration + answer, number, now, answer))
    return sorted(ttft[count // 10 :]), sorted(gaps[count // 10 :])


@pytest.mark.long
@pytest.mark.parametrize("load", [0.2, 0.4, 0.6])
def test_tails_of_unequal_requests_are_near_those_simulated(load: float) -> None:
    profile = profile_from(MEASURED)
    found = evaluate(Scenario(model="llama-3.1-8b", gpus=1, users=20, demand_profile=profile), FACTS)
    chosen = found.parallelism.chosen
    assert chosen is not None
    assert chosen.plan is not None
    queue = queue_of(chosen.plan, found.case.workload())
    one = dataclasses.replace(queue.chain.service, replicas=1)
    rate = load * queue.chain.capacity_per_s
    point = queue.at(rate)
    assert point is not None
    ttft, gaps = simulated(one, queue, rate, count=8000)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        told, seen = getattr(point.ttft, name), ttft[int(share * len(ttft))]
        assert told == pytest.approx(seen, rel=0.10), ("ttft", name, told, seen)
        told, seen = getattr(point.tpot, name), gaps[int(share * len(gaps))]
        assert told == pytest.approx(seen, rel=0.10), ("tpot", name, told, seen)


@pytest.mark.parametrize("count", [10, 40, 200])
def test_about_one_moment_in_a_hundred_holds_more(count: int) -> None:
    """Requests drawn by how long they stay, from lengths with a long tail."""
    draw = random.Random(count)
    prompts, answers = TAILED, [at / 6 + 20 for at in TAILED]
    pairs = [(prompt, answer) for prompt in prompts for answer in answers]
    weights = [answer for _, answer in pairs]
    totals = [prompt + answer for prompt, answer in pairs]
    mean = sum(w * t for w, t in zip(weights, totals, strict=True)) / sum(weights)
    square = sum(w * t * t for w, t in zip(weights, totals, strict=True)) / sum(weights)
    each = Lengths(mean, (square - mean**2) ** 0.5, max(totals)).each(count)
    beyond = sum(sum(draw.choices(totals, weights, k=count)) > count * each for _ in range(2000)) / 2000
    assert 0.002 < beyond < 0.03


def test_lengths_from_buckets_lead_to_nearly_the_same_room() -> None:
    """Moments of requests in flight from quantiles alone, as metrics give them, beside those of the requests."""
    draw = random.Random(1)
    prompts = sorted(round(draw.lognormvariate(6, 0.8)) + 1 for _ in range(20_000))
    answers = sorted(round(draw.lognormvariate(4, 0.6)) + 1 for _ in range(20_000))

    def counted(values: list[int]) -> LengthSpread:
        return spread_of(Counter(values))

    told = InFlight.independent(counted(prompts), counted(answers))
    weight = sum(answers)
    mean = sum(prompts) / len(prompts) + sum(a * a for a in answers) / weight
    assert told.mean == pytest.approx(mean, rel=0.02)
    assert DemandProfile("x", counted(prompts), counted(answers), told).in_flight.decoding < told.mean
