"""Where a file goes that is written: through links and into pipes, with the rights that were there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from infratui import store
from infratui.cli.group import cli
from infratui.file_writing import write_whole
from infratui.scenario import Scenario, ScenarioError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_new_file_has_the_rights_of_the_umask(tmp_path: Path, umask) -> None:
    write_whole(tmp_path / "deep/er/new.csv", "a\n")

    assert (tmp_path / "deep/er/new.csv").read_text() == "a\n"
    assert mode(tmp_path / "deep/er/new.csv") == 0o640


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("rights", [0o600, 0o644, 0o664, 0o755])
def test_a_file_that_is_there_keeps_its_rights(tmp_path: Path, rights, private) -> None:
    path = tmp_path / "old.csv"
    path.write_text("old")
    path.chmod(rights)

    write_whole(path, "new", private=private)

    assert path.read_text() == "new"
    assert mode(path) == rights


def test_the_programs_own_state_is_the_users_alone(umask) -> None:
    store.save_scenario(Scenario(), store.state_directory() / "sessions/one.yaml")
    store.save_scenario(Scenario(), store.scenario_directory() / "plan.yaml")

    assert mode(store.state_directory() / "sessions/one.yaml") == 0o600
    assert mode(store.scenario_directory() / "plan.yaml") == 0o640


def test_links_stay_and_what_they_lead_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "second").symlink_to("real/target.csv")
    (tmp_path / "first").symlink_to(tmp_path / "second")

    write_whole(tmp_path / "first", "one")
    write_whole(tmp_path / "first", "two")

    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (tmp_path / "real/target.csv").read_text() == "two"
    assert [entry.name for entry in (tmp_path / "real").iterdir()] == ["target.csv"]


def test_links_that_run_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(ScenarioError, match="cannot be written"):
        store.write_text(tmp_path / "a", "x")


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Open for both: a reader that comes before the writer would find the end at once.
    descriptor = os.open(pipe, os.O_RDWR)
    text = "x" * 1_000_000
    got = bytearray()

    def read() -> None:
        while len(got) < len(text):
            got.extend(os.read(descriptor, 65536))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    write_whole(pipe, text)

    reader.join(10)
    os.close(descriptor)
    assert got.decode() == text
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ScenarioError, match="nobody reads this pipe"):
        store.write_text(tmp_path / "pipe", "x")


@pytest.mark.parametrize("name", [".", "folder"])
def test_a_folder_is_refused(tmp_path: Path, name) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ScenarioError, match="directory"):
        store.write_text(tmp_path / name, "x")


class TestEstimate:
    """The same by command line."""

    @pytest.fixture
    def table(self, tmp_path: Path) -> Path:
        path = tmp_path / "rows.csv"
        path.write_text("model_id,gpu\nllama-3.1-8b,h100\n")
        return path

    def test_a_device_stays_a_device(self, table: Path, tmp_path: Path) -> None:
        # A link, so that a failure replaces nothing of the machine's.
        (tmp_path / "null").symlink_to("/dev/null")

        result = CliRunner().invoke(cli, ["estimate", str(table), "-o", str(tmp_path / "null")])

        assert result.exit_code == 0, result.output
        assert (tmp_path / "null").is_symlink()
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)

    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
    @pytest.mark.parametrize("into", ["pipe", "file"])
    def test_standard_output_by_name(self, table: Path, tmp_path: Path, name, into) -> None:
        command = [sys.executable, "-m", "infratui", "estimate", str(table), "-o", name]
        if into == "pipe":
            written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        else:
            (tmp_path / "out.csv").write_text("before\n")
            with (tmp_path / "out.csv").open("a") as out:
                subprocess.run(command, check=True, stdout=out)
            before, _, written = (tmp_path / "out.csv").read_text().partition("\n")
            assert before == "before"

        assert written.startswith("model_id,gpu,")
        assert written.count("\n") == 2
