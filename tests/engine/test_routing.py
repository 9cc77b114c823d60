"""The router, the load it leaves and the placement of experts."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratui.catalog.routing_text import routing_words
from infratui.engine.experts.load import (
    LoadWindow,
    RoutingError,
    experts_touched_closed_form,
    load_entropy,
    load_imbalance,
)
from infratui.engine.experts.routing import RouterGate, RouterSpec, route_batch, route_token
from infratui.engine.experts.spread import place_experts

MIXTRAL = RouterSpec(experts=8, top_k=2)
QWEN3 = RouterSpec(experts=128, top_k=8)
DEEPSEEK_V3 = RouterSpec(256, 8, RouterGate.SIGMOID_BIAS, groups=8, group_top_k=4, shared_experts=1, routed_scaling=2.5)
KIMI_K2 = RouterSpec(384, 8, RouterGate.SIGMOID_BIAS, shared_experts=1, routed_scaling=2.827)


@st.composite
def specs(draw: st.DrawFn) -> RouterSpec:
    groups = draw(st.integers(1, 6))
    size = draw(st.integers(1, 12))
    kept = draw(st.integers(1, groups))
    return RouterSpec(
        experts=groups * size,
        top_k=draw(st.integers(1, kept * size)),
        gate=draw(st.sampled_from(RouterGate)),
        groups=groups,
        group_top_k=kept,
        renormalise=draw(st.booleans()),
        bias_correction=draw(st.floats(0, 1)),
    )


skews = st.floats(0, 3)
seeds = st.integers(0, 2**32)


class TestToken:
    @given(specs(), seeds, skews)
    def test_the_chosen_are_the_largest_of_the_groups_kept(self, spec: RouterSpec, seed: int, skew: float) -> None:
        token = route_token(spec, seed, 3, 2, skew)

        allowed = {e for e in range(spec.experts) if e // spec.group_size in token.groups_kept}
        chosen = [token.choice_scores[expert] for expert in token.experts]
        rest = [token.choice_scores[expert] for expert in allowed - set(token.experts)]
        assert len(set(token.experts)) == spec.top_k
        assert set(token.experts) <= allowed
        assert chosen == sorted(chosen, reverse=True)
        assert min(chosen) >= max(rest, default=-math.inf)

    @given(specs(), seeds, skews)
    def test_groups_kept_are_the_best(self, spec: RouterSpec, seed: int, skew: float) -> None:
        token = route_token(spec, seed, 0, 0, skew)

        kept = [token.group_scores[group] for group in token.groups_kept]
        assert sorted(token.group_scores, reverse=True)[: len(kept)] == kept
        assert len(kept) == (spec.group_top_k if spec.groups > 1 else 1)

    @given(specs(), seeds, skews)
    def test_weights_sum_to_one_when_renormalised_and_are_the_scores_otherwise(
        self, spec: RouterSpec, seed: int, skew: float
    ) -> None:
        token = route_token(spec, seed, 1, 1, skew)

        if spec.renormalise:
            assert math.fsum(token.weights) == pytest.approx(1)
        else:
            assert token.weights == tuple(token.scores[expert] for expert in token.experts)
        assert all(weight >= 0 for weight in token.weights)

    def test_softmax_scores_are_probabilities_and_sigmoid_scores_stand_alone(self) -> None:
        softmax = route_token(QWEN3, 1, 0, 0, 1.0)
        sigmoid = route_token(KIMI_K2, 1, 0, 0, 1.0)

        assert math.fsum(softmax.scores) == pytest.approx(1)
        assert softmax.choice_scores == softmax.scores
        assert all(0 < score < 1 for score in sigmoid.scores)
        assert sigmoid.choice_scores != sigmoid.scores

    def test_deepseek_scores_a_group_by_its_two_best_experts(self) -> None:
        """DeepSeek-V3 report, 2.1.2: affinity of a node is the sum of its highest scores; 8 groups of 32, 4 kept."""
        token = route_token(DEEPSEEK_V3, 7, 0, 3, 0.5)

        best_two = sorted(token.choice_scores[:32])[-2:]
        assert token.group_scores[0] == pytest.approx(sum(best_two))
        assert len({expert // 32 for expert in token.experts}) <= 4
        assert token.routed_scaling == 2.5

    def test_equal_seeds_route_alike_on_every_machine(self) -> None:
        mixtral = route_token(MIXTRAL, 42, 0, 0, 0.0)
        deepseek = route_token(DEEPSEEK_V3, 42, 5, 10, 1.0, word="GPU")

        assert mixtral.experts == (5, 0)
        assert deepseek.experts == (47, 31, 62, 68, 191, 181, 164, 77)

    def test_other_seed_layer_or_token_routes_differently(self) -> None:
        tokens = [
            route_token(QWEN3, seed, token, layer, 0.0).experts
            for seed, token, layer in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1))
        ]

        assert len(set(tokens)) == 4

    def test_equal_words_route_mostly_alike_others_do_not(self) -> None:
        gpu = [set(route_token(QWEN3, 1, index, 4, 0.0, word="GPU").experts) for index in range(20)]
        other = set(route_token(QWEN3, 1, 0, 4, 0.0, word="memory").experts)

        assert sum(len(gpu[0] & later) for later in gpu[1:]) / 19 > 5
        assert len(gpu[0] & other) < 4
        assert (
            route_token(QWEN3, 1, 0, 4, 0.0, word="gpu,").experts
            == route_token(QWEN3, 1, 0, 4, 0.0, word="GPU").experts
        )


class TestBatch:
    @given(specs(), seeds, st.integers(1, 40), skews, st.none() | st.floats(0.25, 4))
    @settings(max_examples=60, deadline=None)
    def test_load_is_conserved_and_drops_add_up(
        self, spec: RouterSpec, seed: int, batch: int, skew: float, factor: float | None
    ) -> None:
        routed = route_batch(spec, seed, batch, 0, skew, capacity_factor=factor)

        assert sum(routed.load) == batch * spec.top_k
        assert spec.top_k <= routed.touched <= spec.experts
        assert 1 <= routed.imbalance <= spec.experts / spec.top_k + 1e-9
        assert 0 <= routed.entropy <= 1
        if routed.capacity is None:
            assert routed.assignments_dropped == routed.tokens_dropped == 0
        else:
            kept = [tokens - lost for tokens, lost in zip(routed.load, routed.overflow, strict=True)]
            assert max(kept) <= routed.capacity
            assert routed.assignments_dropped / spec.top_k <= routed.tokens_dropped <= routed.assignments_dropped

    @given(specs(), seeds, skews)
    @settings(max_examples=40, deadline=None)
    def test_a_batch_is_its_tokens(self, spec: RouterSpec, seed: int, skew: float) -> None:
        words = ("one", "two", "three")

        routed = route_batch(spec, seed, 5, 2, skew, first_token=7, words=words)

        assert routed.chosen == tuple(
            route_token(spec, seed, index, 2, skew, word=words[index % 3]).experts for index in range(7, 12)
        )

    @pytest.mark.parametrize(("spec", "batch"), [(MIXTRAL, 4), (QWEN3, 16), (KIMI_K2, 32), (QWEN3, 64)])
    def test_experts_touched_match_the_closed_form_when_balanced(self, spec: RouterSpec, batch: int) -> None:
        spec = replace(spec, groups=1)
        touched = [route_batch(spec, seed, batch, 0, 0.0).touched for seed in range(60)]

        mean = sum(touched) / len(touched)
        spread = math.sqrt(sum((count - mean) ** 2 for count in touched) / (len(touched) - 1))
        expected = experts_touched_closed_form(spec.experts, spec.top_k, batch)
        assert mean == pytest.approx(expected, abs=4 * spread / math.sqrt(len(touched)) + 0.01)

    def test_closed_form_worked_example(self) -> None:
        """Mixtral, 8 experts, 2 per token: two tokens touch 8·(1−0.75²) = 3.5."""
        assert experts_touched_closed_form(8, 2, 1) == 2
        assert experts_touched_closed_form(8, 2, 2) == 3.5
        assert experts_touched_closed_form(8, 8, 3) == 8

    def test_skew_raises_imbalance_and_lowers_entropy(self) -> None:
        runs = [route_batch(QWEN3, 3, 256, 0, skew) for skew in (0.0, 0.5, 1.0, 1.5)]

        imbalances = [run.imbalance for run in runs]
        entropies = [run.entropy for run in runs]
        assert imbalances == sorted(imbalances)
        assert entropies == sorted(entropies, reverse=True)
        assert imbalances[0] < 2.5 < 8 < imbalances[-1]

    def test_a_full_bias_correction_balances_what_popularity_skews(self) -> None:
        corrected = route_batch(replace(KIMI_K2, bias_correction=1.0), 3, 512, 0, 1.5)
        uncorrected = route_batch(replace(KIMI_K2, bias_correction=0.0), 3, 512, 0, 1.5)

        assert corrected.entropy > 0.98
        assert uncorrected.entropy < 0.85

    def test_capacity_worked_example(self) -> None:
        """16 tokens, 2 of 8 experts, factor 1: 4 tokens each; a factor of N/k never drops."""
        assert route_batch(MIXTRAL, 1, 16, 0, 0.0, capacity_factor=1.0).capacity == 4
        assert route_batch(MIXTRAL, 1, 16, 0, 2.0, capacity_factor=1.0).tokens_dropped > 0
        assert route_batch(MIXTRAL, 1, 16, 0, 2.0, capacity_factor=4.0).tokens_dropped == 0

    def test_the_text_is_long_enough_and_repeats_words(self) -> None:
        words = routing_words()

        assert 60 <= len(words) <= 80
        assert len({word.strip(".,").casefold() for word in words}) < len(words)


class TestWindow:
    def test_only_the_last_tokens_count(self) -> None:
        window = LoadWindow(experts=4, size=2)

        for experts in ((0, 1), (1, 2), (1, 3)):
            window = window.pushed(experts)

        assert window.load == (0, 2, 1, 1)

    def test_measures_of_a_known_load(self) -> None:
        assert load_imbalance((3, 1)) == 1.5
        assert load_entropy((1, 1, 1, 1)) == pytest.approx(1)
        assert load_entropy((4, 0)) == 0
        assert load_imbalance((0, 0)) == load_entropy((0, 0)) == 1


class TestPlacement:
    loads = st.lists(st.integers(0, 500), min_size=1, max_size=40)

    @given(loads, st.data())
    def test_load_is_conserved_and_every_expert_has_a_home(self, load: list[int], data: st.DataObject) -> None:
        gpus = data.draw(st.integers(1, len(load)))
        strategy = data.draw(st.sampled_from(("linear", "replicated")))

        placement = place_experts(load, gpus, strategy)

        assert math.fsum(placement.load_per_gpu) == pytest.approx(sum(load))
        assert {expert for held in placement.experts_on for expert in held} == set(range(len(load)))
        assert sum(placement.copies) == sum(len(held) for held in placement.experts_on)
        assert 1 - 1e-9 <= placement.slowdown <= gpus + 1e-9

    def test_linear_blocks_worked_example(self) -> None:
        """8 experts on 4 GPUs, one hot: (40 + 10) against a mean of 27.5."""
        placement = place_experts((40, 10, 10, 10, 10, 10, 10, 10), 4)

        assert placement.experts_on == ((0, 1), (2, 3), (4, 5), (6, 7))
        assert placement.load_per_gpu == (50, 20, 20, 20)
        assert placement.slowdown == pytest.approx(50 / 27.5)

    def test_replicas_of_the_hot_expert_even_out_the_gpus(self) -> None:
        placement = place_experts((40, 10, 10, 10, 10, 10, 10, 10), 4, "replicated")

        assert placement.copies[0] == 4
        assert placement.slowdown < 1.1
        assert placement.experts_held_most == 3

    def test_replication_helps_a_skewed_batch(self) -> None:
        load = route_batch(DEEPSEEK_V3, 1, 512, 3, 1.0).load

        linear, replicated = place_experts(load, 32), place_experts(load, 32, "replicated", redundant=32)

        assert linear.slowdown > 1.5 > 1.1 > replicated.slowdown
        assert replicated.experts_held_most == 9

    def test_experts_that_do_not_divide_put_one_more_on_the_first_gpus(self) -> None:
        assert [len(held) for held in place_experts([1] * 10, 4).experts_on] == [3, 3, 2, 2]


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"top_k": 9}, "top-k = 9: choose 1 to 8"),
            ({"top_k": 0}, "top-k = 0"),
            ({"experts": 0, "top_k": 1}, "experts = 0"),
            ({"groups": 3}, "groups = 3: must divide the 8 experts"),
            ({"groups": 4, "group_top_k": 5}, "group top-k = 5"),
            ({"groups": 4, "group_top_k": 1, "top_k": 3}, "hold only 2 experts"),
            ({"shared_experts": -1}, "shared experts"),
            ({"routed_scaling": math.nan}, "routed scaling"),
            ({"bias_correction": 2.0}, "bias correction"),
            ({"gate": "linear"}, "gate = 'linear'"),
        ],
    )
    def test_a_router_that_cannot_exist(self, fields: dict[str, object], words: str) -> None:
        with pytest.raises(RoutingError, match=words) as caught:
            RouterSpec(**({"experts": 8, "top_k": 2} | fields))  # type: ignore[arg-type]

        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("batch", [0, -1, 10**6])
    def test_a_batch_that_cannot_be(self, batch: int) -> None:
        with pytest.raises(RoutingError, match="batch ="):
            route_batch(MIXTRAL, 1, batch, 0, 0.0)

    @pytest.mark.parametrize("skew", [-1, math.nan, 99])
    def test_a_skew_out_of_range(self, skew: float) -> None:
        with pytest.raises(RoutingError, match="skew"):
            route_token(MIXTRAL, 1, 0, 0, skew)

    def test_positions_and_capacity(self) -> None:
        with pytest.raises(RoutingError, match="layer"):
            route_token(MIXTRAL, 1, 0, -1, 0.0)
        with pytest.raises(RoutingError, match="token"):
            route_token(MIXTRAL, 1, -1, 0, 0.0)
        with pytest.raises(RoutingError, match="first token"):
            route_batch(MIXTRAL, 1, 1, 0, 0.0, first_token=-1)
        with pytest.raises(RoutingError, match="capacity factor"):
            route_batch(MIXTRAL, 1, 1, 0, 0.0, capacity_factor=0)
        with pytest.raises(RoutingError, match="batch = 0"):
            experts_touched_closed_form(8, 2, 0)
        with pytest.raises(RoutingError, match="top-k = 9"):
            experts_touched_closed_form(8, 9, 1)
        with pytest.raises(RoutingError, match="window"):
            LoadWindow(8, 0)
        with pytest.raises(RoutingError, match="between 0 and 7"):
            LoadWindow(8, 1).pushed((8,))

    @pytest.mark.parametrize(
        ("load", "gpus", "strategy", "redundant"),
        [
            ((), 1, "linear", None),
            ((1, 2), 3, "linear", None),
            ((1, 2), 0, "linear", None),
            ((1, -2), 1, "linear", None),
            ((1, 2), 1, "hashed", None),
            ((1, 2), 2, "linear", 1),
            ((1, 2), 2, "replicated", 3),
            ((1, 2), 2, "replicated", -1),
        ],
    )
    def test_a_placement_that_cannot_be(
        self, load: tuple[int, ...], gpus: int, strategy: str, redundant: int | None
    ) -> None:
        with pytest.raises(RoutingError):
            place_experts(load, gpus, strategy, redundant=redundant)
