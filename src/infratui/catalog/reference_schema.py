"""The shape of reference content: terms, pages with tables and worked examples, decision trees, metrics."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\n]+$")]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000)]

Screen = Literal["vram", "quantization", "parallelism", "cost", "moe", "reference"]
"""Where a term appears; `reference` for terms that only its pages use."""
Topic = Literal[
    "memory", "architecture", "formats", "quantization", "parallelism", "hardware", "speed", "serving", "moe",
    "money", "files", "licensing", "program",
]  # fmt: skip
TableName = Literal[
    "accelerators", "systems", "interconnects", "precisions", "formats", "models", "prices", "quality",
    "classic-sizes", "training", "training-lora",
]  # fmt: skip
"""Tables whose rows come from the catalog, so that no figure is typed twice. `classic-sizes`: weights of the five
classic model sizes in the four classic precisions, computed. `training…`: of the scenario's model on its GPUs."""
Operator = Literal["<", "<=", ">", ">=", "=="]

_DIGIT = re.compile(r"\d")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Term(_Entry):
    """One glossary entry."""

    id: Id
    name: Line
    topic: Topic
    aliases: tuple[Line, ...] = ()
    short: Short
    """One line for the hint under the focused term."""
    definition: Prose
    """Two sentences; `[[id]]` and `[[id|words]]` link other terms."""
    formula: str = ""
    unit: str = ""
    typical: str = ""
    """Values that a reader may expect; figures need a `source`."""
    source: str = ""
    appears: tuple[Screen, ...]
    related: tuple[Id, ...] = ()
    origin: str = "built-in"
    """`built-in`, or the file that the user's own term comes from."""

    @model_validator(mode="after")
    def _figures_have_a_source(self) -> Term:
        if _DIGIT.search(self.typical) and not self.source:
            raise ValueError("typical has figures but no source; say where they come from")
        return self


class Metric(_Entry):
    """A quantity that trees and worked examples name and the engine computes for a scenario."""

    key: Key
    label: Line
    unit: str = ""
    """Unit of the value as trees and claims state it; empty for counts and ratios."""
    term: Id
    screen: Screen


class PageTable(_Entry):
    """A small table in a page."""

    columns: tuple[Line, ...] = Field(min_length=2, max_length=8)
    rows: tuple[tuple[str, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> PageTable:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells for {len(self.columns)} columns; make them equal")
        return self


class Claim(_Entry):
    """A figure as a source printed it, to be shown beside the same figure computed."""

    text: Line
    value: float
    """The printed figure; for a range its low end."""
    high: float | None = None
    """The high end of a range."""
    unit: Line
    source: Line
    metric: Key | None = None
    """What the engine computes in its place; None where nothing can be computed (then `note` says why)."""
    scenario: dict[str, str | int | float | bool] = {}
    """Inputs that differ from the example's for this claim alone."""
    accelerator: Id | None = None
    """The accelerator that a `…_on` metric is asked for."""
    note: str = ""
    """Why the computed figure differs."""
    correction: int | None = Field(default=None, ge=1)
    """Number of the entry on the page of corrected figures."""

    @model_validator(mode="after")
    def _computed_or_explained(self) -> Claim:
        if self.metric is None and not self.note:
            raise ValueError("neither metric nor note; name what is computed, or say why nothing is")
        if self.high is not None and self.high < self.value:
            raise ValueError("high is below value; swap them")
        return self


class Example(_Entry):
    """Inputs of a worked example and what its source said, so that a screen can recompute it live."""

    id: Id
    title: Line
    scenario: dict[str, str | int | float | bool] = Field(min_length=1)
    """Scenario fields that differ from the defaults."""
    claims: tuple[Claim, ...] = Field(min_length=1)


class PageSection(_Entry):
    """Part of a page: text, at most one table of its own or of the catalog, and worked examples."""

    title: Line
    body: Prose
    """Light Markdown: paragraphs and `- ` bullets, with `[[term]]` links and `{{…}}` figures."""
    table: PageTable | None = None
    table_from: TableName | None = None
    examples: tuple[Example, ...] = ()
    source: str = ""

    @model_validator(mode="after")
    def _has_a_source(self) -> PageSection:
        if self.table is not None and self.table_from is not None:
            raise ValueError("both table and table_from; keep one")
        if not self.source and self.table_from is None and not self.examples:
            raise ValueError("no source, catalog table or worked example; say where it comes from")
        return self


class ReferencePage(_Entry):
    """A reference page."""

    id: Id
    title: Line
    summary: Short
    order: int
    sections: tuple[PageSection, ...] = Field(min_length=1)


class Question(_Entry):
    """A fork in a decision tree, answered by a quantity of the scenario."""

    id: Id
    question: Line
    metric: Key
    accelerator: Id | None = None
    """The accelerator that a `…_on` metric is asked for."""
    op: Operator
    threshold: float | None = None
    threshold_metric: Key | None = None
    """A computed threshold, such as a breakeven."""
    why: Line
    yes: Id
    no: Id
    unknown: Id | None = None
    """Where to go when the scenario cannot answer; None: `no`."""

    @model_validator(mode="after")
    def _one_threshold(self) -> Question:
        if (self.threshold is None) == (self.threshold_metric is None):
            raise ValueError("give threshold or threshold_metric, one of them")
        return self


class TreeLeaf(_Entry):
    """An answer of a decision tree."""

    id: Id
    advice: Line
    why: Line
    change: Line
    """What would have to change for the scenario to end here."""


class Tree(_Entry):
    """A decision tree, walked with the current scenario."""

    id: Id
    title: Line
    summary: Short
    root: Id
    questions: tuple[Question, ...] = Field(min_length=1)
    leaves: tuple[TreeLeaf, ...] = Field(min_length=2)
    source: Line

    @model_validator(mode="after")
    def _every_branch_ends(self) -> Tree:
        questions = {entry.id: entry for entry in self.questions}
        leaves = {entry.id for entry in self.leaves}
        if len(questions) + len(leaves) != len(self.questions) + len(self.leaves) or questions.keys() & leaves:
            raise ValueError("an id appears twice; ids of questions and leaves must differ")
        reached: set[str] = set()
        open_ids: list[tuple[str, tuple[str, ...]]] = [(self.root, ())]
        while open_ids:
            at, path = open_ids.pop()
            if at in path:
                raise ValueError(f"{at!r} leads back to itself; a tree has no loops")
            reached.add(at)
            if at in questions:
                entry = questions[at]
                children = {entry.yes, entry.no, entry.unknown or entry.no}
                open_ids.extend((child, (*path, at)) for child in children)
            elif at not in leaves:
                raise ValueError(f"{at!r} is neither a question nor a leaf; add it")
        if lost := sorted((questions.keys() | leaves) - reached):
            raise ValueError(f"{lost[0]!r} cannot be reached; lead a branch to it or remove it")
        return self
