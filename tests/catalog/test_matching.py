"""GPU and model names as drivers, engines and people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui.catalog.load import Catalog
from infratui.catalog.matching import match_accelerator, match_model, model_key, nearest
from infratui.engine.facts import UnknownFactError

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("H100 80GB HBM3", "h100-sxm"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("H100-SXM-80GB", "h100-sxm"),
        ("h100", "h100-sxm"),
        ("8x H100", "h100-sxm"),
        ("H100 (79.18 GiB)", "h100-sxm"),
        ("H100 PCIe", "h100-pcie"),
        ("NVIDIA H100 NVL", "h100-nvl"),
        ("NVIDIA H200", "h200-sxm"),
        ("H200 (143771MiB)", "h200-sxm"),
        ("B200-180GB", "b200-sxm"),
        ("NVIDIA B200", "b200-sxm"),
        ("A100", "a100-80gb-sxm"),
        ("NVIDIA A100-SXM4-80GB", "a100-80gb-sxm"),
        ("A100-SXM4-40GB", "a100-40gb-sxm"),
        ("A100 (40 GB class by budget)", "a100-40gb-sxm"),
        ("NVIDIA A100 80GB PCIe", "a100-80gb-pcie"),
        ("Tesla T4", "t4"),
        ("Tesla V100-SXM2-32GB", "v100-32gb-sxm"),
        ("NVIDIA L40S", "l40s"),
        ("L40", "l40"),
        ("A10G", "a10g"),
        ("A10", "a10"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("4090", "rtx-4090"),
        ("RTX A6000", "rtx-a6000"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000"),
        ("NVIDIA GH200 480GB", "gh200-96gb"),
        ("GB200 NVL72", "gb200"),
        ("GB10 (DGX Spark, 121 GB unified)", "gb10"),
        ("AMD Instinct MI300X OAM", "mi300x"),
        ("MI355X class (mi35x image)", "mi355x"),
        ("Gaudi3", "gaudi3"),
        ("HL-225", "gaudi2"),
        ("TPU v5e", "tpu-v5e"),
        ("Trillium", "tpu-v6e"),
        ("Trainium2", "trainium2"),
    ],
)
def test_gpu_names(name: str, expected: str):
    assert CATALOG.accelerator(name).id == expected


@pytest.mark.parametrize(
    "name",
    ["RTX 3090 Ti", "RTX A5000", "MI50 32GB", "Radeon RX 9070 XT (gfx1201)", "nvidia", "rtx", "", "H100 40GB", "💥"],
)
def test_another_part_is_not_guessed(name: str):
    with pytest.raises(UnknownFactError) as caught:
        CATALOG.accelerator(name)

    assert str(caught.value).startswith("unknown accelerator")


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(UnknownFactError, match="h100-sxm"):
        CATALOG.accelerator("h100-smx")
    with pytest.raises(UnknownFactError, match=r"llama-3\.1-70b"):
        CATALOG.model("lama-3.1-70b")
    with pytest.raises(UnknownFactError, match="fp8"):
        CATALOG.precision("fp88")
    with pytest.raises(UnknownFactError, match="infiniband-ndr"):
        CATALOG.link("infiniband-nrd")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama-3.3-70b", "llama-3.3-70b"),
        ("Llama-3.3-70B", "llama-3.3-70b"),
        ("70b", "llama-3.3-70b"),
        ("70B", "llama-3.3-70b"),
        ("745B", "generic-745b-moe"),
        ("meta-llama/Llama-3.1-70B", "llama-3.1-70b"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "llama-3.3-70b"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", "qwen2.5-32b"),
        ("casperhansen/deepseek-r1-distill-qwen-14b-awq", "qwen2.5-14b"),
        ("Qwen2.5-3B (distilled, merged)", "qwen2.5-3b"),
        ("kaitchup/Phi-4-AutoRound-GPTQ-4bit", "phi-4"),
        ("TheBloke/Mixtral-8x7B-v0.1-GPTQ", "mixtral-8x7b"),
        ("gemma-3-27b-it-int4-awq", "gemma-3-27b"),
        ("zai-org/GLM-5.1-FP8", "glm-5"),
        ("DeepSeek-R1-0528", "deepseek-r1"),
        ("huihui-ai/Qwen3-32B-abliterated-v2", "qwen3-32b"),
        ("Qwen3-30B-A3B-Instruct-2507-W8A8-per-channel-g128", "qwen3-30b-a3b"),
        ("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", "llama-3.3-70b"),
        ("unsloth/Qwen3-32B-unsloth-bnb-4bit", "qwen3-32b"),
        ("mlx-community/Qwen3-32B-4bit-DWQ", "qwen3-32b"),
    ],
)
def test_model_names(name: str, expected: str):
    assert CATALOG.model(name).id == expected


def test_a_size_or_version_is_never_dropped():
    assert model_key("Qwen/Qwen2.5-14B-Instruct-AWQ") == "qwen2.5 14b"
    assert match_model("Qwen3-14B", ["qwen2.5-14b", "qwen3-32b"], {}) is None


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen3-VL-30B-A3B-Instruct", "Qwen2.5-Omni-7B", "Qwen/Qwen3-Next-80B", "Qwen3-4B-Thinking-2507",
        "deepseek-ai/DeepSeek-R1-Distill", "instruct", "v2",
    ],
)  # fmt: skip
def test_a_name_that_may_be_another_model_is_not_read_as_one(name: str):
    with pytest.raises(UnknownFactError):
        CATALOG.model(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("awq int4 (marlin)", "int4-awq"),
        ("BF16", "bf16"),
        ("float16", "fp16"),
        ("nvfp4 (modelopt)", "nvfp4"),
        ("gguf Q4_K_M", "q4_k_m"),
        ("fp8 (attention kept bf16)", "fp8-bf16-attention"),
        ("fp8_e4m3", "fp8"),
    ],
)
def test_precision_names(name: str, expected: str):
    assert CATALOG.precision(name).id == expected


@given(st.text(max_size=60))
def test_any_text_matches_or_does_not(text: str):
    found = match_accelerator(text, CATALOG.accelerators())

    assert found is None or CATALOG.accelerator(found).id == found
    assert len(nearest(text, CATALOG.model_ids())) <= 3


@pytest.mark.parametrize(
    ("name", "model_id", "stored"),
    [
        ("Qwen/Qwen3-32B-AWQ", "qwen3-32b", "int4-awq"),
        ("RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w4a16", "llama-3.1-70b", "int4"),
        ("nvidia/Llama-3.3-70B-Instruct-FP4", "llama-3.3-70b", "nvfp4"),
        ("deepseek-ai/DeepSeek-V3-FP8", "deepseek-v3", "fp8-block"),
        ("Qwen/Qwen3-32B", "qwen3-32b", "bf16"),
        ("mlx-community/Qwen3-32B-4bit", "qwen3-32b", "int4-g64"),
        ("mlx-community/Qwen3-32B-8bit", "qwen3-32b", "int8-w8a16"),
        ("unsloth/Qwen3-32B-bnb-4bit", "qwen3-32b", "nf4"),
        ("someone/Qwen3-32B-bnb-8bit", "qwen3-32b", "int8-w8a16"),
        ("someone/Qwen3-32B-GPTQ-8bit", "qwen3-32b", "int8-gptq"),
        ("someone/Qwen3-32B-4bit-AWQ", "qwen3-32b", "int4-awq"),
    ],
)
def test_a_checkpoint_whose_name_says_how_it_is_stored(name: str, model_id: str, stored: str) -> None:
    model = CATALOG.model(name)
    assert (model.id, model.weight_precision) == (model_id, stored)
    assert CATALOG.model(model_id).weight_precision in ("bf16", "fp8-block")
    assert CATALOG.precision(f"{name}@stored").id == stored
