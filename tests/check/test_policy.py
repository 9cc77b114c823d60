"""A policy in a scenario file: read, refused, kept; each limit against the figures of the sections."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from infratui.catalog.load import Catalog, default_catalog
from infratui.checking import checked_policy
from infratui.engine.evaluate import Evaluation, Evaluator
from infratui.engine.policy import FigureOf, JudgedLimit, LimitVerdict
from infratui.policy import NO_POLICY, Policy
from infratui.scenario import Scenario, ScenarioError, parse
from infratui.settings_text import assign
from infratui.store import dump, load_scenario, save_scenario
from tests.check.drawn import random_policy

ON = dt.date(2026, 11, 28)


@pytest.fixture(scope="module")
def facts() -> Catalog:
    return default_catalog(ON)


@pytest.fixture(scope="module")
def evaluator(facts: Catalog) -> Evaluator:
    return Evaluator(facts)


def judged(evaluation: Evaluation, limit_id: str) -> JudgedLimit:
    return next(entry for entry in checked_policy(evaluation, ON).limits if entry.limit_id == limit_id)


def one(evaluator: Evaluator, limit_id: str, limit: object, **changes: object) -> JudgedLimit:
    return judged(evaluator(Scenario(**changes).with_(**{f"policy.{limit_id}": limit})), limit_id)


class TestFile:
    def test_a_policy_is_read_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.yaml"
        path.write_text("users: 9\npolicy:\n  fits: true\n  ttft_ms_p95: 800\n  engine_flags: vllm 0.25.1\n")
        found = load_scenario(path)
        assert found.policy == Policy(fits=True, ttft_ms_p95=800.0, engine_flags="vllm 0.25.1")
        save_scenario(found.with_(users=10), path)
        assert load_scenario(path) == found.with_(users=10)

    @pytest.mark.parametrize("seed", range(5))
    def test_any_policy_reads_back(self, seed: int, tmp_path: Path) -> None:
        scenario = Scenario(policy=random_policy(random.Random(seed)))
        path = tmp_path / "plan.yaml"
        path.write_text(dump(scenario))
        assert load_scenario(path) == scenario

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "users: 1\npolicy:\n  fits: true\n  headrom_pct: 3\n",
                ":4: unknown key 'policy.headrom_pct'; did you mean",
            ),
            ("policy:\n  ttft_ms_p95: soon\n", ":2: policy.ttft_ms_p95: 'soon' is not allowed; write a number"),
            ("policy: 3\n", ":1: policy: write limits below it"),
            ("policy:\n", ":1: policy: write limits below it"),
            ("policy: [fits]\n", ":1: policy: write limits below it"),
            ("policy:\n  survive_gpus: -1\n", ":2: policy.survive_gpus: -1 is not allowed; at least 0"),
            ("policy:\n  fits: {a: 1}\n", ":2: policy.fits: {'a': 1} is not allowed; yes or no"),
            ("policy:\n  engine_flags: rm -rf\n", ":2: policy.engine_flags: 'rm -rf' is not allowed; write an engine"),
        ],
    )
    def test_what_is_wrong_is_one_line_with_its_place(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "plan.yaml"
        path.write_text(text)
        with pytest.raises(ScenarioError) as error:
            load_scenario(path)
        assert str(error.value).startswith(f"{path}{said}")
        assert "\n" not in str(error.value)

    def test_a_limit_is_set_like_an_input(self) -> None:
        scenario = assign(Scenario(), ["policy.fits=yes", "policy.usd_per_month=12K"])
        assert scenario.policy == Policy(fits=True, usd_per_month=12_000.0)
        assert assign(scenario, ["policy.usd_per_month=none"]).policy == Policy(fits=True)
        with pytest.raises(ScenarioError, match=r"policy.usd_per_mont.*did you mean"):
            assign(scenario, ["policy.usd_per_mont=1"])

    def test_a_limit_of_nothing_asks_nothing(self) -> None:
        assert not parse({"policy": {"fits": False, "ttft_ms_p95": 0}}).policy
        assert parse({}).policy is NO_POLICY


class TestLimits:
    def test_no_policy_no_verdict(self, evaluator: Evaluator) -> None:
        found = checked_policy(evaluator(Scenario()), ON)
        assert found.limits == ()
        assert found.verdict is LimitVerdict.HOLDS

    def test_fits_is_the_section_s_answer(self, evaluator: Evaluator) -> None:
        for gpus, wanted in ((8, LimitVerdict.HOLDS), (2, LimitVerdict.BROKEN)):
            found = one(evaluator, "fits", True, gpus=gpus)
            assert found.verdict is wanted
            assert evaluator(Scenario(gpus=gpus)).deployment.holds is (wanted is LimitVerdict.HOLDS)

    def test_room_of_a_published_band_straddles(self, evaluator: Evaluator) -> None:
        # vLLM 0.10 has a band of its cache's room; later versions have none.
        exact = one(evaluator, "headroom_pct", 1, engine_version="0.10.2")
        plan = evaluator(Scenario(engine_version="0.10.2")).deployment.plan
        assert plan is not None
        assert exact.value == pytest.approx(100 * plan.free / plan.requested)
        assert exact.low is not None
        assert exact.high is not None
        assert exact.high - exact.low == pytest.approx(2 * 8 * plan.kv_space / plan.requested)
        close = one(evaluator, "headroom_pct", round(exact.value, 1), engine_version="0.10.2")
        assert close.verdict is LimitVerdict.CANNOT_TELL
        assert one(evaluator, "headroom_pct", exact.high + 1, engine_version="0.10.2").verdict is LimitVerdict.BROKEN
        assert one(evaluator, "headroom_pct", exact.low - 1, engine_version="0.10.2").verdict is LimitVerdict.HOLDS

    def test_latency_is_that_of_the_load_curve_at_the_peak(self, evaluator: Evaluator) -> None:
        peak = evaluator(Scenario()).load_curve.peak
        assert peak is not None
        first, each = one(evaluator, "ttft_ms_p95", 1), one(evaluator, "tpot_ms", 1)
        assert first.value == pytest.approx(1000 * peak.ttft.p95)
        assert each.value == pytest.approx(1000 * peak.tpot_mean_s)
        assert first.low is not None
        assert first.value is not None
        assert first.high is not None
        assert first.low < first.value < first.high
        for limit, verdict in (
            (first.low * 0.99, LimitVerdict.BROKEN),
            (first.value, LimitVerdict.CANNOT_TELL),
            (first.high, LimitVerdict.HOLDS),
        ):
            assert one(evaluator, "ttft_ms_p95", limit).verdict is verdict

    def test_more_than_is_completed_is_broken(self, evaluator: Evaluator) -> None:
        found = one(evaluator, "tpot_ms", 10_000, requests_per_day=10**9)
        assert (found.verdict, found.basis, found.value) == (LimitVerdict.BROKEN, FigureOf.OVERLOADED, None)

    def test_what_does_not_run_has_no_latency(self, evaluator: Evaluator) -> None:
        assert one(evaluator, "ttft_ms_p95", 10_000, gpus=2).verdict is LimitVerdict.BROKEN

    def test_lost_gpus_stop_a_copy_each(self, evaluator: Evaluator) -> None:
        asked = {"model": "llama-3.1-8b", "gpus": 8, "tp": 1, "pp": 1, "dp": 8, "requests_per_day": 1000}
        found = one(evaluator, "survive_gpus", 2, **asked)
        plan = evaluator(Scenario(**asked)).deployment.plan
        assert plan is not None
        assert found.value is not None
        # As counted by hand: copies less those that the users need; the peak needs one.
        needed = -(-50 // (plan.max_users // 8))
        assert found.value == 8 - needed
        assert found.verdict is (LimitVerdict.HOLDS if 8 - needed >= 2 else LimitVerdict.BROKEN)
        alone = one(evaluator, "survive_gpus", 1, **{**asked, "tp": 8, "dp": 1})
        assert (alone.value, alone.verdict) == (0.0, LimitVerdict.BROKEN)

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"fleet_basis": "mine"},
            {"requests_per_day": 5_000_000, "model": "llama-3.1-8b"},
            {"estimator": "rule-of-thumb"},
            {"compliance": True, "term_years": 1},
            {"api": False, "requests_per_day": 1_000_000},
        ],
        ids=str,
    )
    def test_money_is_that_of_the_section(self, evaluator: Evaluator, changes: dict[str, object]) -> None:
        cost = evaluator(Scenario(**changes)).cost
        assert cost.best is not None
        month, tokens = one(evaluator, "usd_per_month", 1, **changes), one(evaluator, "usd_per_mtok", 1, **changes)
        assert month.value == pytest.approx(cost.best.monthly)
        assert tokens.value == pytest.approx(cost.best.per_mtok)
        band = None if month.low is None else (month.low, month.high)
        assert band == (None if cost.monthly_band is None else pytest.approx(cost.monthly_band))
        assert f"{cost.fleet.gpus:,} GPUs, {cost.best.option}" == month.subject

    def test_prices_age_to_the_day_that_is_handed_in(self) -> None:
        scenario = Scenario().with_(**{"policy.prices_max_age_days": 400})
        evaluation = Evaluator(default_catalog(ON))(scenario)
        first = checked_policy(evaluation, ON).limits[0]
        later = checked_policy(evaluation, ON + dt.timedelta(days=365)).limits[0]
        assert first.value is not None
        assert later.value == first.value + 365
        assert (first.verdict, later.verdict) == (LimitVerdict.HOLDS, LimitVerdict.BROKEN)

    def test_a_price_of_one_s_own_has_no_age(self, evaluator: Evaluator) -> None:
        own = dict.fromkeys(("on_demand_usd", "spot_usd", "reserved_1y_usd", "reserved_3y_usd"), 2.0)
        found = one(evaluator, "prices_max_age_days", 1, **own, purchase_usd=90_000.0)
        assert (found.verdict, found.basis) == (LimitVerdict.HOLDS, FigureOf.OWN_PRICE)

    @pytest.mark.parametrize(
        ("flags", "verdict"),
        [
            ("vllm", LimitVerdict.HOLDS),
            ("vllm 0.25.1 --enable-lora", LimitVerdict.HOLDS),
            ("vllm 0.17.0 --swap-space", LimitVerdict.HOLDS),
            ("vllm 0.18.0 --swap-space", LimitVerdict.BROKEN),
            ("vllm 0.5.4 --data-parallel-size", LimitVerdict.BROKEN),
            ("vllm 0.5.3", LimitVerdict.BROKEN),
            ("vllm 0.25.1 --made-up", LimitVerdict.CANNOT_TELL),
            ("sglang 0.5.23", LimitVerdict.HOLDS),
            ("llama.cpp", LimitVerdict.BROKEN),
        ],
    )
    def test_flags_are_looked_up_in_the_version(self, evaluator: Evaluator, flags: str, verdict: LimitVerdict) -> None:
        assert one(evaluator, "engine_flags", flags, tp=8).verdict is verdict
