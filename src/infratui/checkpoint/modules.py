"""The matrices of a layer by the names checkpoints give them: what a quantization method may pick or leave out."""

from __future__ import annotations

from functools import lru_cache

from ..engine.model.architecture import (
    AnyMlp,
    Compressed,
    Dense,
    GroupedQuery,
    Latent,
    LayerGroup,
    Mixture,
    Part,
    Recurrent,
)
from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """One matrix of a layer (or all of one kind: the experts' up-projections count as one)."""

    names: tuple[str, ...]
    """Dotted names below the layer, as families write them; any of them may stand in a list."""
    part: Part
    elements: int
    inputs: int
    """Columns that one output row of the matrix reads: scales per channel are shared by as many."""


_ATTENTION = ("self_attn", "attn", "attention", "mixer")
_LINEAR = ("linear_attn", "mixer")
_MLP = ("mlp", "feed_forward", "ffn", "block_sparse_moe", "moe", "mixer")
_SHARED = ("shared_experts", "shared_expert", "share_expert", "shared_mlp")


def _names(homes: tuple[str, ...], *leaves: str) -> tuple[str, ...]:
    return tuple(f"{home}.{leaf}" for home in homes for leaf in leaves)


@lru_cache(maxsize=512)
def modules(group: LayerGroup, hidden: int) -> tuple[Module, ...]:
    """The matrices of one layer. Biases, norms, convolutions and routers are not among them: no method packs them."""
    found: list[Module] = []

    match group.attention:
        case GroupedQuery() as gqa:
            query, key = gqa.heads * gqa.head_dim, gqa.kv_heads * gqa.head_dim
            _add(found, Part.ATTENTION, _attention("q_proj", "qkv_proj"), hidden, query * (2 if gqa.output_gate else 1))
            _add(found, Part.ATTENTION, _attention("k_proj", "qkv_proj"), hidden, key)
            if not gqa.value_is_key:
                _add(found, Part.ATTENTION, _attention("v_proj", "qkv_proj"), hidden, key)
            _add(found, Part.ATTENTION, _attention("o_proj", "dense", "out_proj"), query, hidden)
        case Latent() as mla:
            head_dim = mla.qk_nope_head_dim + mla.qk_rope_head_dim
            if mla.q_lora_rank:
                _add(found, Part.ATTENTION, _attention("q_a_proj", "fused_qkv_a_proj"), hidden, mla.q_lora_rank)
                _add(found, Part.ATTENTION, _attention("q_b_proj"), mla.q_lora_rank, mla.heads * head_dim)
            else:
                _add(found, Part.ATTENTION, _attention("q_proj"), hidden, mla.heads * head_dim)
            wide = mla.kv_lora_rank + mla.qk_rope_head_dim
            _add(found, Part.ATTENTION, _attention("kv_a_proj_with_mqa", "fused_qkv_a_proj"), hidden, wide)
            both = mla.heads * (mla.qk_nope_head_dim + mla.v_head_dim)
            _add(found, Part.ATTENTION, _attention("kv_b_proj"), mla.kv_lora_rank, both)
            _add(found, Part.ATTENTION, _attention("o_proj"), mla.heads * mla.v_head_dim, hidden)
            if mla.indexer and not mla.indexer.shared:
                keys = mla.indexer.heads * mla.indexer.head_dim
                _add(found, Part.ATTENTION, _attention("indexer.wq_b"), mla.q_lora_rank or hidden, keys)
                _add(found, Part.ATTENTION, _attention("indexer.wk"), hidden, mla.indexer.head_dim)
        case Compressed() as csa:
            query = csa.heads * csa.head_dim
            _add(found, Part.ATTENTION, _attention("wq_a", "q_a_proj"), hidden, csa.q_lora_rank)
            _add(found, Part.ATTENTION, _attention("wq_b", "q_b_proj"), csa.q_lora_rank, query)
            _add(found, Part.ATTENTION, _attention("wkv", "kv_proj"), hidden, csa.head_dim)
            _add(
                found,
                Part.ATTENTION,
                _attention("wo_a", "o_a_proj"),
                query // csa.out_groups,
                csa.out_groups * csa.out_lora_rank,
            )
            _add(found, Part.ATTENTION, _attention("wo_b", "o_b_proj"), csa.out_groups * csa.out_lora_rank, hidden)
            if csa.indexer:
                _add(
                    found,
                    Part.ATTENTION,
                    _attention("indexer.wq_b"),
                    csa.q_lora_rank,
                    csa.indexer.heads * csa.indexer.head_dim,
                )
        case Recurrent() as rec:
            _recurrent(rec, hidden, found)
        case None:
            pass
    _mlp_modules(group.mlp, hidden, found)
    return tuple(found)


