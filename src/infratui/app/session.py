"""What the user works on, apart from any screen: the scenario and its history, its results, what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import store
from ..inputs import Kind
from ..mishaps import Mishap
from ..scenario import INPUTS, Scenario, ScenarioError
from .checkpoints import CheckpointReader, Done
from .fields import FieldBook

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..catalog.reference_schema import Term
    from ..engine.evaluate import Evaluation, Evaluator
    from ..report.library import Library

UNDO = 100
"""Scenarios that undo remembers."""


def _now(call: Callable[..., object], *arguments: object) -> None:
    call(*arguments)


class Session:
    """One scenario at a time, replaced as a whole; every replacement can be undone.

    >>> session = Session(Scenario(users=5))
    >>> session.change(users=9)
    >>> session.undo(), session.scenario.users
    (('users',), 5)
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        facts: Catalog | None = None,
        on_change: Callable[[Scenario], None] = lambda scenario: None,
        later: Callable[..., object] = _now,
    ) -> None:
        """`on_change` hears of every other scenario; `later` calls a function in the thread that `on_change` runs in.

        Without a scenario it begins with the preset "production".
        """
        self._scenario = _first_preset() if scenario is None else scenario
        self._on_change = on_change
        self._undo: list[Scenario] = []
        self._redo: list[Scenario] = []
        self.base = self._scenario
        """The preset or file that was opened last."""
        self.pinned: Scenario | None = None
        """What the comparison compares with."""
        self.last: Scenario | None = None
        """The scenario that was kept when the program was left last."""
        self.problem = ""
        """Why the user's own facts are left out; empty where they are not."""
        self.facts_version = 0
        """Rises when the facts know something new, such as a checkpoint that has been read."""
        self.checkpoints = CheckpointReader(lambda: self.facts, later)
        self._facts = facts
        self._evaluator: Evaluator | None = None
        self._fields: FieldBook | None = None
        self._library: Library | None = None

    # -- the scenario

    @property
    def scenario(self) -> Scenario:
        """The one source of truth."""
        return self._scenario

    @property
    def is_changed(self) -> bool:
        """It differs from the preset or file that was opened last."""
        return self._scenario != self.base

    def change(self, **changes: object) -> None:
        """Replace the scenario by a changed copy. Raises ScenarioError; undoable."""
        self.replace(self._scenario.with_(**changes))

    def replace(self, scenario: Scenario) -> None:
        """Take another scenario; undoable."""
        if scenario != self._scenario:
            self._undo = [*self._undo[-UNDO + 1 :], self._scenario]
            self._redo.clear()
            self._take(scenario)

    def _take(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._on_change(scenario)

    def open(self, scenario: Scenario) -> None:
        """Take a whole scenario, which `go_back` goes back to; undoable."""
        self.base = scenario
        self.checkpoints.forget()
        self.replace(scenario)

    def go_back(self) -> bool:
        """Back to what was opened last; undoable. False where nothing differs."""
        if not self.is_changed:
            return False
        self.replace(self.base)
        return True

    def undo(self) -> tuple[str, ...] | None:
        """Take the last change back. The fields that it changed, or None where there is nothing to undo."""
        return self._step(self._undo, self._redo)

    def redo(self) -> tuple[str, ...] | None:
        """Make a change again that was taken back."""
        return self._step(self._redo, self._undo)

    def _step(self, source: list[Scenario], target: list[Scenario]) -> tuple[str, ...] | None:
        if not source:
            return None
        was = self._scenario
        target.append(was)
        self._take(source.pop())
        return tuple(
            name for name in (*Scenario.FIELDS, "policy") if getattr(was, name) != getattr(self._scenario, name)
        )

    # -- beside it

    def swap_pin(self) -> bool:
        """Go on with the pinned scenario, and pin the current one; undoable. False where none is pinned."""
        if self.pinned is None:
            return False
        pinned, self.pinned = self.pinned, self._scenario
        self.replace(pinned)
        return True

    # -- files

    def open_file(self, path: Path) -> None:
        """Open a scenario file. Raises ScenarioError."""
        self.open(store.load_scenario(path))

    def save(self, text: str) -> Path:
        """Save under a name or path, which names a scenario that has no name yet. Raises ScenarioError."""
        path = store.file_for(text)
        named = self._scenario.with_(name=path.stem[:80]) if self._scenario.name == "Untitled" else self._scenario
        store.save_scenario(named, path)
        self.base = named
        if named != self._scenario:
            self._take(named)
        return path

    def keep(self) -> str:
        """Keep what differs from what was opened; a look leaves the session kept before. Returns why it cannot be."""
        return store.keep_session(self._scenario) if self.is_changed else ""

    def recall(self) -> Scenario | None:
        """The session that was kept last, where it is another scenario than this one."""
        self.last = store.last_session()
        return self.last if self.last != self._scenario else None

    @staticmethod
    def keep_copied(text: str) -> Path:
        """Write what was copied to a file, for terminals that take no clipboard. Raises ScenarioError."""
        path = store.state_directory() / "clipboard.txt"
        store.write_text(path, text + "\n")
        return path

    # -- facts and results

    @property
    def facts(self) -> Catalog:
        """The catalog with the user's own entries."""
        if self._facts is None:
            # Not before they are asked for: the catalog takes longer to load than the first frame to draw.
            from .own_facts import open_facts

            self._facts, self.problem = open_facts()
        return self._facts

    @property
    def evaluation(self) -> Evaluation:
        """The results of the scenario, evaluated section by section when asked for, and remembered."""
        return self.evaluate(self._scenario)

    def knows(self, section: str) -> bool:
        """The section has been evaluated for this scenario: its result is at hand."""
        return self._evaluator is not None and self._evaluator(self._scenario).knows(section)

    def evaluate(self, scenario: Scenario) -> Evaluation:
        """The results of any scenario, over the same catalog."""
        if self._evaluator is None:
            from ..engine.evaluate import Evaluator

            self._evaluator = Evaluator(self.facts)
        return self._evaluator(scenario)

    @property
    def fields(self) -> FieldBook:
        """How fields are named and what they offer."""
        if self._fields is None:
            self._fields = FieldBook(
                lambda: self.facts, lambda: self._facts is not None, lambda: self._scenario.currency
            )
        return self._fields

    def check_name(self, field: str, value: str) -> None:
        """Raises ValueError where the catalog does not know the name or the checkpoint cannot be read."""
        if not value and INPUTS[field].zero:
            return
        match INPUTS[field].kind:
            case Kind.MODEL:
                self.facts.model(value)
            case Kind.ACCELERATOR:
                self.facts.accelerator(value)
            case Kind.PRECISION | Kind.KV_PRECISION:
                self.facts.precision(value)

    # -- terms

    @property
    def library(self) -> Library:
        """Terms, pages and trees, the user's own terms included."""
        if self._library is None:
            from ..report.library import Library

            self._library = Library.open(self._own_terms)
        return self._library

    @property
    def _own_terms(self) -> Path:
        return store.config_directory() / "glossary.yaml"

    def term(self, term_id: str) -> Term | None:
        """A glossary entry, the user's own included."""
        return self.library.terms.get(term_id)

    def _term_line(self, term_id: str) -> tuple[str, str] | None:
        """Name and first line of a term; the whole glossary is read where it has been anyway, or the user has one."""
        if self._library is None and not self._own_terms.is_file():
            from ..catalog.term_lines import term_lines

            return term_lines().get(term_id)
        entry = self.term(term_id)
        return (entry.name, entry.short) if entry else None

    def hint(self, field: str) -> str:
        """One line on a field: what it is, and what it takes."""
        from ..report.inputs import HINTS
        from ..settings_text import describe_range

        spec = INPUTS[field]
        said = HINTS.get(field) or spec.help
        line = self._term_line(spec.term) if spec.term and not said else None
        short = f"{spec.label}: {said}" if said else ": ".join(line) if line else spec.label
        none = "empty" if Scenario.FIELDS[field].type not in (int, float) else "0"
        return f"{short} · {describe_range(field)}" + (f", {none} = {spec.zero}" if spec.zero else "")

    # -- checkpoints on disk

    def _take_declared_cache(self) -> None:
        """A checkpoint that is calibrated for a cache gets it, as engines do where nobody says otherwise."""
        if self._scenario.kv_precision != Scenario().kv_precision or not self.facts.at_hand(self._scenario.model):
            return
        declared = self.facts.model(self._scenario.model).cache_precision
        if declared:
            self._scenario = self._scenario.with_(kv_precision=declared)

    def awaited(self, done: Callable[[], None]) -> Mishap | None:
        """Why the scenario has no answer yet: a checkpoint is being read, or was refused. None: nothing is awaited.

        `done` is called when the reading is over, one way or the other.
        """
        missing = self.checkpoints.missing(self._scenario)
        if not missing:
            return None
        if (refusal := self.checkpoints.refusal(missing)) is not None:
            return refusal

        def read(refused: Mishap | None) -> None:
            self.facts_version += 1
            if refused is None:
                self._take_declared_cache()
            done()

        self.checkpoints.read(missing, read)
        return Mishap(f"reading {self.checkpoints.reading} …", "esc stops", waits=True)

    def pick_model(self, field: str, name: str, done: Done) -> None:
        """Change a model; a checkpoint is read first, and takes effect unless something else has by then.

        `done` is told why it could not be taken, or None.
        """
        before = getattr(self._scenario, field)

        def read(refusal: Mishap | None) -> None:
            if refusal is None and getattr(self._scenario, field) != before:
                return
            if refusal is None:
                try:
                    self.change(**{field: name})
                except ScenarioError as error:
                    refusal = Mishap(str(error))
            done(refusal)

        self.checkpoints.forget()
        self.checkpoints.read((name,), read)

    def stop_reading(self) -> bool:
        """Give up what is being read. False where nothing was."""
        if not self.checkpoints.reading:
            return False
        self.checkpoints.stop(self.checkpoints.missing(self._scenario))
        self.facts_version += 1
        return True


def _first_preset() -> Scenario:
    known = store.presets()
    wanted = next((preset for preset in known if preset.id == "production"), known[0] if known else None)
    try:
        return store.load_scenario(wanted.path) if wanted else Scenario()
    except ScenarioError:
        return Scenario()
