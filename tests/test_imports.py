"""Layers stay apart: what a command imports is felt over SSH."""

import subprocess
import sys

import pytest


def imported(code: str) -> set[str]:
    script = f"import sys; {code}; print('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import pkgutil, importlib, infratui.engine as e; "
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(e.__path__, 'infratui.engine.')]",
        "import infratui.catalog.load, infratui.scenario",
        "import infratui.report.math, infratui.report.as_json",
        "import infratui.cli.group, infratui.cli.common",
        "import infratui.app.session",
    ],
)
def test_no_terminal_library_below_the_app(code: str):
    assert not {"textual", "rich"} & imported(code)


def test_the_engine_opens_nothing():
    code = (
        "import pkgutil, importlib, infratui.engine as e; "
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(e.__path__, 'infratui.engine.')]"
    )
    assert not {"yaml", "click", "socket", "numpy"} & imported(code)
