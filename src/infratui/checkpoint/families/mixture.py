"""Mixtures of experts on grouped-query attention: Mixtral, Qwen, GLM-4.5, MiniMax, gpt-oss, Llama 4, Step."""

from __future__ import annotations

from dataclasses import replace

from ...engine.model.architecture import Dense, Extra, Indexer, LayerGroup, Mixture, Part
from ..draft import Draft, layer
from ..fields import HEADS, LAYERS, TOKENS, WIDTH, Fields
from .common import (
    draft,
    every_window,
    gate,
    grouped,
    hidden_size,
    layer_count,
    layer_types,
    qwen_windows,
    top_k,
    width,
    window_size,
)


def experts(config: Fields) -> int:
    """Number of routed experts, under any of its names."""
    return config.integer("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts", high=HEADS, low=2)


def prediction_layers(config: Fields, entry: LayerGroup, *, copies: bool = False) -> tuple[Extra, ...]:
    """Multi-token prediction: a decoder layer, its projection from twice the width, and three norms.

    `copies`: the module brings an embedding and a head of its own.
    """
    count = config.integer("num_nextn_predict_layers", "mtp_num_hidden_layers", low=0, high=LAYERS, default=0)
    if not count:
        return ()
    hidden = hidden_size(config)
    one = sum(part.total for part in entry.weights(hidden)) + 2 * hidden * hidden + 3 * hidden
    if copies:
        one += 2 * config.integer("vocab_size", high=2**27) * hidden
    stored_as = Part.ROUTED_EXPERTS if isinstance(entry.mlp, Mixture) else Part.MLP
    return (Extra("mtp", count * one, stored_as=stored_as),)


def mixtral(config: Fields) -> Draft:
    """Mixtral: every layer a mixture as wide as `intermediate_size`."""
    layers = layer_count(config)
    count = experts(config)
    mlp = Mixture(count, top_k(config, count), width(config, "intermediate_size"), gate=gate(config))
    windows = every_window(config, layers)
    return draft(config, [layer(attention=grouped(config, window=window), mlp=mlp) for window in windows])


def sparse_layers(config: Fields, layers: int) -> tuple[bool, ...]:
    """Which layers are mixtures, by the rules of the Qwen and DeepSeek families."""
    kinds = config.texts("mlp_layer_types")
    if kinds is not None:
        if len(kinds) < layers:
            raise config.wrong("mlp_layer_types", f"one entry for each of the {layers} layers")
        return tuple(kind == "sparse" for kind in kinds[:layers])
    listed = config.values.get("moe_layer_freq")
    if isinstance(listed, list):
        flags = config.integers("moe_layer_freq", low=0, high=1) or ()
        if len(flags) < layers:
            raise config.wrong("moe_layer_freq", f"one entry for each of the {layers} layers")
        return tuple(bool(flag) for flag in flags[:layers])
    dense = config.integer("first_k_dense_replace", low=0, high=LAYERS, default=0)
    every = config.integer("moe_layer_freq", "decoder_sparse_step", high=LAYERS, default=1)
    shift = 1 if "decoder_sparse_step" in config else 0
    only = set(config.integers("mlp_only_layers", low=0, high=LAYERS) or ())
    return tuple(index >= dense and index not in only and (index + shift) % every == 0 for index in range(layers))


def shared(config: Fields, routed_width: int) -> tuple[int, int]:
    """Number and width of shared experts; a stated total width counts as one expert."""
    total = config.integer(
        "shared_expert_intermediate_size",
        "share_expert_dim",
        "shared_intermediate_size",
        low=0,
        high=WIDTH,
        default=0,
    )
    if total:
        return 1, total
    return config.integer("n_shared_experts", low=0, high=HEADS, default=0), routed_width


def qwen_mixture(config: Fields) -> Mixture:
    """Qwen2 to 3.5: softmax router, a gated shared expert where its width is stated."""
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    shared_count, shared_width = shared(config, wide)
    return Mixture(
        count,
        top_k(config, count),
        wide,
        shared_experts=shared_count,
        shared_width=shared_width if shared_count else 0,
        shared_gate=bool(shared_count),
        gate=gate(config),
    )


def qwen3_moe(config: Fields) -> Draft:
    """Qwen3 mixtures: norms on query and key heads."""
    return _qwen_moe(config, qwen2=False)


