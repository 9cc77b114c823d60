"""GGUF metadata in the words of a Hugging Face configuration, so that one set of families reads both."""

from __future__ import annotations

from typing import Any

from .errors import CheckpointError
from .fields import HEADS, LAYERS, Fields
from .gguf import Header
from .text import safe_text

MODEL_TYPES = {
    "llama": "llama", "mistral3": "mistral", "granite": "granite", "llama4": "llama4", "deci": "nemotron-nas",
    "qwen2": "qwen2", "qwen2vl": "qwen2", "qwen2moe": "qwen2_moe",
    "qwen3": "qwen3", "qwen3vl": "qwen3", "qwen3moe": "qwen3_moe", "qwen3vlmoe": "qwen3_moe",
    "qwen3next": "qwen3_next", "qwen35": "qwen3_next", "qwen35moe": "qwen3_next",
    "gemma": "gemma", "gemma2": "gemma2", "gemma3": "gemma3", "phi3": "phi3",
    "command-r": "cohere", "cohere2": "cohere2", "falcon": "falcon", "olmo2": "olmo2",
    "nemotron": "nemotron", "nemotron_h": "nemotron_h", "nemotron_h_moe": "nemotron_h",
    "deepseek2": "deepseek_v3", "deepseek32": "deepseek_v3", "glm-dsa": "deepseek_v3",
    "glm4moe": "glm4_moe", "gpt-oss": "gpt_oss", "minimax-m2": "minimax_m2", "step35": "step3p5",
}  # fmt: skip
"""`general.architecture` → family (ggml-org/llama.cpp, gguf-py/gguf/constants.py)."""

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip
"""`general.file_type` → the name of the mixture (same source)."""

_PLAIN = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "expert_used_count": "num_experts_per_tok",
    "expert_count": "num_experts",
    "expert_feed_forward_length": "moe_intermediate_size",
    "expert_shared_count": "n_shared_experts",
    "expert_shared_feed_forward_length": "shared_expert_intermediate_size",
    "expert_weights_scale": "routed_scaling_factor",
    "expert_weights_norm": "norm_topk_prob",
    "leading_dense_block_count": "first_k_dense_replace",
    "nextn_predict_layers": "num_nextn_predict_layers",
    "attention.sliding_window": "sliding_window",
    "attention.q_lora_rank": "q_lora_rank",
    "attention.kv_lora_rank": "kv_lora_rank",
    "attention.indexer.head_count": "index_n_heads",
    "attention.indexer.key_length": "index_head_dim",
    "attention.indexer.top_k": "index_topk",
    "interleave_moe_layer_step": "interleave_moe_layer_step",
    "full_attention_interval": "full_attention_interval",
    "moe_latent_size": "moe_latent_size",
}
"""Metadata that means the same under another name."""


def config_of(header: Header, names: frozenset[str], where: str) -> Fields:
    """The configuration that metadata and tensor `names` amount to. Raises CheckpointError."""
    general = Fields(header.metadata, where)
    architecture = general.text("general.architecture")
    if not architecture:
        raise general.missing("general.architecture", "the name of the architecture, such as 'llama',")
    if architecture not in MODEL_TYPES:
        raise CheckpointError(
            f"{where}: general.architecture {safe_text(architecture, 40)!r} is not known, so its layers cannot be"
            f" counted; known are {', '.join(sorted(MODEL_TYPES))}"
        )
    prefix = f"{architecture}."
    own = {key.removeprefix(prefix): value for key, value in header.metadata.items() if key.startswith(prefix)}
    fields = Fields(own, f"{where}: {architecture}")
    config: dict[str, Any] = {new: own[old] for old, new in _PLAIN.items() if old in own}
    config["model_type"] = MODEL_TYPES[architecture]
    layers = fields.integer("block_count", high=LAYERS) - fields.integer(
        "nextn_predict_layers", low=0, high=LAYERS, default=0
    )
    config["num_hidden_layers"] = layers
    config["vocab_size"] = _vocabulary(header, own, fields)
    config["tie_word_embeddings"] = "output.weight" not in names
    config["attention_bias"] = "blk.0.attn_q.bias" in names or "blk.0.attn_qkv.bias" in names
    config["mlp_bias"] = "blk.0.ffn_up.bias" in names
    config["use_qk_norm"] = any(name.endswith(".attn_q_norm.weight") for name in names)
    for source, target in (
        ("attention.head_count", "num_attention_heads"),
        ("feed_forward_length", "intermediate_size"),
    ):
        _most(own, source, config, target)
    _most(own, "attention.head_count_kv", config, "num_key_value_heads")
    _most(own, "attention.key_length", config, "head_dim")
    if own.get("expert_gating_func") in (1, 2):
        config["scoring_func"] = "softmax" if own["expert_gating_func"] == 1 else "sigmoid"
    special = _SPECIAL.get(config["model_type"])
    if special is not None:
        special(own, config, fields, names, layers)
    return Fields(config, f"{where}: {architecture}")


def _vocabulary(header: Header, own: dict[str, Any], fields: Fields) -> int:
    shape = header.shapes.get("token_embd.weight", ())
    if len(shape) == 2:
        return shape[1]
    listed = header.lengths.get("tokenizer.ggml.tokens", 0)
    stated = own.get("vocab_size", listed)
    if isinstance(stated, bool) or not isinstance(stated, int) or stated < 1:
        raise fields.missing("vocab_size", "a vocabulary size or a token_embd.weight tensor")
    return stated


