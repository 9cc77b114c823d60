"""Several models on one pool: packing is legal and no worse than one node per replica, money is that of the nodes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.engine.deployment.pool import evaluate_pool, packed
from infratui.engine.evaluate import Evaluator
from infratui.report import pool as words
from infratui.store import load_preset


def pool(catalog, *names: str, **changes: object):
    evaluate = Evaluator(catalog)
    return evaluate_pool([evaluate(load_preset(name).with_(accelerator="h100-sxm", **changes)).case for name in names])


parts = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12)), min_size=1, max_size=6)


@given(parts, st.sampled_from([1, 4, 8, 72]))
def test_nodes_are_never_too_full_and_every_replica_is_placed(found, size) -> None:
    nodes = packed(found, size)
    assert all(0 < sum(gpus for _, gpus in node) <= size for node in nodes)
    for at, (gpus, count) in enumerate(found):
        assert sum(held for node in nodes for part, held in node if part == at) == gpus * count
        rest = gpus % size
        if rest:
            # What fits into a node is not split.
            assert sum(1 for node in nodes for part, held in node if part == at and held == rest) >= count
    total = sum(gpus * count for gpus, count in found)
    assert math.ceil(total / size) <= len(nodes) <= sum(math.ceil(gpus / size) * count for gpus, count in found)


def test_the_classic_mix_shares_a_node() -> None:
    assert len(packed([(5, 2), (3, 2)], 8)) == 2
    assert len(packed([(5, 2)], 8)) == 2
    assert len(packed([(12, 1), (4, 1)], 8)) == 2


def test_small_models_ride_along_and_the_sum_is_never_dearer(catalog) -> None:
    found = pool(catalog, "production", "team", "coding-agents")
    assert found.node_count == 1
    assert found.used == sum(tenant.gpus for tenant in found.tenants)
    assert [tenant.adds_nodes for tenant in found.tenants] == [0, 0, 0]
    assert found.usd <= found.alone_usd
    evaluate = Evaluator(catalog)
    for tenant, name in zip(found.tenants, ("production", "team", "coding-agents"), strict=True):
        fleet = evaluate(load_preset(name).with_(accelerator="h100-sxm")).cost.fleet
        assert (tenant.replicas, tenant.gpus) == (fleet.replicas, fleet.gpus)


def test_a_model_that_needs_more_nodes_adds_its_money(catalog) -> None:
    found = pool(catalog, "enterprise", "production")
    big = found.tenants[0]
    assert big.adds_nodes > 10
    assert big.adds_usd == pytest.approx(found.usd - found.tenants[1].alone_usd)
    told = words.data(found)
    assert told["scheduler"] is False
    assert sum(node["nodes"] for node in told["packing"]) == found.node_count
    assert "no scheduler" in words.basis(found).sentences[0].text


def test_one_pool_has_one_kind_of_gpu_and_no_cascade(catalog) -> None:
    evaluate = Evaluator(catalog)
    with pytest.raises(ValueError, match="one pool has one kind"):
        evaluate_pool([evaluate(load_preset(name)).case for name in ("production", "frontier-moe")])
    with pytest.raises(ValueError, match="two fleets"):
        pool(catalog, "production", cascade_pct=50.0)
