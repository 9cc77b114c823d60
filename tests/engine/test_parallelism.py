"""Layouts of the GPUs at hand: the ladder, the prediction, the traffic and what would help."""

import math
from dataclasses import replace

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.cluster.grid import gpu_grid
from infratui.engine.cluster.hardware import Accelerator
from infratui.engine.cluster.layout import Layout
from infratui.engine.cluster.traffic import traffic_of
from infratui.engine.evaluate import evaluate
from infratui.engine.sections.parallelism import ParallelismResult
from infratui.report.reasons import reason_text
from infratui.scenario import Scenario

FACTS = Catalog()


def lay_out(**changes: object) -> ParallelismResult:
    return evaluate(Scenario().with_(**{"users": 10, **changes}), FACTS).parallelism


@pytest.mark.parametrize(
    ("gpus", "layout", "fits"),
    [(8, "TP8", False), (16, "TP8·PP2", True), (32, "TP8·PP2·DP2", True), (64, "TP8·PP2·DP4", True)],
)
def test_the_guides_flow_is_the_ladder(gpus: int, layout: str, fits: bool):
    """405B at FP16 over 8, 16, 32 and 64 GPUs: TP, then TP + PP, then replicas (the guide, section 3)."""
    result = lay_out(model="llama-3.1-405b", precision="fp16", gpus=gpus)
    assert result.chosen is not None
    assert (result.ladder and result.ladder.label, result.chosen.fits) == (layout, fits)


@pytest.mark.parametrize(
    ("changes", "gpus"),
    [({"model": "deepseek-v3"}, 16), ({"model": "llama-3.1-8b", "accelerator": "l4"}, 4)],
)
def test_what_is_recommended_is_what_prediction_prefers(changes: dict[str, object], gpus: int):
    result = lay_out(**changes, gpus=gpus)
    assert result.chosen is not None
    assert result.fastest is not None
    assert result.chosen.serving is not None
    assert result.fastest.serving is not None
    assert result.chosen.serving.output_per_s >= 0.95 * result.fastest.serving.output_per_s


def test_missing_gpus_come_with_what_would_help():
    result = lay_out(model="llama-3.1-405b", precision="fp16", gpus=8)
    assert result.missing_gpus == 4
    assert result.needed.gpus == 12
    assert ("precision", True) in [(help.way, help.holds) for help in result.help]


@pytest.mark.parametrize("gpus", [3, 5, 6, 7])
def test_odd_counts_are_answered(gpus: int):
    result = lay_out(gpus=gpus)
    assert result.chosen is not None
    assert result.chosen.fits
    assert result.chosen.layout.gpus + result.chosen.idle == gpus


def test_every_refusal_has_its_reason():
    for row in lay_out(model="deepseek-v3", gpus=16).rows:
        assert row.legal or row.reasons


def test_a_forced_layout_wins_and_says_so():
    result = lay_out(gpus=8, tp=4, dp=2)
    assert result.chosen is not None
    assert result.chosen.layout == Layout(4, 1, 2)
    assert result.chosen.forced


def test_llama_405b_all_reduce_bytes_under_tp8():
    """126 layers × 2 × 2·7/8 × 16,384 × 2 B."""
    traffic = traffic_of(FACTS.model("llama-3.1-405b"), Layout(8))
    assert traffic.all_reduce == 126 * 2 * 2 * 7 * 16_384 * 2 // 8
    assert traffic.hop == traffic.all_to_all == 0


def test_replicas_send_nothing():
    assert traffic_of(FACTS.model("llama-3.1-8b"), Layout(1, 1, 8)).total == 0


def test_links_carry_only_what_crosses_them():
    """TP8·PP2 on nodes of 8: all-reduces stay inside, one hidden state of 16,384 × 2 B crosses, an eighth per GPU."""
    traffic = traffic_of(FACTS.model("llama-3.1-405b"), Layout(8, 2), 8)
    assert traffic.inside.bytes == traffic.all_reduce
    assert traffic.between.bytes == traffic.hop == 16_384 * 2 // 8
    assert (traffic.inside.messages, traffic.between.messages) == (252, 1)


def test_stages_of_one_node_do_not_cross_nodes():
    traffic = traffic_of(FACTS.model("llama-3.1-405b"), Layout(4, 2), 8)
    assert traffic.between.bytes == 0
    assert traffic.inside.bytes == traffic.total


