"""Tables in, tables out: every row answered or refused by name."""

import csv
import io

import pytest
from click.testing import CliRunner

from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.report.estimate import TableError, estimate_table

FACTS = Catalog()
HEAD = "id,model_id,weight_format,tp,gpu,gpu_mem_util,max_model_len,kv_dtype,isl,osl,concurrency,extra\n"


def table(*rows: str, given_kv: bool = False) -> list[dict[str, str]]:
    target = io.StringIO()
    estimate_table(io.StringIO(HEAD + "\n".join(rows) + "\n"), target, "t.csv", FACTS, given_kv=given_kv)
    return list(csv.DictReader(io.StringIO(target.getvalue())))


def test_llama_70b_fp8_on_one_h200():
    """vLLM's start-up log: weights 67.72 GiB, KV space 53.2 GiB, 174,336 tokens, 1.33× at 131,072."""
    row = table("a,meta-llama/Llama-3.3-70B-Instruct,fp8,1,H200,0.9,131072,auto,,,,x")[0]
    assert float(row["est_weights_gib_per_gpu"]) == pytest.approx(67.72, rel=0.02)
    assert float(row["est_kv_cache_gib_per_gpu"]) == pytest.approx(53.2, rel=0.05)
    assert float(row["est_max_concurrency"]) == pytest.approx(1.33, abs=0.05)
    assert row["extra"] == "x"
    assert row["est_tpot_ms"] == ""


def test_traffic_in_a_row_adds_its_speed():
    row = table("a,llama-3.1-8b,bf16,1,h100,,,,128,128,8,")[0]
    assert float(row["est_tpot_ms"]) > 1
    assert float(row["est_output_tokens_per_s_total"]) > 100
    assert row["est_bound"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,no-such-model,fp8,1,h100,,,,,,,", "unknown model"),
        ("a,llama-3.1-8b,fp8,three,h100,,,,,,,", "tp"),
        (",,,,,,,,,,,", "model_id"),
    ],
)
def test_a_row_without_an_answer_says_why_and_the_rest_go_on(row: str, reason: str):
    rows = table(row, "b,llama-3.1-8b,fp8,1,h100,,,,,,,")
    assert reason in rows[0]["est_error"]
    assert rows[1]["est_error"] == ""


def test_what_is_missing_of_an_answer_is_a_note():
    row, many = table(
        "a,llama-3.1-8b,fp8,1,warp-drive,,,,100,100,8,", "b,llama-3.1-8b,fp8,1,h100,,,,100,100,400 requests at once,"
    )
    assert row["est_weights_gib_per_gpu"]
    assert "unknown accelerator" in row["est_note"]
    assert row["est_error"] == many["est_error"] == ""
    assert float(many["est_batch"]) == 400
    assert float(many["est_tpot_ms_low"]) < float(many["est_tpot_ms"]) < float(many["est_tpot_ms_high"])


def test_a_file_without_model_id_is_refused():
    with pytest.raises(TableError, match="no column model_id"):
        estimate_table(io.StringIO("a,b\n1,2\n"), io.StringIO(), "t.csv", FACTS)


def test_a_missing_file_is_one_line_and_exit_code_2(tmp_path):
    result = CliRunner().invoke(cli, ["estimate", str(tmp_path / "none.csv")])
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
