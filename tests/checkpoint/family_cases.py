"""Small configurations of every family, with the parameter count and KV geometry that were published for each.

Values restate public models; counts are elements of their published checkpoints (safetensors element counts where the
comment does not say otherwise), KV elements are per token over all full and all windowed layers.
"""

from __future__ import annotations

from typing import Any


def config(
    model_type: str, hidden: int, layers: int, heads: int, kv: int, wide: int | None, vocab: int, **more: Any
) -> dict[str, Any]:
    values = {
        "model_type": model_type,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "intermediate_size": wide,
        "vocab_size": vocab,
        "max_position_embeddings": 131072,
    }
    return {**values, **more}


def moe(experts: int, top_k: int, wide: int, **more: Any) -> dict[str, Any]:
    return {"num_experts": experts, "num_experts_per_tok": top_k, "moe_intermediate_size": wide, **more}


def deepseek(
    model_type: str,
    hidden: int,
    layers: int,
    heads: int,
    wide: int,
    vocab: int,
    experts: int,
    top_k: int,
    expert: int,
    dense: int,
    **more: Any,
) -> dict[str, Any]:
    values = {
        "n_routed_experts": experts,
        "num_experts_per_tok": top_k,
        "moe_intermediate_size": expert,
        "first_k_dense_replace": dense,
        "n_shared_experts": 1,
        "kv_lora_rank": 512,
        "q_lora_rank": 1536,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "topk_method": "noaux_tc",
        "scoring_func": "sigmoid",
    }
    return config(model_type, hidden, layers, heads, heads, wide, vocab, **{**values, **more})


def types(layers: int, every: int) -> list[str]:
    return ["full_attention" if (index + 1) % every == 0 else "sliding_attention" for index in range(layers)]


QWEN_VISION = {
    "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "num_position_embeddings": 2304,
    "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3,
}  # fmt: skip
SIGLIP = {
    "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "patch_size": 14, "image_size": 896
}  # fmt: skip
LINEAR = {
    "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 16, "linear_conv_kernel_dim": 4
}  # fmt: skip
MAMBA = {"mamba_head_dim": 64, "n_groups": 8, "conv_kernel": 4, "mlp_hidden_act": "relu2", "head_dim": 128}
V4 = {
    "head_dim": 512, "qk_rope_head_dim": 64, "q_lora_rank": 1024, "o_lora_rank": 1024, "o_groups": 8,
    "sliding_window": 128, "index_head_dim": 128, "index_n_heads": 64, "index_topk": 512, "hc_mult": 4,
    "num_hash_layers": 3, "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 6,
    "moe_intermediate_size": 2048, "scoring_func": "sqrtsoftplus", "compress_ratios": [0, 0, *([4, 128] * 20), 4],
}  # fmt: skip
PATTERN_NANO = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
PATTERN_56B = "".join("M-M-M-M*-M-M-M-M-M*-"[index % 20] for index in range(118))