def _most(own: dict[str, Any], source: str, config: dict[str, Any], target: str) -> None:
    """A value, or the largest of a value per layer."""
    value = own.get(source)
    if isinstance(value, tuple):
        numbers = [entry for entry in value if isinstance(entry, int)]
        value = max(numbers, default=None)
    if value is not None:
        config[target] = value


def _llama(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    if config.get("num_experts"):
        config["model_type"] = "mixtral"


def _falcon(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    many = fields.integer("attention.head_count_kv", high=HEADS, default=1) > 1
    config.update(
        new_decoder_architecture=many,
        num_kv_heads=config.get("num_key_value_heads", 1),
        num_ln_in_parallel_attn=2 if "blk.0.attn_norm_2.weight" in names else 1,
        ffn_hidden_size=config.get("intermediate_size"),
    )


def _llama4(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    config["intermediate_size_mlp"] = config.get("intermediate_size")
    config["intermediate_size"] = config.get("moe_intermediate_size")
    # llama.cpp fixes the chunk in its code; the file does not state it.
    config.setdefault("attention_chunk_size", 8192)


def _expert_width(
    own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int
) -> None:
    if config.get("moe_intermediate_size"):
        config["intermediate_size"] = config["moe_intermediate_size"]


def _latent(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    rotary = fields.integer("rope.dimension_count", high=2**20)
    key = fields.integer("attention.key_length_mla", "attention.key_length", high=2**20)
    if key <= rotary:
        raise fields.wrong("attention.key_length", f"a key length above the {rotary} rotary dimensions")
    config.update(
        qk_rope_head_dim=rotary,
        qk_nope_head_dim=key - rotary,
        v_head_dim=fields.integer("attention.value_length_mla", "attention.value_length", high=2**20),
        topk_method="noaux_tc" if any("exp_probs_b" in name for name in names) else "greedy",
    )
    if config.get("num_experts"):
        config["n_routed_experts"] = config["num_experts"]


def _hybrid(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    values = fields.integer("ssm.time_step_rank", high=HEADS)
    inner = fields.integer("ssm.inner_size", high=2**24)
    config.update(
        linear_num_value_heads=values,
        linear_value_head_dim=max(1, inner // values),
        linear_key_head_dim=own.get("ssm.state_size"),
        linear_num_key_heads=own.get("ssm.group_count"),
        linear_conv_kernel_dim=own.get("ssm.conv_kernel"),
    )


def _nemotron_h(
    own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int
) -> None:
    heads = fields.integer("ssm.time_step_rank", high=HEADS)
    inner = fields.integer("ssm.inner_size", high=2**24)
    kv, wide = own.get("attention.head_count_kv"), own.get("feed_forward_length")
    if not isinstance(kv, tuple) or not isinstance(wide, tuple) or min(len(kv), len(wide)) < layers:
        raise fields.missing("attention.head_count_kv", f"KV heads and MLP widths for each of the {layers} layers")
    experts = bool(config.get("num_experts"))
    blocks = []
    for index in range(layers):
        if kv[index]:
            blocks.append("attention")
        elif wide[index]:
            blocks.append("moe" if experts and f"blk.{index}.ffn_gate_inp.weight" in names else "mlp")
        else:
            blocks.append("mamba")
    config.update(
        layers_block_type=blocks,
        mamba_num_heads=heads,
        mamba_head_dim=max(1, inner // heads),
        ssm_state_size=own.get("ssm.state_size"),
        n_groups=own.get("ssm.group_count"),
        conv_kernel=own.get("ssm.conv_kernel"),
        moe_shared_expert_intermediate_size=config.get("shared_expert_intermediate_size"),
    )


def _deci(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    heads, kv, wide = (
        value if isinstance(value, tuple) else (value,) * layers
        for value in (
            own.get(key) for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length")
        )
    )
    if min(len(heads), len(kv), len(wide)) < layers:
        raise fields.missing("attention.head_count_kv", f"one value for each of the {layers} layers")
    config["block_configs"] = [
        {
            "attention": {"no_op": not kv[index], "num_key_value_heads": kv[index] or None},
            "ffn": {"no_op": not wide[index], "intermediate_size": wide[index] or None},
        }
        for index in range(layers)
    ]


def _windows(own: dict[str, Any], config: dict[str, Any], fields: Fields, names: frozenset[str], layers: int) -> None:
    pattern = own.get("attention.sliding_window_pattern")
    if isinstance(pattern, tuple) and len(pattern) >= layers:
        config["layer_types"] = ["sliding_attention" if flag else "full_attention" for flag in pattern[:layers]]
    elif isinstance(pattern, int) and not isinstance(pattern, bool) and pattern > 0:
        config["sliding_window_pattern"] = pattern


_SPECIAL = {
    "llama": _llama,
    "falcon": _falcon,
    "llama4": _llama4,
    "gpt_oss": _expert_width,
    "minimax_m2": _expert_width,
    "deepseek_v3": _latent,
    "qwen3_next": _hybrid,
    "nemotron_h": _nemotron_h,
    "nemotron-nas": _deci,
    "gemma2": _windows,
    "gemma3": _windows,
    "cohere2": _windows,
    "step3p5": _windows,
}
