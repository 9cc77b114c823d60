"""Every family from a small configuration: published parameter counts and KV geometry come out."""

from __future__ import annotations

import pytest

from infratui.checkpoint import read
from infratui.checkpoint.config import ALIASES, ARCHITECTURES, FAMILIES
from infratui.engine.model.architecture import Latent, Mixture, group_counts, layer_order, parameters

from .family_cases import CASES, LOOSE


@pytest.mark.parametrize("name", CASES)
def test_family_gives_published_parameters_and_kv_geometry(name, folder):
    values, published, kv_full, kv_windowed = CASES[name]

    model = read(folder(values)).model

    assert parameters(model).total == pytest.approx(published, rel=LOOSE.get(name, 0.002))
    attentions = [(group.attention, count) for group, count in group_counts(model) if group.attention]
    full = sum(count * own.kv_elements(1) for own, count in attentions if not own.window)
    windowed = sum(count * own.kv_elements(1) for own, count in attentions if own.window)
    assert (full, windowed) == (kv_full, kv_windowed)


EXACT = [name for name in CASES if name not in {*LOOSE, "Step-3.5-Flash", "MiniMax-M3"}]


@pytest.mark.parametrize("name", EXACT)
def test_counts_agree_with_checkpoints_to_the_element(name, folder):
    values, published, *_ = CASES[name]

    assert parameters(read(folder(values)).model).total == published


def test_every_family_has_a_case():
    kinds = set()
    for values, *_ in CASES.values():
        stated = values.get("text_config", values)["model_type"]
        kinds.add(ALIASES.get(stated, stated))
    # Llama in all but name: granite and gemma; ancestors of families that have one: olmo, cohere2, nemotron, qwen2_moe.
    elsewhere = {"mimo", "mimo_v2", "laguna", "hy_v3", "kimi_linear"}  # test_windowed.py
    assert set(FAMILIES) - kinds - elsewhere == {"granite", "gemma", "olmo", "cohere2", "nemotron", "qwen2_moe"}


def test_names_lead_to_families():
    assert {name for name in ALIASES.values() if name} <= set(FAMILIES)
    assert set(ARCHITECTURES.values()) <= set(FAMILIES)


def test_deepseek_v3_cache_takes_70272_bytes_per_token(folder):
    model = read(folder(CASES["DeepSeek-V3"][0])).model

    elements = sum(group.attention.kv_elements(1) for group in layer_order(model) if group.attention)

    assert 2 * elements == 70_272


def test_gemma_3_mixes_five_windows_with_one_full_layer(folder):
    model = read(folder(CASES["Gemma 3 4B"][0])).model

    assert [bool(group.attention.window) for group in layer_order(model)[:7]] == [True] * 5 + [False, True]
    assert model.order == "(w5 f)5 w4"


def test_prediction_modules_are_named_and_not_counted(folder):
    model = read(folder(CASES["DeepSeek-V3"][0])).model

    (extra,) = model.extras

    assert (extra.name, extra.parameters, extra.loaded) == ("mtp", 13_463_426_304, False)


def test_glm_5_2_owns_an_indexer_on_21_layers(folder):
    model = read(folder(CASES["GLM-5.2"][0])).model

    own = [group for group in layer_order(model) if isinstance(group.attention, Latent) and group.attention.indexer]

    assert sum(not group.attention.indexer.shared for group in own) == 21
    assert len(own) == 78


def test_router_of_deepseek_v3_is_described(folder):
    moe = read(
        folder(CASES["DeepSeek-V3"][0] | {"n_group": 8, "topk_group": 4, "routed_scaling_factor": 2.5})
    ).model.mixture

    assert isinstance(moe, Mixture)
    assert (moe.gate.scoring, moe.gate.correction_bias, moe.gate.groups, moe.gate.top_groups) == ("sigmoid", True, 8, 4)
    assert moe.gate.scale == 2.5


@pytest.mark.parametrize(
    ("architectures", "model_type"), [(["DeepseekV4ForCausalLM"], "maker_s_own"), (["DeepseekV4ForCausalLM"], "")]
)
def test_class_name_stands_in_for_a_private_model_type(architectures, model_type, folder):
    values = {**CASES["DeepSeek-V4-Flash"][0], "architectures": architectures, "model_type": model_type}

    assert read(folder(values)).model.family == "deepseek_v4"


def test_model_is_named_after_its_folder(folder):
    made = folder(CASES["Qwen3 8B"][0], name="Qwen3-8B")

    model = read(made).model

    assert (model.id, model.origin) == ("Qwen3-8B", str(made))
    assert read(made / "config.json").model.id == "Qwen3-8B"


def test_plain_weights_name_their_precision(folder):
    checkpoint = read(folder({**CASES["Qwen3 8B"][0], "torch_dtype": "float16"}))

    assert checkpoint.precision is None
    assert checkpoint.model.weight_precision == "fp16"
