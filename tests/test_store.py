"""Scenario files and presets: what is written reads back, what is wrong is said in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratui import store
from infratui.catalog.load import default_catalog
from infratui.engine.evaluate import Evaluator
from infratui.scenario import Scenario, ScenarioError


@given(
    st.text(max_size=80).filter(lambda text: all(ord(char) < 0xD800 or ord(char) > 0xDFFF for char in text)),
    st.integers(1, 10**6),
    st.floats(0.01, 1),
    st.booleans(),
)
def test_what_is_written_reads_back(tmp_path_factory, name, users, utilization, compliance) -> None:
    if any(not char.isprintable() for char in name):
        name = "".join(char for char in name if char.isprintable())
    scenario = Scenario(name=name, users=users, utilization=utilization, compliance=compliance)
    path = tmp_path_factory.mktemp("store") / "plan.yaml"
    store.save_scenario(scenario, path)
    assert store.load_scenario(path) == scenario


def test_a_file_reads_as_a_person_would_write_it() -> None:
    text = store.dump(Scenario(name="Friday plan", users=64, context=131072, compliance=True))
    assert text == "schema: 1\nname: Friday plan\nusers: 64\ncontext: 131_072\ncompliance: true\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("users: many\n", "plan.yaml:1: users: 'many' is not allowed"),
        ("name: x\nusers: -5\n", "plan.yaml:2: users: -5 is not allowed"),
        ("contxt: 5\n", "plan.yaml:1: unknown key 'contxt'; did you mean 'context'?"),
        ("schema: 2\n", "written by a newer infratui (schema 2; this one reads up to 1)"),
        ("schema: new\n", "schema: 'new' is no version"),
        ("- users: 5\n", "not a scenario"),
        ("a: &a [1]\nb: *a\n", "an anchor"),
        ("users: 5\nusers: 6\n", "appears twice"),
        ("users: [", "not valid YAML"),
        ("users: 1e400\n", "plan.yaml:1: 1e400 is beyond what a number can hold"),
        ("name: \x1b[31m\n", "control character"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, content, message) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(content)
    with pytest.raises(ScenarioError) as caught:
        store.load_scenario(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(tmp_path_factory, content) -> None:
    path = tmp_path_factory.mktemp("store") / "plan.yaml"
    path.write_bytes(content)
    refusal = ""
    try:
        store.load_scenario(path)
    except ScenarioError as error:
        refusal = str(error)
    assert "\n" not in refusal


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ScenarioError, match="larger than"):
        store.load_scenario(path)


def test_a_failed_save_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.yaml"
    store.save_scenario(Scenario(users=7), path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("infratui.file_writing.os.fsync", full)
    with pytest.raises(ScenarioError, match="No space left on device"):
        store.save_scenario(Scenario(users=8), path)
    assert store.load_scenario(path).users == 7
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.yaml"]


@pytest.mark.long
def test_every_preset_loads_has_an_answer_and_fits() -> None:
    evaluate = Evaluator(default_catalog())
    known = store.presets()
    assert [preset.id for preset in known][:4] == ["starter", "team", "production", "enterprise"]
    for preset in known:
        assert preset.about
        assert evaluate(store.load_preset(preset.id)).vram.fits, preset.id


def test_a_preset_of_the_users_own_stands_beside_and_above(tmp_path: Path) -> None:
    folder = store.config_directory() / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("name: Mine\nusers: 3\n")
    (folder / "broken.yaml").write_text("users: [")
    (folder / "team.yaml").write_text("name: Team\nusers: 99\norder: 2\n")
    assert store.load_preset("Mine").users == 3
    assert store.load_preset("team").users == 99
    assert "broken" not in [preset.id for preset in store.presets()]


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ScenarioError, match="there are starter, team, production"):
        store.load_preset("tiny")


def test_the_last_session_comes_back() -> None:
    assert store.last_session() is None
    assert store.keep_session(Scenario(users=5)) == ""
    assert store.last_session() == Scenario(users=5)


def another_process(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(store, "_session_name", lambda: f"another-{number}.yaml")


def test_two_that_run_at_once_keep_a_session_each(monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep_session(Scenario(users=5))
    another_process(monkeypatch, 1)
    os.utime(store.kept_sessions()[0], (1, 1))
    store.keep_session(Scenario(users=6))
    assert [store.load_scenario(path).users for path in store.kept_sessions()] == [6, 5]
    assert store.last_session() == Scenario(users=6)


def test_a_session_that_cannot_be_read_gives_way_to_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep_session(Scenario(users=5))
    os.utime(store.kept_sessions()[0], (1, 1))
    (store.session_directory() / "torn.yaml").write_text("users: [")
    assert store.last_session() == Scenario(users=5)


def test_old_sessions_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(store.KEPT_SESSIONS + 5):
        another_process(monkeypatch, number)
        store.keep_session(Scenario(users=number + 1))
        os.utime(store.session_path(), (number, number))
    kept = [store.load_scenario(path).users for path in store.kept_sessions()]
    assert kept == list(range(store.KEPT_SESSIONS + 5, 5, -1))


def test_the_session_of_an_older_version_is_found() -> None:
    store.save_scenario(Scenario(users=5), store.state_directory() / "last-session.yaml")
    assert store.last_session() == Scenario(users=5)


def test_a_state_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    assert "cannot be written" in store.keep_session(Scenario())


@pytest.mark.parametrize("name", ["/", "~nobody-here/x", "a\0b", "x" * 300, "..", "", "~"])
def test_any_typed_name_is_a_path_or_refused(name) -> None:
    try:
        store.load_scenario(store.find_scenario(name))
    except ScenarioError as error:
        refusal = str(error)
    assert refusal
    assert "\n" not in refusal
