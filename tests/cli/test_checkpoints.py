"""Every checkpoint that is accepted answers in all five sections, however its weights are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infratui.cli.group import cli

DENSE = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}  # fmt: skip
EXPERTS = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
    "moe_intermediate_size": 768, "vocab_size": 151936, "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
}  # fmt: skip
FP4 = {"num_bits": 4, "type": "float", "group_size": 16, "dynamic": False}
FP8 = {"num_bits": 8, "type": "float", "dynamic": False}
INT4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}


def groups(weights: dict[str, Any], activations: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": activations}}


SCHEMES: dict[str, dict[str, Any]] = {
    "none": {},
    "fp8-blocks": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
    "fp8-blocks-ue8m0": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128], "scale_fmt": "ue8m0"},
    "fp8-per-tensor": {"quant_method": "fp8", "activation_scheme": "dynamic"},
    "mxfp4": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]},
    "modelopt-nvfp4": {
        "quant_method": "modelopt", "quant_algo": "NVFP4", "config_groups": groups(FP4, FP4), "ignore": ["lm_head"],
        "kv_cache_scheme": FP8,
    },
    "modelopt-fp8": {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]},
    "modelopt-mixed": {
        "quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "ignore": ["lm_head"],
        "quantized_layers": {"model.layers.0.mlp.up_proj": {"quant_algo": "NVFP4", "group_size": 16}},
    },
    "compressed-fp8": {"quant_method": "compressed-tensors", "config_groups": groups(FP8, FP8), "ignore": ["lm_head"]},
    "compressed-int4": {"quant_method": "compressed-tensors", "config_groups": groups(INT4), "ignore": ["lm_head"]},
    "gptq": {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True},
    "awq": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
}  # fmt: skip
CASES = [pytest.param(name, marks=() if name in ("awq", "mxfp4") else pytest.mark.long) for name in SCHEMES]
SECTIONS = ("vram", "quant", "plan", "cost", "moe")


def checkpoint(folder: Path, base: dict[str, Any], scheme: str) -> Path:
    config = {**base, "quantization_config": SCHEMES[scheme]} if SCHEMES[scheme] else base
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize("base", [DENSE, pytest.param(EXPERTS, marks=pytest.mark.long)], ids=["dense", "experts"])
@pytest.mark.parametrize("scheme", CASES)
def test_five_sections_answer(tmp_path: Path, base, scheme) -> None:
    path = checkpoint(tmp_path, base, scheme)
    side = "--moe" if base is EXPERTS else "--dense"

    report = run("--plain", "--model", path)
    single = [run(section, "--model", path, *((side, path) if section == "moe" else ())) for section in SECTIONS]

    assert report.exit_code == 0, report.output
    assert "No answer" not in report.stdout
    assert [result.exit_code for result in single if result.exit_code not in (0, 1)] == []
    assert [result.stderr for result in single if result.stderr] == []


@pytest.mark.parametrize("everything", [(), ("--all",)], ids=["classic", "all"])
def test_what_is_stored_stands_first_and_is_the_chosen_one(tmp_path: Path, everything) -> None:
    path = checkpoint(tmp_path, DENSE, "fp8-blocks")

    rows = json.loads(run("quant", "--model", path, "--json", *everything).stdout)["precisions"]

    assert [row["precision"] for row in rows if row["chosen"]] == [f"{path}@stored"]
    assert rows[0]["chosen"]
    assert rows[0]["weights_bytes"] == pytest.approx(9.08e9, rel=0.01)


def test_another_precision_asks_what_if_and_what_is_stored_is_left_out(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, DENSE, "fp8-blocks")

    table = run("quant", "--model", path, "--precision", "int4").stdout

    assert "as stored" not in table
    assert "INT4" in table


@pytest.mark.usefixtures("mishaps_expected")
class TestDefects:
    """What nobody expected is one line that names the log; exit code 3."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch, mishaps_expected: None) -> None:
        def fails(*_: object) -> None:
            raise StopIteration("\x1b[31mnothing")

        monkeypatch.setattr("infratui.engine.sections.quantization.evaluate_quantization", fails)

    def test_a_command_says_so_and_keeps_the_traceback(self, broken, tmp_path: Path) -> None:
        result = run("quant")

        assert result.exit_code == 70
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("infratui: quant failed unexpectedly: StopIteration: ")
        log = Path(result.stderr.split("; see ")[1].strip()).expanduser()
        assert "Traceback" in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600

    def test_the_other_sections_of_a_report_stand(self, broken) -> None:
        result = run("--plain")

        assert result.exit_code == 0
        # The report is wrapped, and so is the line.
        assert "No answer: StopIteration: " in " ".join(result.stdout.split())
        assert "Buy vs Rent" in result.stdout

    def test_a_log_that_cannot_be_written_is_said(self, broken, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")

        assert "no log: /dev/null/" in run("quant").stderr
