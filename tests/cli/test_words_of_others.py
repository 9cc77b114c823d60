"""Names, cells and numbers that others wrote reach no terminal, spreadsheet or Markdown page as anything but text."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from infratui import store
from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.evaluate import Evaluator
from infratui.inputs import Kind
from infratui.plain_text import CONTROL, harmless, inert, printable
from infratui.report.estimate import TableError, estimate_table
from infratui.report.full import markdown_report
from infratui.report.markdown import escaped, fenced
from infratui.scenario import INPUTS, Scenario, ScenarioError

FACTS = Catalog()
STEERING = {
    "csi": "\x1b[2J", "osc": "\x1b]52;c;AAAA\x07", "c1": "\x9b31m", "bidi": "\u202egnp", "mark": "\u200f", "nul": "\0",
    "line": "a\nb", "return": "a\rb", "tab": "a\tb", "separator": "\u2028", "half": "\ud800", "delete": "\x7f",
}  # fmt: skip
TEXTS = [name for name, spec in INPUTS.items() if spec.kind is Kind.TEXT]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


class TestScenario:
    @pytest.mark.parametrize("name", STEERING)
    @pytest.mark.parametrize("field", ["name", "currency", "model", "lab_format"])
    def test_no_field_takes_what_steers(self, field, name) -> None:
        with pytest.raises(ScenarioError) as caught:
            Scenario().with_(**{field: STEERING[name][:4]})

        assert str(caught.value).startswith(f"{field}: ")
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize("setting", ["name=\x1b[2J", "currency=\x9bm", "name=\u202ex"])
    def test_the_command_line_refuses_it(self, setting) -> None:
        result = run("vram", "--set", setting)

        assert result.exit_code == 2
        assert result.stderr.strip().isprintable()

    def test_other_scripts_and_signs_are_names(self) -> None:
        assert Scenario(name="名前 🚀 – «plan» [x]").name == "名前 🚀 – «plan» [x]"


class TestTerminal:
    """What the whole program writes: the bytes of a process."""

    @pytest.mark.parametrize("options", [("--json",), (), ("--explain",)], ids=["json", "text", "math"])
    @pytest.mark.parametrize("command", ["vram", "quant"])
    def test_a_folders_name_steers_nothing(self, tmp_path: Path, command, options) -> None:
        folder = tmp_path / "evil\x1b]0;x\x07\u202e\x9bname"
        folder.mkdir()
        config = {
            "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
            "intermediate_size": 11008, "vocab_size": 32000, "max_position_embeddings": 4096,
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        line = [sys.executable, "-m", "infratui", command, "--model", str(folder), *options]

        done = subprocess.run(line, capture_output=True, check=False)

        shown = (done.stdout + done.stderr).decode("utf-8")
        assert done.returncode == 2
        assert not re.search(CONTROL, shown)

    def test_a_name_of_the_users_catalog_steers_nothing(self) -> None:
        path = store.config_directory() / "catalog/own.yaml"
        path.parent.mkdir(parents=True)
        path.write_text('accelerators:\n  - id: h100-sxm\n    name: "a\\x1b[31mb"\n')

        result = run("gpus")

        assert result.exit_code == 2
        assert "own.yaml:3: control character" in result.stderr

    def test_json_keeps_a_name_and_escapes_what_steers(self) -> None:
        from infratui.report.as_json import dumps

        text = dumps({"name": "a\x9b\u202e\ud800\x7fé"})

        assert not re.search(CONTROL, text)
        assert "é" in text
        assert json.loads(text) == {"name": "a\x9b\u202e\ud800\x7fé"}

    @given(st.text())
    def test_what_is_printed_holds_no_control_character(self, text) -> None:
        assert not re.search(CONTROL, harmless(text))
        assert "\n" not in printable(text)
        assert len(harmless(text)) == len(text)


class TestCells:
    @pytest.mark.parametrize(
        "cell",
        [
            "=cmd|'/c calc'!A0", "@SUM(A1)", "+1+cmd|x", "-2+3+cmd|' /C calc'!A0", "\t=1+1", " =1+1", "-5+A1", "+A1",
            "=", "==", "-cmd",
        ],
    )  # fmt: skip
    def test_formulas_become_text(self, cell) -> None:
        assert inert(cell)[0] == "'" or len(cell) == 1
        assert inert(cell).endswith(cell)

    @pytest.mark.parametrize(
        "cell", ["-5", "+3.2 GB", "-27 %", "-$1,240", "-1e-5", "+.5", "-", "+", "- 12", "x=1", "", "h100", "−5", "-3×"]
    )
    def test_numbers_and_words_stay(self, cell) -> None:
        assert inert(cell) == cell

    def test_estimate_passes_cells_through_as_text(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text("model_id,gpu,=note\nllama-3.1-8b,h100,=cmd|x\nllama-3.1-8b,h100,\x1b[2Jx\n@x,h100,-5\n")

        result = run("estimate", path)

        rows = list(csv.reader(io.StringIO(result.stdout)))
        assert [row[2] for row in rows] == ["'=note", "'=cmd|x", "\N{REPLACEMENT CHARACTER}[2Jx", "-5"]
        assert rows[3][0] == "'@x"
        assert not re.search(CONTROL, result.stdout)


class TestTables:
    def answer(self, text: str) -> tuple[tuple[int, int], list[dict[str, str]]]:
        target = io.StringIO()
        counts = estimate_table(io.StringIO(text), target, "t.csv", FACTS)
        return counts, list(csv.DictReader(io.StringIO(target.getvalue())))

    @pytest.mark.parametrize(
        ("head", "said"),
        [
            ("model_id,gpu,gpu", "column 'gpu' appears twice"),
            ("model_id,model_id", "column 'model_id' appears twice"),
            ("model_id,,", "two columns have no name"),
            ("model_id,\x1b[2J,\x1b[2J", "appears twice"),
        ],
    )
    def test_columns_that_cannot_be_told_apart_are_refused(self, head, said) -> None:
        with pytest.raises(TableError, match=said) as caught:
            self.answer(f"{head}\nllama-3.1-8b,h100,h200\n")
        assert str(caught.value).isprintable()

    def test_cells_beyond_the_columns_are_said(self) -> None:
        counts, rows = self.answer("model_id,gpu\nllama-3.1-8b,h100,1,2\n")

        assert counts == (1, 0)
        assert rows[0]["est_note"].startswith("2 cells more than columns")
        assert rows[0]["est_weights_gib_per_gpu"]

    @pytest.mark.parametrize("column", ["tp", "max_model_len", "gpu_mem_util", "isl", "concurrency"])
    @pytest.mark.parametrize("digits", ["٣", "３", "²", "५"], ids=["arabic", "wide", "superscript", "devanagari"])
    def test_only_ascii_digits_are_numbers(self, column, digits) -> None:
        _, rows = self.answer(f"model_id,gpu,{column}\nllama-3.1-8b,h100,{digits}\n")

        assert rows[0]["est_error"] or "no speed" in rows[0]["est_note"]

    def test_the_last_line_says_how_many_rows_have_no_answer(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text("model_id,gpu\n" + "llama-3.1-8b,h100\n" * 3 + "no-such-model,h100\n" * 2)

        result = run("estimate", path, "-o", tmp_path / "answers.csv")

        assert result.exit_code == 0
        assert result.stderr == "infratui: 2 of 5 rows without an answer; est_error says why\n"


@pytest.mark.parametrize("digits", ["٣", "３", "²"], ids=["arabic", "wide", "superscript"])
@pytest.mark.parametrize(
    "arguments",
    [("--gpus",), ("--set", "users="), ("--set", "utilization=0."), ("--set", "context="), ("--set", "lab_value=")],
    ids=" ".join,
)
def test_numbers_of_other_scripts_are_refused(arguments, digits) -> None:
    *options, last = arguments
    given = (*options, last + digits) if options else (last, digits)

    result = run("vram", *given)

    assert result.exit_code == 2
    assert result.stdout == ""


class TestMarkdown:
    NAME = "`x` *y* _z_ [a](http://b) <i> | # ```"

    def test_a_name_is_text_in_the_report(self) -> None:
        evaluation = Evaluator(FACTS)(Scenario(name=self.NAME))

        report = markdown_report(evaluation, dt.date(2026, 1, 1))

        assert report.startswith(f"# {escaped(self.NAME)}\n")
        # A fence that the name could close would show the rest of the report as code.
        assert report.count("\n````") == 2

    @pytest.mark.parametrize("text", ["plain", "```", "a ```` b", "`"])
    def test_a_fence_is_longer_than_any_in_the_text(self, text) -> None:
        first, *_, last = fenced(text).split("\n")

        assert first == f"{last}text"
        assert last not in text
