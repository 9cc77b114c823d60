"""Which parts a checkpoint packs, and into how many bits with scales, from each kind of quantization configuration."""

from __future__ import annotations

from typing import Any

import pytest

from infratui.checkpoint import CheckpointError, read
from infratui.engine.model.architecture import Part, parameters

GIB = 2**30

LLAMA_70B = {
    "model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "intermediate_size": 28672, "vocab_size": 128256, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}  # fmt: skip
MOE = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
    "moe_intermediate_size": 768, "vocab_size": 151936, "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
}  # fmt: skip
GPT_OSS = {
    "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 36, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 2880, "vocab_size": 201088,
    "max_position_embeddings": 131072, "sliding_window": 128, "num_local_experts": 128, "num_experts_per_tok": 4,
}  # fmt: skip


def quantized(base: dict[str, Any], **quantization: Any) -> dict[str, Any]:
    return {**base, "quantization_config": quantization}


def stored_gib(checkpoint) -> float:
    bits = checkpoint.precision
    return sum(count * bits.bits_of(part) / 8 for part, count in parameters(checkpoint.model).parts) / GIB


def int4(**more: Any) -> dict[str, Any]:
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True, **more}
    return {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": None}}


def test_fp8_dynamic_of_llama_70b_takes_67_7_gib(folder):
    """RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic as vLLM loads it: 67.72 GiB."""
    groups = {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True},
            "input_activations": {"num_bits": 8, "type": "float", "strategy": "token", "dynamic": True},
        }
    }

    checkpoint = read(
        folder(quantized(LLAMA_70B, quant_method="compressed-tensors", config_groups=groups, ignore=["lm_head"]))
    )

    assert stored_gib(checkpoint) == pytest.approx(67.72, rel=0.002)
    assert checkpoint.precision.compute == "fp8"
    assert checkpoint.precision.bits_of(Part.HEAD) == 16


def test_gpt_oss_120b_as_released_takes_60_8_gib(folder):
    skipped = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]

    checkpoint = read(folder(quantized(GPT_OSS, quant_method="mxfp4", modules_to_not_convert=skipped)))

    assert stored_gib(checkpoint) == pytest.approx(60.8, abs=0.05)
    assert checkpoint.precision.bits_of(Part.ROUTED_EXPERTS) == pytest.approx(4.25, abs=0.01)
    assert checkpoint.precision.bits_of(Part.ATTENTION) == 16


def test_fp8_blocks_carry_one_scale_for_16384_weights(folder):
    checkpoint = read(folder(quantized(MOE, quant_method="fp8", weight_block_size=[128, 128])))

    assert checkpoint.precision.bits_of(Part.ROUTED_EXPERTS) == 8 + 32 / 16384
    assert checkpoint.precision.block == 128
    assert checkpoint.precision.bits_of(Part.ROUTER) == 16


@pytest.mark.parametrize(
    ("quantization", "bits"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, 4 + 20 / 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128}, 8 + 24 / 128),
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, 4.15625),
        ({"quant_method": "auto-round", "bits": 4, "group_size": 32, "data_type": "int"}, 4 + 20 / 32),
        ({"quant_method": "compressed-tensors", "config_groups": int4()}, 4.125),
        ({"quant_method": "compressed-tensors", "config_groups": int4(symmetric=False)}, 4.15625),
        ({"quant_method": "compressed-tensors", "config_groups": int4(group_size=32)}, 4.5),
        ({"quant_method": "compressed-tensors", "config_groups": int4(type="float", group_size=16)}, 4.5),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}, 4.5),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, 4.5),
        ({"load_in_4bit": True, "bnb_4bit_use_double_quant": True}, 4 + (8 + 32 / 256) / 64),
        ({"quant_method": "fp8"}, 8),
    ],
)
def test_effective_bits_count_scales_and_zero_points(quantization, bits, folder):
    checkpoint = read(folder({**LLAMA_70B, "quantization_config": quantization}))

    assert checkpoint.precision.bits_of(Part.MLP) == pytest.approx(bits)
    assert checkpoint.precision.bits_of(Part.EMBEDDING) == 16
    assert checkpoint.precision.bits_of(Part.HEAD) == 16


@pytest.mark.parametrize(
    "entries",
    [
        ["self_attn"],
        ["model.layers.*.self_attn"],
        ["re:.*self_attn.*"],
        [r"re:model\.layers\.\d+\.self_attn\..*"],
        [f"model.layers.{index}.self_attn*" for index in range(80)],
        [f"model.layers.{index}.self_attn.{name}_proj" for index in range(80) for name in "qkvo"],
        [f"language_model.model.layers.{index}.self_attn" for index in range(80)],
    ],
)
def test_attention_stays_wide_however_the_list_says_so(entries, folder):
    listed = {"quant_method": "compressed-tensors", "config_groups": int4(), "ignore": ["lm_head", *entries]}

    precision = read(folder({**LLAMA_70B, "quantization_config": listed})).precision

    assert precision.bits_of(Part.ATTENTION) == 16
    assert precision.bits_of(Part.MLP) == pytest.approx(4.125)


def test_list_of_some_layers_gives_the_mean_over_all(folder):
    listed = [f"model.layers.{index}.mlp*" for index in range(20)]

    precision = read(folder(quantized(LLAMA_70B, quant_method="modelopt", quant_algo="FP8", ignore=listed))).precision

    assert precision.bits_of(Part.MLP) == pytest.approx((20 * 16 + 60 * 8) / 80)


def test_gate_of_a_router_is_not_a_gate_projection(folder):
    listed = ["gate", "lm_head"]

    precision = read(folder(quantized(LLAMA_70B, quant_method="fp8", modules_to_not_convert=listed))).precision

    assert precision.bits_of(Part.MLP) == 8