def _add(found: list[Module], part: Part, names: tuple[str, ...], inputs: int, outputs: int) -> None:
    if inputs and outputs:
        found.append(Module(names, part, inputs * outputs, inputs))


def _mlp_modules(mlp: AnyMlp | None, hidden: int, found: list[Module]) -> None:
    match mlp:
        case Dense():
            _mlp(found, Part.MLP, _MLP, "", hidden, mlp.width, mlp.gated, 1)
        case Mixture():
            inner = mlp.latent_size or hidden
            # Beside a dense MLP the name `mlp` belongs to that one.
            homes = ("moe", "") if mlp.dense_width else (*_MLP, "")
            _mlp(found, Part.ROUTED_EXPERTS, homes, "experts.0", inner, mlp.width, mlp.gated, mlp.experts)
            for name in _SHARED[:1] if mlp.shared_experts else ():
                _mlp(
                    found,
                    Part.SHARED_EXPERTS,
                    homes,
                    name,
                    hidden,
                    mlp.shared_width or mlp.width,
                    mlp.gated,
                    mlp.shared_experts,
                )
            _add(found, Part.SHARED_EXPERTS, _names(_MLP, "fc1_latent_proj"), hidden, mlp.latent_size)
            _add(found, Part.SHARED_EXPERTS, _names(_MLP, "fc2_latent_proj"), mlp.latent_size, hidden)
            if mlp.dense_width:
                _mlp(found, Part.MLP, ("mlp",), "", hidden, mlp.dense_width, mlp.gated, 1)
        case None:
            pass


def _attention(*leaves: str) -> tuple[str, ...]:
    return _names(_ATTENTION, *leaves)


def _recurrent(own: Recurrent, hidden: int, found: list[Module]) -> None:
    inner, keys = own.heads * own.head_dim, own.key_heads * own.state_dim

    def add(names: tuple[str, ...], inputs: int, outputs: int) -> None:
        found.append(Module(names, Part.ATTENTION, inputs * outputs, inputs))

    match own.style:
        case "mamba2":
            add(_names(_LINEAR, "in_proj"), hidden, 2 * inner + 2 * keys + own.heads)
        case "gated_delta":
            add(_names(_LINEAR, "in_proj_qkv", "in_proj_qkvz"), hidden, 2 * keys + inner)
            add(_names(_LINEAR, "in_proj_z", "in_proj_qkvz"), hidden, inner)
        case "lightning":
            add(_attention("qkv_proj"), hidden, 3 * inner)
            add(_attention("output_gate"), hidden, inner)
    add(_attention("out_proj") if own.style == "lightning" else _names(_LINEAR, "out_proj"), inner, hidden)


_LEAVES = (("gate_proj", "gate_up_proj", "w1"), ("up_proj", "gate_up_proj", "w3"), ("down_proj", "w2"))


def _mlp(
    found: list[Module],
    part: Part,
    homes: tuple[str, ...],
    below: str,
    inputs: int,
    width: int,
    gated: bool,
    count: int,
) -> None:
    """Gate (where there is one), up and down matrices of `count` equal MLPs."""
    stems = _SHARED if below in _SHARED else (below,) if below else ("",)
    paths = [".".join(piece for piece in (home, stem) if piece) for home in homes for stem in stems]
    for leaves in _LEAVES[0 if gated else 1 :]:
        names = tuple(f"{path}.{leaf}" for path in paths for leaf in leaves)
        columns = width if leaves[0] == "down_proj" else inputs
        found.append(Module(names, part, count * inputs * width, columns))
