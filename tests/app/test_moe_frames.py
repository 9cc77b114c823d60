"""The frames of the routing panel: what each shows follows from router, seed and words alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.app.screens.moe.frames import BatchReel, RouterPhase, TokenReel, letter_of
from infratui.app.screens.moe.grid import expert_grid
from infratui.app.screens.moe.picture import batch_picture, token_picture, token_rows
from infratui.catalog.load import Catalog
from infratui.catalog.routing_text import routing_words
from infratui.engine.evaluate import evaluate
from infratui.engine.experts.router import RouterResult
from infratui.engine.experts.routing import RouterGate, RouterSpec
from infratui.scenario import Scenario

GROUPED = RouterSpec(32, 4, RouterGate.SIGMOID_BIAS, groups=4, group_top_k=2, shared_experts=1, routed_scaling=2.5)
FLAT = RouterSpec(8, 2)
WORDS = ("the", "expert", "waits", "for", "the", "router.")
MODELS = ("mixtral-8x7b", "deepseek-v3", "qwen3-235b-a22b", "gpt-oss-120b", "kimi-k2", "glm-5")


def reel(spec: RouterSpec = GROUPED, gpus: int = 1, seed: int = 7) -> TokenReel:
    return TokenReel(spec, seed, 3, 0.5, WORDS, gpus)


def router_of(model: str, **fields: object) -> RouterResult:
    return evaluate(Scenario(moe_model=model).with_(**fields), Catalog()).moe.router


def text(lines: tuple[tuple[tuple[str, str], ...], ...]) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in lines]


class TestTokens:
    def test_a_token_enters_is_scored_loses_groups_is_given_experts_and_is_mixed(self) -> None:
        frames = [reel().frame(number) for number in range(len(RouterPhase))]

        assert [frame.phase for frame in frames] == list(RouterPhase)
        assert [frame.rise for frame in frames] == [0, 0.5, 1, 1, 1, 1, 1]
        assert {frame.place for frame in frames} == {0}

    def test_a_router_without_groups_has_no_frame_for_them(self) -> None:
        assert RouterPhase.GROUPS not in reel(FLAT).phases

    def test_experts_have_letters_only_once_they_are_chosen(self) -> None:
        frames = [reel().frame(number) for number in range(7)]
        best = frames[0].routing.experts[0]

        assert [frame.letter(best) for frame in frames] == ["", "", "", "", "A", "A", "A"]

    def test_the_heat_grows_when_experts_compute(self) -> None:
        totals = [sum(reel().frame(number).window.load) for number in range(14)]

        assert totals == [0] * 5 + [4] * 7 + [8] * 2

    def test_the_text_starts_over_with_a_cold_map(self) -> None:
        shown = reel()

        assert shown.frame(len(shown)) == shown.frame(0)

    def test_a_word_that_returns_says_how_much_it_routes_alike(self) -> None:
        shown = reel()
        again = shown.frame(4 * len(shown.phases) + shown.phases.index(RouterPhase.CHOOSE))

        assert "“the” has been here before" in again.caption

    def test_what_is_special_about_the_gate_is_said(self) -> None:
        captions = " ".join(reel(gpus=4).frame(number).caption for number in range(7))

        for words in ("sigmoid each plus a learned bias", "2 of 4 groups", "of 4 GPUs", "1 shared", "times 2.5"):
            assert words in captions

    def test_equal_seeds_give_equal_frames_and_others_do_not(self) -> None:
        assert reel().frame(20) == reel().frame(20)
        assert reel().frame(20).routing != reel(seed=8).frame(20).routing

    def test_more_chosen_than_letters_share_a_sign(self) -> None:
        assert (letter_of(0), letter_of(51), letter_of(52)) == ("A", "z", "+")


class TestBatch:
    def test_it_doubles_until_it_is_whole(self) -> None:
        assert BatchReel(router_of("glm-5", router_batch=20)).sizes == (1, 2, 4, 8, 16, 20)

    def test_its_last_frame_is_the_batch_of_the_result(self) -> None:
        router = router_of("glm-5", capacity_factor=1.25)
        last = BatchReel(router).frame(5)

        assert last.routing == router.batch
        assert last.caption.startswith("32 tokens touch 172 of 256 experts (67%); an even choice would touch 163.3")

    def test_experts_over_capacity_are_marked_without_colour(self) -> None:
        shown = BatchReel(router_of("glm-5", capacity_factor=1))
        lines = text(batch_picture(shown, shown.frame(5), 79))

        assert sum(line.count("!") for line in lines[3:-3]) == sum(over > 0 for over in shown.router.batch.overflow)
        assert any("tokens lose an expert" in line for line in lines)


class TestPicture:
    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("width", [70, 79, 120])
    def test_every_expert_of_a_real_model_is_drawn_within_the_width(self, model: str, width: int) -> None:
        router = router_of(model, gpus=16)
        shown = TokenReel(router.spec, router.seed, router.layer, router.skew, routing_words(), router.ep)
        for number in range(len(shown.phases)):
            lines = text(token_picture(shown, shown.frame(number), width))
            assert max(map(len, lines)) <= width
            assert len(lines) == token_rows(shown, width) + 6
        cells = "".join(text(token_picture(shown, shown.frame(0), width))[3:-3])
        assert sum(cells.count(glyph) for glyph in "·░▒▓█") == router.spec.experts

    def test_the_chosen_stand_as_letters_beside_their_bars_and_in_the_grid(self) -> None:
        shown = reel()
        lines = text(token_picture(shown, shown.frame(6), 79))

        for letter in "ABCD":
            assert any(line[35:].count(letter) for line in lines[3:-3])
            assert any(line.startswith(f" {letter} E") for line in lines[3:-3])
        assert "out = 2.5 × (" in lines[-3]
        assert lines[-3].endswith("+ shared")

    def test_the_current_word_stands_between_arrows(self) -> None:
        shown = reel()

        assert "the expert ▸waits◂ for the router." in text(token_picture(shown, shown.frame(14), 79))[0]


class TestGrid:
    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from([8, 16, 64, 128, 160, 256, 384]), st.integers(0, 8), st.integers(30, 150))
    def test_every_expert_stands_once_and_within_the_width(self, experts: int, doubling: int, width: int) -> None:
        gpus = max(ranks for ranks in range(1, min(experts, 2**doubling) + 1) if experts % ranks == 0)
        grid = expert_grid(experts, gpus, width, 12)

        assert sorted(grid.experts) == list(range(experts))
        assert grid.width <= width

    def test_256_experts_on_8_gpus_take_one_row_each(self) -> None:
        grid = expert_grid(256, 8, 46, 12)

        assert [row[0].label for row in grid.rows] == [f"GPU {gpu} " for gpu in range(8)]
        assert {len(row[0].experts) for row in grid.rows} == {32}
