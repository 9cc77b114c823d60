"""Mixtures whose windowed layers differ from the full ones in heads or in the width of values: MiMo-V2, Laguna."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...engine.model.architecture import Dense, GroupedQuery, Mixture
from ..draft import Draft, layer
from ..fields import HEADS, LAYERS, WIDTH, Fields
from .common import draft, gate, grouped, hidden_size, layer_count, layer_types, top_k, width, window_size
from .dense import STYLES, build
from .mixture import experts, prediction_layers, shared, sparse_layers


def _mixture(config: Fields, *, correction: bool = True) -> Mixture:
    count = experts(config)
    wide = width(config, "moe_intermediate_size", "expert_hidden_dim")
    shared_count, shared_width = shared(config, wide)
    shared_count = config.integer("num_shared_experts", low=0, high=HEADS, default=shared_count)
    return Mixture(
        count,
        top_k(config, count),
        wide,
        shared_experts=shared_count,
        shared_width=shared_width if shared_width != wide else 0,
        gate=gate(config, scoring="sigmoid", correction=correction),
    )


def _layers(config: Fields, attentions: Sequence[GroupedQuery], sparse: Sequence[bool]) -> Draft:
    moe = _mixture(config)
    dense = None if all(sparse) else Dense(width(config, "intermediate_size"))
    entries = [
        layer(attention=attention, mlp=moe if is_sparse else dense)
        for attention, is_sparse in zip(attentions, sparse, strict=True)
    ]
    return draft(config, entries, extras=prediction_layers(config, layer(attention=attentions[0], mlp=moe)))


def mimo(config: Fields) -> Draft:
    """MiMo 7B: Qwen2 with prediction layers."""
    entries = build(config, STYLES["qwen2"])
    return replace(entries, extras=prediction_layers(config, entries.layers[-1]))


def mimo_v2(config: Fields) -> Draft:
    """MiMo-V2: most layers windowed, with KV heads of their own; keys are wider than values (192 and 128)."""
    layers = layer_count(config)
    pattern = config.integers("hybrid_layer_pattern", low=0, high=1)
    if pattern is None or len(pattern) < layers:
        raise config.missing("hybrid_layer_pattern", f"0 or 1 (windowed) for each of the {layers} layers,")
    head_dim = config.integer("head_dim", high=WIDTH)
    full = grouped(config, head_dim=head_dim, value_dim=config.integer("v_head_dim", high=WIDTH, default=head_dim))
    own = config.integer("swa_head_dim", high=WIDTH, default=head_dim)
    windowed = grouped(
        config,
        heads=config.integer("swa_num_attention_heads", high=HEADS, default=full.heads),
        kv_heads=config.integer("swa_num_key_value_heads", high=HEADS, default=full.kv_heads),
        head_dim=own,
        value_dim=config.integer("swa_v_head_dim", high=WIDTH, default=full.values),
        window=window_size(config, "sliding_window_size", "sliding_window"),
        sinks=config.flag("add_swa_attention_sink_bias"),
    )
    listed = config.integers("moe_layer_freq", low=0, high=1)
    sparse = [bool(mark) for mark in listed[:layers]] if listed and len(listed) >= layers else [True] * layers
    return _layers(config, [windowed if mark else full for mark in pattern[:layers]], sparse)


def laguna(config: Fields) -> Draft:
    """Laguna: windowed layers may have more query heads; a gate value per head."""
    layers = layer_count(config)
    hidden = hidden_size(config)
    kinds = layer_types(config, layers) or ("full_attention",) * layers
    counts = config.integers("num_attention_heads_per_layer", low=1, high=HEADS)
    heads = config.integer("num_attention_heads", high=HEADS)
    if counts is not None and len(counts) < layers:
        raise config.wrong("num_attention_heads_per_layer", f"one entry for each of the {layers} layers")
    gated = config.text("gating") == "per-head"
    size = window_size(config)
    attentions = []
    for index, kind in enumerate(kinds):
        own = counts[index] if counts is not None else heads
        attentions.append(
            grouped(
                config,
                heads=own,
                window=size if kind == "sliding_attention" else None,
                qk_norm="head",
                extra_parameters=hidden * own if gated else 0,
            )
        )
    if "mlp_layer_types" in config:
        return _layers(config, attentions, sparse_layers(config, layers))
    dense = set(config.integers("mlp_only_layers", low=0, high=LAYERS) or ())
    return _layers(config, attentions, [index not in dense for index in range(layers)])


def hunyuan_v3(config: Fields) -> Draft:
    """Hy3: grouped queries everywhere, leading dense layers, a shared expert and a prediction layer."""
    layers = layer_count(config)
    attention = grouped(config, qk_norm="head" if config.flag("qk_norm") else "")
    return _layers(config, [attention] * layers, sparse_layers(config, layers))
