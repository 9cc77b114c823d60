"""No file keeps anyone waiting, and what is no file is said: every limit by the door through which it would come."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infratui.checkpoint import CheckpointError, gguf, read, safetensors
from infratui.engine.model.architecture import Part

PATIENCE_S = 2.0
CONFIG: dict[str, Any] = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
    "moe_intermediate_size": 768, "vocab_size": 151936, "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
}  # fmt: skip


@contextmanager
def patience() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < PATIENCE_S


def refusal(path: Path) -> str:
    with patience(), pytest.raises(CheckpointError) as caught:
        read(path)
    return str(caught.value)


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def strings(key: bytes, count: int) -> bytes:
    return text(key) + struct.pack("<IIQ", 9, 8, count)


def sparse(path: Path, body: bytes, size: int, *, keys: int = 1, tensors: int = 0) -> Path:
    """A file that states much and takes nothing on the disk."""
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + body)
    os.truncate(path, size)
    return path


class TestGguf:
    @pytest.mark.parametrize("count", [1_000_000, 16_000_000, 2**40])
    def test_a_sparse_file_of_empty_texts(self, tmp_path: Path, count) -> None:
        said = refusal(sparse(tmp_path / "a.gguf", strings(b"tokenizer.ggml.tokens", count), 300_000_000))

        assert said.startswith("a.gguf: ")

    def test_texts_are_stepped_over_wherever_a_block_ends(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(gguf, "_BLOCK", 32)
        words = [b"x" * (number % 41) for number in range(200)]
        body = strings(b"tokenizer.ggml.tokens", len(words)) + b"".join(map(text, words))
        after = text(b"general.alignment") + struct.pack("<II", 4, 64)
        path = sparse(tmp_path / "a.gguf", body + after, len(body) + 4096, keys=2)

        header = gguf.read_header(path)

        assert header.lengths["tokenizer.ggml.tokens"] == 200
        assert header.metadata == {"general.alignment": 64}

    @pytest.mark.parametrize("missing", [1, 7, 8, 9, 20])
    def test_texts_that_end_early_are_cut_short(self, tmp_path: Path, missing) -> None:
        body = strings(b"k", 2) + text(b"x" * 10) + text(b"y" * 10)
        path = tmp_path / "a.gguf"
        path.write_bytes((b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + body)[:-missing])

        assert "cut short" in refusal(path)

    def test_the_files_of_a_model_share_one_bound(self, tmp_path: Path) -> None:
        for number in range(1, 31):
            sparse(tmp_path / f"m-{number:05d}-of-00030.gguf", strings(b"k", 200_000), 1_700_000)

        assert "over 4,000,000 texts in all" in refusal(tmp_path / "m-00001-of-00030.gguf")

    def test_tensors_are_bounded(self, tmp_path: Path) -> None:
        assert "tensors stated; at most" in refusal(sparse(tmp_path / "a.gguf", b"", 300_000_000, tensors=10**6))


class TestSafetensors:
    def test_a_header_beyond_25_mb(self, folder: Callable[..., Path]) -> None:
        made = folder(CONFIG)
        with (made / "model.safetensors").open("wb") as file:
            file.write((30_000_000).to_bytes(8, "little"))
            file.truncate(300_000_000)

        assert "at most 25,000,000" in refusal(made)

    def test_an_index_beyond_25_mb(self, folder) -> None:
        made = folder(CONFIG)
        with (made / "model.safetensors.index.json").open("wb") as file:
            file.truncate(100_000_000)

        assert "larger than" in refusal(made)

    @pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,", b'"a",'])
    def test_a_header_of_nothing_but_values(self, folder, unit) -> None:
        made = folder(CONFIG)
        body = b'{"a":[' + unit * (20_000_000 // len(unit)) + b"1]}"
        (made / "model.safetensors").write_bytes(len(body).to_bytes(8, "little") + body)

        assert "more than 1,000,000 values" in refusal(made)

    def test_experts_with_their_scales_by_the_hundred_thousand(self, folder) -> None:
        """As Kimi K2 is released in INT4: packed weights, scales and shapes of 384 experts in 60 layers."""
        made = folder({**CONFIG, "num_hidden_layers": 2})
        for layer in range(2):
            names = [
                f"model.layers.{layer}.mlp.experts.{expert}.{matrix}_proj.weight_{what}"
                for expert in range(2_000) for matrix in ("up", "down", "gate") for what in ("packed", "scale")
            ]  # fmt: skip
            entries = {
                name: {"dtype": "U8", "shape": [2, 8], "data_offsets": [16 * number, 16 * number + 16]}
                for number, name in enumerate(names)
            }
            body = json.dumps(entries).encode()
            with (made / f"model-{layer}.safetensors").open("wb") as file:
                file.write(len(body).to_bytes(8, "little") + body)
                file.truncate(8 + len(body) + 16 * len(names))

        with patience():
            facts = read(made).tensors

        assert facts is not None
        assert [(part.part, part.tensors) for part in facts.parts] == [(Part.ROUTED_EXPERTS, 24_000)]

    def test_tensors_of_all_files_are_bounded(self, folder, monkeypatch) -> None:
        monkeypatch.setattr(safetensors, "MOST_TENSORS", 1)
        made = folder(CONFIG)
        for name in "ab":
            body = json.dumps({name: {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
            (made / f"{name}.safetensors").write_bytes(len(body).to_bytes(8, "little") + body + b"x")

        assert "over 1 tensors" in refusal(made)


class TestPatterns:
    @pytest.mark.parametrize(
        "quantization",
        [
            {"quant_method": "gptq", "bits": 4, "dynamic": {f"+:layers.{i}x.*": {"bits": 8} for i in range(200)}},
            {"quant_method": "fp8", "modules_to_not_convert": [f"*a*b*{i}*c" for i in range(5_000)]},
            {"quant_method": "fp8", "modules_to_not_convert": [f"re:.*{i}.*b.*c.*d" for i in range(1_000)]},
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    f"g{i}": {
                        "targets": [f"re:.*q{i}.*a{j}[0-9].*b" for j in range(100)],
                        "weights": {"num_bits": 4, "group_size": 1 + i},
                    }
                    for i in range(200)
                },
            },
        ],
        ids=["one-each", "wildcards", "backtracking", "groups"],
    )
    def test_lists_that_would_take_minutes(self, folder, quantization) -> None:
        said = refusal(folder({**CONFIG, "num_hidden_layers": 1_000, "quantization_config": quantization}))

        assert "too complex" in said or "too long" in said


class TestWhatIsNoFile:
    @pytest.mark.parametrize(
        "name", ["config.json", "model.safetensors", "model.safetensors.index.json", "hf_quant_config.json"]
    )
    @pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
    def test_is_said(self, folder, name, kind) -> None:
        made = folder(CONFIG)
        (made / name).unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(made / name)
        elif kind == "folder":
            (made / name).mkdir()
        else:
            (made / name).symlink_to("/dev/zero")

        said = refusal(made)

        assert "not a regular file" in said
        assert name in said

    @pytest.mark.parametrize("name", ["x.safetensors", "x.gguf", "x.json", "x"])
    def test_is_said_where_it_is_named_itself(self, folder, name) -> None:
        made = folder(CONFIG)
        os.mkfifo(made / name)

        assert "not a regular file" in refusal(made / name)
