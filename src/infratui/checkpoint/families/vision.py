"""Vision towers that are loaded beside the decoder: their parameter counts, for the towers whose shape is known."""

from __future__ import annotations

from collections.abc import Callable

from ..fields import LAYERS, WIDTH, Fields


def _linear(rows: int, columns: int, bias: bool = True) -> int:
    return rows * columns + (columns if bias else 0)


def _encoder(layers: int, width: int, inner: int) -> int:
    """Standard blocks: attention and a two-matrix MLP with biases, two layer norms."""
    attention = 4 * _linear(width, width)
    return layers * (attention + _linear(width, inner) + _linear(inner, width) + 4 * width)


def _patch(config: Fields, default: int) -> int:
    return config.integer("patch_size", high=1024, default=default)


def qwen_vision(config: Fields, hidden: int) -> int:
    """Qwen3-VL and Qwen3.5: 27 blocks of 1152, one merger of 2×2 patches and one per deepstack level."""
    width = config.integer("hidden_size", high=WIDTH)
    inner = config.integer("intermediate_size", high=WIDTH)
    out = config.integer("out_hidden_size", high=WIDTH, default=hidden)
    merged = width * config.integer("spatial_merge_size", high=16, default=2) ** 2
    pixels = (
        config.integer("in_channels", high=64, default=3)
        * config.integer("temporal_patch_size", high=64, default=2)
        * _patch(config, 16) ** 2
    )
    merger = _linear(merged, merged) + _linear(merged, out)
    deepstack = len(config.integers("deepstack_visual_indexes", low=0, high=LAYERS) or ())
    return (
        _linear(pixels, width)
        + config.integer("num_position_embeddings", high=WIDTH, default=2304) * width
        + _encoder(config.integer("depth", high=LAYERS), width, inner)
        + merger
        + 2 * width
        + deepstack * (merger + 2 * merged)
    )


def siglip(config: Fields, hidden: int) -> int:
    """Gemma 3: SigLIP with a projection and its norm."""
    width = config.integer("hidden_size", high=WIDTH)
    patch = _patch(config, 14)
    positions = (config.integer("image_size", high=2**16, default=896) // patch) ** 2
    return (
        _linear(3 * patch**2, width)
        + positions * width
        + _encoder(
            config.integer("num_hidden_layers", high=LAYERS), width, config.integer("intermediate_size", high=WIDTH)
        )
        + 2 * width
        + width * hidden
        + width
    )


def gemma4_vision(config: Fields, hidden: int) -> int:
    """Gemma 4: gated MLPs, norms on heads, positions per axis."""
    width = config.integer("hidden_size", high=WIDTH)
    inner = config.integer("intermediate_size", high=WIDTH)
    head_dim = config.integer("head_dim", high=WIDTH)
    heads = config.integer("num_attention_heads", high=2**16) * head_dim
    kv = config.integer("num_key_value_heads", high=2**16, default=heads // head_dim) * head_dim
    block = 2 * width * heads + 2 * width * kv + 3 * width * inner + 4 * width + 2 * head_dim
    return (
        3 * _patch(config, 16) ** 2 * width
        + 2 * config.integer("position_embedding_size", high=2**24, default=10240) * width
        + config.integer("num_hidden_layers", high=LAYERS) * block
        + (2 * width if config.flag("standardize") else 0)
        + width * hidden
    )


def moonvit(config: Fields, hidden: int) -> int:
    """Kimi K2.5: MoonViT and a patch merger."""
    width = config.integer("vt_hidden_size", high=WIDTH)
    merge = config.integers("merge_kernel_size", low=1, high=64) or (2, 2)
    merged = width * merge[0] * merge[-1]
    positions = config.integer("init_pos_emb_height", high=2**12, default=64) * config.integer(
        "init_pos_emb_width", high=2**12, default=64
    )
    return (
        _linear(3 * _patch(config, 14) ** 2, width)
        + positions * width
        + _encoder(
            config.integer("vt_num_hidden_layers", high=LAYERS),
            width,
            config.integer("vt_intermediate_size", high=WIDTH),
        )
        + 2 * width
        + 2 * width
        + _linear(merged, merged)
        + _linear(merged, hidden)
    )


def pixtral(config: Fields, hidden: int) -> int:
    """Mistral Small 3.1 and later: Pixtral with a 2×2 patch merger and two projections."""
    width = config.integer("hidden_size", high=WIDTH)
    inner = config.integer("intermediate_size", high=WIDTH)
    block = 4 * width * width + 3 * width * inner + 2 * width
    merger = 4 * width * width + width * hidden + hidden * hidden + width
    return (
        3 * _patch(config, 14) ** 2 * width + width + config.integer("num_hidden_layers", high=LAYERS) * block + merger
    )


def llama4_vision(config: Fields, hidden: int) -> int:
    """Llama 4, released shape where the configuration leaves it out: 34 blocks of 1408, projected over 4096."""
    width = config.integer("hidden_size", high=WIDTH, default=1408)
    inner = config.integer("intermediate_size", high=WIDTH, default=5632)
    patch = _patch(config, 14)
    positions = (config.integer("image_size", high=2**16, default=336) // patch) ** 2 + 1
    middle = config.integer("projector_input_dim", high=WIDTH, default=4096)
    out = config.integer("projector_output_dim", high=WIDTH, default=4096)
    return (
        3 * patch**2 * width
        + width
        + positions * width
        + 4 * width
        + _encoder(config.integer("num_hidden_layers", high=LAYERS, default=34), width, inner)
        + inner * middle
        + middle * out
        + out * hidden
    )


TOWERS: dict[str, Callable[[Fields, int], int]] = {
    "qwen3_vl": qwen_vision,
    "qwen3_vl_moe": qwen_vision,
    "qwen3_5": qwen_vision,
    "qwen3_5_moe": qwen_vision,
    "gemma3": siglip,
    "gemma4": gemma4_vision,
    "kimi_k25": moonvit,
    "mistral3": pixtral,
    "llama4": llama4_vision,
}
"""By the wrapper's `model_type`."""
