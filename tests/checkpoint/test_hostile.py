"""Configurations that are broken, absurd or hostile: one line that names file and key, and nothing else raised."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infratui.checkpoint import Checkpoint, CheckpointError, read, safe_text
from infratui.checkpoint.config import ALIASES, FAMILIES
from infratui.checkpoint.quantization import METHODS
from infratui.engine.model.architecture import parameters

LLAMA = {
    "model_type": "llama", "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8,
    "num_key_value_heads": 4, "intermediate_size": 1024, "vocab_size": 1000, "max_position_embeddings": 4096,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 10**15}, r"config.json: hidden_size is 1000000000000000; a whole number from 1 to 16,777,216"),
        ({"hidden_size": -4096}, "hidden_size is -4096; a whole number"),
        ({"hidden_size": "wide"}, "hidden_size is 'wide'; a whole number"),
        ({"hidden_size": 10**400}, "hidden_size is a number beyond"),
        ({"hidden_size": 512.0}, "hidden_size is 512.0"),
        ({"hidden_size": True}, "hidden_size is true"),
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"hidden_size": [1]}, "hidden_size is a list"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"num_key_value_heads": 3}, "num_key_value_heads is 3; a divisor of the 8 attention heads"),
        ({"num_attention_heads": 7, "num_key_value_heads": 7}, "head_dim is missing"),
        ({"vocab_size": 2**60}, "vocab_size is"),
        ({"model_type": "brand_new"}, r"architecture 'brand_new' is not known"),
        ({"model_type": 7}, "model_type is 7; a text"),
        ({"model_type": None}, "model_type is missing"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes'; true or false"),
        ({"text_config": 5}, "text_config is 5; an object"),
        ({"quantization_config": []}, "quantization_config is a list; an object"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantization_config.bits is missing"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 99}}, "quantization_config.bits is 99"),
        ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [0, 128]}}, "weight_block_size"),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "FP2"}}, "quant_algo: 'FP2' is not known"),
        ({"quantization_config": {"quant_method": "compressed-tensors"}}, "config_groups is missing"),
        ({"model_type": "cohere2", "layer_types": ["full_attention"]}, "one entry for each of the 4 layers"),
        ({"model_type": "cohere2", "layer_types": ["odd"] * 4}, "names 'odd'"),
    ],
)
def test_wrong_values_name_file_and_key(change, message, folder):
    with pytest.raises(CheckpointError, match=message) as caught:
        read(folder({**LLAMA, **change}))

    assert "\n" not in str(caught.value)
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1"),
        ("{", "line 1"),
        ("[]", "holds a list"),
        ("null", "holds null"),
        ('{"a": 1, "a": 2}', "key 'a' appears twice"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a number or text is too long"),
    ],
)
def test_broken_json_is_refused(text, message, folder):
    with pytest.raises(CheckpointError, match=message):
        read(folder(text))


def test_bytes_that_are_not_utf8_are_refused(folder):
    made = folder(LLAMA)
    (made / "config.json").write_bytes(b'{"a": "\xff\xfe"}')

    with pytest.raises(CheckpointError, match="byte 7 is not UTF-8"):
        read(made)


def test_infinity_is_no_obstacle(folder):
    text = json.dumps({**LLAMA, "time_step_limit": [0.0, float("inf")]})

    assert "Infinity" in text
    assert read(folder(text)).model.layers == 4


def test_a_configuration_of_a_hundred_megabytes_is_not_read(folder):
    made = folder(LLAMA)
    with (made / "config.json").open("wb") as file:
        file.truncate(100 * 2**20)

    with pytest.raises(CheckpointError, match="larger than 10 MiB"):
        read(made)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt", "data.pkl"])
def test_pickles_are_not_opened(name, tmp_path):
    (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n")

    with pytest.raises(CheckpointError, match="can run code and are not opened"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["nowhere", "no\0where", "x" * 5000])
def test_paths_that_lead_nowhere(name, tmp_path):
    with pytest.raises(CheckpointError):
        read(tmp_path / name)


def test_empty_folder_says_what_is_expected(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no config.json and no .gguf file"):
        read(tmp_path)


def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    os.mkfifo(tmp_path / "model.gguf")

    for path in (tmp_path, tmp_path / "config.json", tmp_path / "model.gguf"):
        with pytest.raises(CheckpointError):
            read(path)


def test_unreadable_file_names_the_reason(folder, monkeypatch):
    made = folder(LLAMA)

    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("infratui.checkpoint.fields.os.open", refuse)
    with pytest.raises(CheckpointError, match="Permission denied"):
        read(made)


def test_names_are_made_safe(folder):
    model = read(folder(LLAMA, name="evil\x1b[31m[bold]\u202ename")).model

    assert model.name == "evil (31m(bold) name"
    assert "\x1b" not in model.origin


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain-Name_1.0", "plain-Name_1.0"),
        ("a\tb\nc", "a b c"),
        ("\x1b]52;c;AAAA\x07x", ")52;c;AAAA x"),
        ("[red]x[/red]", "(red)x(/red)"),
        ("\ud800x", "x"),
        ("é漢", "é漢"),
        ("x" * 300, "x" * 119 + "…"),
    ],
)
def test_safe_text(text, shown):
    assert safe_text(text) == shown


def outcome(path: Path) -> None:
    """Either a whole answer or one line."""
    try:
        checkpoint = read(path)
    except CheckpointError as error:
        message = str(error)
    else:
        assert isinstance(checkpoint, Checkpoint)
        assert parameters(checkpoint.model).total > 0
        if checkpoint.precision:
            assert all(0 < entry.bits < 10_000 for entry in checkpoint.precision.parts)
        return
    assert message.isprintable()
    assert len(message) <= 400


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = sorted({
    "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size",
    "vocab_size", "max_position_embeddings", "layer_types", "sliding_window", "num_experts", "num_experts_per_tok",
    "moe_intermediate_size", "n_routed_experts", "n_shared_experts", "first_k_dense_replace", "kv_lora_rank",
    "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "text_config", "vision_config",
    "hybrid_override_pattern", "layers_block_type", "attn_type_list", "compress_ratios", "quantization_config",
    "sparse_attention_config", "attention_other_setting", "moe_layers_enum", "tie_word_embeddings", "torch_dtype",
    "num_nextn_predict_layers", "mlp_layer_types", "indexer_types", "index_topk", "architectures",
    "sliding_window_pattern", "block_configs",
})  # fmt: skip
QUANT_KEYS = [
    "bits", "group_size", "config_groups", "ignore", "modules_to_not_convert", "weight_block_size", "quant_algo",
    "quantized_layers", "dynamic", "extra_config", "kv_cache_scheme", "exclude_modules", "load_in_4bit",
]  # fmt: skip


@FUZZ
@given(data=st.binary(max_size=400))
def test_any_bytes_as_configuration(data, folder):
    made = folder(LLAMA)
    (made / "config.json").write_bytes(data)
    outcome(made)


@FUZZ
@given(value=JSON)
def test_any_json_as_configuration(value, folder):
    outcome(folder(json.dumps(value)))


@FUZZ
@given(
    kind=st.sampled_from([*FAMILIES, *ALIASES]),
    changes=st.dictionaries(st.sampled_from(KEYS), JSON | st.integers(0, 64), max_size=12),
)
def test_any_values_in_any_family(kind, changes, folder):
    outcome(folder({**LLAMA, **changes, "model_type": kind}))


@FUZZ
@given(
    method=st.sampled_from(sorted(METHODS)),
    changes=st.dictionaries(st.sampled_from(QUANT_KEYS), JSON | st.integers(-1, 128), max_size=6),
)
def test_any_values_in_any_quantization(method, changes, folder):
    outcome(folder({**LLAMA, "quantization_config": {"quant_method": method, **changes}}))


@FUZZ
@given(patterns=st.lists(st.text(alphabet="re:.*+?()[]|\\d0129layersmpgt", max_size=30), max_size=8))
def test_any_patterns_in_a_list(patterns, folder):
    listed = [f"re:{pattern}" for pattern in patterns] + patterns
    outcome(folder({**LLAMA, "quantization_config": {"quant_method": "fp8", "modules_to_not_convert": listed}}))


@FUZZ
@given(data=st.binary(max_size=400))
def test_any_bytes_as_gguf(data, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + data)
    outcome(path)


@FUZZ
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(
                ["general.architecture", "llama.block_count", "llama.embedding_length", "general.alignment"]
            ),
            st.sampled_from([4, 5, 6, 7, 8, 10, 12]),
            st.binary(min_size=8, max_size=16),
        ),
        max_size=6,
    )
)
def test_any_metadata_in_a_gguf(pairs, tmp_path):
    path = tmp_path / "model.gguf"
    body = b"".join(
        struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + data for key, kind, data in pairs
    )
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body)
    outcome(path)


@FUZZ
@given(value=JSON, length=st.integers(0, 2**64 - 1) | st.none())
def test_any_json_as_safetensors_header(value, length, folder):
    made = folder(LLAMA)
    header = json.dumps({"tensor": value}).encode()
    size = len(header) if length is None else length
    (made / "model.safetensors").write_bytes(size.to_bytes(8, "little") + header)
    outcome(made)


@FUZZ
@given(value=JSON)
def test_any_json_as_index(value, folder):
    made = folder(LLAMA)
    (made / "model.safetensors.index.json").write_text(json.dumps({"weight_map": value, "metadata": value}))
    outcome(made)


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, infratui.checkpoint\n"
        "heavy = {'json', 'struct', 'numpy', 'pydantic', 'textual', 'rich', 'yaml', 'infratui.checkpoint.reader'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