def qwen2_moe(config: Fields) -> Draft:
    """Qwen1.5 and 2 mixtures: biases on query, key and value."""
    return _qwen_moe(config, qwen2=True)


def _qwen_moe(config: Fields, *, qwen2: bool) -> Draft:
    layers = layer_count(config)
    moe = qwen_mixture(config)
    sparse = sparse_layers(config, layers)
    dense = None if all(sparse) else Dense(width(config, "intermediate_size"))
    bias = config.flag("attention_bias")
    return draft(
        config,
        [
            layer(
                attention=grouped(
                    config,
                    window=window,
                    qkv_bias=qwen2 or bias,
                    out_bias=not qwen2 and bias,
                    qk_norm="" if qwen2 else "head",
                ),
                mlp=moe if is_sparse else dense,
            )
            for window, is_sparse in zip(qwen_windows(config, layers), sparse, strict=True)
        ],
    )


def glm4_moe(config: Fields) -> Draft:
    """GLM-4.5 to 4.7: biased queries, sigmoid router with a correction bias, leading dense layers."""
    layers = layer_count(config)
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    shared_count, _ = shared(config, wide)
    moe = Mixture(
        count,
        top_k(config, count),
        wide,
        shared_experts=shared_count,
        gate=gate(config, scoring="sigmoid", correction=True),
    )
    sparse = sparse_layers(config, layers)
    dense = None if all(sparse) else Dense(width(config, "intermediate_size"))
    attention = grouped(
        config, qkv_bias=config.flag("attention_bias"), qk_norm="head" if config.flag("use_qk_norm") else ""
    )
    entries = [layer(attention=attention, mlp=moe if is_sparse else dense) for is_sparse in sparse]
    return draft(config, entries, extras=prediction_layers(config, layer(attention=attention, mlp=moe)))


def minimax_m2(config: Fields) -> Draft:
    """MiniMax-M2: norms over the full width of queries and keys. Its prediction modules are not in the checkpoints."""
    layers = layer_count(config)
    kinds = config.integers("attn_type_list", low=0, high=1)
    if kinds is not None and 0 in kinds[:layers]:
        raise config.wrong("attn_type_list", "1 for every layer (lightning layers belong to minimax_m1)")
    count = experts(config)
    attention = grouped(config, qk_norm="full" if config.flag("use_qk_norm", default=True) else "")
    moe = Mixture(
        count,
        top_k(config, count),
        width(config, "intermediate_size"),
        gate=gate(config, scoring="sigmoid", correction=config.flag("use_routing_bias", default=True)),
    )
    return draft(config, [layer(attention=attention, mlp=moe)] * layers)


def minimax_m3(config: Fields) -> Draft:
    """MiniMax-M3: leading dense layers with full attention, then mixtures with block-sparse attention."""
    layers = layer_count(config)
    count = experts(config)
    wide = width(config, "intermediate_size")
    shared_count, shared_width = shared(config, wide)
    moe = Mixture(
        count,
        top_k(config, count),
        wide,
        shared_experts=shared_count,
        shared_width=shared_width if shared_width != wide else 0,
        gate=gate(config, scoring="sigmoid", correction=config.flag("use_routing_bias", default=True)),
    )
    sparse = sparse_layers(config, layers)
    dense = None if all(sparse) else Dense(width(config, "dense_intermediate_size"))
    full = grouped(config, qk_norm="head", output_gate=config.flag("attention_output_gate"))
    selecting, picks = full, (False,) * layers
    settings = config.section("sparse_attention_config")
    if settings is not None and settings.flag("use_sparse_attention", default=True):
        block = settings.integer("sparse_block_size", high=TOKENS, default=128)
        indexer = Indexer(
            settings.integer("sparse_num_index_heads", high=HEADS),
            settings.integer("sparse_index_dim", high=WIDTH, default=full.head_dim),
            block * settings.integer("sparse_topk_blocks", high=TOKENS),
        )
        selecting = replace(full, indexer=indexer)
        listed = settings.integers("sparse_attention_freq", low=0, high=1)
        picks = tuple(bool(flag) for flag in listed[:layers]) if listed and len(listed) >= layers else sparse
    entries = [
        layer(attention=selecting if pick else full, mlp=moe if is_sparse else dense)
        for pick, is_sparse in zip(picks, sparse, strict=True)
    ]
    return draft(config, entries)


