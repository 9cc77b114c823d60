"""Safetensors headers: exact bytes and elements by part, precision from them, and lying headers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from infratui.checkpoint import CheckpointError, read
from infratui.checkpoint.tensors import part_of
from infratui.engine.model.architecture import Part, parameters

CONFIG = {
    "model_type": "qwen3_moe", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "num_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 96,
    "moe_intermediate_size": 32, "mlp_only_layers": [0], "vocab_size": 256, "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
}  # fmt: skip


def shapes() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (256, 64), "lm_head.weight": (256, 64), "model.norm.weight": (64,)
    }  # fmt: skip
    for index in range(2):
        layer = f"model.layers.{index}"
        found.update({
            f"{layer}.self_attn.q_proj.weight": (64, 64), f"{layer}.self_attn.k_proj.weight": (32, 64),
            f"{layer}.self_attn.v_proj.weight": (32, 64), f"{layer}.self_attn.o_proj.weight": (64, 64),
            f"{layer}.self_attn.q_norm.weight": (16,), f"{layer}.self_attn.k_norm.weight": (16,),
            f"{layer}.input_layernorm.weight": (64,), f"{layer}.post_attention_layernorm.weight": (64,),
        })  # fmt: skip
    mlps = {"model.layers.0.mlp": 96} | {f"model.layers.1.mlp.experts.{index}": 32 for index in range(4)}
    for name, wide in mlps.items():
        found[f"{name}.gate_proj.weight"] = found[f"{name}.up_proj.weight"] = (wide, 64)
        found[f"{name}.down_proj.weight"] = (64, wide)
    found["model.layers.1.mlp.gate.weight"] = (4, 64)
    return found


def arrays(dtype: Any = ml_dtypes.bfloat16) -> dict[str, np.ndarray]:
    return {name: np.zeros(shape, dtype) for name, shape in shapes().items()}


def test_plain_checkpoint_holds_what_the_architecture_says(folder):
    made = folder(CONFIG)
    save_file(arrays(), made / "model.safetensors")

    checkpoint = read(made)

    count = parameters(checkpoint.model)
    assert checkpoint.tensors.elements_total == count.total
    assert checkpoint.tensors.bytes_total == 2 * count.total
    assert {entry.part: entry.elements for entry in checkpoint.tensors.parts} == {p: n for p, n in count.parts if n}
    assert checkpoint.precision is None
    assert checkpoint.warnings == ()


def test_a_single_file_leads_to_its_folder(folder):
    made = folder(CONFIG, name="Tiny-MoE")
    save_file(arrays(), made / "model.safetensors")

    assert read(made / "model.safetensors").model.id == "Tiny-MoE"


def test_packed_experts_give_their_bits_from_bytes(folder):
    packed = arrays()
    for name, shape in shapes().items():
        if ".experts." in name:
            stem = name.removesuffix(".weight")
            del packed[name]
            packed[f"{stem}.weight_packed"] = np.zeros((shape[0], shape[1] // 8), np.int32)
            packed[f"{stem}.weight_scale"] = np.zeros((shape[0], shape[1] // 32), ml_dtypes.bfloat16)
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": True}
    groups = {"group_0": {"targets": ["re:.*experts.*"], "weights": weights}}
    made = folder({**CONFIG, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": groups}})
    save_file(packed, made / "model.safetensors")

    checkpoint = read(made)

    assert checkpoint.precision.bits_of(Part.ROUTED_EXPERTS) == 4.5
    assert checkpoint.precision.bits_of(Part.ATTENTION) == 16
    assert checkpoint.precision.label == "INT4 in groups of 32"
    assert dict(checkpoint.tensors.types)["I32"] == 4 * 3 * 64 * 32 // 2


def test_quantized_tensors_without_a_word_in_the_configuration_are_noticed(folder):
    made = folder(CONFIG)
    save_file(
        {name: np.zeros(v.shape, ml_dtypes.float8_e4m3fn) if v.ndim == 2 else v for name, v in arrays().items()},
        made / "model.safetensors",
    )

    checkpoint = read(made)

    assert checkpoint.precision.bits_of(Part.MLP) == 8
    assert checkpoint.precision.label.startswith("F8_E4M3")


def sharded(made: Path, total: int | None = None) -> None:
    everything = arrays()
    names = sorted(everything)
    halves = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, members in halves.items():
        save_file({name: everything[name] for name in members}, made / file)
    index = {
        "metadata": {"total_size": total or sum(value.nbytes for value in everything.values())},
        "weight_map": {name: file for file, members in halves.items() for name in members},
    }
    (made / "model.safetensors.index.json").write_text(json.dumps(index))


def test_shards_are_summed(folder):
    made = folder(CONFIG)
    sharded(made)

    checkpoint = read(made / "model.safetensors.index.json")

    assert checkpoint.tensors.elements_total == parameters(checkpoint.model).total
    assert checkpoint.warnings == ()


def test_index_alone_gives_the_total(folder):
    made = folder(CONFIG)
    sharded(made, total=123_456)
    for file in made.glob("*.safetensors"):
        file.unlink()

    facts = read(made).tensors

    assert (facts.bytes_total, facts.parts, facts.complete) == (123_456, (), False)


def test_missing_shard_and_wrong_total_are_said(folder):
    made = folder(CONFIG)
    sharded(made, total=1)

    assert read(made).warnings[0].startswith("the index states 1 bytes")
    (made / "model-00002-of-00002.safetensors").unlink()
    assert read(made).warnings[0].startswith("1 of 2 safetensors files are not there")


def test_file_names_outside_the_folder_are_refused(folder):
    made = folder(CONFIG)
    index = {"weight_map": {"a": "../../etc/passwd"}}
    (made / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(CheckpointError, match="plain file name"):
        read(made)


def test_tensors_that_do_not_go_with_the_architecture_are_said(folder):
    made = folder({**CONFIG, "num_hidden_layers": 2, "vocab_size": 256_000})
    save_file(arrays(), made / "model.safetensors")

    assert "do not go with the architecture" in read(made).warnings[0]


def test_without_a_configuration_it_says_what_is_missing(tmp_path):
    save_file(arrays(), tmp_path / "model.safetensors")

    with pytest.raises(CheckpointError, match=r"model.safetensors: no config.json beside it"):
        read(tmp_path / "model.safetensors")


def entry(**fields: Any) -> bytes:
    made = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **fields}
    return json.dumps({"t": made}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes long"),
        (b"\x01\x00\x00", "3 bytes long"),
        (b"\xff" * 8, "at most 25,000,000"),
        ((50_000).to_bytes(8, "little") + b"{}", "cut short"),
        ((2).to_bytes(8, "little") + b"[]", "does not start with"),
        ((3).to_bytes(8, "little") + b"{]}", "line 1"),
        (entry(dtype="X9"), "dtype is 'X9'; one of"),
        (entry(shape=[-1, 2]), "shape is a list"),
        (entry(shape="wide"), "shape is 'wide'"),
        (entry(shape=[2**60, 2**60]), "shape"),
        (entry(shape=[True, 2]), "shape"),
        (entry(data_offsets=[16, 0]), "a pair of begin and end"),
        (entry(data_offsets=[-16, 0]), "data_offsets"),
        (entry(data_offsets=[0, 2**50]), "ends at byte"),
        (entry(data_offsets=[0, 12]), "spans 12 bytes; F32 of that shape takes 16"),
        (b'{"t": 1}', "is no object"),
        (b'{"t": {}, "t": {}}', "appears twice"),
        (
            json.dumps({n: {"dtype": "U8", "shape": [16], "data_offsets": [0, 16]} for n in "ab"}).encode(),
            "tensors overlap",
        ),
        (b'{"a":' * 50_000, "nested too deeply"),
    ],
)
def test_lying_headers_are_refused_in_one_line(data, message, folder):
    made = folder(CONFIG)
    if data[:1] == b"{":
        data = len(data).to_bytes(8, "little") + data + bytes(16)
    (made / "model.safetensors").write_bytes(data)

    with pytest.raises(CheckpointError, match=message) as caught:
        read(made)

    assert "\n" not in str(caught.value)
    assert "model.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.language_model.embed_tokens.weight", Part.EMBEDDING),
        ("backbone.embeddings.weight", Part.EMBEDDING),
        ("language_model.lm_head.weight", Part.HEAD),
        ("model.layers.3.self_attn.kv_a_proj_with_mqa.weight_scale_inv", Part.ATTENTION),
        ("model.layers.3.self_attn.indexer.wk.weight", Part.ATTENTION),
        ("model.layers.3.linear_attn.A_log", Part.ATTENTION),
        ("backbone.layers.3.mixer.in_proj.weight", Part.ATTENTION),
        ("backbone.layers.3.mixer.up_proj.weight", Part.MLP),
        ("backbone.layers.3.mixer.experts.7.up_proj.weight", Part.ROUTED_EXPERTS),
        ("backbone.layers.3.mixer.shared_experts.up_proj.weight", Part.SHARED_EXPERTS),
        ("backbone.layers.3.mixer.gate.weight", Part.ROUTER),
        ("backbone.layers.3.norm.weight", Part.NORMS),
        ("model.layers.3.block_sparse_moe.experts.0.w1.weight", Part.ROUTED_EXPERTS),
        ("model.layers.3.block_sparse_moe.gate.weight", Part.ROUTER),
        ("model.layers.3.block_sparse_moe.e_score_correction_bias", Part.ROUTER),
        ("model.layers.3.mlp.gate.e_score_correction_bias", Part.ROUTER),
        ("model.layers.3.mlp.gate_proj.weight", Part.MLP),
        ("model.layers.3.mlp.gate_up_proj.weight", Part.MLP),
        ("model.layers.3.mlp.experts.gate_up_proj_blocks", Part.ROUTED_EXPERTS),
        ("model.layers.3.mlp.router.weight", Part.ROUTER),
        ("model.layers.3.mlp.shared_expert_gate.weight", Part.SHARED_EXPERTS),
        ("model.layers.3.post_attention_layernorm.weight", Part.NORMS),
        ("model.layers.61.mlp.experts.0.up_proj.weight", None),
        ("mtp.layers.0.mlp.gate_proj.weight", None),
        ("model.visual.blocks.0.attn.qkv.weight", Part.EXTRA),
        ("vision_tower.encoder.blocks.0.wqkv.weight", Part.EXTRA),
        ("multi_modal_projector.linear_1.weight", Part.EXTRA),
        ("model.norm.weight", Part.NORMS),
        ("transformer.h.3.self_attention.query_key_value.weight", Part.ATTENTION),
        ("transformer.h.3.mlp.dense_h_to_4h.weight", Part.MLP),
        ("layers.3.ffn.experts.0.w1.weight", Part.ROUTED_EXPERTS),
        ("layers.3.attn.wq_a.weight", Part.ATTENTION),
        ("layers.3.hc_attn_fn", Part.NORMS),
        ("blk.3.ffn_gate_inp.weight", Part.ROUTER),
        ("blk.3.ffn_down_exps.weight", Part.ROUTED_EXPERTS),
        ("blk.3.ffn_down_shexp.weight", Part.SHARED_EXPERTS),
        ("blk.3.attn_norm.weight", Part.NORMS),
        ("blk.3.attn_q_norm.weight", Part.ATTENTION),
        ("blk.3.ssm_a", Part.ATTENTION),
    ],
)
def test_tensor_names_lead_to_parts(name, part):
    assert part_of(name, 61) is part
