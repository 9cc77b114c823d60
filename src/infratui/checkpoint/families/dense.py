"""Dense families: Llama and its relatives, Gemma, Phi, Command R, OLMo, Nemotron, Falcon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Literal

from ...engine.model.architecture import Dense, GroupedQuery, LayerGroup
from ...value_types import dataclass
from ..draft import Draft, layer
from ..fields import HEADS, LAYERS, WIDTH, Fields
from .common import (
    Windows,
    draft,
    every_window,
    grouped,
    hidden_size,
    layer_count,
    no_windows,
    patterned,
    qwen_windows,
    width,
)


@dataclass(frozen=True)
class Style:
    """How a dense family departs from Llama. None: the configuration's own flag decides."""

    qkv_bias: bool | None = None
    out_bias: bool | None = None
    qk_norm: Literal["", "head", "full"] = ""
    qk_norm_flag: str = ""
    """Key that switches `qk_norm` on, where it is not always on."""
    norms: int = 2
    norm_bias: bool = False
    gated: bool = True
    tied: bool = False
    windows: Callable[[Fields, int], Windows] = no_windows
    defaults: Mapping[str, int] = field(default_factory=dict)
    """Values that the family's configurations leave out."""


def build(config: Fields, style: Style) -> Draft:
    """A dense decoder of one kind of layer, up to its windows."""
    config = Fields({**style.defaults, **{k: v for k, v in config.values.items() if v is not None}}, config.where)
    layers = layer_count(config)
    bias = config.flag("attention_bias")
    qk_norm = style.qk_norm if not style.qk_norm_flag or config.flag(style.qk_norm_flag) else ""
    mlp = Dense(width(config, "intermediate_size"), gated=style.gated, bias=config.flag("mlp_bias"))
    entries = [
        layer(
            attention=grouped(
                config,
                window=window,
                qkv_bias=bias if style.qkv_bias is None else style.qkv_bias,
                out_bias=bias if style.out_bias is None else style.out_bias,
                qk_norm=qk_norm,
            ),
            mlp=mlp,
            norms=style.norms,
            norm_bias=style.norm_bias,
        )
        for window in style.windows(config, layers)
    ]
    return draft(config, entries, tied=style.tied, final_norm_bias=style.norm_bias)


GEMMA3_DEFAULTS = {
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "vocab_size": 262208,
    "max_position_embeddings": 131072,
}
"""What gemma-3 text configurations leave out (huggingface/transformers, Gemma3TextConfig)."""

STYLES: dict[str, Style] = {
    "llama": Style(),
    "mistral": Style(windows=every_window),
    "granite": Style(),
    "qwen2": Style(qkv_bias=True, out_bias=False, windows=qwen_windows),
    "qwen3": Style(qk_norm="head", windows=qwen_windows),
    "gemma": Style(tied=True),
    "gemma2": Style(norms=4, tied=True, windows=patterned(2)),
    "gemma3": Style(norms=4, tied=True, qk_norm="head", windows=patterned(6), defaults=GEMMA3_DEFAULTS),
    "phi3": Style(windows=every_window),
    "cohere": Style(norms=1, tied=True, qk_norm="full", qk_norm_flag="use_qk_norm"),
    "cohere2": Style(norms=1, tied=True, windows=patterned(4)),
    "olmo": Style(norms=0),
    "olmo2": Style(qk_norm="full"),
    "olmo3": Style(qk_norm="full", windows=patterned(4)),
    "nemotron": Style(gated=False, norm_bias=True),
}


def falcon(config: Fields) -> Draft:
    """Falcon 7B (one KV head, one norm) and 40B/180B (grouped heads, two norms); MLPs are plain and 4× wide."""
    layers = layer_count(config)
    hidden = hidden_size(config)
    heads = config.integer("num_attention_heads", "n_head", high=HEADS)
    grouped_heads = config.flag("new_decoder_architecture")
    parallel = config.flag("parallel_attn", default=True)
    if grouped_heads:
        kv_heads = config.integer("num_kv_heads", "n_head_kv", high=HEADS, default=heads)
    else:
        kv_heads = 1 if config.flag("multi_query", default=True) else heads
    norms = config.integer("num_ln_in_parallel_attn", high=2, default=2) if grouped_heads else 1 if parallel else 2
    bias = config.flag("bias")
    entry = layer(
        attention=grouped(config, heads=heads, kv_heads=kv_heads, qkv_bias=bias, out_bias=bias),
        mlp=Dense(width(config, "ffn_hidden_size", "intermediate_size", default=4 * hidden), gated=False, bias=bias),
        norms=norms,
        norm_bias=True,
    )
    # The released checkpoints store the head beside the embedding, though the library would tie them.
    return draft(config, [entry] * layers, tied=False, final_norm_bias=True)


def decilm(config: Fields) -> Draft:
    """Puzzled Nemotrons: each block has its own KV heads and MLP width, or lacks one of the two."""
    layers = layer_count(config)
    hidden = hidden_size(config)
    heads = config.integer("num_attention_heads", high=HEADS)
    blocks = config.items("block_configs", high=LAYERS)
    if blocks is None or len(blocks) < layers or not all(isinstance(block, dict) for block in blocks):
        raise config.wrong("block_configs", f"one object for each of the {layers} layers")
    entries: list[LayerGroup] = []
    for index, block in enumerate(blocks[:layers]):
        fields = Fields(block, config.at(f"block_configs.{index}"))
        attention, mlp = fields.section("attention"), fields.section("ffn")
        if attention is None or mlp is None:
            raise fields.missing("attention" if attention is None else "ffn", "an object")
        for part in (attention, mlp):
            if part.flag("replace_with_linear"):
                raise part.wrong("replace_with_linear", "false (linear replacements are not known)")
        entries.append(
            layer(
                attention=None if attention.flag("no_op") else _deci_attention(config, attention, heads),
                mlp=None if mlp.flag("no_op") else Dense(_deci_width(mlp, hidden)),
                norms=2 - attention.flag("no_op") - mlp.flag("no_op"),
            )
        )
    return draft(config, entries)


def _deci_attention(config: Fields, block: Fields, heads: int) -> GroupedQuery:
    kv_heads = block.integer("num_key_value_heads", high=HEADS, default=0)
    if not kv_heads:
        share = block.integer("n_heads_in_group", high=heads)
        if heads % share:
            raise block.wrong("n_heads_in_group", f"a divisor of the {heads} attention heads")
        kv_heads = heads // share
    return grouped(config, heads=heads, kv_heads=kv_heads)


def _deci_width(block: Fields, hidden: int) -> int:
    stated = block.integer("intermediate_size", high=WIDTH, default=0)
    if stated:
        return stated
    if "ffn_mult" not in block:
        raise block.missing("ffn_mult", "a multiple of the hidden size")
    # The family rounds two thirds of 4·hidden·multiplier up to a multiple of 256 (DeciLM's own rule).
    scaled = int(2 * block.number("ffn_mult", low=0.001, high=1000, default=1) * hidden / 3)
    return -(-scaled // 256) * 256
