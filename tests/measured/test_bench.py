"""`infratui bench`: measured beside predicted, what the file tells of the plan, and the pace that a host keeps."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infratui.benchmarking import BenchComparison, compare_bench
from infratui.catalog.load import Catalog, default_catalog
from infratui.cli.bench import command as bench
from infratui.engine.cluster.layout import Layout
from infratui.engine.evaluate import evaluate
from infratui.engine.measured.bench import BenchFigure
from infratui.engine.measured.rows import MeasuredRow, predict, prepare
from infratui.hosts import HostPace, HostProfile, Offset, load_profile, profile_path, save_profile, with_pace
from infratui.reality.text import UnreadableError
from infratui.report import bench as report
from infratui.scenario import Scenario, ScenarioError
from tests.measured import samples

GPU = ["accelerator", "gpus"]


@pytest.fixture(scope="module")
def facts() -> Catalog:
    return default_catalog()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def compared(facts: Catalog, content: object, given: list[str] = GPU, **changes: object) -> BenchComparison:
    text = content if isinstance(content, str) else json.dumps(content)
    return compare_bench(text, Scenario(**{"gpus": 1, **changes}), facts, given)


class TestComparison:
    def test_a_figure_is_predicted_as_measured_rows_are(self, facts: Catalog) -> None:
        """By the code that `infratui accuracy` scores with."""
        found = compared(facts, samples.vllm())
        figures = {figure.metric: figure for figure in found.points[0].figures}
        assert set(figures) == {"ttft_ms", "tpot_ms", "output_tokens_per_s_total"}
        for metric, figure in figures.items():
            row = MeasuredRow(
                "", "", "", "", "vllm", "", "llama-3.1-8b", "bf16", "bf16", "h100-sxm", Layout(), 1000.0, 100.0, 16.0,
                False, None, None, None, 0.9, metric, figure.measured,
            )  # fmt: skip
            wanted = predict(prepare(row, facts, facts.speed(), facts.runtime()), facts.speed())
            assert figure.predicted == pytest.approx(wanted)
            band = facts.speed().band(row.quantity, moe=False, arch="Hopper")
            assert band is not None
            assert (figure.low, figure.high) == pytest.approx(band.interval.around(wanted))

    def test_error_pace_and_interval(self) -> None:
        slow = BenchFigure("tpot_ms", 20.0, 10.0, 8.0, 12.0)
        assert (slow.error, slow.pace, slow.inside) == (-0.5, 2.0, False)
        fast = BenchFigure("output_tokens_per_s_total", 200.0, 100.0, None, None)
        assert (fast.error, fast.pace, fast.inside) == (-0.5, 0.5, None)

    def test_what_the_file_states_is_taken(self, facts: Catalog) -> None:
        found = compared(facts, [samples.inferencex()], [])
        assert (found.model, found.precision, found.accelerator) == ("gpt-oss-120b", "mxfp4", "h200-sxm")
        assert found.layout == Layout(8)
        assert set(found.from_file) >= {"model", "precision", "accelerator", "gpus", "tp", "engine"}

    def test_what_the_user_states_stands_and_is_told(self, facts: Catalog) -> None:
        found = compared(facts, [samples.inferencex()], ["accelerator"], accelerator="h100-sxm")
        assert found.accelerator == "h100-sxm"
        assert ("accelerator", "h200-sxm") in found.differs

    def test_a_gguf_on_its_card(self, facts: Catalog) -> None:
        found = compared(facts, samples.llama_bench(), [])
        assert (found.model, found.precision, found.accelerator) == ("llama-3.1-8b", "q4_k_m", "rtx-4090")
        assert [len(point.figures) for point in found.points] == [1, 2, 2]
        # A card and a model that are well known: far off would be a mistake of units.
        assert all(0.5 < figure.pace < 2 for point in found.points for figure in point.figures)

    @pytest.mark.parametrize(
        ("content", "given", "said"),
        [
            (samples.vllm(model_id="my-own-9b"), GPU, "my-own-9b.*give it|my-own-9b.*--model"),
            (samples.records(), GPU, "no model is named"),
            (samples.vllm(), [], "does not say which GPUs"),
            ([samples.inferencex(hw="tpu-v9")], [], "tpu"),
        ],
    )
    def test_what_nobody_says_is_asked_for(self, facts: Catalog, content: object, given: list[str], said: str) -> None:
        with pytest.raises(UnreadableError, match=said):
            compared(facts, content, given)

    def test_a_load_that_nothing_is_predicted_for_says_why(self, facts: Catalog) -> None:
        found = compared(facts, samples.vllm(), [*GPU, "model"], model="llama-3.1-405b", gpus=8)
        assert "hold no sequence" in found.points[0].refusal
        assert found.pace is None
        assert not found.within


class TestPace:
    @pytest.mark.parametrize("pace", [0.6, 1.7])
    def test_all_predicted_times_are_so_much_longer(self, facts: Catalog, home: Path, pace: float) -> None:
        before = compared(facts, samples.vllm())
        slower = [
            BenchFigure(f.metric, f.predicted * (pace if f.metric != "output_tokens_per_s_total" else 1 / pace),
                        f.predicted, f.low, f.high)
            for f in before.points[0].figures
        ]  # fmt: skip
        content = samples.vllm(
            mean_ttft_ms=slower[0].measured, mean_tpot_ms=slower[1].measured, output_throughput=slower[2].measured
        )
        found = compared(facts, content)
        assert found.pace == pytest.approx(pace)
        save_profile(with_pace(found, "lab"))
        after = compared(facts, content, host="lab")
        assert (after.host, after.host_pace) == ("lab", pytest.approx(pace, rel=1e-3))
        for figure in after.points[0].figures:
            assert figure.predicted == pytest.approx(figure.measured, rel=2e-3)

    def test_screens_predict_at_the_pace_of_the_host_on_its_card_alone(self, facts: Catalog, home: Path) -> None:
        own = Scenario(model="llama-3.1-8b", gpus=2, users=8)
        plain = evaluate(own, facts)
        found = compared(facts, samples.vllm())
        profile = with_pace(found, "lab")
        assert profile.speed is not None
        save_profile(profile)
        pace = load_profile("lab").speed.pace
        there = evaluate(own.with_(host="lab"), facts)
        first, second = plain.parallelism.chosen.serving, there.parallelism.chosen.serving
        assert plain.parallelism.chosen.layout == there.parallelism.chosen.layout
        assert second.tpot_s == pytest.approx(first.tpot_s * pace)
        assert second.ttft_s == pytest.approx(first.ttft_s * pace)
        other = own.with_(accelerator="a100-sxm-80gb")
        one, two = (evaluate(s, facts).parallelism.chosen.serving for s in (other, other.with_(host="lab")))
        assert two.tpot_s == one.tpot_s

    @pytest.mark.parametrize("pace", [0.3, 3.0])
    @pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.3-70b", "gpt-oss-120b"])
    def test_the_search_finds_the_same_when_all_of_time_is_stretched(
        self, facts: Catalog, home: Path, model: str, pace: float
    ) -> None:
        """Targets and demand stretched along: what bounds prune must not depend on the pace."""
        save_profile(HostProfile("lab", "h100-sxm", offsets={}, speed=HostPace(pace)))
        own = Scenario(model=model, users=24, requests_per_day=6_000_000, ttft_ms=900.0, tpot_ms=20.0)
        there = own.with_(
            host="lab", requests_per_day=round(6_000_000 / pace), ttft_ms=900.0 * pace, tpot_ms=20.0 * pace
        )
        plain, paced = evaluate(own, facts), evaluate(there, facts)
        assert paced.deployment.choice.best.layout == plain.deployment.choice.best.layout
        one, two = plain.fleet.plan, paced.fleet.plan
        assert one is not None
        assert two is not None
        assert (two.layout, two.replicas) == (one.layout, one.replicas)
        assert two.replica.requests_per_s == pytest.approx(one.replica.requests_per_s / pace)

    def test_what_a_profile_holds_of_memory_stays(self, facts: Catalog, home: Path) -> None:
        save_profile(HostProfile("lab", "h100-sxm", gpus=8, offsets={"graphs": Offset(5, "a line")}))
        save_profile(with_pace(compared(facts, samples.vllm()), "lab"))
        kept = load_profile("lab")
        assert (kept.gpus, kept.offsets) == (8, {"graphs": Offset(5, "a line")})
        assert kept.speed is not None
        assert kept.speed.figures == 3

    def test_figures_that_disagree_make_no_pace(self, facts: Catalog, home: Path) -> None:
        found = compared(facts, samples.vllm(mean_ttft_ms=4000.0, output_throughput=200.0))
        assert found.paces[-1] > 10 * found.paces[0]
        assert not found.paces_agree
        with pytest.raises(ScenarioError, match="the figures disagree"):
            with_pace(found, "lab")
        assert not profile_path("lab").exists()

    def test_another_card_or_an_impossible_pace_is_not_kept(self, facts: Catalog, home: Path) -> None:
        save_profile(HostProfile("lab", "a100-sxm-80gb", offsets={}))
        with pytest.raises(ScenarioError, match="a100-sxm-80gb"):
            with_pace(compared(facts, samples.vllm()), "lab")
        far = compared(
            facts, samples.vllm(mean_ttft_ms=None, median_ttft_ms=None, mean_tpot_ms=9e4, output_throughput=None)
        )
        with pytest.raises(ScenarioError, match="no machine's pace"):
            with_pace(far, "other")

    @pytest.mark.parametrize("text", ["speed: 3", "speed: {pace: fast}", "speed: {pace: 99}", "speed: {pace: true}"])
    def test_a_broken_profile_is_one_line(self, home: Path, text: str) -> None:
        path = profile_path("lab")
        path.parent.mkdir(parents=True)
        path.write_text(f"schema: 1\n{text}\n")
        with pytest.raises(ScenarioError, match="speed"):
            load_profile("lab")


class TestCommand:
    def run(self, tmp_path: Path, text: str, *options: str) -> Result:
        path = tmp_path / "result.json"
        path.write_text(text)
        return CliRunner().invoke(bench, [str(path), *options])

    def test_json(self, tmp_path: Path) -> None:
        found = self.run(tmp_path, json.dumps(samples.vllm()), "--gpu", "h100", "--gpus", "1", "--json")
        content = json.loads(found.stdout)
        assert next(iter(content)) == "schema"
        assert (content["schema"], content["tool"], content["model"]) == (1, "vllm bench serve", "llama-3.1-8b")
        figures = {entry["metric"]: entry for entry in content["points"][0]["figures"]}
        assert figures["tpot_ms"]["measured"] == 12.0
        assert all(
            entry["inside"] is (entry["low"] <= entry["measured"] <= entry["high"]) for entry in figures.values()
        )
        assert found.exit_code == (0 if all(entry["inside"] for entry in figures.values()) else 1)

    def test_text_has_a_word_beside_every_mark(self, tmp_path: Path) -> None:
        found = self.run(tmp_path, json.dumps(samples.vllm(mean_tpot_ms=500.0)), "--gpu", "h100", "--gpus", "1")
        assert found.exit_code == 1
        assert "✗ outside" in found.stdout
        assert "figures inside the published interval" in found.stdout

    def test_saved_and_used(self, tmp_path: Path, home: Path) -> None:
        text = json.dumps(samples.vllm())
        assert "kept" in self.run(tmp_path, text, "--gpu", "h100", "--gpus", "1", "--save", "lab").stderr
        found = self.run(tmp_path, text, "--gpu", "h100", "--gpus", "1", "--host", "lab")
        assert "all predicted times ×" in found.stdout

    @pytest.mark.parametrize("text", ["", "{", "[]", "not json", json.dumps(samples.vllm(model_id="\x1b[31mx"))])
    def test_what_is_unreadable_is_one_line(self, tmp_path: Path, text: str) -> None:
        found = self.run(tmp_path, text, "--gpu", "h100")
        assert found.exit_code == 2
        assert found.stderr.count("\n") == 1
        assert found.stderr.rstrip("\n").isprintable()
        assert found.stdout == ""


@pytest.mark.parametrize("name", sorted(samples.all_texts()))
def test_figures_of_any_size_are_compared_or_refused(facts: Catalog, name: str) -> None:
    whole, rng = samples.all_texts()[name], random.Random(name)
    for _ in range(15):
        text = whole
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(["9", "0", "e9", "-", "1e300", '"x"', "true"]) + text[at + rng.randrange(4) :]
        assert _said(text, facts).isprintable()


def _said(text: str, facts: Catalog) -> str:
    try:
        found = compare_bench(text, Scenario(gpus=1), facts, [*GPU, "model"])
    except ValueError as error:
        return str(error)
    return report.answer(found).text + "".join(row.id for row in report.table(found).rows)
