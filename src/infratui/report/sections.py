"""THE list of sections: tabs, commands, reports, JSON, CSV, comparisons and help all read it.

A section is a row here, its engine in `engine/sections/`, its words in `report/<id>.py`, its screen in
`app/screens/<id>/`.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..engine.figures.units import ByteUnit
from ..mishaps import unforeseen
from ..value_types import dataclass
from .show import Answer, Block, Says, Table

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation
    from ..engine.figures.compare import Headline
    from ..engine.figures.derivation import Derivation


class Report(Protocol):
    """What `report/<id>.py` says of a section's result. `R` is the result of the engine."""

    ASSUMED: tuple[str, ...]
    """Inputs that the summary rests on without naming them."""

    def evaluate(self, evaluation: Evaluation) -> Any:
        """The result. Raises ValueError in one line where there is none."""

    def answer(self, result: Any, bytes_as: ByteUnit) -> Answer:
        """What the section leads with."""

    def page(self, result: Any, bytes_as: ByteUnit) -> tuple[Block, ...]:
        """Every panel, in reading order."""

    # A section that takes longer than a frame may have, beside these:
    #   first(evaluation)       what of the result is there at once; of it `answer` leaves lines empty that come later
    #   lead(result, bytes_as)  the panels that go with the answer

    def summary(self, result: Any, bytes_as: ByteUnit) -> str:
        """The answer in plain sentences."""

    def headlines(self, evaluation: Evaluation, result: Any) -> tuple[Headline, ...]:
        """The figures that two scenarios are compared by."""

    def derivations(self, result: Any) -> Sequence[Derivation]:
        """The math behind the answer."""

    def data(self, result: Any, *, explain: bool = False) -> dict[str, Any]:
        """The result as plain values, units in the key names."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section; its id is the screen's folder, the mode of the app and the key in JSON."""

    id: str
    title: str
    short: str
    command: str
    about: str
    """One line for the command's help."""

    @property
    def report(self) -> Report:
        """Its words, imported when they are first needed."""
        return cast("Report", importlib.import_module(f"{__package__}.{self.id}"))

    def report_by(self, estimator: str) -> Report:
        """Its words for an estimator: the rule of thumb is a second opinion with a result of its own."""
        if estimator == "rule-of-thumb" and self.id in BY_THUMB:
            return cast("Report", importlib.import_module(f"{__package__}.thumb_{self.id}"))
        return self.report


BY_THUMB = frozenset({"vram", "parallelism", "moe"})
"""Sections with a report of their own for the rule of thumb; the others put its figures into their own."""

SECTIONS = (
    Section("vram", "VRAM", "VRAM", "vram", "memory: weights, KV cache, what fits where"),
    Section("quantization", "Quantization", "Quant", "quant", "precisions: memory, speed and quality"),
    Section("parallelism", "Parallelism", "Parallel", "plan", "layouts: TP × PP × DP × EP, and which to take"),
    Section("cost", "Buy vs Rent", "Cost", "cost", "buy or rent: options, breakevens, $/1M tokens"),
    Section("moe", "MoE vs Dense", "MoE", "moe", "dense beside mixture of experts, and the router"),
)


def section(name: str) -> Section:
    """A section by its id or its command. Raises KeyError for another name."""
    found = next((entry for entry in SECTIONS if name in (entry.id, entry.command)), None)
    if found is None:
        raise KeyError(name)
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """A section's result, or in words why there is none; what any front end shows of it."""

    section: Section
    evaluation: Evaluation
    result: Any
    refusal: str = ""

    @property
    def report(self) -> Report:
        """The words for the scenario's estimator."""
        return self.section.report_by(self.evaluation.scenario.estimator)

    def answer(self, bytes_as: ByteUnit = ByteUnit.GB) -> Answer:
        """What the section leads with."""
        if self.result is None:
            return Answer(f"No answer: {self.refusal}", "", "bad", (Says("", "change an input", muted=True),))
        return self.report.answer(self.result, bytes_as)

    def page(self, bytes_as: ByteUnit = ByteUnit.GB) -> tuple[Block, ...]:
        """Every panel, in reading order."""
        return () if self.result is None else self.report.page(self.result, bytes_as)

    def rest(self, bytes_as: ByteUnit = ByteUnit.GB) -> tuple[Block, ...]:
        """Panels that take longer; none where the section has no such, or they have no answer."""
        more = getattr(self.report, "rest", None)
        if self.result is None or more is None:
            return ()
        try:
            return tuple(more(self.evaluation, bytes_as))
        except ValueError:
            return ()

    def tables(self, bytes_as: ByteUnit = ByteUnit.GB) -> tuple[Table, ...]:
        """Every table that has rows."""
        blocks = (*self.page(bytes_as), *self.rest(bytes_as))
        return tuple(block for block in blocks if isinstance(block, Table) and block.rows)

    def summary(self, bytes_as: ByteUnit = ByteUnit.GB) -> str:
        """The answer in plain sentences."""
        if self.result is None:
            return f"No answer: {self.refusal}."
        return self.report.summary(self.result, bytes_as)

    def headlines(self) -> tuple[Headline, ...]:
        """The figures that two scenarios are compared by; a refusal is one without a value."""
        from ..engine.figures.compare import Headline
        from ..engine.figures.derivation import Unit

        if self.result is None:
            return (Headline(self.section.id, "Answer", None, Unit.COUNT, words=self.refusal),)
        found = self.report.headlines(self.evaluation, self.result)
        return tuple(replace(entry, section=self.section.id) for entry in found)

    def derivations(self) -> Sequence[Derivation]:
        """The math behind the answer."""
        return () if self.result is None else tuple(self.report.derivations(self.result))

    def data(self, *, explain: bool = False) -> dict[str, Any]:
        """The result as plain values, those that take longer included; the derivations where they are asked for."""
        if self.result is None:
            return {"refused": self.refusal}
        found = self.report.data(self.result, explain=explain)
        more = getattr(self.report, "rest_data", None)
        if more is not None:
            with contextlib.suppress(ValueError):
                found |= more(self.evaluation)
        if explain:
            found.setdefault("derivations", self.derivations())
        from .deployment import with_deployment

        return with_deployment(found, self.evaluation)


def outcome(evaluation: Evaluation, entry: Section) -> Outcome:
    """Evaluate a section. What nobody expected is kept in the log and said in one line: the other sections stand."""
    try:
        return Outcome(entry, evaluation, entry.report_by(evaluation.scenario.estimator).evaluate(evaluation))
    except (ValueError, OSError) as error:
        from .reasons import error_text

        return Outcome(entry, evaluation, None, error_text(error) or type(error).__name__)
    except Exception as error:
        return Outcome(entry, evaluation, None, str(unforeseen(error, f"evaluating {entry.title}")))


def outcomes(evaluation: Evaluation) -> tuple[Outcome, ...]:
    """Evaluate every section."""
    return tuple(outcome(evaluation, entry) for entry in SECTIONS)


def headlines(evaluation: Evaluation) -> tuple[Headline, ...]:
    """The figures of every section, in the order of the screens."""
    return tuple(entry for found in outcomes(evaluation) for entry in found.headlines())
