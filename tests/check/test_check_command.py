"""`infratui check`: exit codes, forms that pipelines read, and one line for whatever cannot be read."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import xmlschema
from click.testing import CliRunner, Result

from infratui.app.session import Session
from infratui.catalog.load import default_catalog
from infratui.checking import checked_policy
from infratui.cli.check import checked_file
from infratui.cli.check import command as check
from infratui.report.check import data, junit, strip
from infratui.scenario import Scenario
from infratui.store import save_scenario

Write = Callable[..., Path]
ON = ["--on", "2026-11-28"]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str, name: str = "plan.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def run(*arguments: object) -> Result:
    return CliRunner().invoke(check, [*map(str, arguments), *ON])


HOLDS = "policy:\n  fits: true\n  tpot_ms: 500\n"
BROKEN = "users: 50\npolicy:\n  # a latency that nothing reaches\n  tpot_ms: 1\n  fits: true\n"
OPEN = "policy:\n  tpot_ms: 12.1\n"


class TestExitCodes:
    @pytest.mark.parametrize(
        ("texts", "code"),
        [
            ([HOLDS], 0),
            ([BROKEN], 1),
            (["policy: 1\n"], 2),
            (["users: 3\n"], 2),
            (["policy:\n  fits: false\n"], 2),
            ([OPEN], 3),
            ([HOLDS, OPEN], 3),
            ([OPEN, BROKEN], 1),
            ([BROKEN, "model: nothing-known\npolicy:\n  fits: true\n", OPEN], 2),
        ],
    )
    def test_the_worst_of_all_files_counts(self, write: Write, texts: list[str], code: int) -> None:
        paths = [write(text, f"plan-{at}.yaml") for at, text in enumerate(texts)]
        assert run(*paths).exit_code == code

    def test_all_files_are_answered(self, write: Write) -> None:
        found = run(write("users: many\n", "a.yaml"), write(BROKEN, "b.yaml"))
        assert found.exit_code == 2
        assert found.stderr.splitlines() == [
            f"infratui: {found.stderr.split(': ')[1]}: users: 'many' is not allowed; write a number"
        ]
        assert "1 of 2 limits broken" in " ".join(found.stdout.split())

    def test_a_word_stands_beside_every_mark(self, write: Write) -> None:
        text = run(write(BROKEN)).stdout
        assert re.search(r"✗ broken +TPOT +at most 1.00 ms", text)
        assert re.search(r"✓ holds +Fits +it fits", text)


def test_the_example_of_the_documents_holds() -> None:
    found = run(Path(__file__).parents[2] / "docs/plan.yaml")
    assert (found.exit_code, "all 9 limits hold" in found.stdout) == (0, True)


def test_it_loads_neither_a_schema_library_nor_a_screen() -> None:
    """What keeps it within a pipeline's patience; the time itself is `make bench`'s to tell."""
    arguments = ["infratui", "check", str(Path(__file__).parents[2] / "docs/plan.yaml"), *ON]
    script = (
        f"import os, sys; sys.argv = {arguments!r}\nfrom infratui.cli import main\nend = os._exit\n"
        "os._exit = lambda code: (print(*sys.modules, file=sys.stderr, flush=True), end(code))\nmain()"
    )
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stderr.split())
    assert "infratui.checking" in loaded
    assert not {"pydantic", "rich", "textual", "numpy", "scipy"} & {name.partition(".")[0] for name in loaded}
    assert not {name for name in loaded if name.startswith(("infratui.app", "infratui.catalog.reference"))}


class TestForms:
    def test_json(self, write: Write) -> None:
        found = json.loads(run(write(BROKEN), "--format", "json").stdout)
        assert next(iter(found)) == "schema"
        assert (found["schema"], found["on"], found["verdict"]) == (1, "2026-11-28", "broken")
        limits = {entry["limit"]: entry for entry in found["files"][0]["limits"]}
        assert limits["tpot_ms"]["line"] == 4
        assert limits["tpot_ms"]["low"] < limits["tpot_ms"]["value"] < limits["tpot_ms"]["high"]
        assert (limits["fits"]["verdict"], limits["fits"]["asked"], limits["fits"]["line"]) == ("holds", True, 5)

    def test_annotations_carry_file_and_line_of_the_key(self, write: Write) -> None:
        broken, open_, none = (
            write(BROKEN, "a,b:c.yaml"),
            write(OPEN, "o.yaml"),
            write("policy:\n  fits: 3\n", "n.yaml"),
        )
        lines = run(broken, open_, none, "--format", "github").stdout.splitlines()
        escaped = str(broken).replace(":", "%3A").replace(",", "%2C")
        assert lines[0].startswith(f"::error file={escaped},line=4,title=policy.tpot_ms broken::TPOT: broken; ")
        assert lines[2].startswith(f"::warning file={open_},line=2,title=policy.tpot_ms cannot tell::")
        assert lines[4].startswith(f"::error file={none},line=2,title=infratui%3A unreadable::{none}:2: policy.fits")

    def test_markdown(self, write: Write) -> None:
        text = run(write(BROKEN), "--format", "markdown").stdout
        assert "| ✗ broken | TPOT | at most 1.00 ms |" in text
        assert text.startswith("### ✗ ")

    @pytest.mark.parametrize("name", ["plan.yaml", 'a & <b> "c".yaml', "ünï.yaml"])
    def test_junit_is_valid(self, write: Write, name: str) -> None:
        schema = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")
        paths = [write(BROKEN, name), write(OPEN, f"open-{name}"), write("fits: 1\n", f"none-{name}")]
        text = run(*paths, "--format", "junit").stdout
        schema.validate(text)
        root = schema.to_dict(text)
        assert (root["@tests"], root["@failures"], root["@errors"]) == (4, 1, 2)
        assert [suite["@name"] for suite in root["testsuite"]] == [str(path) for path in paths]
        failed = root["testsuite"][0]["testcase"][1 if root["testsuite"][0]["testcase"][0]["@name"] == "fits" else 0]
        assert failed["failure"]["$"] == f"{paths[0]}:4"

    def test_a_report_that_is_wrong_is_found(self) -> None:
        schema = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")
        assert not schema.is_valid(junit(()).replace("testsuites", "suites"))


class TestUnreadable:
    @pytest.mark.parametrize("text", [BROKEN, "policy: 1\n"])
    def test_a_name_that_would_break_a_line_does_not(self, write: Write, text: str) -> None:
        path = write(text, "a\n::error::b\x1b[2J.yaml")
        for form in ("github", "markdown", "junit", "json", "text"):
            found = run(path, "--format", form)
            assert "\x1b" not in found.output
            assert not any(line.startswith("::error::b") for line in found.output.splitlines())

    @pytest.mark.parametrize("form", ["text", "json", "junit", "github", "markdown"])
    def test_a_file_that_is_not_there(self, tmp_path: Path, form: str) -> None:
        found = run(tmp_path / "no.yaml", "--format", form)
        assert found.exit_code == 2
        assert "Traceback" not in found.output

    def test_mutations_are_one_line_or_an_answer(self, write: Write) -> None:
        facts = default_catalog()
        whole = f"schema: 1\nname: x\n{BROKEN}  engine_flags: vllm 0.25.1 --swap-space\n"
        rng = random.Random(3)
        for _ in range(120):
            text = list(whole)
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(text))
                text[at : at + rng.randrange(3)] = rng.choice(["", "\x1b[31m", "\x00", ": ", "\n", "99e99", "é", "- "])
            path = write("x")
            path.write_bytes("".join(text[: rng.choice([len(text), rng.randrange(len(text))])]).encode())
            found = checked_file(path, facts)
            assert found.exit_code in (0, 1, 2, 3)
            said = [found.error, *(entry["words"] for entry in data((found,), "")["files"][0].get("limits", ()))]
            assert all(line.isprintable() for line in said)
            assert (found.exit_code == 2) == bool(found.error)


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.long)])
def test_screens_and_the_command_judge_alike(write: Write, count: int) -> None:
    """What the app's strip says of a scenario is what the command prints for its file."""
    from tests.check.drawn import random_policy

    facts = default_catalog()
    session = Session(Scenario(), facts=facts)
    rng = random.Random(11)
    verdicts = set()
    for _ in range(count):
        scenario = Scenario(
            model=rng.choice(["llama-3.1-8b", "llama-3.3-70b", "mixtral-8x7b"]),
            gpus=rng.choice([1, 2, 8, 16]),
            users=rng.choice([1, 20, 200]),
            requests_per_day=rng.choice([1000, 100_000, 20_000_000]),
            policy=random_policy(rng),
        )
        path = write("")
        save_scenario(scenario, path)
        printed = checked_file(path, facts)
        session.replace(scenario)
        shown = checked_policy(session.evaluation, facts.today)
        if not scenario.policy:
            assert printed.error
            continue
        assert printed.checked == shown
        assert strip(shown, 120)[0][0][0].startswith(("Policy ✓", "Policy ✗", "Policy ?"))
        verdicts.add(shown.verdict)
    assert len(verdicts) == 3 or count < 200
