"""Every model of the catalog adds up to what its maker published, and its cache has the published geometry."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.model.architecture import Model, Recurrent, group_counts, parameters

COUNTS = Path(__file__).parents[1] / "data" / "model_counts.csv"
"""Counts rebuilt independently from the released configurations and compared with checkpoint element counts."""

CATALOG = Catalog()
IDS = CATALOG.model_ids()


def rows() -> Iterator[dict[str, str]]:
    with COUNTS.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


ROWS = {row["id"]: row for row in rows()}


def loaded_extras(model: Model) -> int:
    return sum(extra.parameters for extra in model.extras if extra.loaded)


def comparable_total(model: Model) -> int:
    """Computed parameters over the same parts that the published total counts."""
    assert model.published is not None
    total = parameters(model).total
    for extra in model.extras:
        included = extra.name in model.published.includes
        total += extra.parameters * (included - extra.loaded)
    return total


def same_figure(computed: int, published: int) -> bool:
    """Within 1 %, or the same at the digits that were published: 3.6 for 3.61 billion."""
    digits = len(str(published).rstrip("0"))
    unit = 10 ** (len(str(published)) - digits)
    return abs(computed / published - 1) <= 0.01 or round(computed / unit) == published // unit


def test_the_catalog_carries_the_models_people_run():
    assert len(IDS) >= 60
    assert set(ROWS) <= set(IDS)


@pytest.mark.parametrize("model_id", IDS)
def test_total_is_within_one_percent_of_the_published_count(model_id: str):
    model = CATALOG.model(model_id)

    assert model.published is not None
    assert comparable_total(model) == pytest.approx(model.published.total, rel=0.01)


@pytest.mark.parametrize("model_id", IDS)
def test_active_parameters_are_the_published_ones_or_say_why_not(model_id: str):
    model = CATALOG.model(model_id)
    active = parameters(model).active

    assert model.published is not None
    assert same_figure(active, model.published.active) or model.published.active_note
    assert active <= parameters(model).total + model.vocab_size * model.hidden_size


@pytest.mark.parametrize("model_id", ROWS)
def test_decoder_parameters_match_an_independent_count_to_the_digit(model_id: str):
    model, row = CATALOG.model(model_id), ROWS[model_id]
    computed = parameters(model).total
    expected = int(row["decoder_parameters"])

    if model_id == "minimax-m3":  # the independent count leaves out the indexer's head weights: 57 × 6144 × 4
        expected += 57 * 6144 * 4
    # Some independent counts include the vision tower, others leave it out.
    assert computed in (expected, expected + loaded_extras(model))


@pytest.mark.parametrize("model_id", ROWS)
def test_active_parameters_match_an_independent_count(model_id: str):
    model, row = CATALOG.model(model_id), ROWS[model_id]

    # 1e-4: hyper-connection head of DeepSeek-V4, indexer head weights of MiniMax-M3.
    assert parameters(model).active == pytest.approx(int(row["active_parameters"]), rel=1e-4)


@pytest.mark.parametrize("model_id", ROWS)
def test_cache_and_state_have_the_published_geometry(model_id: str):
    model, row = CATALOG.model(model_id), ROWS[model_id]
    full = windowed = state = 0.0
    for group, count in group_counts(model):
        attention = group.attention
        if attention is None:
            continue
        if attention.window is None:
            full += count * attention.kv_elements(1)
        else:
            windowed += count * attention.kv_elements(1)
        if isinstance(attention, Recurrent):
            state += count * attention.heads * attention.head_dim * attention.state_dim

    assert model.layers == int(row["layers"])
    if row["kv_elements_full"]:
        assert (full, windowed) == (int(row["kv_elements_full"]), int(row["kv_elements_windowed"]))
    assert state == int(row["state_elements"] or 0)


@pytest.mark.parametrize(
    ("model_id", "total"),
    [
        ("llama-3.1-70b", 70_553_706_496),  # element count of the released safetensors files
        ("llama-3.1-405b", 405_853_388_800),
        ("mixtral-8x7b", 46_702_792_704),
        ("deepseek-v2", 235_741_434_880),
        ("gpt-oss-120b", 116_829_156_672),
        ("gemma-3-27b", 27_432_406_640),
        ("nemotron-h-56b", 56_324_350_464),
        ("qwen3-235b-a22b", 235_093_634_560),
    ],
)
def test_well_known_checkpoints_are_exact(model_id: str, total: int):
    assert parameters(CATALOG.model(model_id)).total == total


@pytest.mark.parametrize(
    ("model_id", "kv_bytes"),
    [("deepseek-v3", 70_272), ("llama-3.1-405b", 516_096), ("qwen2.5-7b", 57_344)],
)
def test_kv_bytes_per_token_in_bf16(model_id: str, kv_bytes: int):
    model = CATALOG.model(model_id)
    elements = sum(count * group.attention.kv_elements(1) for group, count in group_counts(model) if group.attention)

    assert 2 * elements == kv_bytes


@pytest.mark.parametrize(
    ("model_id", "with_extras", "gib"), [("gpt-oss-120b", False, 60.8), ("deepseek-v3", True, 640)]
)
def test_weights_as_released(model_id: str, with_extras: bool, gib: float):
    model = CATALOG.model(model_id)
    precision = CATALOG.precision(model.weight_precision)
    bits = sum(count * precision.bits_of(part) for part, count in parameters(model).parts)
    if with_extras:
        bits += sum(extra.parameters * precision.bits_of(extra.stored_as) for extra in model.extras if not extra.loaded)

    assert bits / 8 / 2**30 == pytest.approx(gib, rel=0.005)


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("7b", (7_000_000_000, 32, 32, 128)),
        ("13b", (13_000_000_000, 40, 40, 128)),
        ("70b", (70_000_000_000, 80, 8, 128)),
        ("405b", (405_000_000_000, 126, 8, 128)),
        ("745b", (745_000_000_000, 64, 8, 128)),
    ],
)
def test_classic_sizes_carry_the_round_figures_of_the_rule_of_thumb(alias: str, expected: tuple[int, ...]):
    thumb = CATALOG.model(alias).rule_of_thumb

    assert thumb is not None
    assert (thumb.parameters, thumb.layers, thumb.kv_heads, thumb.head_dim) == expected


@pytest.mark.parametrize("model_id", IDS)
def test_every_model_says_where_it_comes_from(model_id: str):
    model = CATALOG.model(model_id)

    assert model.id == model_id
    assert model.source
    assert model.published is not None
    assert model.published.source
    assert CATALOG.precision(model.weight_precision).for_weights


def test_file_names_are_ids_and_hugging_face_ids_are_unique():
    hf_ids = [model.hf_id for model in CATALOG.models() if model.hf_id]

    assert len(hf_ids) == len(set(hf_ids))
    for model in CATALOG.models():
        if model.hf_id:
            assert CATALOG.model(model.hf_id) is model


def test_expert_counts_and_groups_are_consistent():
    for model in CATALOG.models():
        mixture = model.mixture
        if mixture is not None:
            assert mixture.top_k <= mixture.experts
            assert mixture.experts % mixture.gate.groups == 0
            assert math.isfinite(mixture.gate.scale)
