"""The Parallelism screen, as a person uses it with the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screens.parallelism.cluster_view import ClusterView
from infratui.app.settings import Settings
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.table import TableView
from infratui.catalog.load import Catalog
from infratui.engine.cluster.hardware import Accelerator
from infratui.scenario import Scenario

Make = Callable[..., InfraApp]
Shown = Callable[[InfraApp], str]
SIZES = [(80, 24), (120, 36), (200, 60)]
GUIDE = {"model": "llama-3.1-405b", "precision": "fp16", "users": 10}


async def settle(pilot: Pilot[int]) -> None:
    """Wait for what is computed beside the screen, then for the screen."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def opened(pilot: Pilot[int]) -> None:
    await settle(pilot)
    await press(pilot, "3")


def headline(app: InfraApp) -> str:
    answer = app.screen.query_one(HeadlineView).answer
    return f"{answer.text} | {answer.figure} | {answer.detail} | {answer.offer}"


def layouts(app: InfraApp) -> TableView:
    return app.screen.query_one("#layouts TableView", TableView)


class TestTheGuidesFlow:
    @pytest.mark.long
    @pytest.mark.parametrize(
        ("gpus", "said"),
        [
            (8, "12 GPUs | ! takes 12"),
            (16, "(TP8·PP2) "),
            (32, "no layout is faster, of "),
            (64, "2 copies share the users"),
        ],
    )
    async def test_tensor_then_pipeline_then_replicas(self, make_app: Make, gpus: int, said: str) -> None:
        """405B at FP16 on 8, 16, 32 and 64 GPUs: the guide, section 3."""
        app = make_app(Scenario(**GUIDE, gpus=gpus), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert said in headline(app)

    @pytest.mark.long
    @pytest.mark.parametrize("size", SIZES)
    async def test_64_gpus_are_drawn_at_every_size(self, make_app: Make, shown: Shown, size: tuple[int, int]) -> None:
        app = make_app(Scenario(**GUIDE, gpus=64, tp=8, pp=2, dp=4), motion=False)
        async with app.run_test(size=size) as pilot:
            await opened(pilot)
            text = shown(app)
            assert all(
                f"R{replica}S{stage}T{shard}" in text for replica in range(4) for stage in (0, 1) for shard in (0, 7)
            )
            assert "first token" in text
            # Each figure with the range that its error leaves.
            assert re.search(r"first token \d+ ms \(\d+–\d+\)", text)


class TestLayouts:
    async def test_enter_forces_a_layout_and_enter_again_frees_it(self, make_app: Make) -> None:
        app = make_app(Scenario(**GUIDE, gpus=16), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            layouts(app).focus()
            await press(pilot, "down", "enter")
            taken = layouts(app).current
            assert taken is not None
            assert f"TP{app.scenario.tp}" == taken.id.split("·")[0] != "TP8"
            assert f"({taken.id})" in headline(app)
            assert "set by hand" in headline(app)
            await press(pilot, "enter")
            assert (app.scenario.tp, app.scenario.pp, app.scenario.dp, app.scenario.ep) == (0, 0, 0, 0)
            assert "(TP8·PP2) " in headline(app)

    @pytest.mark.long
    async def test_a_refused_layout_says_why(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(**GUIDE, gpus=16), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            layouts(app).focus()
            await press(pilot, "G")
            assert "short" in shown(app)

    @pytest.mark.long
    async def test_a_forced_layout_that_does_not_fit_names_what_would(self, make_app: Make) -> None:
        app = make_app(Scenario(**GUIDE, gpus=16, tp=8, pp=1, dp=2), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert "short per GPU; TP4·PP3 on 12 would hold it" in headline(app)

    @pytest.mark.long
    async def test_a_forced_layout_beyond_the_gpus_is_refused(self, make_app: Make) -> None:
        app = make_app(Scenario(gpus=4, tp=8), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert "No layout can be built |  | why TP8 takes 8 GPUs; there are 4" in headline(app)

    @pytest.mark.long
    async def test_sorting_by_tpot(self, make_app: Make) -> None:
        app = make_app(Scenario(gpus=8), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            table = layouts(app)
            table.focus()
            await press(pilot, "greater_than_sign", "greater_than_sign", "greater_than_sign")
            assert table.rows[0].id == "TP8"


class TestMotion:
    @pytest.mark.long
    async def test_stepping_walks_the_step_and_explains_it(self, make_app: Make) -> None:
        app = make_app(Scenario(**GUIDE, gpus=16), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            view = app.screen.query_one(ClusterView)
            captions = {view.caption}
            for _ in range(view.FRAMES):
                await press(pilot, "full_stop")
                captions.add(view.caption)
            told = " ".join(captions)
            assert "micro-batches walk 2 stages" in told
            assert "TP8 all-reduce after attention" in told
            assert "hidden states go to the next stage over InfiniBand NDR" in told
            assert "every sequence has its next token" in told

    @pytest.mark.long
    async def test_it_plays_when_a_plan_appears_and_space_pauses(self, make_app: Make) -> None:
        app = make_app(Scenario(gpus=8), motion=True)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            view = app.screen.query_one(ClusterView)
            assert view.playing
            await press(pilot, "space")
            assert not view.playing

    @pytest.mark.long
    async def test_reduced_motion_shows_a_still_picture(self, make_app: Make) -> None:
        app = make_app(Scenario(gpus=8), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            view = app.screen.query_one(ClusterView)
            assert not view.playing
            assert "of each layer" in view.caption

    @pytest.mark.long
    async def test_nothing_plays_where_memory_is_short(self, make_app: Make) -> None:
        app = make_app(Scenario(**GUIDE, gpus=8), motion=True)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            view = app.screen.query_one(ClusterView)
            assert not view.playing
            assert view.caption == "memory is short: nothing runs"


class TestBadInput:
    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"users": 1_000_000}, marks=pytest.mark.long),
            pytest.param({"input_tokens": 0, "output_tokens": 1}, marks=pytest.mark.long),
            {"gpus": 16_384},
            pytest.param({"gpus": 1}, marks=pytest.mark.long),
            pytest.param({"gpus": 3, "tp": 3}, marks=pytest.mark.long),
            {"ep": 7},
            pytest.param({"context": 16_777_216}, marks=pytest.mark.long),
        ],
        ids=str,
    )
    async def test_extremes_get_an_answer_or_a_reason(
        self, make_app: Make, shown: Shown, changes: dict[str, object]
    ) -> None:
        app = make_app(Scenario(**changes), motion=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(pilot)
            text = shown(app).lower()
            assert "nan" not in text
            assert "inf " not in text
            assert len(app.screen.query_one(HeadlineView).answer.text) > 10

    @pytest.mark.long
    async def test_a_gpu_without_published_bandwidth(self, shown: Shown) -> None:
        class Unpublished(Catalog):
            def accelerator(self, name: str) -> Accelerator:
                return replace(super().accelerator(name), bandwidth=None)

        app = InfraApp(Scenario(gpus=8), facts=Unpublished(), settings=Settings(motion=False), start="parallelism")
        async with app.run_test(size=(120, 36)) as pilot:
            await settle(pilot)
            assert "no published memory bandwidth" in headline(app)


@pytest.mark.long
async def test_the_summary_reads_like_the_headline(make_app: Make) -> None:
    app = make_app(Scenario(**GUIDE, gpus=16), motion=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        summary = app.screen.summary()  # type: ignore[attr-defined]
        assert summary.startswith("Llama 3.1 405B on 16 × H100 SXM: TP8·PP2")
        assert "2 micro-batches keep 2 stages busy" in summary


@pytest.mark.long
async def test_gb_or_gib_changes_the_words_and_does_not_start_the_picture_again(make_app: Make) -> None:
    app = make_app(Scenario(**GUIDE, gpus=16), motion=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot)
        view = app.screen.query_one(ClusterView)
        await press(pilot, "full_stop", "full_stop")
        frame = view.frame
        await press(pilot, "B")
        assert view.frame == frame


@pytest.mark.long
async def test_the_title_says_how_fast_it_plays(make_app: Make) -> None:
    async with make_app().run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        panel = pilot.app.screen.query_one("#cluster")
        assert "×1 " in str(panel.border_title)
        await press(pilot, "-")
        assert "×1/2" in str(panel.border_title)
        await press(pilot, "+", "+")
        assert "×1 " in str(panel.border_title)
