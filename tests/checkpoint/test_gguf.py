"""GGUF files written by the reference package: architecture, bits by part, split files, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type

from infratui.checkpoint import CheckpointError, read
from infratui.checkpoint.gguf import BLOCKS
from infratui.checkpoint.gguf_config import MODEL_TYPES
from infratui.engine.model.architecture import GroupedQuery, Latent, Mixture, Part, Recurrent, group_counts, parameters

HIDDEN, VOCAB = 256, 512


def attention(heads: int, kv: int, dim: int) -> dict[str, tuple[int, ...]]:
    return {
        "attn_q.weight": (heads * dim, HIDDEN),
        "attn_k.weight": (kv * dim, HIDDEN),
        "attn_v.weight": (kv * dim, HIDDEN),
        "attn_output.weight": (HIDDEN, heads * dim),
        "attn_norm.weight": (HIDDEN,),
    }


def mlp(wide: int) -> dict[str, tuple[int, ...]]:
    return {
        "ffn_gate.weight": (wide, HIDDEN),
        "ffn_up.weight": (wide, HIDDEN),
        "ffn_down.weight": (HIDDEN, wide),
        "ffn_norm.weight": (HIDDEN,),
    }


def experts(count: int, wide: int) -> dict[str, tuple[int, ...]]:
    return {
        "ffn_gate_inp.weight": (count, HIDDEN),
        "ffn_gate_exps.weight": (count, wide, HIDDEN),
        "ffn_up_exps.weight": (count, wide, HIDDEN),
        "ffn_down_exps.weight": (count, HIDDEN, wide),
        "ffn_norm.weight": (HIDDEN,),
    }


def shared(wide: int) -> dict[str, tuple[int, ...]]:
    return {
        "ffn_gate_shexp.weight": (wide, HIDDEN),
        "ffn_up_shexp.weight": (wide, HIDDEN),
        "ffn_down_shexp.weight": (HIDDEN, wide),
    }


QK_NORM = {"attn_q_norm.weight": (64,), "attn_k_norm.weight": (64,)}
MLA = {
    "attn_norm.weight": (HIDDEN,),
    "attn_q_a.weight": (96, HIDDEN), "attn_q_a_norm.weight": (96,), "attn_q_b.weight": (4 * 48, 96),
    "attn_kv_a_mqa.weight": (64 + 16, HIDDEN), "attn_kv_a_norm.weight": (64,),
    "attn_kv_b.weight": (4 * (32 + 32), 64), "attn_output.weight": (HIDDEN, 4 * 32),
}  # fmt: skip
DELTA_NET = {
    "attn_norm.weight": (HIDDEN,), "post_attention_norm.weight": (HIDDEN,),
    "ssm_in.weight": (2 * 2 * 32 + 2 * 4 * 32, HIDDEN), "ssm_ba.weight": (2 * 4, HIDDEN),
    "ssm_conv1d.weight": (2 * 2 * 32 + 4 * 32, 4), "ssm_dt.bias": (4,), "ssm_a": (4,), "ssm_norm.weight": (32,),
    "ssm_out.weight": (HIDDEN, 4 * 32), "ffn_gate.weight": (512, HIDDEN), "ffn_up.weight": (512, HIDDEN),
    "ffn_down.weight": (HIDDEN, 512),
}  # fmt: skip
GATED = {
    "attn_norm.weight": (HIDDEN,), "post_attention_norm.weight": (HIDDEN,), "attn_q.weight": (2 * 4 * 64, HIDDEN),
    "attn_k.weight": (2 * 64, HIDDEN), "attn_v.weight": (2 * 64, HIDDEN), "attn_output.weight": (HIDDEN, 4 * 64),
    **QK_NORM, "ffn_gate.weight": (512, HIDDEN), "ffn_up.weight": (512, HIDDEN), "ffn_down.weight": (HIDDEN, 512),
}  # fmt: skip
HEADS = {
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "attention.key_length": 64,
    "feed_forward_length": 512,
}
MOE = {"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 128}

MODELS: dict[str, tuple[dict[str, Any], list[dict[str, tuple[int, ...]]], bool]] = {
    "llama": (HEADS, [{**attention(4, 2, 64), **mlp(512)}] * 2, True),
    "qwen2": (
        HEADS,
        [{**attention(4, 2, 64), **mlp(512), "attn_q.bias": (256,), "attn_k.bias": (128,), "attn_v.bias": (128,)}] * 2,
        True,
    ),
    "qwen3": (HEADS, [{**attention(4, 2, 64), **mlp(512), **QK_NORM}] * 2, False),
    "qwen3moe": ({**HEADS, **MOE}, [{**attention(4, 2, 64), **experts(8, 128), **QK_NORM}] * 2, True),
    "gemma3": (
        {**HEADS, "attention.sliding_window": 1024},
        [{**attention(4, 2, 64), **mlp(512), **QK_NORM, "post_attention_norm.weight": (HIDDEN,),
          "post_ffw_norm.weight": (HIDDEN,)}] * 7,
        False,
    ),
    "gpt-oss": (
        {**HEADS, **MOE, "attention.sliding_window": 128},
        [{**attention(4, 2, 64), **experts(8, 128), "attn_q.bias": (256,), "attn_k.bias": (128,),
          "attn_v.bias": (128,), "attn_output.bias": (HIDDEN,), "attn_sinks.weight": (4,), "ffn_gate_inp.bias": (8,),
          "ffn_gate_exps.bias": (8, 128), "ffn_up_exps.bias": (8, 128), "ffn_down_exps.bias": (8, HIDDEN)}] * 2,
        True,
    ),
    "deepseek2": (
        {**MOE, "attention.head_count": 4, "feed_forward_length": 512, "attention.kv_lora_rank": 64,
         "attention.q_lora_rank": 96, "rope.dimension_count": 16, "attention.key_length": 48,
         "attention.value_length": 32, "leading_dense_block_count": 1, "expert_shared_count": 1,
         "expert_gating_func": 2},
        [{**MLA, **mlp(512)}, {**MLA, **experts(8, 128), **shared(128), "exp_probs_b.bias": (8,)}],
        True,
    ),
    "glm4moe": (
        {**HEADS, **MOE, "leading_dense_block_count": 1, "expert_shared_count": 1, "nextn_predict_layers": 1},
        [{**attention(4, 2, 64), **mlp(512)},
         {**attention(4, 2, 64), **experts(8, 128), **shared(128), "exp_probs_b.bias": (8,)},
         {**attention(4, 2, 64), **mlp(512), "nextn.eh_proj.weight": (HIDDEN, 2 * HIDDEN)}],
        True,
    ),
    "minimax-m2": (
        {**HEADS, **MOE},
        [{**attention(4, 2, 64), **experts(8, 128), "attn_q_norm.weight": (256,), "attn_k_norm.weight": (128,),
          "exp_probs_b.bias": (8,)}] * 2,
        True,
    ),
    "qwen3next": (
        {**HEADS, "full_attention_interval": 4, "ssm.conv_kernel": 4, "ssm.state_size": 32, "ssm.group_count": 2,
         "ssm.time_step_rank": 4, "ssm.inner_size": 128},
        [DELTA_NET, DELTA_NET, DELTA_NET, GATED],
        True,
    ),
    "deci": (
        {"attention.head_count": [4, 0], "attention.head_count_kv": [2, 0], "attention.key_length": 64,
         "feed_forward_length": [512, 256]},
        [{**attention(4, 2, 64), **mlp(512)}, mlp(256)],
        True,
    ),
}  # fmt: skip


def write(path: Path, architecture: str, *, matrices: Type = Type.F16, untied: bool | None = None, **more: Any) -> Path:
    """A whole small model with random-free data; matrices of the layers in the given type, the rest in F32."""
    metadata, layers, with_head = MODELS[architecture]
    writer = gguf.GGUFWriter(path, architecture)
    everything = {"block_count": len(layers), "context_length": 4096, "embedding_length": HIDDEN, **metadata, **more}
    for key, value in everything.items():
        name = f"{architecture}.{key}"
        if isinstance(value, list):
            writer.add_array(name, value)
        else:
            writer.add_uint32(name, value)
    writer.add_array("tokenizer.ggml.tokens", [f"token-{index}" for index in range(VOCAB)])
    shapes = {"token_embd.weight": (VOCAB, HIDDEN), "output_norm.weight": (HIDDEN,)}
    if with_head if untied is None else untied:
        shapes["output.weight"] = (VOCAB, HIDDEN)
    for index, layer in enumerate(layers):
        shapes.update({f"blk.{index}.{name}": shape for name, shape in layer.items()})
    for name, shape in shapes.items():
        _name, block, size = BLOCKS[matrices]
        packed = name.startswith("blk.") and len(shape) > 1 and shape[-1] % block == 0
        if packed and matrices is not Type.F16:
            data = np.zeros((*shape[:-1], shape[-1] // block * size), np.uint8)
            writer.add_tensor(name, data, raw_dtype=matrices)
        else:
            writer.add_tensor(name, np.zeros(shape, np.float16 if packed else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("architecture", MODELS)
def test_architecture_accounts_for_every_weight(architecture, tmp_path):
    checkpoint = read(write(tmp_path / "model.gguf", architecture))

    counted = sum(entry.elements for entry in checkpoint.tensors.parts)
    assert parameters(checkpoint.model).total == pytest.approx(counted, rel=0.005)
    assert checkpoint.warnings == ()


@pytest.mark.parametrize("architecture", MODELS)
def test_tensors_of_every_part_are_told_apart(architecture, tmp_path):
    checkpoint = read(write(tmp_path / "model.gguf", architecture))

    count = parameters(checkpoint.model)
    for entry in checkpoint.tensors.parts:
        if entry.part is not Part.NORMS:
            assert entry.elements == pytest.approx(count.of(entry.part), rel=0.02), entry.part


def test_bits_by_part_come_from_the_blocks(tmp_path):
    checkpoint = read(write(tmp_path / "tiny-Q4_K_M.gguf", "llama", matrices=Type.Q4_K))

    precision = checkpoint.precision
    assert precision.bits_of(Part.ATTENTION) == 4.5
    assert precision.bits_of(Part.MLP) == 4.5
    assert precision.bits_of(Part.EMBEDDING) == 32
    assert checkpoint.model.weight_precision == precision.id
    assert checkpoint.model.id == "tiny-Q4_K_M"


def test_block_sizes_are_those_of_the_reference_package():
    known = {int(number): (number.name, *sizes) for number, sizes in gguf.GGML_QUANT_SIZES.items()}

    assert {number: BLOCKS[number] for number in known} == known


def test_architecture_names_are_those_of_the_reference_package():
    names = set(gguf.MODEL_ARCH_NAMES.values())

    # Newer than the package: read from llama.cpp's list.
    assert set(MODEL_TYPES) - names <= {"qwen35", "qwen35moe", "deepseek32", "glm-dsa", "step35", "mistral3"}


def test_geometry_is_read(tmp_path):
    model = read(write(tmp_path / "model.gguf", "gemma3")).model

    windows = [group.attention.window for group, _ in group_counts(model)]
    assert model.tied_embeddings
    assert model.vocab_size == VOCAB
    assert model.max_context == 4096
    assert windows == [1024, None]
    assert model.order == "w5 f w"


def test_latent_attention_is_read(tmp_path):
    model = read(write(tmp_path / "model.gguf", "deepseek2")).model

    own = model.groups[0].attention
    assert isinstance(own, Latent)
    assert (own.qk_nope_head_dim, own.qk_rope_head_dim, own.v_head_dim) == (32, 16, 32)
    assert isinstance(model.mixture, Mixture)
    assert model.mixture.gate.correction_bias


def test_hybrid_layers_are_read(tmp_path):
    model = read(write(tmp_path / "model.gguf", "qwen3next")).model

    kinds = [type(group.attention) for group, _ in group_counts(model)]
    assert kinds == [Recurrent, GroupedQuery]


def test_prediction_layer_is_not_a_layer(tmp_path):
    checkpoint = read(write(tmp_path / "model.gguf", "glm4moe"))

    assert checkpoint.model.layers == 2
    assert checkpoint.tensors.prediction_bytes > 0


def test_folder_with_one_model_is_read_and_with_two_is_refused(tmp_path):
    write(tmp_path / "a.gguf", "llama")

    assert read(tmp_path).model.id == "a"
    write(tmp_path / "b.gguf", "llama")
    with pytest.raises(CheckpointError, match="holds 2 GGUF models"):
        read(tmp_path)


def test_missing_parts_of_a_split_model_are_said(tmp_path):
    path = write(tmp_path / "big-00001-of-00003.gguf", "llama")

    checkpoint = read(path)

    assert checkpoint.model.id == "big"
    assert checkpoint.warnings == ("1 of 3 files are there; bits by part are not known",)
    assert not checkpoint.tensors.complete


def test_mixture_under_the_name_llama(tmp_path):
    path = tmp_path / "moe.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in {
        **HEADS,
        "block_count": 1,
        "embedding_length": 256,
        "expert_count": 8,
        "expert_used_count": 2,
    }.items():
        writer.add_uint32(f"llama.{key}", value)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    checkpoint = read(path)

    assert checkpoint.model.mixture.experts == 8
    assert checkpoint.model.vocab_size == 2
    assert checkpoint.tensors is None


def header(*parts: bytes, version: int = 3, tensors: int = 0, keys: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + b"".join(parts)


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


LLAMA = [text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")] + [
    text(f"llama.{key}".encode()) + struct.pack("<II", 4, value)
    for key, value in {**HEADS, "block_count": 2, "embedding_length": 256, "vocab_size": 512}.items()
]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GGUF", "ends within the version"),
        (b"GGML" + bytes(20), "does not start with 'GGUF'"),
        (header(version=1), "GGUF version 1; 2 or 3"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (header(tensors=2**60), "tensors stated"),
        (header(keys=2**60), "metadata keys stated"),
        (header(struct.pack("<Q", 2**63), keys=1), "cut short"),
        (header(text(b"k") + struct.pack("<I", 99), keys=1), "key 'k' has type 99"),
        (header(text(b"k") + struct.pack("<IIQ", 9, 8, 2**60), keys=1), "cut short"),
        (header(text(b"k") + struct.pack("<IIQ", 9, 10, 2**61), keys=1), "cut short"),
        (header(text(b"k") + struct.pack("<IIQ", 9, 9, 1), keys=1), "lists values of type 9"),
        (header(*[text(b"k") + struct.pack("<II", 4, 1)] * 2, keys=2), "appears twice"),
        (header(), "general.architecture is missing"),
        (header(*LLAMA, text(b"t") + struct.pack("<I", 2) + struct.pack("<QQIQ", 256, 256, 12, 0), tensors=1,
                keys=len(LLAMA)), "ends at byte"),
        (header(*LLAMA, text(b"t") + struct.pack("<I", 2) + struct.pack("<QQIQ", 2**62, 256, 12, 0), tensors=1,
                keys=len(LLAMA)), "rows of whole blocks"),
        (header(*LLAMA, text(b"t") + struct.pack("<I", 1) + struct.pack("<QIQ", 255, 12, 0), tensors=1,
                keys=len(LLAMA)), "rows of whole blocks"),
        (header(*LLAMA, text(b"t") + struct.pack("<I", 1) + struct.pack("<QIQ", 256, 77, 0), tensors=1,
                keys=len(LLAMA)), "has type 77"),
        (header(*LLAMA, text(b"t") + struct.pack("<I", 2**31), tensors=1, keys=len(LLAMA)), "dimensions"),
        (header(text(b"general.architecture") + struct.pack("<I", 8) + text(b"mamba"), keys=1), "'mamba' is not known"),
    ],
)  # fmt: skip
def test_lying_headers_are_refused_in_one_line(data, message, tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)

    with pytest.raises(CheckpointError, match=message) as caught:
        read(path)

    assert "\n" not in str(caught.value)
    assert "bad.gguf" in str(caught.value)


def test_every_cut_of_a_good_file_is_refused(tmp_path):
    whole = write(tmp_path / "whole.gguf", "llama").read_bytes()
    path = tmp_path / "cut.gguf"

    for length in [*range(0, 2000, 37), len(whole) // 2, len(whole) - 2000]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read(path)
