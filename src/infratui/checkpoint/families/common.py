"""What configurations of many families share: head geometry, windows, routers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ...engine.model.architecture import Extra, Gate, GroupedQuery, LayerGroup
from ..draft import Draft
from ..errors import CheckpointError
from ..fields import HEADS, LAYERS, TOKENS, VOCABULARY, WIDTH, Fields

Windows = tuple[int | None, ...]
"""One entry per layer: the window in tokens, None where attention is full."""


def layer_count(config: Fields) -> int:
    """Number of decoder layers."""
    return config.integer("num_hidden_layers", "n_layer", "num_layers", high=LAYERS)


def hidden_size(config: Fields) -> int:
    """Width of the residual stream."""
    return config.integer("hidden_size", "n_embd", "d_model", high=WIDTH)


def width(config: Fields, *names: str, **options: int) -> int:
    """Width of an MLP."""
    return config.integer(*names, high=WIDTH, **options)


def grouped(  # noqa: PLR0913 – what a family may say otherwise about a layer
    config: Fields,
    *,
    heads: int | None = None,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    window: int | None = None,
    qkv_bias: bool = False,
    out_bias: bool = False,
    qk_norm: Literal["", "head", "full"] = "",
    sinks: bool = False,
    output_gate: bool = False,
    value_is_key: bool = False,
    value_dim: int = 0,
    extra_parameters: int = 0,
) -> GroupedQuery:
    """MHA, GQA or MQA of one layer; what is not passed comes from the configuration."""
    heads = heads or config.integer("num_attention_heads", "n_head", high=HEADS)
    kv_heads = kv_heads or config.integer("num_key_value_heads", high=HEADS, default=heads)
    if head_dim is None:
        head_dim = config.integer("head_dim", high=WIDTH, default=0)
        if not head_dim:
            hidden = hidden_size(config)
            if hidden % heads:
                raise config.missing("head_dim", f"a head size, as hidden_size {hidden} is not a multiple of {heads},")
            head_dim = hidden // heads
    if heads % kv_heads:
        raise config.wrong("num_key_value_heads", f"a divisor of the {heads} attention heads")
    rotary = _rotary(config, head_dim)
    return GroupedQuery(
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        window=window,
        qkv_bias=qkv_bias,
        out_bias=out_bias,
        qk_norm=qk_norm,
        sinks=sinks,
        output_gate=output_gate,
        value_is_key=value_is_key,
        value_dim=value_dim if value_dim != head_dim else 0,
        extra_parameters=extra_parameters,
        rotary_dim=rotary if rotary < head_dim else None,
    )


def _rotary(config: Fields, head_dim: int) -> int:
    """Elements of a head that rotary positions turn."""
    stated = config.integer("rotary_dim", high=WIDTH, default=0)
    places = (config, config.section("rope_parameters"), config.section("rope_scaling"))
    shares = (place.number("partial_rotary_factor", low=0, high=1, default=1.0) for place in places if place)
    return stated or round(head_dim * min(shares))


def context(config: Fields) -> int:
    """Longest sequence the configuration states; 8,192 where it states none."""
    return config.integer("model_max_length", "max_position_embeddings", "max_seq_len", high=TOKENS, default=8192)


def draft(
    config: Fields,
    layers: Sequence[LayerGroup],
    *,
    tied: bool = False,
    final_norm_bias: bool = False,
    extras: Sequence[Extra] = (),
    warnings: Sequence[str] = (),
) -> Draft:
    """The parts that every configuration states in the same way, around the layers of its family."""
    return Draft(
        hidden_size=hidden_size(config),
        vocab_size=config.integer("vocab_size", high=VOCABULARY),
        max_context=context(config),
        layers=tuple(layers),
        tied=config.flag("tie_word_embeddings", default=tied),
        final_norm_bias=final_norm_bias,
        extras=tuple(extras),
        warnings=tuple(warnings),
    )


_WINDOWED = {"sliding_attention", "chunked_attention", "local_attention"}
_KNOWN_TYPES = {*_WINDOWED, "full_attention", "linear_attention", "global_attention"}


def layer_types(config: Fields, layers: int) -> tuple[str, ...] | None:
    """`layer_types`, checked: one known kind per layer (more are prediction layers and cut off)."""
    types = config.texts("layer_types")
    if types is None:
        return None
    if len(types) < layers:
        raise config.wrong("layer_types", f"one entry for each of the {layers} layers")
    unknown = sorted(set(types[:layers]) - _KNOWN_TYPES)
    if unknown:
        raise CheckpointError(
            f"{config.at('layer_types')} names {unknown[0]!r}; known kinds are {', '.join(sorted(_KNOWN_TYPES))}"
        )
    return types[:layers]


def window_size(config: Fields, *names: str) -> int | None:
    """The window in tokens; None where there is none, or where it covers the whole context."""
    size = config.integer(*(names or ("sliding_window",)), low=0, high=TOKENS, default=0)
    return size if 0 < size < context(config) else None


def no_windows(config: Fields, layers: int) -> Windows:
    """Full attention everywhere."""
    return (None,) * layers


def every_window(config: Fields, layers: int) -> Windows:
    """A window on every layer, where one is set (Mistral 7B v0.1, Phi-3 4K)."""
    types = layer_types(config, layers)
    size = window_size(config)
    return tuple(size if types is None or types[index] in _WINDOWED else None for index in range(layers))


def qwen_windows(config: Fields, layers: int) -> Windows:
    """Qwen2 and 3: only where switched on, and only from `max_window_layers` up."""
    if not config.flag("use_sliding_window"):
        return (None,) * layers
    if "layer_types" in config:
        return every_window(config, layers)
    first = config.integer("max_window_layers", low=0, high=LAYERS, default=layers)
    size = window_size(config)
    return tuple(size if index >= first else None for index in range(layers))


def patterned(period: int) -> Callable[[Fields, int], Windows]:
    """Windows on all layers but each `period`-th, unless the configuration lists them or states another period."""

    def windows(config: Fields, layers: int) -> Windows:
        if "layer_types" in config:
            return every_window(config, layers)
        size = window_size(config)
        every = config.integer("sliding_window_pattern", "_sliding_window_pattern", high=LAYERS, default=period)
        return tuple(None if (index + 1) % every == 0 else size for index in range(layers))

    return windows


Scoring = Literal["softmax", "sigmoid", "sqrtsoftplus"]
_SCORING: dict[str, Scoring] = {"softmax": "softmax", "sigmoid": "sigmoid", "sqrtsoftplus": "sqrtsoftplus"}


def gate(config: Fields, *, scoring: Scoring = "softmax", correction: bool = False) -> Gate:
    """The router as the configuration describes it, else with the scoring its family is known for."""
    stated = config.text("scoring_func", "moe_router_activation", "router_score_function")
    scoring = _SCORING.get(stated, scoring)
    groups = config.integer("n_group", high=HEADS, default=1)
    return Gate(
        scoring=scoring,
        correction_bias=correction,
        groups=groups,
        top_groups=min(groups, config.integer("topk_group", high=HEADS, default=groups)),
        renormalise=config.flag("norm_topk_prob", default=True),
        scale=config.number("routed_scaling_factor", low=0, high=1e6, default=1.0),
    )


def top_k(config: Fields, experts: int, *names: str) -> int:
    """Experts chosen per token, at most as many as there are."""
    return config.integer(*(names or ("num_experts_per_tok",)), high=experts)
