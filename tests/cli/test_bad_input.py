"""Bad and hostile input by command line: one line that names the place and says what would be right, exit code 2."""

from __future__ import annotations

import json
import os
import struct
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infratui import store
from infratui.cli.group import cli

DIGITS = "9" * 100_000


def run(*arguments: object, **options) -> Result:
    begun = time.perf_counter()
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], **options)
    assert time.perf_counter() - begun < 20
    return result


def refused(result: Result) -> str:
    """The one line of a refusal."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("infratui: ")
    assert result.stderr.count("\n") == 1
    assert result.stderr.strip().isprintable()
    assert len(result.stderr) < 1200
    return result.stderr


@pytest.fixture
def scenario_file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class TestScenarioFiles:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("a: &a [x, x]\nb: [*a, *a]\n", "plan.yaml:1: an anchor"),
            ("users: *a\n", "plan.yaml:1: an alias"),
            ("users: !!python/object/apply:os.system [id]\n", "plan.yaml:1: the tag"),
            ("a: " + "[" * 5000, "nested deeper"),
            ("name: x\nusers: [1, 2]\n", "plan.yaml:2: users: [1, 2] is not allowed"),
            ("users: fifty\n", "plan.yaml:1: users: 'fifty' is not allowed"),
            ("users: true\n", "plan.yaml:1: users: true is not allowed; write a number"),
            ("users: 2.5\n", "plan.yaml:1: users: 2.5 is not allowed"),
            ("users:\n", "plan.yaml:1: users: null is not allowed"),
            ("users: -5\n", "plan.yaml:1: users: -5 is not allowed"),
            (f"users: {DIGITS}\n", "plan.yaml:1: users:"),
            ("utilization: .nan\n", "plan.yaml:1: utilization:"),
            ("utilization: 1e999\n", "plan.yaml:1: 1e999 is beyond"),
            ("utilization: 1e-300\n", "plan.yaml:1: utilization: 1e-300 is not allowed"),
            ("name: x\n\nuserz: 5\n", "plan.yaml:3: unknown key 'userz'; did you mean 'users'?"),
            ("x" * 1000 + ": 5\n", "plan.yaml:1: unknown key"),
            ("users: 1\nusers: 2\n", "plan.yaml:2: key 'users' appears twice"),
            ("name: x\nschema: 99\n", "plan.yaml:2: written by a newer infratui"),
            ("schema: one\n", "plan.yaml:1: schema: 'one' is no version"),
            ("- 1\n", "plan.yaml:1: not a scenario"),
            ("hello", "plan.yaml:1: not a scenario"),
            ("", "plan.yaml:1: not a scenario"),
            ("a:\n\t- b\n", "plan.yaml:2: not valid YAML"),
            ('name: "a\\e[31m"\n', "plan.yaml:1: control character"),
            (b"name: a\x1b[31m\n", "plan.yaml:1: control character"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "plan.yaml:1: not UTF-8"),
            ("users: 5".encode("utf-16"), "plan.yaml:1: not UTF-8"),
            ("name: " + "x" * 2_000_000, "larger than 1_000_000 bytes"),
            ("name: x\nmodel: no-such-thing-at-all\n", "plan.yaml:2: model: unknown model 'no-such-thing-at-all'"),
            ("name: x\nprecision: fp9000\n", "plan.yaml:2: precision: unknown precision 'fp9000'"),
            ("name: x\naccelerator: warp-drive\n", "plan.yaml:2: accelerator: unknown accelerator 'warp-drive'"),
            ("node_link: zzz\n", "plan.yaml:1: node_link: unknown link 'zzz'"),
            ("model: ../../etc/passwd\n", "plan.yaml:1: model: "),
        ],
    )
    def test_are_refused_by_place(self, scenario_file, content, said) -> None:
        assert said in refused(run("vram", "--scenario", scenario_file(content)))

    def test_of_100_mb_are_refused_unread(self, tmp_path: Path) -> None:
        path = tmp_path / "large.yaml"
        with path.open("wb") as file:
            file.truncate(100_000_000)
        assert "larger than" in refused(run("vram", "--scenario", path))

    @pytest.mark.parametrize("name", ["missing.yaml", ".", "/dev/zero", "pipe.yaml", "~nobody-here/plan.yaml"])
    def test_that_are_none_are_refused(self, tmp_path: Path, name, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        os.mkfifo("pipe.yaml")
        refused(run("vram", "--scenario", name))

    def test_a_value_on_the_command_line_is_not_blamed_on_the_file(self, scenario_file) -> None:
        path = scenario_file("precision: fp16\n")
        line = refused(run("vram", "--scenario", path, "--set", "precision=fp9000"))
        assert "plan.yaml" not in line
        assert "precision: unknown precision 'fp9000'" in line

    @pytest.mark.parametrize(
        "name", ["[bold red]x[/] [@click=app.quit]y[/]", "[/]", "{x} %s \\", "名前 🚀", "'\"", "[link=x"]
    )
    @pytest.mark.parametrize("command", [("vram",), ("--plain",)])
    def test_markup_in_a_name_is_text(self, name, command) -> None:
        path = store.scenario_directory() / "x.yaml"
        store.save_scenario(store.load_preset("team").with_(name=name), path)
        result = run(*command, "--scenario", path)
        assert result.exit_code == 0, result.output
        if command == ("--plain",):
            assert result.stdout.startswith(f"infratui: {name}\n")


class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("vram", "--gpus", "0"),
            ("vram", "--gpus", "16385"),
            ("vram", "--gpus", "many"),
            ("vram", "--set", "users=nan"),
            ("vram", "--set", "users=1e400"),
            ("vram", "--set", f"users={DIGITS}"),
            ("vram", "--set", "users=-1"),
            ("vram", "--set", "users="),
            ("vram", "--set", "="),
            ("vram", "--set", "users"),
            ("vram", "--set", "context=1e30"),
            ("vram", "--set", "compliance=perhaps"),
            ("vram", "--set", "model=\x1b[2J"),
            ("vram", "--set", "\x1b[2J=3"),
            ("vram", "--model", ""),
            ("vram", "--model", "x" * 5000),
            ("vram", "--model", "~nobody-here/x"),
            ("vram", "--model", "/dev/zero"),
            ("vram", "--model", "/"),
            ("vram", "--model", "a\0b"),
            ("vram", "--gpu", "[red]h100[/]"),
            ("vram", "--preset", "../../etc/passwd"),
            ("vram", "--preset", "team", "--scenario", "x.yaml"),
            ("vram", "superfluous"),
            ("vram", "--no-such-option"),
            ("no-such-command",),
            ("plan", "--ttft", "nan"),
            ("plan", "--requests", "-5"),
            ("bits", "nan"),
            ("bits", "1e999"),
            ("bits", "0.5", "--format", "no-such-format"),
            ("moe", "--dense", "no-such-thing-at-all"),
            ("models", "no-such-thing-at-all"),
            ("gpus", "no-such-thing-at-all"),
            ("reference", "no-such-thing-at-all"),
            ("compare", "no-such-thing", "nor-this"),
            ("estimate", "/dev/zero"),
            ("estimate", "."),
            ("estimate", "missing.csv"),
            ("--screen", "no-such-screen"),
        ],
    )  # fmt: skip
    def test_are_refused_in_one_line(self, arguments) -> None:
        refused(run(*arguments))

    @pytest.mark.long
    @pytest.mark.parametrize("command", ["vram", "quant", "plan", "cost", "moe", "--plain"])
    @pytest.mark.parametrize(
        "settings",
        [
            ("users=1000000", "context=16M", "gpus=16384"),
            ("users=1000000", "context=16M", "gpus=1", "input_tokens=16M", "output_tokens=1M"),
            ("users=1", "context=1", "input_tokens=0", "output_tokens=1", "requests_per_day=0", "utilization=0.01"),
            ("requests_per_day=10000000000000", "peak_factor=100", "hours_per_day=0.01", "days_per_week=0.01"),
        ],
    )
    def test_absurd_numbers_are_answered_or_refused_and_never_break_the_arithmetic(self, command, settings) -> None:
        chosen = [part for setting in settings for part in ("--set", setting)]
        result = run(command, *chosen)
        if result.exit_code == 2:
            refused(result)
        else:
            assert result.exit_code in (0, 1), result.output
            words = result.stdout.lower().replace("(", " ").split()
            assert not {"nan", "inf", "-inf", "infinity"} & set(words)

    def test_numbers_in_json_stay_numbers(self) -> None:
        result = run("vram", "--json", "--set", "users=1000000", "--set", "context=16M", "--gpus", 16384)

        def never(text: str) -> None:
            raise AssertionError(text)

        assert json.loads(result.stdout, parse_constant=never)


class TestTheUsersOwnFacts:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("accelerators:\n  - id: x\n name: y\n", "own.yaml:3: not valid YAML"),
            ("accelerators:\n  - id: mine\n    memry: 3\n", "own.yaml:3: accelerators.0.memry: unknown key"),
            ("accelerators:\n  - id: mine\n    memory: [1]\n", "own.yaml:"),
            ("accelerators:\n  - id: h100-sxm\n    name: Mine\n    memory: -1\n", "own.yaml:4: accelerators.0.memory"),
            ("accelerators: 5\n", "own.yaml:1: accelerators: write a list"),
            ("acelerators:\n  - id: x\n", "own.yaml:1: acelerators: unknown table; did you mean 'accelerators'?"),
            ("- x\n", "own.yaml:1: "),
            ("models:\n  - name: '[red]x'\n", "own.yaml:2: models.0.id: is missing"),
            ("models:\n  - id: x\n    groups: 5\n", "own.yaml:"),
            ("prices:\n  - accelerator: h100-sxm\n    usd_per_hour: -1\n", "own.yaml:"),
            ("aliases:\n  tiny: no-such-model\n", "own.yaml:2: aliases.tiny: no model 'no-such-model'"),
            ("aliases: 3\n", "own.yaml:1: aliases: "),
            ("formats:\n  - id: mine\n    bits: 1000000000\n", "own.yaml:"),
            ("precisions:\n  - id: mine\n    label: x\n", "own.yaml:2: precisions.0."),
            ("links:\n  - id: mine\n    bandwidth: fast\n", "own.yaml:"),
            ("a: &a [x]\nb: *a\n", "own.yaml:1: an anchor"),
            (b"\x00\x01\x02", "own.yaml:1: "),
            (b"\xff\xfe", "own.yaml:1: not UTF-8"),
        ],
    )
    @pytest.mark.parametrize("command", ["models", "--plain"])
    def test_are_refused_by_file_line_and_key(self, content, said, command) -> None:
        folder = store.config_directory() / "catalog"
        folder.mkdir(parents=True)
        (folder / "own.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        assert said in refused(run(command))

    def test_a_folder_of_that_name_is_refused(self) -> None:
        (store.config_directory() / "catalog" / "own.yaml").mkdir(parents=True)
        assert "not a regular file" in refused(run("vram"))

    def test_markup_in_names_is_text(self) -> None:
        folder = store.config_directory() / "catalog"
        folder.mkdir(parents=True)
        (folder / "own.yaml").write_text("accelerators:\n  - id: h100-sxm\n    name: '[bold]H100[/] [@click=x]'\n")
        assert "[bold]H100[/] [@click=x]" in run("gpus").stdout

    @pytest.mark.parametrize("content", ["- 1\n", "schema: 99\n", "users: &a 5\n", b"\xff", ""])
    def test_a_broken_preset_leaves_the_others_usable(self, content) -> None:
        folder = store.config_directory() / "presets"
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
        assert run("vram", "--preset", "team").exit_code == 0
        assert "no preset 'mine'" in refused(run("vram", "--preset", "mine"))


LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000,
    "max_position_embeddings": 4096, "torch_dtype": "bfloat16",
}  # fmt: skip


class TestCheckpoints:
    """The reader's own tests take containers apart; here it is the way through `--model`."""

    @pytest.mark.parametrize(
        "config",
        [
            {**LLAMA, "num_hidden_layers": 10**9},
            {**LLAMA, "hidden_size": -1},
            {**LLAMA, "hidden_size": "4096"},
            {**LLAMA, "hidden_size": float("nan")},
            {**LLAMA, "num_attention_heads": 0},
            {**LLAMA, "model_type": "\x1b[31m[red]evil", "architectures": ["Evil\x1b[2J"]},
            {**LLAMA, "quantization_config": [1]},
            {**LLAMA, "quantization_config": {"quant_method": "\x1b[2J"}},
            dict.fromkeys(LLAMA),
            [1],
            b"[" * 100_000,
            b'{"model_type": "llama",',
            b"\xff\xfe\x00",
            b"",
        ],
    )
    def test_a_hostile_config_is_refused(self, tmp_path: Path, config) -> None:
        raw = config if isinstance(config, bytes) else json.dumps(config).encode()
        (tmp_path / "config.json").write_bytes(raw)
        assert "config.json" in refused(run("vram", "--model", tmp_path))

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"GGUF",
            b"not a container",
            b"GGUF" + struct.pack("<IQQ", 99, 0, 0),
            b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**40) + b"x",
        ],
    )
    def test_a_lying_gguf_is_refused(self, tmp_path: Path, raw) -> None:
        path = tmp_path / "model.gguf"
        path.write_bytes(raw)
        assert "model.gguf" in refused(run("vram", "--model", path))

    def test_a_lying_safetensors_header_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps(LLAMA))
        (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", 2**63) + b"{")
        assert "model.safetensors" in refused(run("vram", "--model", tmp_path))

    def test_an_index_that_points_elsewhere_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps(LLAMA))
        (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../../etc/passwd"}}')
        assert "plain file name" in refused(run("vram", "--model", tmp_path))

    def test_escapes_in_names_do_not_reach_the_terminal(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text(json.dumps({**LLAMA, "_name_or_path": "\x1b[2J[bold]x[/]"}))
        result = run("vram", "--model", tmp_path)
        assert "\x1b" not in result.output


class TestTables:
    def test_a_row_without_an_answer_says_why_and_the_rest_go_on(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        rows = [
            "llama-3.1-8b,h100,1",
            "llama-3.1-8b,h100,-1",
            "llama-3.1-8b,h100,1e99",
            "[red],=cmd(),1",
            ",,",
            "\x1b[2J,h100,1",
        ]
        path.write_text("model_id,gpu,tp\n" + "\n".join(rows) + "\n")
        result = run("estimate", path)
        lines = result.stdout.strip().splitlines()
        assert result.exit_code == 0
        assert len(lines) == len(rows) + 1
        assert lines[1].endswith(",")
        assert all(not line.endswith(",") for line in lines[2:])

    @pytest.mark.parametrize(
        "raw", [b"", b"\xff\xfe", b"no columns here\n", b'model_id\n"never closed', b"\x00" * 1000]
    )
    def test_what_is_no_table_is_refused_or_answered_row_by_row(self, tmp_path: Path, raw) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(raw)
        result = run("estimate", path)
        if result.exit_code != 0:
            refused(result)

    def test_one_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text("model_id,gpu\nllama-3.1-8b,h100\n")
        assert "cannot be written" in refused(run("estimate", path, "-o", "/dev/null/answers.csv"))


class TestOptions:
    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            (("vram", "--users", "4"), "users"),
            (("plan", "--kv-precision", "fp8"), "kv_precision"),
            (("--users", "4"), "users"),
        ],
    )
    def test_an_input_that_is_taken_for_an_option_is_told_how_it_is_set(self, arguments, field: str) -> None:
        assert f"--set {field}=…" in refused(run(*arguments))

    def test_any_other_is_told_where_the_options_are(self) -> None:
        assert "vram --help` shows how" in refused(run("vram", "--nonsense"))
        assert "--set" not in refused(run("bits", "--users", "4"))
