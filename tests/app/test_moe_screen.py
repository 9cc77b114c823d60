"""The MoE vs Dense screen, as a person uses it with the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from infratui.app.app import InfraApp
from infratui.app.screen.overlays import Reading
from infratui.app.screens.moe.router_panel import RouterPanel
from infratui.app.widgets.headline import HeadlineView
from infratui.app.widgets.table import TableView
from infratui.app.widgets.term import Terms
from infratui.scenario import Scenario

Make = Callable[..., InfraApp]
Shown = Callable[[InfraApp], str]
SIZES = [(80, 24), (120, 36), (200, 60)]


async def settle(pilot: Pilot[int]) -> None:
    """Wait for what is computed beside the screen, then for the screen."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def opened(pilot: Pilot[int]) -> RouterPanel:
    await settle(pilot)
    await press(pilot, "5")
    return pilot.app.screen.query_one(RouterPanel)


async def focus(pilot: Pilot[int], field: str) -> None:
    pilot.app.screen.go_to(field)
    await pilot.pause()
    await settle(pilot)


def headline(app: InfraApp) -> str:
    answer = app.screen.query_one(HeadlineView).answer
    return f"{answer.text} | {answer.figure} | {answer.detail}"


class TestComparison:
    @pytest.mark.long
    @pytest.mark.parametrize("size", SIZES)
    async def test_the_answer_and_both_weights_are_in_view_at_once(self, make_app: Make, shown: Shown, size) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=size) as pilot:
            await opened(pilot)
            assert "MoE: 0.59× the arithmetic and 10× the memory of the dense" in headline(app)
            assert "on 12 GPUs each the dense one is 3.7× faster" in headline(app)
            for words in ("0.59× the arithmetic", "all 256 experts must be in memory (747 GB)", "72.7 GB", "747 GB"):
                assert words in shown(app)

    @pytest.mark.long
    async def test_the_guides_flow_from_fp16_to_int4(self, make_app: Make, shown: Shown) -> None:
        """745B: 1,490 GB at FP16, about 372 GB at INT4 (the guide, section 5)."""
        app = make_app(Scenario(moe_model="generic-745b-moe", precision="fp16", gpus=64), motion=False)
        async with app.run_test(size=(200, 60)) as pilot:
            await opened(pilot)
            assert "745B, 919M embedded" in shown(app)
            assert "1.49 TB in FP16" in shown(app)
            await focus(pilot, "precision")
            while app.scenario.precision != "int4":
                await press(pilot, "right")
            line = next(line for line in shown(app).splitlines() if "rule of thumb" in line)
            assert "373 GB" in line

    @pytest.mark.parametrize(
        ("model", "experts", "layers"),
        [
            ("mixtral-8x7b", "8, top-2", "32 with experts"),
            pytest.param("deepseek-v3", "256, top-8 + 1 shared", "3 dense, 58 with experts", marks=pytest.mark.long),
            pytest.param("qwen3-235b-a22b", "128, top-8", "94 with experts", marks=pytest.mark.long),
            pytest.param("gpt-oss-120b", "128, top-4", "36 with experts", marks=pytest.mark.long),
            pytest.param("kimi-k2", "384, top-8 + 1 shared", "1 dense, 60 with experts", marks=pytest.mark.long),
            ("glm-5", "256, top-8 + 1 shared", "3 dense, 75 with experts"),
        ],
    )
    @pytest.mark.long
    async def test_real_models_show_their_architecture(
        self, make_app: Make, shown: Shown, model, experts, layers
    ) -> None:
        app = make_app(Scenario(moe_model=model), motion=False)
        async with app.run_test(size=(200, 60)) as pilot:
            await opened(pilot)
            assert experts in shown(app)
            assert layers in shown(app)

    async def test_every_line_says_who_wins_and_by_how_much(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            table = app.screen.query_one("#trade TableView", TableView)
            assert {row.cells[3].text for row in table.rows} == {"–", "→ MoE", "← dense"}
            table.focus()
            await press(pilot, "down", "down", "down")
            assert "weights in memory: Llama 3.3 70B Instruct by 10×; 72.7 GB against 747 GB" in shown(app)

    @pytest.mark.long
    async def test_gib_reaches_every_figure(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(200, 60)) as pilot:
            await opened(pilot)
            await press(pilot, "B")
            assert "695 GiB" in shown(app)
            assert " GB" not in "".join(shown(app).splitlines()[1:])


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"moe_model": "mixtral-8x7b", "router_top_k": 9}, "top-k = 9: choose 1 to 8, the number of experts"),
            ({"moe_model": "llama-3.1-8b"}, "is a dense model; choose a mixture of experts for the MoE side"),
            pytest.param(
                {"dense_model": "glm-5"},
                "is a mixture of experts; choose a dense model for the dense side",
                marks=pytest.mark.long,
            ),
            pytest.param({"moe_model": "no-such-model"}, "no-such-model", marks=pytest.mark.long),
        ],
    )
    @pytest.mark.long
    async def test_what_cannot_be_is_said_in_words(self, make_app: Make, fields, words) -> None:
        app = make_app(Scenario(**fields), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert "No answer" in headline(app)
            assert words in headline(app)

    @pytest.mark.long
    async def test_a_batch_of_none_is_refused_while_typing(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            await focus(pilot, "router_batch")
            await press(pilot, "enter", "0", "enter")
            assert "at least 1" in shown(app).splitlines()[-2]
            assert app.scenario.router_batch == 32

    @pytest.mark.long
    async def test_experts_that_the_gpus_do_not_divide_are_explained(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(ep=24), motion=False)
        async with app.run_test(size=(200, 60)) as pilot:
            await opened(pilot)
            assert "24 GPUs do not divide 256 experts evenly, so 16 hold them." in shown(app)


class TestRouter:
    async def test_a_new_router_plays_its_first_tokens_and_rests(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"))
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            assert panel.playing
            while panel.playing:
                panel._tick()
            assert panel.whole_batch
            assert panel.caption.startswith("32 tokens touch 172 of 256 experts")

    async def test_space_pauses_and_plays_on(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"))
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            await press(pilot, "space")
            assert not panel.playing
            await press(pilot, "space")
            assert panel.playing

    async def test_steps_go_on_and_back(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            await press(pilot, "v")
            panel.motion_step(35)
            at = panel.frame
            await press(pilot, ".")
            assert panel.caption == "“needs” arrives at the router of layer 3"
            assert "“needs” arrives at the router of layer 3" in shown(app)
            await press(pilot, ",", ",")
            assert panel.frame == at - 1

    @pytest.mark.long
    async def test_speed_stays_within_four_frames_a_second(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"))
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            await press(pilot, "+", "+", "+", "+")
            assert panel._timer is not None
            assert panel._timer._interval == 0.25

    async def test_without_motion_nothing_plays_but_the_picture_is_whole(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            assert not panel.playing
            assert "32 tokens touch 172 of 256 experts" in shown(app)
            await press(pilot, "v")
            assert not panel.whole_batch

    async def test_v_shows_the_whole_batch_and_goes_back(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            assert "32 tokens touch 172 of 256 experts (67%); an even choice would touch 163.3" in shown(app)
            await press(pilot, ",")
            assert "16 tokens touch" in shown(app)
            await press(pilot, "v")
            assert not panel.whole_batch
            await press(pilot, "v")
            assert "32 tokens touch" in shown(app)

    @pytest.mark.long
    async def test_v_stands_in_the_key_bar_help_and_palette(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert "v view" in shown(app).splitlines()[-1]
            await press(pilot, "?")
            assert isinstance(app.screen, Reading)
            await press(pilot, "escape", "ctrl+p", *"other view", "enter")
            assert not app.screen.query_one(RouterPanel).whole_batch

    @pytest.mark.long
    async def test_inputs_of_the_router_start_it_anew_others_leave_it_alone(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            await press(pilot, ".", ".")
            at = panel.frame
            await focus(pilot, "users")
            await press(pilot, "right")
            assert panel.frame == at
            await focus(pilot, "router_skew")
            await press(pilot, "right")
            assert panel.frame == panel.REST != at

    @pytest.mark.long
    async def test_layer_and_top_k_are_the_users(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(router_layer=40, router_top_k=4), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            assert "Router of layer 40: top-4 of 256 (its own is 8)" in shown(app)

    @pytest.mark.long
    async def test_nothing_plays_on_a_screen_that_is_hidden(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"))
        async with app.run_test(size=(120, 36)) as pilot:
            panel = await opened(pilot)
            await press(pilot, "1")
            assert not panel.playing
            assert panel._timer is None

    @pytest.mark.long
    async def test_an_input_of_the_router_brings_it_into_view(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(pilot)
            await press(pilot, "pagedown", "pagedown")
            assert "Router of layer" not in shown(app)
            await focus(pilot, "router_skew")
            assert "Router of layer" in shown(app)

    @pytest.mark.long
    async def test_zoom_gives_the_router_the_screen(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await opened(pilot)
            await press(pilot, "tab", "z")
            assert "load over the mean" in shown(app)
            assert "GPU 7" in shown(app)


class TestWords:
    @pytest.mark.long
    async def test_the_math_ends_in_what_is_shown(self, make_app: Make, shown: Shown) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(200, 60)) as pilot:
            await opened(pilot)
            await press(pilot, "m")
            assert "bytes read per step" in shown(app)
            steps = {step.symbol for derivation in app.page.math() for step in derivation}
            assert {"experts touched", "even batch", "fullest expert over the mean", "tpot"} <= steps

    @pytest.mark.long
    async def test_the_summary_is_complete_sentences(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            said = app.page.summary()
            for words in (
                "Memory is for all experts, speed for the touched ones",
                "From a batch of 3 tokens on",
                "at most 4.36 tokens/s",
                "Parameters are not quality",
            ):
                assert words in said
            assert said.endswith(".")

    @pytest.mark.long
    async def test_every_term_of_the_screen_is_in_the_glossary(self, make_app: Make) -> None:
        app = make_app(Scenario(precision="fp8"), motion=False)
        async with app.run_test(size=(120, 36)) as pilot:
            await opened(pilot)
            await press(pilot, "t")
            assert len(app.screen.query_one(Terms).terms) == len(app.page.TERMS)
