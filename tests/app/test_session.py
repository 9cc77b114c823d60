"""The session without a screen: undo, presets, files, pins, what is kept, what is copied, checkpoints that are read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infratui import store
from infratui.app.session import UNDO, Session
from infratui.catalog.load import Catalog
from infratui.scenario import Scenario, ScenarioError


@pytest.fixture
def session(shared_catalog: Catalog) -> Session:
    return Session(Scenario(name="plan", users=5), facts=shared_catalog)


class TestHistory:
    def test_undo_tells_what_it_changed_and_redo_makes_it_again(self, session: Session) -> None:
        session.change(users=6, context=4096)
        assert set(session.undo() or ()) == {"users", "context"}
        assert session.scenario.users == 5
        session.redo()
        assert (session.scenario.users, session.redo()) == (6, None)

    def test_a_new_change_forgets_what_was_taken_back(self, session: Session) -> None:
        session.change(users=6)
        session.undo()
        session.change(users=7)
        assert session.redo() is None

    def test_a_refused_change_changes_nothing(self, session: Session) -> None:
        with pytest.raises(ScenarioError):
            session.change(users=0)
        assert (session.scenario.users, session.undo()) == (5, None)

    def test_the_same_again_is_no_change(self, session: Session) -> None:
        session.change(users=5)
        assert session.undo() is None

    def test_undo_remembers_so_many_and_no_more(self, session: Session) -> None:
        for users in range(10, 10 + UNDO + 20):
            session.change(users=users)
        while session.undo() is not None:
            pass
        assert session.scenario.users == 10 + 19

    def test_one_callback_hears_of_every_other_scenario(self) -> None:
        heard: list[int] = []
        session = Session(Scenario(users=1), on_change=lambda scenario: heard.append(scenario.users))
        session.change(users=2)
        session.change(users=2)
        session.undo()
        session.redo()
        assert heard == [2, 1, 2]


class TestPresets:
    def test_it_begins_with_production(self) -> None:
        assert Session().scenario == store.load_preset("production")

    def test_back_to_what_was_opened_last_can_be_undone(self, session: Session) -> None:
        team = store.load_preset("team")
        session.open(team)
        session.change(users=11)
        assert session.is_changed
        assert session.go_back()
        assert session.scenario == team
        session.undo()
        assert session.scenario.users == 11

    def test_nothing_to_go_back_to_is_said(self, session: Session) -> None:
        assert not session.go_back()


class TestFiles:
    def test_what_is_saved_can_be_opened(self, session: Session) -> None:
        session.change(users=77)
        path = session.save("friday")
        session.change(users=5)
        session.open_file(path)
        assert session.scenario.users == 77
        assert not session.is_changed

    def test_saving_names_what_has_no_name_yet(self) -> None:
        session = Session(Scenario())
        session.save("monday")
        assert session.scenario.name == "monday"

    def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_lost(self, session: Session) -> None:
        session.change(users=6)
        with pytest.raises(ScenarioError, match="cannot be written"):
            session.save("/dev/null/plan")
        assert session.is_changed

    def test_a_broken_file_leaves_the_scenario(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "plan.yaml").write_text("users: 5\nuserz: 6\n")
        with pytest.raises(ScenarioError, match=r"plan\.yaml:2: unknown key 'userz'"):
            session.open_file(tmp_path / "plan.yaml")
        assert session.scenario.name == "plan"

    def test_what_is_copied_is_kept_in_a_file(self, session: Session) -> None:
        assert session.keep_copied("361 GB").read_text() == "361 GB\n"


class TestPins:
    def test_swapping_goes_on_with_the_pinned_one(self, session: Session) -> None:
        session.pinned = first = session.scenario
        session.change(users=9)
        second = session.scenario
        assert session.swap_pin()
        assert (session.scenario, session.pinned) == (first, second)
        session.undo()
        assert session.scenario == second

    def test_nothing_pinned_cannot_be_swapped(self, session: Session) -> None:
        assert not session.swap_pin()


class TestKept:
    def test_a_look_keeps_nothing_and_a_change_is_offered_next_time(self, session: Session) -> None:
        session.keep()
        assert store.last_session() is None
        session.change(users=123)
        assert session.keep() == ""
        kept = Session(Scenario()).recall()
        assert kept is not None
        assert kept.users == 123

    def test_what_goes_on_anyway_is_not_offered(self, session: Session) -> None:
        session.change(users=123)
        session.keep()
        assert session.recall() is None
        assert session.last == session.scenario

    def test_a_home_that_cannot_be_written_is_told(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
        session.change(users=123)
        assert session.keep()


class TestFacts:
    def test_results_belong_to_the_scenario_and_are_remembered(self, session: Session) -> None:
        first = session.evaluation.vram
        assert session.evaluation.vram is first
        session.change(users=50)
        assert session.evaluation.vram is not first

    def test_names_are_checked_against_the_catalog(self, session: Session) -> None:
        session.check_name("accelerator", session.scenario.accelerator)
        with pytest.raises(ValueError, match="no-such-gpu"):
            session.check_name("accelerator", "no-such-gpu")

    def test_a_hint_needs_no_glossary_and_says_what_it_would(self, session: Session) -> None:
        said = session.hint("kv_precision")
        assert "KV" in said
        assert session._library is None
        assert session.term("kv-cache") is not None
        assert session.hint("kv_precision") == said


class TestCheckpoints:
    """A reader that is answered by hand: what comes when is what the tests are about."""

    @pytest.fixture
    def reading(self, shared_catalog: Catalog) -> tuple[Session, Callable[[], None]]:
        arrived: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        there = threading.Event()

        def later(call: Callable[..., object], *arguments: object) -> None:
            arrived.append((call, arguments))
            there.set()

        def arrive() -> None:
            assert there.wait(20)
            there.clear()
            call, arguments = arrived.pop(0)
            call(*arguments)

        return Session(Scenario(), facts=shared_catalog, later=later), arrive

    def test_a_scenario_without_a_checkpoint_awaits_nothing(self, session: Session) -> None:
        assert session.awaited(lambda: None) is None

    def test_a_checkpoint_is_awaited_then_refused(self, reading, tmp_path: Path) -> None:
        session, arrive = reading
        session.replace(Scenario(model=str(tmp_path)))
        done: list[bool] = []
        mishap = session.awaited(lambda: done.append(True))
        assert mishap is not None
        assert mishap.waits
        arrive()
        refused = session.awaited(lambda: None)
        assert done
        assert refused is not None
        assert not refused.waits

    def test_what_was_stopped_comes_too_late(self, reading, tmp_path: Path) -> None:
        session, arrive = reading
        session.replace(Scenario(model=str(tmp_path)))
        done: list[bool] = []
        session.awaited(lambda: done.append(True))
        assert session.stop_reading()
        arrive()
        assert not done
        assert not session.stop_reading()

    def test_a_model_that_cannot_be_read_is_not_taken(self, reading, tmp_path: Path) -> None:
        session, arrive = reading
        told: list[object] = []
        session.pick_model("model", str(tmp_path), told.append)
        arrive()
        assert told != [None]
        assert session.scenario == Scenario()