CASES: dict[str, tuple[dict[str, Any], int, int, int]] = {
    "Llama 3.1 70B": (config("llama", 8192, 80, 64, 8, 28672, 128256), 70553706496, 163840, 0),
    "Llama 3.2 1B": (
        config("llama", 2048, 16, 32, 8, 8192, 128256, head_dim=64, tie_word_embeddings=True), 1235814400, 16384, 0,
    ),
    "Mistral 7B v0.1": (config("mistral", 4096, 32, 32, 8, 14336, 32000, sliding_window=4096), 7241732096, 0, 65536),
    "Ministral 8B": (
        config("mistral", 4096, 36, 32, 8, 12288, 131072, head_dim=128, sliding_window=32768,
               max_position_embeddings=32768), 8019808256, 73728, 0,
    ),
    "Mistral Small 3.1 24B": (
        {"model_type": "mistral3",
         "text_config": config("mistral", 5120, 40, 32, 8, 32768, 131072, head_dim=128),
         "vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
                           "patch_size": 14}}, 24011361280, 81920, 0,
    ),
    "Mixtral 8x7B": (
        config("mixtral", 4096, 32, 32, 8, 14336, 32000, num_local_experts=8, num_experts_per_tok=2),
        46702792704, 65536, 0,
    ),
    "Qwen2.5 7B": (
        config("qwen2", 3584, 28, 28, 4, 18944, 152064, use_sliding_window=False, sliding_window=131072,
               max_window_layers=28), 7615616512, 28672, 0,
    ),
    "Qwen3 8B": (config("qwen3", 4096, 36, 32, 8, 12288, 151936, head_dim=128), 8190735360, 73728, 0),
    "Qwen3 30B-A3B": (
        config("qwen3_moe", 2048, 48, 32, 4, 6144, 151936, head_dim=128, **moe(128, 8, 768), decoder_sparse_step=1,
               mlp_only_layers=[]), 30532122624, 49152, 0,
    ),
    "Qwen3-VL 8B": (
        {"model_type": "qwen3_vl", "tie_word_embeddings": False,
         "text_config": config("qwen3_vl_text", 4096, 36, 32, 8, 12288, 151936, head_dim=128),
         "vision_config": {**QWEN_VISION, "out_hidden_size": 4096, "deepstack_visual_indexes": [8, 16, 24]}},
        8767123696, 73728, 0,
    ),
    "Qwen3-Next 80B-A3B": (
        config("qwen3_next", 2048, 48, 16, 2, 5120, 151936, head_dim=256, full_attention_interval=4, **LINEAR,
               linear_num_value_heads=32, **moe(512, 10, 512), shared_expert_intermediate_size=512),
        79674391296, 12288, 0,
    ),
    "Qwen3.5 27B": (  # text, vision: 26,895,998,464 + 460,730,096
        {"model_type": "qwen3_5",
         "text_config": config("qwen3_5_text", 5120, 64, 24, 4, 17408, 248320, head_dim=256, **LINEAR,
                               linear_num_value_heads=48, attn_output_gate=True, mtp_num_hidden_layers=1,
                               layer_types=[*["linear_attention"] * 3, "full_attention"] * 16),
         "vision_config": {**QWEN_VISION, "out_hidden_size": 5120}}, 27356728560, 32768, 0,
    ),
    "Qwen3.5 35B-A3B": (  # 34,660,610,688 + 446,571,248
        {"model_type": "qwen3_5_moe",
         "text_config": config("qwen3_5_moe_text", 2048, 40, 16, 2, None, 248320, head_dim=256, **LINEAR,
                               linear_num_value_heads=32, **moe(256, 8, 512), shared_expert_intermediate_size=512,
                               full_attention_interval=4),
         "vision_config": {**QWEN_VISION, "out_hidden_size": 2048}}, 35107181936, 10240, 0,
    ),
    "DeepSeek-V2-Lite": (
        deepseek("deepseek_v2", 2048, 27, 16, 10944, 102400, 64, 6, 1408, 1, q_lora_rank=None, n_shared_experts=2,
                 topk_method="greedy", scoring_func="softmax"), 15706484224, 15552, 0,
    ),
    "DeepSeek-V3": (
        deepseek("deepseek_v3", 7168, 61, 128, 18432, 129280, 256, 8, 2048, 3, num_nextn_predict_layers=1),
        671026419200, 35136, 0,
    ),
    "DeepSeek-V3.2": (
        deepseek("deepseek_v32", 7168, 61, 128, 18432, 129280, 256, 8, 2048, 3, index_n_heads=64,
                 index_head_dim=128, index_topk=2048), 671877944064, 35136, 0,
    ),
    "DeepSeek-V4-Flash": (
        config("deepseek_v4", 4096, 43, 64, 1, None, 129280, **V4), 284332241239, 2768, 1024,
    ),
    "Kimi K2": (
        deepseek("kimi_k2", 7168, 61, 64, 18432, 163840, 384, 8, 2048, 1, n_group=1, topk_group=1),
        1026408232448, 35136, 0,
    ),
    "Kimi K2.5": (
        {"model_type": "kimi_k25",
         "text_config": deepseek("kimi_k2", 7168, 61, 64, 18432, 163840, 384, 8, 2048, 1),
         "vision_config": {"vt_hidden_size": 1152, "vt_intermediate_size": 4304, "vt_num_hidden_layers": 27,
                           "patch_size": 14, "merge_kernel_size": [2, 2], "init_pos_emb_height": 64,
                           "init_pos_emb_width": 64}}, 1026879376368, 35136, 0,
    ),
    "GLM-4.5 355B-A32B": (
        config("glm4_moe", 5120, 92, 96, 8, 12288, 151552, head_dim=128, attention_bias=True, use_qk_norm=True,
               n_routed_experts=160, num_experts_per_tok=8, moe_intermediate_size=1536, n_shared_experts=1,
               first_k_dense_replace=3), 352797829024, 188416, 0,
    ),
    "GLM-4.5-Air": (
        config("glm4_moe", 4096, 46, 96, 8, 10944, 151552, head_dim=128, attention_bias=True, use_qk_norm=False,
               n_routed_experts=128, num_experts_per_tok=8, moe_intermediate_size=1408, n_shared_experts=1,
               first_k_dense_replace=1), 106852251264, 94208, 0,
    ),
    "GLM-5": (
        deepseek("glm_moe_dsa", 6144, 78, 64, 12288, 154880, 256, 8, 2048, 3, q_lora_rank=2048, qk_nope_head_dim=192,
                 v_head_dim=256, index_n_heads=32, index_head_dim=128, index_topk=2048), 743911218432, 44928, 0,
    ),
    "GLM-5.2": (
        deepseek("glm_moe_dsa", 6144, 78, 64, 12288, 154880, 256, 8, 2048, 3, q_lora_rank=2048, qk_nope_head_dim=192,
                 v_head_dim=256, index_n_heads=32, index_head_dim=128, index_topk=2048,
                 indexer_types=["full"] * 3 + (["shared"] * 3 + ["full"]) * 18 + ["shared"] * 3),
        743377019904, 44928, 0,
    ),
    "gpt-oss-20b": (
        config("gpt_oss", 2880, 24, 64, 8, 2880, 201088, head_dim=64, sliding_window=128, num_local_experts=32,
               num_experts_per_tok=4, layer_types=["sliding_attention", "full_attention"] * 12),
        20914757184, 12288, 12288,
    ),
    "Gemma 2 27B": (
        config("gemma2", 4608, 46, 32, 16, 36864, 256000, head_dim=128, sliding_window=4096), 27227128320, 94208, 94208,
    ),
    "Gemma 3 1B": (
        config("gemma3_text", 1152, 26, 4, 1, 6912, 262144, head_dim=256, sliding_window=512,
               sliding_window_pattern=6), 999885952, 2048, 11264,
    ),
    "Gemma 3 4B": (  # its text configuration leaves heads, head size and vocabulary to the library
        {"model_type": "gemma3",
         "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
                         "num_hidden_layers": 34, "sliding_window": 1024},
         "vision_config": SIGLIP}, 4300079472, 10240, 59392,
    ),
    "Gemma 4 31B": (
        {"model_type": "gemma4", "tie_word_embeddings": True,
         "text_config": config("gemma4_text", 5376, 60, 32, 16, 21504, 262144, head_dim=256, global_head_dim=512,
                               num_global_key_value_heads=4, attention_k_eq_v=True, sliding_window=1024,
                               layer_types=types(60, 6))}, 30697345340, 40960, 409600,
    ),
    "Gemma 4 26B-A4B": (
        {"model_type": "gemma4", "tie_word_embeddings": True,
         "text_config": config("gemma4_text", 2816, 30, 16, 8, 2112, 262144, head_dim=256, global_head_dim=512,
                               num_global_key_value_heads=2, attention_k_eq_v=True, sliding_window=1024,
                               enable_moe_block=True, top_k_experts=8, num_experts=128, moe_intermediate_size=704,
                               layer_types=types(30, 6)),
         "vision_config": {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "head_dim": 72,
                           "num_attention_heads": 16, "num_key_value_heads": 16, "patch_size": 16,
                           "position_embedding_size": 10240, "standardize": True}}, 25805936206, 10240, 102400,
    ),
    # 7.52 billion by llama.cpp, whose cache has 4 full and 20 windowed layers of the 42.
    "Gemma 4 E4B": (
        {"model_type": "gemma4", "tie_word_embeddings": True,
         "text_config": config("gemma4_text", 2560, 42, 8, 2, 10240, 262144, head_dim=256, global_head_dim=512,
                               sliding_window=512, hidden_size_per_layer_input=256, num_kv_shared_layers=18,
                               vocab_size_per_layer_input=262144, layer_types=types(42, 6))},
        7520000000, 8192, 20480,
    ),
    # 2.3 billion without any embedding by its model card: 402,653,184 and 2,348,810,496 of words, 18.9 million unused.
    "Gemma 4 E2B": (
        {"model_type": "gemma4", "tie_word_embeddings": True,
         "text_config": config("gemma4_text", 1536, 35, 8, 1, 6144, 262144, head_dim=256, global_head_dim=512,
                               sliding_window=512, hidden_size_per_layer_input=256, num_kv_shared_layers=20,
                               use_double_wide_mlp=True, layer_types=types(35, 5))}, 4647449891, 3072, 6144,
    ),
    "Phi-3 mini 128K": (
        config("phi3", 3072, 32, 32, 32, 8192, 32064, sliding_window=262144), 3821079552, 196608, 0,
    ),
    "Phi-4 mini": (
        config("phi3", 3072, 32, 24, 8, 8192, 200064, tie_word_embeddings=True), 3836021760, 65536, 0,
    ),
    "MiniMax-M1": (
        config("minimax_m1", 6144, 80, 64, 8, 9216, 200064, head_dim=128, num_local_experts=32, num_experts_per_tok=2,
               attn_type_list=([0] * 7 + [1]) * 10), 456089655296, 20480, 0,
    ),
    "MiniMax-M2": (
        config("minimax_m2", 3072, 62, 48, 8, 1536, 200064, head_dim=128, num_local_experts=256,
               num_experts_per_tok=8, scoring_func="sigmoid"), 228689764864, 126976, 0,
    ),
    "MiniMax-M3": (  # 427,040,140,160 with a vision part that is not counted
        config("minimax_m3", 6144, 60, 64, 4, 3072, 200064, head_dim=128, num_local_experts=128,
               num_experts_per_tok=4, n_shared_experts=1, shared_intermediate_size=3072,
               dense_intermediate_size=12288, moe_layer_freq=[0] * 3 + [1] * 57,
               sparse_attention_config={"sparse_num_index_heads": 4, "sparse_index_dim": 128,
                                        "sparse_block_size": 128, "sparse_topk_blocks": 16,
                                        "sparse_attention_freq": [0] * 3 + [1] * 57}), 426174572928, 61440, 0,
    ),
    "Nemotron-H 56B": (
        config("nemotron_h", 8192, 118, 64, 8, 32768, 131072, **MAMBA, mamba_num_heads=256, ssm_state_size=256,
               layers_block_type=["mamba", "mlp"] * 54 + ["attention"] * 10), 56324350464, 20480, 0,
    ),
    "Nemotron 3 Nano 30B-A3B": (
        config("nemotron_h", 2688, 52, 32, 2, 1856, 131072, **MAMBA, mamba_num_heads=64, ssm_state_size=128,
               hybrid_override_pattern=PATTERN_NANO, n_routed_experts=128, num_experts_per_tok=6, n_shared_experts=1,
               moe_intermediate_size=1856, moe_shared_expert_intermediate_size=3712), 31577940288, 3072, 0,
    ),
    "Nemotron 3 Super 120B-A12B": (
        config("nemotron_h", 4096, 88, 32, 2, 2688, 131072, **MAMBA, mamba_num_heads=128, ssm_state_size=128,
               layers_block_type=["mamba", "moe"] * 40 + ["attention"] * 8, n_routed_experts=512,
               num_experts_per_tok=22, n_shared_experts=1, moe_intermediate_size=2688, moe_latent_size=1024,
               moe_shared_expert_intermediate_size=5376), 120668707840, 4096, 0,
    ),
    "Command R 08-2024": (config("cohere", 8192, 40, 64, 8, 24576, 256000), 32296476672, 81920, 0),
    "Command R+": (config("cohere", 12288, 64, 96, 8, 33792, 256000, use_qk_norm=True), 103810674688, 131072, 0),
    "Falcon 7B": (
        {"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
         "vocab_size": 65024, "multi_query": True, "parallel_attn": True}, 7217189760, 4096, 0,
    ),
    "Falcon 40B": (
        {"model_type": "RefinedWeb", "hidden_size": 8192, "n_layer": 60, "n_head": 128, "n_head_kv": 8,
         "vocab_size": 65024, "new_decoder_architecture": True}, 41835970560, 61440, 0,
    ),
    "OLMo 2 7B": (config("olmo2", 4096, 32, 32, 32, 11008, 100352), 7298617344, 262144, 0),
    "OLMo 3 32B": (
        config("olmo3", 5120, 64, 40, 8, 27648, 100278, sliding_window=4096, max_position_embeddings=65536),
        32233522176, 32768, 98304,
    ),
    "Llama 4 Scout": (  # 108,641,793,536 with the vision tower that its configuration leaves to the library
        {"model_type": "llama4",
         "text_config": config("llama4_text", 5120, 48, 40, 8, 8192, 202048, head_dim=128, num_local_experts=16,
                               num_experts_per_tok=1, interleave_moe_layer_step=1, intermediate_size_mlp=16384,
                               attention_chunk_size=8192)}, 108641793536, 24576, 73728,
    ),
    "Llama 4 Maverick": (
        {"model_type": "llama4",
         "text_config": config("llama4_text", 5120, 48, 40, 8, 8192, 202048, head_dim=128, num_local_experts=128,
                               num_experts_per_tok=1, interleave_moe_layer_step=2, intermediate_size_mlp=16384,
                               attention_chunk_size=8192)}, 401583781376, 24576, 73728,
    ),
    "Step-3.5-Flash": (  # 196 B as its maker rounds it
        config("step3p5", 4096, 45, 64, 8, 11264, 128896, head_dim=128, sliding_window=512, **moe(288, 8, 1280),
               share_expert_dim=1280, use_moe_router_bias=True, use_head_wise_attn_gate=True,
               attention_other_setting={"num_attention_heads": 96, "num_attention_groups": 8, "head_dim": 128},
               layer_types=["full_attention", *["sliding_attention"] * 3] * 11 + ["full_attention"]),
        196_000_000_000, 24576, 67584,
    ),
    "Nemotron 49B, puzzled": (
        config("nemotron-nas", 8192, 80, 64, None, None, 128256, block_configs=[  # type: ignore[arg-type]
            *[{"attention": {"n_heads_in_group": 8}, "ffn": {"ffn_mult": 5.25}}] * 49,
            *[{"attention": {"no_op": True}, "ffn": {"ffn_mult": 1.3125}}] * 31]), 49_867_145_216, 100352, 0,
    ),
}  # fmt: skip
LOOSE = {"Gemma 4 E4B": 0.002, "Gemma 4 E2B": 0.002, "Nemotron 49B, puzzled": 0.12, "Step-3.5-Flash": 0.01}
"""The real Nemotron varies its MLP widths over the layers, the case keeps two; Step is published rounded."""