def gpt_oss(config: Fields) -> Draft:
    """gpt-oss: biases everywhere, attention sinks, windows on every other layer."""
    layers = layer_count(config)
    count = experts(config)
    moe = Mixture(
        count,
        top_k(config, count, "num_experts_per_tok", "experts_per_token"),
        width(config, "intermediate_size"),
        bias=True,
        router_bias=True,
        gate=gate(config),
    )
    types = layer_types(config, layers) or tuple(
        "full_attention" if index % 2 else "sliding_attention" for index in range(layers)
    )
    size = window_size(config)
    bias = config.flag("attention_bias", default=True)
    return draft(
        config,
        [
            layer(
                attention=grouped(
                    config,
                    window=size if kind == "sliding_attention" else None,
                    qkv_bias=bias,
                    out_bias=bias,
                    sinks=True,
                ),
                mlp=moe,
            )
            for kind in types
        ],
    )


def llama4(config: Fields) -> Draft:
    """Llama 4: three chunked layers to one without positions and full attention; mixtures on every n-th layer."""
    layers = layer_count(config)
    count = experts(config)
    wide = width(config, "intermediate_size")
    moe = Mixture(count, top_k(config, count), wide, shared_experts=1, gate=gate(config, scoring="sigmoid"))
    step = config.integer("interleave_moe_layer_step", high=LAYERS, default=1)
    listed = config.integers("moe_layers", low=0, high=LAYERS)
    sparse = set(listed) if listed else {index for index in range(layers) if (index + 1) % step == 0}
    dense = Dense(width(config, "intermediate_size_mlp")) if len(sparse) < layers else None
    chunk = window_size(config, "attention_chunk_size")
    rotary = config.integers("no_rope_layers", low=0, high=1)
    if not rotary or len(rotary) < layers:
        rotary = tuple(1 if (index + 1) % 4 else 0 for index in range(layers))
    bias = config.flag("attention_bias")
    return draft(
        config,
        [
            layer(
                attention=grouped(config, window=chunk if rotary[index] else None, qkv_bias=bias, out_bias=bias),
                mlp=moe if index in sparse else dense,
            )
            for index in range(layers)
        ],
    )


def step(config: Fields) -> Draft:
    """Step 3.5 and 3.7: windowed layers may have more heads; a gate value per head where switched on."""
    layers = layer_count(config)
    hidden = hidden_size(config)
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    shared_count, shared_width = shared(config, wide)
    moe = Mixture(
        count,
        top_k(config, count, "num_experts_per_tok", "moe_top_k"),
        wide,
        shared_experts=shared_count,
        shared_width=shared_width if shared_width != wide else 0,
        gate=gate(config, scoring="sigmoid", correction=config.flag("use_moe_router_bias")),
    )
    sparse = _step_sparse(config, layers)
    dense = Dense(width(config, "intermediate_size")) if len(sparse) < layers else None
    kinds = layer_types(config, layers) or ("full_attention",) * layers
    size = window_size(config)
    other = config.section("attention_other_setting")
    gated = config.flag("use_head_wise_attn_gate")
    entries = []
    for index, kind in enumerate(kinds):
        windowed = kind == "sliding_attention"
        source = other if windowed and other is not None else config
        heads = source.integer("num_attention_heads", high=HEADS)
        attention = grouped(
            config,
            heads=heads,
            kv_heads=source.integer("num_key_value_heads", "num_attention_groups", high=HEADS),
            head_dim=source.integer("head_dim", high=WIDTH, default=config.integer("head_dim", high=WIDTH)),
            window=size if windowed else None,
            qk_norm="head",
            extra_parameters=hidden * heads if gated else 0,
        )
        entries.append(layer(attention=attention, mlp=moe if index in sparse else dense))
    return draft(config, entries)


def _step_sparse(config: Fields, layers: int) -> set[int]:
    listed = config.values.get("moe_layers_enum")
    if isinstance(listed, str):
        numbers = [part.strip() for part in listed.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in numbers):
            raise config.wrong("moe_layers_enum", "layer numbers separated by commas")
        return {int(part) for part in numbers if int(part) < layers}
    if listed is not None:
        return {index for index in config.integers("moe_layers_enum", low=0, high=LAYERS) or () if index < layers}
    return set(range(config.integer("first_k_dense_replace", low=0, high=LAYERS, default=3), layers))
