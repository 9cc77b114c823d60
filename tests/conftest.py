"""What every test can rely on: a home of its own, no colour or theme from the shell, nothing that blinks."""

import gc
import os

# What is imported lives as long as the run; collecting it again and again takes an eighth of the time.
gc.set_threshold(50_000, 20, 100)

# Textual reads these when it is imported.
for _name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "TEXTUAL_FPS", "TEXTUAL_COLOR_SYSTEM"):
    os.environ.pop(_name, None)

from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# A shared machine stalls now and then, which says nothing about the code: no example has a deadline.
settings.register_profile("quick", deadline=None, max_examples=12)
settings.register_profile("thorough", deadline=None, max_examples=40)
settings.load_profile("quick")

ID_LENGTH = 40


def pytest_collection_finish() -> None:
    """All modules are there: none of them is looked at by the collector again."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """The name of a case: hostile ones are long, their names are not."""
    if isinstance(val, str | bytes) and len(val) > ID_LENGTH:
        return f"{val[:24]!a}+{len(val) - 24}"
    return None


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the user keeps is read or written."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("CONFIG", ".config"),
        ("STATE", ".local/state"),
        ("DATA", ".local/share"),
        ("CACHE", ".cache"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))


@pytest.fixture(autouse=True)
def no_mishap(request: pytest.FixtureRequest, own_home: None) -> Iterator[None]:
    """The app lives on after an error of its own; the test that met it does not."""
    log = Path(os.environ["XDG_STATE_HOME"]) / "infratui" / "errors.log"
    yield
    if "mishaps_expected" not in request.fixturenames and log.is_file():
        text = log.read_text(encoding="utf-8", errors="replace")
        unexpected = [entry for entry in text.split("=== ") if " unexpected " in entry.partition("\n")[0]]
        assert not unexpected, f"the app met an error of its own:\n{unexpected[0]}"


@pytest.fixture
def mishaps_expected() -> None:
    """Errors of the app's own are what the test is about."""