def test_the_plans_links_are_named_with_their_time():
    result = lay_out(model="llama-3.1-405b", precision="fp16", gpus=16)
    used = {time.link.id: time for time in result.links if time.used}
    assert set(used) == {"nvswitch-3", "infiniband-ndr"}
    assert used["infiniband-ndr"].transfer_s == pytest.approx(4096 / 50e9)
    assert used["infiniband-ndr"].latency_s == pytest.approx(1e-6)


def test_a_forced_layout_beyond_the_gpus_is_refused_in_words():
    result = lay_out(gpus=4, tp=8)
    assert result.chosen is None
    assert [reason_text(entry) for entry in result.refused] == ["TP8 takes 8 GPUs; there are 4"]


def test_the_ladders_layout_is_a_row_even_where_it_leaves_gpus_idle():
    result = lay_out(precision="fp8", gpus=7, users=50)
    row = result.row("TP2·DP3")
    assert row is not None
    assert row.serving is not None
    assert row.idle == 1


class Unpublished(Catalog):
    """The catalog with an accelerator whose bandwidth nobody has published."""

    def accelerator(self, name: str) -> Accelerator:
        return replace(super().accelerator(name), bandwidth=None)


def test_a_gpu_without_published_bandwidth_gets_a_reason():
    result = evaluate(Scenario().with_(gpus=8), Unpublished()).parallelism
    assert result.chosen is not None
    assert result.chosen.fits
    assert result.chosen.serving is None
    assert "no published memory bandwidth" in reason_text(result.chosen.no_speed)
    assert all(row.reasons for row in result.rows)


def test_the_steps_parts_add_up():
    chosen = lay_out(model="deepseek-v3", gpus=16, tp=1, dp=16, ep=16).chosen
    assert chosen is not None
    assert chosen.parts is not None
    assert chosen.serving is not None
    assert chosen.parts.total_s == pytest.approx(chosen.serving.step.total_s)
    assert chosen.parts.all_to_all_s > 0


@pytest.mark.parametrize(
    "changes",
    [{"users": 1_000_000}, {"input_tokens": 0, "output_tokens": 1}, {"gpus": 16_384}, {"pp": 512}, {"ep": 7}],
)
def test_extremes_get_an_answer_or_a_reason(changes: dict[str, object]):
    result = lay_out(**changes)
    if result.chosen is None:
        assert result.refused
    elif result.chosen.serving is None:
        assert result.chosen.no_speed
    else:
        assert math.isfinite(result.chosen.serving.output_per_s)


def test_spread_experts_exchange_instead_of_reducing():
    traffic = traffic_of(FACTS.model("deepseek-v3"), Layout(1, 1, 8, 8))
    assert traffic.all_reduce == 0
    assert traffic.all_to_all == math.ceil(58 * 2 * 8 * 7 / 8 * 7168 * 2)


def test_the_grid_numbers_every_gpu_once():
    places = gpu_grid(FACTS.model("llama-3.1-405b"), Layout(8, 2, 2), 8)
    assert len(places) == 32
    assert {place.label for place in places} == {
        f"R{r} S{s} T{t}" for r in range(2) for s in range(2) for t in range(8)
    }
    assert places[8].node == 1
    assert (places[0].first_layer, places[8].last_layer) == (0, 125)


def test_latent_attention_is_copied_to_every_rank():
    result = lay_out(model="deepseek-v3", gpus=16, tp=8, pp=2, dp=1)
    assert result.attention_dp_saving > 0
    copies = [row.kv_copies for row in result.rows if row.layout.tp == 8 and row.legal]
    assert copies
    assert copies[0] == pytest.approx(8)


def test_continuous_batching_keeps_slots_busier():
    static, _, continuous = lay_out(gpus=8).batching
    assert continuous.utilisation > static.utilisation
    assert continuous.latency_p95_ms < static.latency_p95_ms


def test_the_references_deployments_stand_beside_ours():
    rows = lay_out().typical
    assert [row.typical.model for row in rows] == ["7b", "13b", "70b", "405b", "745b"]
    assert all(row.recommended for row in rows)


def test_nothing_is_nan():
    for row in lay_out(model="deepseek-v3", gpus=64).rows:
        if row.serving:
            figures = (row.serving.ttft_s, row.serving.tpot_s, row.serving.output_per_s, row.serving.mbu)
            assert all(math.isfinite(figure) and figure > 0 for figure in figures)
