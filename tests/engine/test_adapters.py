"""LoRA adapters in a deployment: their bytes by hand, on every rank, and what they leave for users."""

from __future__ import annotations

import pytest

from infratui.engine.cluster.layout import Layout
from infratui.engine.deployment.answer import deployed
from infratui.engine.evaluate import evaluate
from infratui.engine.model.adapters import adapter_parameters
from infratui.engine.model.parts import Part
from infratui.scenario import Scenario
from infratui.store import load_preset


def case(catalog, **changes: object):
    return evaluate(Scenario(model="llama-3.1-8b", accelerator="h100-sxm", gpus=1).with_(**changes), catalog).case


def test_one_adapter_by_hand(catalog) -> None:
    """Llama 3.1 8B, rank 16: q, o 4096 to 4096, k, v to 1024, gate, up to 14336, down back; 32 layers."""
    by_hand = 32 * 16 * (2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336))
    assert adapter_parameters(catalog.model("llama-3.1-8b"), 16) == by_hand
    held = case(catalog, adapters=3, adapter_rank=16).deployment.weights(Layout())
    assert held.fullest.of(Part.ADAPTERS) == 3 * 2 * by_hand
    without = case(catalog).deployment.weights(Layout())
    assert held.total - without.total == 3 * 2 * by_hand
    assert without.fullest.of(Part.ADAPTERS) == 0


def test_tensor_parallelism_divides_one_factor_only_and_stages_share_the_layers(catalog) -> None:
    deployment = case(catalog, adapters=1).deployment
    whole = deployment.weights(Layout()).fullest.of(Part.ADAPTERS)
    ranks = deployment.weights(Layout(4)).fullest.of(Part.ADAPTERS)
    assert whole / 4 < ranks < whole
    stages = deployment.weights(Layout(1, 4)).stages
    assert sum(stage.of(Part.ADAPTERS) for stage in stages) == whole


def test_adapters_take_room_from_users_and_never_fewer_gpus(catalog) -> None:
    base = load_preset("production")
    users, gpus = [], []
    for count in (0, 16, 64, 256):
        found = deployed(evaluate(base.with_(adapters=count), catalog).case)
        assert found.plan is not None
        users.append(found.plan.max_users)
        gpus.append(found.fewest.gpus)
    assert users == sorted(users, reverse=True)
    assert users[0] > users[-1]
    assert gpus == sorted(gpus)


@pytest.mark.parametrize("model", ["deepseek-v3", "nemotron-h-56b", "qwen3-next-80b-a3b", "deepseek-v4-flash"])
def test_every_kind_of_attention_has_adapters(catalog, model) -> None:
    every, two = (adapter_parameters(catalog.model(model), 8, targets) for targets in ("all", "qv"))
    assert every >= two > 0