def test_lists_of_vision_and_prediction_layers_do_not_touch_the_decoder(folder):
    listed = ["visual.blocks.3*", "model.vision_tower.layers.0*", "mtp.layers.0*", "lm_head"]

    precision = read(folder(quantized(LLAMA_70B, quant_method="modelopt", quant_algo="FP8", ignore=listed))).precision

    assert precision.bits_of(Part.ATTENTION) == 8


def test_modelopt_file_beside_the_configuration_is_read(folder):
    excluded = ["lm_head", *(f"model.layers.{index}.self_attn*" for index in range(48))]
    quantization = {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16, "exclude_modules": excluded}

    checkpoint = read(folder(MOE, {"producer": {"name": "modelopt"}, "quantization": quantization}))

    assert checkpoint.precision.bits_of(Part.ROUTED_EXPERTS) == 4.5
    assert checkpoint.precision.bits_of(Part.ATTENTION) == 16
    assert (checkpoint.precision.compute, checkpoint.precision.activation_bits) == ("fp4", 4)
    assert checkpoint.kv_format == "fp8"


def test_mixed_precision_packs_what_it_lists(folder):
    listed = {
        **{f"model.layers.{i}.mlp.experts.{e}.up_proj": {"quant_algo": "W4A16_NVFP4", "group_size": 16}
           for i in range(48) for e in range(4)},
        **{f"model.layers.{i}.self_attn.o_proj": {"quant_algo": "FP8"} for i in range(48)},
        "lm_head": {"quant_algo": "W4A16_NVFP4", "group_size": 16},
    }  # fmt: skip

    checkpoint = read(folder(MOE, {"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": listed}}))

    # One of three expert matrices, and of 2·2048·4096 + 2·2048·512 attention weights the output projection.
    assert checkpoint.precision.bits_of(Part.ROUTED_EXPERTS) == pytest.approx((4.5 + 2 * 16) / 3)
    assert checkpoint.precision.bits_of(Part.ATTENTION) == pytest.approx(16 - 8 * 4096 / 9216, rel=1e-4)
    assert checkpoint.precision.bits_of(Part.HEAD) == 4.5


def test_gptq_dynamic_rules_override_and_exclude(folder):
    rules = {r"-:.*\.self_attn\..*": {}, r"+:.*\.down_proj": {"bits": 8}}

    precision = read(folder(quantized(LLAMA_70B, quant_method="gptq", bits=4, group_size=128, dynamic=rules))).precision

    assert precision.bits_of(Part.ATTENTION) == 16
    assert precision.bits_of(Part.MLP) == pytest.approx((2 * (4 + 20 / 128) + 8 + 24 / 128) / 3)


def test_group_targets_by_name_win_over_linear(folder):
    groups = {
        **int4(),
        "group_1": {
            "targets": ["re:.*self_attn.*_proj"],
            "weights": {"num_bits": 8, "type": "float", "strategy": "tensor"},
        },
    }

    precision = read(folder(quantized(LLAMA_70B, quant_method="compressed-tensors", config_groups=groups))).precision

    assert precision.bits_of(Part.ATTENTION) == 8
    assert precision.bits_of(Part.MLP) == pytest.approx(4.125)


def test_gemma_4_experts_are_not_the_mlp_beside_them(folder):
    config = {
        "model_type": "gemma4", "text_config": {
            "model_type": "gemma4_text", "hidden_size": 2816, "num_hidden_layers": 6, "num_attention_heads": 16,
            "num_key_value_heads": 8, "head_dim": 256, "global_head_dim": 512, "num_global_key_value_heads": 2,
            "intermediate_size": 2112, "enable_moe_block": True, "num_experts": 128, "top_k_experts": 8,
            "moe_intermediate_size": 704, "vocab_size": 262144, "sliding_window": 1024,
        },
    }  # fmt: skip
    listed = [f"model.language_model.layers.{index}.mlp*" for index in range(6)]

    precision = read(folder(quantized(config, quant_method="modelopt", quant_algo="NVFP4", ignore=listed))).precision

    assert precision.bits_of(Part.MLP) == 16
    assert precision.bits_of(Part.ROUTED_EXPERTS) == 4.5


def test_fp4_experts_of_an_fp8_checkpoint(folder):
    values = quantized({**MOE, "expert_dtype": "fp4"}, quant_method="fp8", weight_block_size=[128, 128])

    precision = read(folder(values)).precision

    assert precision.bits_of(Part.ROUTED_EXPERTS) == 4.25
    assert precision.bits_of(Part.ATTENTION) == pytest.approx(8, abs=0.01)


def test_unknown_method_is_refused_by_name(folder):
    with pytest.raises(CheckpointError, match=r"config.json: quantization_config.quant_method: 'magic' is not known"):
        read(folder(quantized(LLAMA_70B, quant_method="magic")))


def test_pattern_that_could_run_forever_is_left_out_with_a_warning(folder):
    listed = {"quant_method": "fp8", "modules_to_not_convert": ["re:(a+)+$", "re:(?=x)y", "re:[z-a]"]}

    checkpoint = read(folder({**LLAMA_70B, "quantization_config": listed}))

    assert len(checkpoint.warnings) == 3
    assert "not understood" in checkpoint.warnings[0]


def test_work_on_patterns_is_bounded(folder):
    listed = [f"re:.*{index}.*a.*b.*{index}" for index in range(3000)]

    with pytest.raises(CheckpointError, match="patterns"):
        read(folder(quantized(LLAMA_70B, quant_method="fp8", modules_to_not_convert=listed)))
