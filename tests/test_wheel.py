"""Installed from the wheel, outside the checkout, the program works the same."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of a fresh environment that holds the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(folder.glob("infratui-*.whl"))
    venv.create(folder / "env", with_pip=True)
    pip = [str(folder / "env/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    return folder / "env/bin/infratui"


def test_the_wheel_holds_the_program_and_nothing_else(installed: Path):
    names = zipfile.ZipFile(next(installed.parent.parent.parent.glob("infratui-*.whl"))).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"infratui"}
    assert not [name for name in names if "tools" in name or "tests" in name]


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(script), *arguments], cwd=script.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_a_preset_is_answered_from_the_wheel(installed: Path):
    result = run(installed, "vram", "--preset", "production", "--json")
    assert result.returncode in (0, 1), result.stderr
    assert json.loads(result.stdout)["model"]


def test_the_report_is_printed_where_there_is_no_terminal(installed: Path):
    result = run(installed)
    assert result.returncode == 0, result.stderr
    assert "VRAM" in result.stdout
