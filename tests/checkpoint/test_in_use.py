"""A checkpoint on disk stands wherever a model's name does: in the catalog, and on the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from infratui.catalog.load import Catalog
from infratui.checkpoint import CheckpointError
from infratui.cli.group import cli
from infratui.engine.model.architecture import Part

CONFIG = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}  # fmt: skip
FP8 = {**CONFIG, "quantization_config": {"quant_method": "fp8", "modules_to_not_convert": ["self_attn", "lm_head"]}}


def test_catalog_reads_a_path_once_and_knows_its_precision(folder):
    path = str(folder(FP8))
    facts = Catalog()

    model = facts.model(path)

    assert facts.model(path) is model
    assert model.weight_precision == f"{path}@stored"
    stored = facts.precision(model.weight_precision)
    assert (stored.bits_of(Part.MLP), stored.bits_of(Part.ATTENTION)) == (8, 16)


def test_precision_of_a_saved_scenario_is_found_before_the_model_was_asked_for(folder):
    path = str(folder(FP8))

    assert Catalog().precision(f"{path}@stored").label == "FP8 dynamic"


@pytest.mark.parametrize("name", ["path", "llama-3.1-8b"])
def test_plain_weights_are_stored_in_a_precision_of_the_catalog(name, folder):
    name = str(folder(CONFIG)) if name == "path" else name

    assert Catalog().precision(f"{name}@stored").id == "bf16"


def test_path_that_leads_nowhere_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no such file or folder"):
        Catalog().model(str(tmp_path / "nothing"))


def test_command_line_takes_a_path_and_its_stored_precision(folder):
    done = CliRunner().invoke(cli, ["vram", "--model", str(folder(FP8)), "--json"])

    assert done.exit_code == 0, done.output
    # 5.64 B weights of the MLPs at 8 bits, the other 2.39 B at 16.
    assert json.loads(done.output)["precision"].endswith("some-model@stored")
    assert json.loads(done.output)["checkpoint_bytes"] == 5_637_144_576 + 2 * (8_030_261_248 - 5_637_144_576)


def test_command_line_refuses_a_broken_checkpoint_in_one_line(folder):
    path = folder({**CONFIG, "hidden_size": -1})

    done = CliRunner().invoke(cli, ["vram", "--model", str(path)])

    assert done.exit_code == 2
    assert "config.json: hidden_size is -1; a whole number from 1 to" in done.output
    assert len(done.output.strip().splitlines()) == 1
