"""Gemma 4: windows with many KV heads, full layers with few wide ones whose keys serve as values."""

from __future__ import annotations

from ...engine.model.architecture import Dense, Gate, Mixture
from ..draft import Draft, layer
from ..errors import CheckpointError
from ..fields import HEADS, WIDTH, Fields
from .common import draft, grouped, hidden_size, layer_count, layer_types, top_k, width, window_size
from .mixture import experts


def gemma4(config: Fields) -> Draft:
    """Gemma 4 (26B-A4B and 31B): each layer a dense MLP, with experts beside it where switched on."""
    for absent in ("hidden_size_per_layer_input", "num_kv_shared_layers"):
        if config.integer(absent, low=0, high=WIDTH, default=0):
            raise CheckpointError(
                f"{config.at(absent)}: per-layer embeddings and shared KV layers (Gemma E2B, E4B) are not known yet"
            )
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
    entries = [
        layer(
            attention=windowed if kind == "sliding_attention" else full,
            mlp=mlp,
            norms=norms,
            extra_parameters=1,
        )
        for kind in kinds
    ]
    return draft(config, entries, tied=True)
