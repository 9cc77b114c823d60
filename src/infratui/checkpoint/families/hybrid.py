"""Hybrids: attention beside linear or state-space layers – Qwen3-Next and 3.5, Kimi K3, Nemotron-H, MiniMax-01/M1."""

from __future__ import annotations

from ...engine.model.architecture import AnyMlp, Dense, Extra, Latent, LayerGroup, Mixture, Recurrent
from ..draft import Draft, layer
from ..errors import CheckpointError
from ..fields import HEADS, LAYERS, WIDTH, Fields
from .common import draft, gate, grouped, hidden_size, layer_count, layer_types, top_k, width
from .mixture import experts, prediction_layers, qwen_mixture, sparse_layers


def qwen_hybrid(config: Fields) -> Draft:
    """Qwen3-Next and Qwen3.5: gated DeltaNet on most layers, gated full attention on each fourth."""
    layers = layer_count(config)
    kinds = layer_types(config, layers)
    if kinds is None:
        every = config.integer("full_attention_interval", high=LAYERS, default=4)
        kinds = tuple("linear_attention" if (index + 1) % every else "full_attention" for index in range(layers))
    linear = _delta_net(config)
    # Qwen3-Next gates its full attention without saying so; Qwen3.5 states it.
    full = grouped(config, qk_norm="head", output_gate=config.flag("attn_output_gate", default=True))
    if "num_experts" in config:
        moe: AnyMlp = qwen_mixture(config)
        sparse = sparse_layers(config, layers)
        dense = None if all(sparse) else Dense(width(config, "intermediate_size"))
    else:
        moe = dense = Dense(width(config, "intermediate_size"))
        sparse = (True,) * layers
    entries = [
        layer(attention=linear if kind == "linear_attention" else full, mlp=moe if is_sparse else dense)
        for kind, is_sparse in zip(kinds, sparse, strict=True)
    ]
    return draft(config, entries, extras=prediction_layers(config, layer(attention=full, mlp=moe)))


def _state_bits(config: Fields, *names: str) -> float:
    """Bits of the recurrent state, where the config states its type; else it is kept as the activations are."""
    return 32 if config.text(*names) in ("float32", "fp32", "torch.float32") else 16


def _delta_net(config: Fields) -> Recurrent:
    key_dim = config.integer("linear_key_head_dim", high=WIDTH)
    return Recurrent(
        style="gated_delta",
        heads=config.integer("linear_num_value_heads", high=HEADS),
        head_dim=config.integer("linear_value_head_dim", high=WIDTH, default=key_dim),
        state_dim=key_dim,
        key_heads=config.integer("linear_num_key_heads", high=HEADS),
        conv_kernel=config.integer("linear_conv_kernel_dim", high=1024),
        state_bits=_state_bits(config, "mamba_ssm_dtype"),
    )


def kimi_linear(config: Fields) -> Draft:
    """Kimi Linear and K3: delta attention with a state per head on most layers, latent attention on each fourth."""
    layers = layer_count(config)
    linear = config.section("linear_attn_config")
    if linear is None:
        raise config.missing("linear_attn_config", "an object with full_attn_layers and the heads of linear layers,")
    # Layers are numbered from 1.
    full = set(linear.integers("full_attn_layers", low=1, high=LAYERS) or ())
    heads = linear.integer("num_heads", high=HEADS)
    head_dim = linear.integer("head_dim", high=WIDTH)
    delta = Recurrent(
        style="gated_delta",
        heads=heads,
        head_dim=head_dim,
        state_dim=head_dim,
        key_heads=heads,
        conv_kernel=linear.integer("short_conv_kernel_size", high=1024, default=4),
        state_bits=32,
    )
    latent = Latent(
        heads=config.integer("num_attention_heads", high=HEADS),
        kv_lora_rank=config.integer("kv_lora_rank", high=WIDTH),
        qk_nope_head_dim=config.integer("qk_nope_head_dim", high=WIDTH),
        qk_rope_head_dim=config.integer("qk_rope_head_dim", high=WIDTH),
        v_head_dim=config.integer("v_head_dim", high=WIDTH),
        q_lora_rank=config.integer("q_lora_rank", low=0, high=WIDTH, default=0),
        output_gate=config.flag("mla_use_output_gate"),
    )
    count = experts(config)
    wide = width(config, "moe_intermediate_size")
    moe = Mixture(
        count,
        top_k(config, count, "num_experts_per_token", "num_experts_per_tok"),
        wide,
        shared_experts=config.integer("num_shared_experts", low=0, high=HEADS, default=0),
        latent_size=width(config, "routed_expert_hidden_size", low=0, default=0),
        gate=gate(config, scoring="sigmoid", correction=True),
    )
    dense = Dense(width(config, "intermediate_size"))
    first = config.integer("first_k_dense_replace", low=0, high=LAYERS, default=0)
    entries = [
        layer(attention=latent if index + 1 in full else delta, mlp=dense if index < first else moe)
        for index in range(layers)
    ]
    return draft(config, entries)


