"""Installed from the wheel, outside the checkout, the program works the same; the source archive makes that wheel."""

import json
import os
import subprocess
import sys
import tarfile
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


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    build = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("infratui-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/RECORD")}


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


def test_the_source_archive_makes_the_same_wheel(installed: Path, unpacked: Path, tmp_path: Path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(unpacked)]
    subprocess.run(build, check=True, capture_output=True)

    wheel = next(tmp_path.glob("infratui-*.whl"))

    assert names(wheel) == names(next(installed.parents[2].glob("infratui-*.whl")))


def test_the_source_archive_passes_its_tests(unpacked: Path):
    """Those that need no terminal: the others start the same program."""
    folders = ["tests/catalog", "tests/report", "tests/test_scenario.py", "tests/test_readme.py", "tests/test_store.py"]
    environment = {**os.environ, "PYTHONPATH": str(unpacked / "src")}
    line = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *folders]

    done = subprocess.run(line, cwd=unpacked, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-2000:]


def test_the_source_archive_holds_all_tests(unpacked: Path):
    def listed(root: Path) -> set[str]:
        return {str(path.relative_to(root)) for path in (root / "tests").rglob("*.py")}

    assert listed(unpacked) == listed(ROOT)
