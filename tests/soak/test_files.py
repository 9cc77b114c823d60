"""Thousands of broken files of every kind that is read: each is answered or refused in one line, at once."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infratui import checkpoint, store
from infratui.catalog.errors import CatalogError
from infratui.catalog.load import Catalog
from infratui.checkpoint import CheckpointError
from infratui.engine.evaluate import Evaluator
from infratui.report.estimate import TableError, estimate_table
from infratui.report.sections import SECTIONS
from infratui.scenario import Scenario, ScenarioError

from .mutations import broken_bytes, broken_value, gguf, safetensors

PATIENCE_S = 2.0
FACTS = Catalog()

SCENARIOS = (
    b"schema: 1\nname: Chat for support\nmodel: qwen3-235b-a22b\nprecision: fp8\nusers: 64\ncontext: 32_768\ngpus: 8\n",
    b"schema: 1\nname: 'x: y'\nutilization: 0.92\ncompliance: true\nlab_group: 0.1 -0.2 3\n"
    b"ttft_ms: 500.5\ncurrency: EUR\n",
    b"users: 9\npolicy:\n  fits: true\n  ttft_ms_p95: 800\n  usd_per_month: 9_000\n"
    b"  engine_flags: vllm 0.25.1 --swap-space\n",
)
CATALOGS = (
    b"accelerators:\n  - id: mine\n    name: Mine\n    vendor: NVIDIA\n    arch: Volta\n    memory_type: HBM2\n"
    b"    memory: 80e9\n    memory_marketing_gb: 80\n    bandwidth: 3.35e12\n    fp16: 125e12\n    tdp_w: 300\n"
    b"    source: own\n",
    b"prices:\n  - accelerator: h100-sxm\n    kind: on_demand\n    usd: 2.5\n    provider: us\n    date: 2026-01-01\n"
    b"    source: own\naliases:\n  tiny: llama-3.1-8b\n",
    b"id: mine\nname: Mine\nhidden_size: 4096\nvocab_size: 32000\nmax_context: 8192\ngroups:\n"
    b"  - key: f\n    attention: {heads: 32, kv_heads: 8, head_dim: 128}\n    mlp: {width: 14336}\norder: f32\n",
    b"formats:\n  - id: mine\n    label: Mine\n    family: block_float\n"
    b"    element: {kind: float, exponent: 3, mantissa: 4, bias: 3, specials: ieee}\n"
    b"    scaling: {fit: absmax, block: 32, scale: e4m3}\n    native: [Hopper]\n    used_for: [weights]\n"
    b"    evidence: []\n    aliases: [own]\n    notes: Own.\n    source: own\n",
    b"precisions:\n  - id: own\n    label: Own\n    bits: 5.5\nlinks:\n  - id: wire\n    name: Wire\n    type: pcie\n"
    b"    scope: host or peer\n    bandwidth: 5e10\n    source: own\n",
)
TABLES = (
    b"model_id,weight_format,tp,pp,ep,dp,gpu,gpu_mem_util,max_model_len,kv_dtype,isl,osl,concurrency,note\n"
    b"llama-3.1-8b,fp8,1,1,1,1,h100,0.9,8192,auto,512,128,16,first\n"
    b'meta-llama/Llama-3.3-70B-Instruct,"gguf (q4_k_m)",4,,,,H200,,131072,fp8,,,max throughput,"a, b"\n',
)
LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 512, "intermediate_size": 1024,
    "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 1000,
    "max_position_embeddings": 4096, "torch_dtype": "bfloat16", "rope_scaling": {"factor": 8.0},
}  # fmt: skip
CONFIGS: tuple[dict[str, Any], ...] = (
    LLAMA,
    {**LLAMA, "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128], "ignore": ["lm_head"]}},
    {**LLAMA, "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"-:.*x": {}}}},
    {
        **LLAMA, "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "num_experts": 8,
        "num_experts_per_tok": 2, "moe_intermediate_size": 256, "head_dim": 64, "decoder_sparse_step": 1,
        "quantization_config": {
            "quant_method": "compressed-tensors", "ignore": ["re:.*gate$", "lm_head"],
            "kv_cache_scheme": {"num_bits": 8},
            "config_groups": {"g": {"targets": ["Linear"], "weights": {"num_bits": 4, "group_size": 32}}},
        },
    },
    {
        **LLAMA, "model_type": "deepseek_v3", "q_lora_rank": 128, "kv_lora_rank": 64, "qk_nope_head_dim": 32,
        "qk_rope_head_dim": 16, "v_head_dim": 32, "n_routed_experts": 8, "n_shared_experts": 1,
        "num_experts_per_tok": 2, "moe_intermediate_size": 256, "first_k_dense_replace": 1, "n_group": 2,
        "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4", "exclude_modules": ["*self_attn*"]},
    },
    {
        "model_type": "gemma3", "text_config": {**LLAMA, "model_type": "gemma3_text", "sliding_window": 512,
        "sliding_window_pattern": 6, "head_dim": 64},
        "vision_config": {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128},
    },
    {
        **LLAMA, "model_type": "nemotron_h", "hybrid_override_pattern": "M-M*", "mamba_num_heads": 8,
        "mamba_head_dim": 64, "ssm_state_size": 32, "n_groups": 2, "conv_kernel": 4, "head_dim": 64,
    },
)  # fmt: skip
HEADER = {
    "__metadata__": {"format": "pt"},
    "model.embed_tokens.weight": {"dtype": "BF16", "shape": [4, 4], "data_offsets": [0, 32]},
    "model.layers.0.self_attn.q_proj.weight": {"dtype": "F8_E4M3", "shape": [4, 4], "data_offsets": [32, 48]},
    "model.layers.0.mlp.experts.0.up_proj.weight_scale": {"dtype": "F32", "shape": [4], "data_offsets": [48, 64]},
}
GGUF = gguf(
    {
        "general.architecture": "llama", "general.file_type": 1, "llama.block_count": 1, "llama.embedding_length": 32,
        "llama.attention.head_count": 4, "llama.attention.head_count_kv": 2, "llama.feed_forward_length": 64,
        "llama.context_length": 512, "llama.vocab_size": 16, "tokenizer.ggml.tokens": ["a", "", "ccc"] * 4,
    },
    {"token_embd.weight": (32, 16), "blk.0.attn_q.weight": (32, 32), "blk.0.ffn_up.weight": (32, 64)},
)  # fmt: skip


@dataclass(frozen=True)
class Door:
    """A way in: breaks a file of its kind in a folder, then reads it. Raises one of `refusals`, or gives an answer."""

    knock: Callable[[random.Random, Path], None]
    refusals: tuple[type[Exception], ...]


def scenario_file(dice: random.Random, folder: Path) -> None:
    path = folder / "plan.yaml"
    path.write_bytes(broken_bytes(dice, dice.choice(SCENARIOS), dice.choice(CATALOGS)))
    store._cached.cache_clear()
    store.load_scenario(path)


def catalog_file(dice: random.Random, folder: Path) -> None:
    (folder / "own.yaml").write_bytes(broken_bytes(dice, dice.choice(CATALOGS), dice.choice(SCENARIOS)))
    Catalog(folder).check()


def table(dice: random.Random, folder: Path) -> None:
    raw = broken_bytes(dice, dice.choice(TABLES), dice.choice(SCENARIOS))
    estimate_table(io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline=""), io.StringIO(), "t.csv", FACTS)


def configuration(dice: random.Random, folder: Path) -> None:
    config = dice.choice(CONFIGS)
    if dice.random() < 0.3:
        raw = broken_bytes(dice, json.dumps(config).encode(), json.dumps(dice.choice(CONFIGS)).encode())
    else:
        raw = json.dumps(broken_value(dice, config)).encode()
    (folder / "config.json").write_bytes(raw)
    checkpoint.read(folder)
    if dice.random() < 0.05:
        answered(folder)


def answered(folder: Path) -> None:
    """What was accepted is answered or refused in every section."""
    facts = Catalog()
    evaluation = Evaluator(facts)(Scenario(model=str(folder), precision=f"{folder}@stored", users=2, context=512))
    for section in SECTIONS:
        with contextlib.suppress(ValueError, OSError):
            getattr(evaluation, section.id)


def header(dice: random.Random, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(LLAMA))
    path = folder / "model.safetensors"
    if dice.random() < 0.5:
        path.write_bytes(safetensors(json.dumps(broken_value(dice, HEADER)).encode()))
    elif dice.random() < 0.5:
        path.write_bytes(safetensors(broken_bytes(dice, json.dumps(HEADER).encode(), GGUF)))
    else:
        path.write_bytes(broken_bytes(dice, safetensors(json.dumps(HEADER).encode()), GGUF))
    checkpoint.read(folder)


def gguf_file(dice: random.Random, folder: Path) -> None:
    (folder / "model.gguf").write_bytes(broken_bytes(dice, GGUF, json.dumps(HEADER).encode()))
    checkpoint.read(folder / "model.gguf")


DOORS = {
    "scenario": Door(scenario_file, (ScenarioError,)),
    "catalog": Door(catalog_file, (CatalogError,)),
    "table": Door(table, (TableError,)),
    "config": Door(configuration, (CheckpointError,)),
    "safetensors": Door(header, (CheckpointError,)),
    "gguf": Door(gguf_file, (CheckpointError,)),
}
SHORT, SOAK = 60, 8_400
"""Files of each kind: six kinds make 50,000."""


@pytest.mark.parametrize("count", [SHORT, pytest.param(SOAK, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", DOORS)
def test_broken_files_are_answered_or_refused_at_once(tmp_path: Path, kind: str, count: int) -> None:
    door = DOORS[kind]
    for number in range(count):
        dice = random.Random(f"{kind} {number}")
        begun = time.process_time()
        said = ""
        try:
            door.knock(dice, tmp_path)
        except door.refusals as refusal:
            said = str(refusal) or "nothing"
        except Exception as error:
            raise AssertionError(f"{kind} {number}: {error!r}") from error
        assert said.isprintable(), (number, said)
        assert said != "nothing", number
        assert time.process_time() - begun < PATIENCE_S, number