_NEMOTRON_BLOCKS = {"M": "mamba", "*": "attention", "E": "moe", "-": "mlp"}


def nemotron_h(config: Fields) -> Draft:
    """Nemotron-H and Nemotron 3: blocks of Mamba-2, attention, MLP or experts, each with one norm."""
    kinds = config.texts("layers_block_type")
    if kinds is None:
        pattern = config.text("hybrid_override_pattern")
        if not pattern:
            raise config.missing("hybrid_override_pattern", "a text of M, *, E and -, one for each layer,")
        strange = sorted(set(pattern) - set(_NEMOTRON_BLOCKS))
        if strange or len(pattern) > LAYERS:
            raise config.wrong("hybrid_override_pattern", f"a text of M, *, E and - up to {LAYERS:,} long")
        kinds = tuple(_NEMOTRON_BLOCKS[char] for char in pattern)
    if not 0 < len(kinds) <= LAYERS:
        raise config.wrong("layers_block_type", f"1 to {LAYERS:,} blocks")
    stated = config.integer("num_hidden_layers", high=LAYERS, default=len(kinds))
    if stated != len(kinds):
        raise config.wrong("num_hidden_layers", f"{len(kinds)}, the number of blocks listed,")
    made: dict[str, LayerGroup] = {}
    for kind in dict.fromkeys(kinds):
        made[kind] = _nemotron_block(config, kind)
    predicted = config.texts("mtp_layers_block_type") or tuple(
        _NEMOTRON_BLOCKS.get(char, char) for char in config.text("mtp_hybrid_override_pattern")
    )
    extras: tuple[Extra, ...] = ()
    if predicted and config.integer("num_nextn_predict_layers", low=0, high=LAYERS, default=0):
        hidden = hidden_size(config)
        blocks = [made.get(kind) or _nemotron_block(config, kind) for kind in predicted]
        most = sum(part.total for block in blocks[1:] for part in block.weights(hidden))
        extras = prediction_layers(
            config, layer(attention=blocks[0].attention, mlp=None, norms=1, extra_parameters=most)
        )
    return draft(config, [made[kind] for kind in kinds], extras=extras)


def _nemotron_block(config: Fields, kind: str) -> LayerGroup:
    gated = config.text("mlp_hidden_act", default="relu2") in {"silu", "swiglu"}
    match kind:
        case "mamba":
            return layer(
                attention=Recurrent(
                    style="mamba2",
                    heads=config.integer("mamba_num_heads", high=HEADS),
                    head_dim=config.integer("mamba_head_dim", high=WIDTH),
                    state_dim=config.integer("ssm_state_size", high=WIDTH),
                    key_heads=config.integer("n_groups", "mamba_n_groups", high=HEADS),
                    conv_kernel=config.integer("conv_kernel", high=1024, default=4),
                    state_bits=_state_bits(config, "mamba_ssm_cache_dtype", "mamba_ssm_dtype"),
                ),
                norms=1,
            )
        case "attention":
            bias = config.flag("attention_bias")
            head_dim = config.integer("attention_head_dim", "head_dim", high=WIDTH)
            return layer(attention=grouped(config, head_dim=head_dim, qkv_bias=bias, out_bias=bias), norms=1)
        case "mlp":
            mlp = Dense(width(config, "intermediate_size"), gated=gated, bias=config.flag("mlp_bias"))
            return layer(mlp=mlp, norms=1)
        case "moe":
            count = experts(config)
            return layer(
                mlp=Mixture(
                    count,
                    top_k(config, count),
                    width(config, "moe_intermediate_size"),
                    shared_experts=config.integer("n_shared_experts", low=0, high=HEADS, default=0),
                    shared_width=width(config, "moe_shared_expert_intermediate_size", low=0, default=0),
                    gated=gated,
                    latent_size=width(config, "moe_latent_size", low=0, default=0),
                    gate=gate(config, scoring="sigmoid", correction=True),
                ),
                norms=1,
            )
        case _:
            place = config.at("layers_block_type")
            raise CheckpointError(f"{place} names block {kind!r}; known are mamba, attention, moe and mlp")


def minimax_m1(config: Fields) -> Draft:
    """MiniMax-01 and M1: lightning attention on most layers, softmax attention on each eighth, experts on all."""
    layers = layer_count(config)
    listed = config.integers("attn_type_list", low=0, high=1)
    kinds = layer_types(config, layers)
    if listed is not None and len(listed) >= layers:
        softmax = [bool(flag) for flag in listed[:layers]]
    elif kinds is not None:
        softmax = [kind == "full_attention" for kind in kinds]
    else:
        raise config.missing("attn_type_list", f"0 (lightning) or 1 (softmax) for each of the {layers} layers")
    count = experts(config)
    full = grouped(config)
    linear = Recurrent(style="lightning", heads=full.heads, head_dim=full.head_dim, state_dim=full.head_dim)
    moe = Mixture(count, top_k(config, count), width(config, "intermediate_size"), gate=gate(config))
    return draft(config, [layer(attention=full if flag else linear, mlp=moe) for flag in softmax])
