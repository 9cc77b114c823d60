"""MiMo, Laguna, Hy3 and Kimi K3 from their configurations: published parameter counts and cache geometry come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infratui.catalog.load import Catalog
from infratui.checkpoint import CheckpointError, read
from infratui.engine.memory.kv_cache import kv_geometry
from infratui.engine.model.architecture import parameters

BF16 = Catalog().precision("bf16")
MIMO_V2 = {
    "model_type": "mimo_v2_flash", "hidden_size": 4096, "num_hidden_layers": 48, "num_attention_heads": 64,
    "num_key_value_heads": 4, "head_dim": 192, "v_head_dim": 128, "swa_num_attention_heads": 64,
    "swa_num_key_value_heads": 8, "swa_head_dim": 192, "swa_v_head_dim": 128, "sliding_window_size": 128,
    "hybrid_layer_pattern": [0, 1, 1, 1, 1, 0, *[1, 1, 1, 1, 1, 0] * 7], "moe_layer_freq": [0, *[1] * 47],
    "n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "intermediate_size": 16384,
    "vocab_size": 152576, "max_position_embeddings": 262144,
}  # fmt: skip
MIMO = {
    "model_type": "mimo", "hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 11008, "vocab_size": 151680,
    "num_nextn_predict_layers": 1, "max_position_embeddings": 32768,
}  # fmt: skip
LAGUNA = {
    "model_type": "laguna", "vocab_size": 100352, "hidden_size": 2048, "intermediate_size": 8192,
    "num_hidden_layers": 40, "num_attention_heads": 48, "num_key_value_heads": 8, "head_dim": 128,
    "sliding_window": 512, "num_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512, "gating": "per-head", "max_position_embeddings": 262144,
    "layer_types": ["sliding_attention" if index % 4 else "full_attention" for index in range(40)],
    "mlp_layer_types": ["dense", *["sparse"] * 39],
    "num_attention_heads_per_layer": [64 if index % 4 else 48 for index in range(40)],
}  # fmt: skip
HY3 = {
    "model_type": "hy_v3", "hidden_size": 4096, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 128, "qk_norm": True, "vocab_size": 120832, "intermediate_size": 13312,
    "first_k_dense_replace": 1, "num_experts": 192, "num_experts_per_tok": 8, "num_shared_experts": 1,
    "expert_hidden_dim": 1536, "moe_intermediate_size": 1536, "num_nextn_predict_layers": 1,
    "max_position_embeddings": 262144,
}  # fmt: skip
KIMI_K3 = {
    "model_type": "kimi_k3",
    "text_config": {
        "model_type": "kimi_linear", "vocab_size": 163840, "hidden_size": 7168, "intermediate_size": 33792,
        "num_hidden_layers": 93, "num_attention_heads": 96, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "mla_use_output_gate": True,
        "first_k_dense_replace": 1, "num_experts": 896, "num_experts_per_token": 16, "num_shared_experts": 2,
        "moe_intermediate_size": 3072, "routed_expert_hidden_size": 3584, "max_position_embeddings": 1048576,
        "linear_attn_config": {
            "num_heads": 96, "head_dim": 128, "short_conv_kernel_size": 4,
            "full_attn_layers": [*range(4, 93, 4), 93],
        },
    },
}  # fmt: skip


def written(folder: Path, values: dict[str, Any]) -> Path:
    (folder / "config.json").write_text(json.dumps(values), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "billions", "growing", "windows"),
    [
        # 9 full layers of 4 × (192 + 128) elements, 39 windowed ones of twice the KV heads.
        (MIMO_V2, 309, 9 * 4 * 320 * 2, ((128, 39 * 8 * 320 * 2),)),
        (MIMO, 7.6, 36 * 2 * 8 * 128 * 2, ()),
        (LAGUNA, 33.4, 10 * 2 * 8 * 128 * 2, ((512, 30 * 2 * 8 * 128 * 2),)),
        (HY3, 295, 80 * 2 * 8 * 128 * 2, ()),
        (KIMI_K3, 2780, 24 * 576 * 2, ()),
    ],
    ids=["mimo-v2-flash", "mimo-7b", "laguna-xs", "hy3", "kimi-k3"],
)
def test_counts_and_caches(
    tmp_path: Path, values: dict[str, Any], billions: float, growing: int, windows: tuple[tuple[int, int], ...]
) -> None:
    model = read(written(tmp_path, values)).model
    geometry = kv_geometry(model, BF16)
    assert parameters(model).total / 1e9 == pytest.approx(billions, rel=0.005)
    assert geometry.growing == growing
    assert geometry.windows == windows


@pytest.mark.parametrize(("values", "name"), [(LAGUNA, "laguna-xs-2.1"), (HY3, "hy3"), (KIMI_K3, "kimi-k3")])
def test_the_catalog_says_the_same(tmp_path: Path, values: dict[str, Any], name: str) -> None:
    assert parameters(read(written(tmp_path, values)).model).total == parameters(Catalog().model(name)).total


@pytest.mark.parametrize(("values", "billions"), [(MIMO, 0.21), (HY3, 3.75)])
def test_prediction_layers_are_named(tmp_path: Path, values: dict[str, Any], billions: float) -> None:
    extras = read(written(tmp_path, values)).model.extras
    assert [extra.name for extra in extras] == ["mtp"]
    assert extras[0].parameters / 1e9 == pytest.approx(billions, rel=0.05)


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        (MIMO_V2, "hybrid_layer_pattern", "0 or 1"),
        (LAGUNA, "num_attention_heads_per_layer", "one entry for each"),
        (KIMI_K3["text_config"], "linear_attn_config", "full_attn_layers"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, values: dict[str, Any], key: str, message: str) -> None:
    short = {**values, key: values[key][:2] if isinstance(values[key], list) else None}
    with pytest.raises(CheckpointError, match=message):
        read(written(tmp_path, short))


def test_a_checkpoints_declared_cache_is_its_models(tmp_path: Path) -> None:
    quantized = {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]}
    for declared in ("FP8", {"num_bits": 8, "type": "float"}):
        values = {**HY3, "quantization_config": {**quantized, "kv_cache_scheme": declared}}
        assert read(written(tmp_path, values)).model.cache_precision == "fp8"
    assert read(written(tmp_path, HY3)).model.cache_precision == ""


@pytest.mark.parametrize(
    "said", [{"rotary_dim": 64}, {"partial_rotary_factor": 0.5}, {"rope_parameters": {"partial_rotary_factor": 0.5}}]
)
def test_heads_that_are_turned_in_part_say_so(tmp_path: Path, said: dict[str, Any]):
    attention = read(written(tmp_path, MIMO | said)).model.groups[0].attention

    assert attention is not None
    assert attention.rotated == 64
