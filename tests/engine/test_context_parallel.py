"""Decode context parallelism: where it is legal, what it does to cache, steps and traffic, and how it is pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infratui.app.screens.parallelism.frames import frames, strip
from infratui.app.screens.parallelism.screen import playing
from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.engine.cluster.layout import Layout
from infratui.engine.cluster.legal import Illegal, cache_copies, most_context, refusals
from infratui.engine.deployment.answer import deployed
from infratui.engine.deployment.choose import choose
from infratui.engine.deployment.judge import speed_plan
from infratui.engine.evaluate import evaluate
from infratui.report.reasons import reason_text
from infratui.report.sections import SECTIONS, outcome
from infratui.scenario import Scenario

FACTS = Catalog()


def case(model: str = "deepseek-v3", **changes: object) -> Case:
    values = {"accelerator": "h200", "gpus": 8, "users": 16, "context": 32_768, **changes}
    return Case(Scenario(model=model, **values), FACTS)


@pytest.mark.parametrize(
    ("model", "layout", "refused"),
    [
        ("deepseek-v3", Layout(8, dcp=8), None),
        ("deepseek-v3", Layout(8, dcp=2), None),
        ("deepseek-v3", Layout(8, dcp=3), Illegal.CONTEXT_SHAPE),
        ("qwen3-235b-a22b", Layout(8, dcp=2), None),
        ("qwen3-235b-a22b", Layout(4, dcp=2), Illegal.CONTEXT_COPIES),
        ("llama-3.3-70b", Layout(16, dcp=2), None),
        ("llama-3.3-70b", Layout(8, dcp=2), Illegal.CONTEXT_COPIES),
        ("gpt-oss-120b", Layout(8, dcp=2), Illegal.CONTEXT_CACHE),
        ("glm-5", Layout(8, dcp=8), Illegal.CONTEXT_CACHE),
        ("deepseek-v4-pro", Layout(8, dcp=8), Illegal.CONTEXT_CACHE),
    ],
)
def test_it_divides_tp_and_the_copies_that_tp_makes(model: str, layout: Layout, refused: Illegal | None) -> None:
    asked = case(model)
    found = [
        reason.kind
        for reason in refusals(asked.model, asked.precision, layout, asked.site.fabric)
        if reason.kind.name.startswith("CONTEXT")
    ]
    assert found == ([] if refused is None else [refused])


@pytest.mark.parametrize(
    ("engine", "version", "mla", "gqa"),
    [
        ("vllm", "", 8, 2),
        ("vllm", "0.10.2", 8, 1),
        ("vllm", "0.10.1", 1, 1),
        ("sglang", "", 8, 1),
        ("sglang", "0.5.15", 1, 1),
        ("tensorrt-llm", "", 1, 1),
    ],
)
def test_which_engine_and_version_does_it(engine: str, version: str, mla: int, gqa: int) -> None:
    contexts = FACTS.abilities(engine, version)
    assert most_context(FACTS.model("deepseek-v3"), 8, contexts) == mla
    assert most_context(FACTS.model("qwen3-235b-a22b"), 8, contexts) == gqa


def test_a_pin_that_the_engine_cannot_build_is_refused_in_words() -> None:
    choice = deployed(case(engine="tensorrt-llm", dcp=8)).choice
    assert choice.best is None
    assert reason_text(choice.refused[0]) == "DCP8: this engine and version do not share out this kind of cache"


def test_the_cache_is_held_once_and_the_weights_stay() -> None:
    asked = case()
    whole, shared = (asked.site.plan(asked.deployment, layout, asked.load) for layout in (Layout(8), Layout(8, dcp=8)))
    assert cache_copies(asked.model, 8) == 8
    assert shared.kv_needed == pytest.approx(whole.kv_needed / 8, rel=1e-6)
    assert shared.weights == whole.weights
    assert shared.max_users >= 7 * whole.max_users


def test_a_step_reads_less_and_talks_more() -> None:
    asked = case()
    steps = []
    for dcp in (1, 2, 8):
        layout = Layout(8, dcp=dcp)
        plan = speed_plan(asked, asked.site, layout, asked.site.plan(asked.deployment, layout, asked.load))
        steps.append(plan.decode(16.0, 32_768.0))
    assert steps[0].kv_s > steps[1].kv_s > steps[2].kv_s
    assert steps[0].comm_s < steps[1].comm_s < steps[2].comm_s
    assert steps[0].weights_s == steps[2].weights_s
    # 128 heads of a latent: queries of 576 and outputs of 512 elements and a sum, of all heads in a group, 61 layers.
    assert asked.traffic(Layout(8, dcp=8)).context == round(7 / 8 * 61 * 128 * ((576 + 512) * 2 + 4))
    assert asked.traffic(Layout(8)).context == 0


def test_what_is_pinned_is_what_every_section_names() -> None:
    evaluation = evaluate(Scenario(model="deepseek-v3", accelerator="h200", gpus=8, users=16, tp=8, dcp=8), FACTS)
    for section in SECTIONS:
        told = outcome(evaluation, section).data()
        assert told["deployment"]["layout"].endswith("DCP8"), section.id
    fleet = evaluation.fleet.plan
    assert fleet is not None
    assert fleet.layout.dcp == 8
    assert evaluation.moe.moe.budget.memory is not None
    assert evaluation.moe.moe.budget.memory.layout.dcp == 8


def test_off_is_off_and_automatic_takes_it_only_for_a_gain() -> None:
    off, free = (choose(entry, 8, entry.forced) for entry in (case(dcp=1), case()))
    assert off.best is not None
    assert free.best is not None
    assert off.best.layout.dcp == 1
    assert (free.best.output_per_s or 0) >= (off.best.output_per_s or 0)
    # Without attention of its own per rank, what the copies take decides: the cache of these users fits only once.
    asked = case(users=48, tp=8, ep=8)
    assert deployed(asked).choice.best is not None
    assert deployed(asked).plan is not None
    assert deployed(asked).plan.layout == replace(Layout(8, ep=8), dcp=8)
    assert deployed(asked).holds
    assert not deployed(case(users=48, tp=8, ep=8, dcp=1)).holds


def test_a_steps_causes_add_up_and_the_strip_names_the_exchange() -> None:
    found = evaluate(
        Scenario(model="deepseek-v3", accelerator="h200", gpus=8, users=32, tp=8, dcp=8), FACTS
    ).parallelism
    chosen = found.chosen
    assert chosen is not None
    assert chosen.parts is not None
    assert chosen.serving is not None
    assert chosen.parts.context_s > 0
    assert chosen.parts.total_s == pytest.approx(chosen.serving.step.total_s)
    play = playing(found, chosen)
    assert play is not None
    assert sum(seconds for _, seconds, _ in strip(play)) == pytest.approx(chosen.serving.tpot_s)
    assert "cache exchange" in [label for label, _, _ in strip(play)]
    assert any("DCP8" in frame.caption for frame in frames(play, chosen.places))
