"""Gemma 4: windows with many KV heads, full layers with few wide ones whose keys serve as values."""

from __future__ import annotations

from dataclasses import replace

from ...engine.model.architecture import Dense, Extra, Gate, Mixture, Part
from ..draft import Draft, layer
from ..fields import HEADS, VOCABULARY, WIDTH, Fields
from .common import draft, grouped, hidden_size, layer_count, layer_types, top_k, width, window_size
from .mixture import experts


def gemma4(config: Fields) -> Draft:
    """Gemma 4: each layer a dense MLP, with experts beside it where switched on.

    E2B and E4B add embeddings of their own to every layer, and their last layers attend to the cache of earlier ones;
    checkpoints hold key and value projections for those too.
    """
    layers = layer_count(config)
    hidden = hidden_size(config)
    kinds = layer_types(config, layers) or tuple(
        "sliding_attention" if (index + 1) % 6 else "full_attention" for index in range(layers)
    )
    kv_heads = config.integer("num_key_value_heads", high=HEADS)
    head_dim = config.integer("head_dim", high=WIDTH)
    shared_values = config.flag("attention_k_eq_v")
    windowed = grouped(config, head_dim=head_dim, window=window_size(config), qk_norm="head")
    full = grouped(
        config,
        kv_heads=config.integer("num_global_key_value_heads", high=HEADS, default=kv_heads),
        head_dim=config.integer("global_head_dim", high=WIDTH, default=head_dim),
        qk_norm="head",
        value_is_key=shared_values,
    )
    dense_width = width(config, "intermediate_size")
    mlp: Dense | Mixture = Dense(dense_width)
    norms = 4
    if config.flag("enable_moe_block"):
        count = experts(config)
        mlp = Mixture(
            count,
            top_k(config, count, "top_k_experts", "num_experts_per_tok"),
            width(config, "moe_intermediate_size", "expert_intermediate_size"),
            dense_width=dense_width,
            # The router scales its input per channel and its output per expert.
            router_extra=hidden + count,
            gate=Gate(),
        )
        norms = 7
    per_layer = config.integer("hidden_size_per_layer_input", low=0, high=WIDTH, default=0)
    borrowing = config.integer("num_kv_shared_layers", low=0, high=layers - 1, default=0)
    # Gate, projection, and the layer's share of the projection that makes all inputs; a norm behind them.
    extra = 1 + (3 * per_layer * hidden if per_layer else 0)
    wide = replace(mlp, width=2 * dense_width) if isinstance(mlp, Dense) and config.flag("use_double_wide_mlp") else mlp
    entries = []
    for index, kind in enumerate(kinds):
        attention = windowed if kind == "sliding_attention" else full
        borrows = index >= layers - borrowing
        entries.append(
            layer(
                attention=replace(attention, borrows_cache=True) if borrows else attention,
                mlp=wide if borrows else mlp,
                norms=norms + (1 if per_layer else 0),
                extra_parameters=extra,
            )
        )
    return draft(config, entries, tied=True, extras=_per_layer_embeddings(config, layers, per_layer))


def _per_layer_embeddings(config: Fields, layers: int, width_each: int) -> tuple[Extra, ...]:
    if not width_each:
        return ()
    words = config.integer(
        "vocab_size_per_layer_input", high=VOCABULARY, default=config.integer("vocab_size", high=VOCABULARY)
    )
    table = words * layers * width_each + width_each
    return (Extra("per-layer embeddings", table, loaded=True, stored_as=Part.EMBEDDING),)
