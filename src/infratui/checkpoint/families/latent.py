"""Families on latent or compressed attention: DeepSeek V2 to V4, Kimi K2, GLM-5."""

from __future__ import annotations

from ...engine.model.architecture import Compressed, Dense, Extra, Indexer, Latent, Mixture
from ..draft import Draft, layer
from ..fields import HEADS, LAYERS, TOKENS, WIDTH, Fields
from .common import draft, gate, hidden_size, layer_count, top_k, width
from .mixture import experts, prediction_layers, shared, sparse_layers


def deepseek(config: Fields) -> Draft:
    """DeepSeek V2 (softmax router), V3 and Kimi K2 (sigmoid with a correction bias), V3.2 and GLM-5 (with indexer)."""
    layers = layer_count(config)
    first_generation = config.text("model_type") == "deepseek_v2"
    correction = config.text("topk_method", default="" if first_generation else "noaux_tc") == "noaux_tc"
    attention = Latent(
        heads=config.integer("num_attention_heads", high=HEADS),
        kv_lora_rank=config.integer("kv_lora_rank", high=WIDTH),
        qk_nope_head_dim=config.integer("qk_nope_head_dim", high=WIDTH),
        qk_rope_head_dim=config.integer("qk_rope_head_dim", high=WIDTH),
        v_head_dim=config.integer("v_head_dim", high=WIDTH),
        q_lora_rank=config.integer("q_lora_rank", low=0, high=WIDTH, default=0),
    )
    attentions = [attention] * layers
    if "index_topk" in config:
        indexer = _indexer(config)
        attentions = [
            Latent(
                attention.heads,
                attention.kv_lora_rank,
                attention.qk_nope_head_dim,
                attention.qk_rope_head_dim,
                attention.v_head_dim,
                attention.q_lora_rank,
                indexer=Indexer(indexer.heads, indexer.head_dim, indexer.top_k, shared=reused),
            )
            for reused in _shared_indexers(config, layers)
        ]
    if "n_routed_experts" not in config:
        dense = Dense(width(config, "intermediate_size"))
        return draft(config, [layer(attention=entry, mlp=dense) for entry in attentions])
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    shared_count, _ = shared(config, wide)
    moe = Mixture(
        count,
        top_k(config, count),
        wide,
        shared_experts=shared_count,
        gate=gate(config, scoring="sigmoid" if correction else "softmax", correction=correction),
    )
    sparse = sparse_layers(config, layers)
    dense_mlp = None if all(sparse) else Dense(width(config, "intermediate_size"))
    entries = [
        layer(attention=entry, mlp=moe if is_sparse else dense_mlp)
        for entry, is_sparse in zip(attentions, sparse, strict=True)
    ]
    own = layer(attention=attentions[0], mlp=moe)
    copies = config.text("model_type") in {"deepseek_v3", "deepseek_v32"}
    return draft(config, entries, extras=prediction_layers(config, own, copies=copies))


def _indexer(config: Fields) -> Indexer:
    return Indexer(
        config.integer("index_n_heads", high=HEADS),
        config.integer("index_head_dim", high=WIDTH),
        config.integer("index_topk", high=TOKENS),
    )


def _shared_indexers(config: Fields, layers: int) -> tuple[bool, ...]:
    """Layers that read the choice of an earlier layer instead of making their own (GLM-5.2)."""
    kinds = config.texts("indexer_types")
    if kinds is not None:
        if len(kinds) < layers:
            raise config.wrong("indexer_types", f"one entry for each of the {layers} layers")
        return tuple(kind == "shared" for kind in kinds[:layers])
    every = config.integer("index_topk_freq", high=LAYERS, default=1)
    first = config.integer("index_skip_topk_offset", low=0, high=LAYERS, default=0)
    return tuple(index >= first and (index - first + 1) % every != 0 for index in range(layers))


def deepseek_v4(config: Fields) -> Draft:
    """DeepSeek V4: one shared KV head, cached per token, per 4 or per 128 tokens; hyper-connections between layers.

    Only the layers that compress least select their entries by an indexer (AI-Hypercomputer/maxtext, hf_shape.py).
    """
    layers = layer_count(config)
    hidden = hidden_size(config)
    head_dim = config.integer("head_dim", high=WIDTH)
    ratios = config.integers("compress_ratios", low=0, high=2**20)
    if ratios is None or len(ratios) < layers:
        raise config.wrong("compress_ratios", f"one ratio for each of the {layers} layers")
    indexer = _indexer(config)
    finest = min((ratio for ratio in ratios[:layers] if ratio), default=0)
    attentions = {
        ratio: Compressed(
            heads=config.integer("num_attention_heads", high=HEADS),
            head_dim=head_dim,
            rope_head_dim=config.integer("qk_rope_head_dim", high=WIDTH),
            q_lora_rank=config.integer("q_lora_rank", high=WIDTH),
            out_groups=config.integer("o_groups", high=HEADS),
            out_lora_rank=config.integer("o_lora_rank", high=WIDTH),
            local_window=config.integer("sliding_window", high=TOKENS),
            ratio=ratio,
            indexer=indexer if ratio and ratio == finest else None,
        )
        for ratio in set(ratios[:layers])
    }
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    shared_count, _ = shared(config, wide)
    picks = top_k(config, count)
    streams = config.integer("hc_mult", low=0, high=64, default=0)
    mixing = 2 * streams + streams**2
    hyper = 2 * (mixing * streams * hidden + mixing + 3) if streams else 0
    entries = [
        layer(
            attention=attentions[ratio],
            mlp=Mixture(
                count,
                picks,
                wide,
                shared_experts=shared_count,
                gate=gate(config, scoring="sqrtsoftplus", correction=True),
            ),
            extra_parameters=hyper,
        )
        for ratio in ratios[:layers]
    ]
    head = (Extra("hyper-connection head", streams**2 * hidden + streams + 1, loaded=True),) if streams else ()
    return draft(config, entries, extras=(*head, *prediction_layers(config, entries[0])))
