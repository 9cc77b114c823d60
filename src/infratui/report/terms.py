"""Terms, pages and decision trees as articles, filled with the catalog and computed for a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..catalog import markup
from ..catalog.reference_figures import filled
from ..engine.figures.units import significant
from ..value_types import dataclass
from .article import (
    Article,
    Block,
    Data,
    Grid,
    Heading,
    Run,
    Runs,
    Text,
    Wording,
    labelled,
    linked,
    listing,
    paragraphs,
    words_of,
)
from .cost_decision import QUESTIONS, advice_text, fork_text, why_text
from .sections import SECTIONS

if TYPE_CHECKING:
    from ..catalog.decision import Walk
    from ..catalog.reference_schema import Claim, Example, Metric, Question, ReferencePage, Term, Tree
    from ..engine.cost.decision import Decision
    from ..engine.facts import Facts

SCREENS: Mapping[str, str] = {entry.id: entry.title for entry in SECTIONS}
"""Peer screens that terms appear on, by id."""

Computed = Callable[["Example", "Claim"], "float | None"]
"""What the engine says today to a claim; None where it says nothing."""

_OPERATORS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "="}
_CLOSE = 0.02
"""A computed figure this near to what a source says agrees with it: sources round."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the path: how it was answered, and by what."""

    question: str
    answer: bool | None
    fact: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class BranchPath:
    """How a tree was walked."""

    asked: tuple[Asked, ...]
    leaf: str
    advice: str
    why: str


def wording(terms: Mapping[str, Term], titles: Mapping[str, str]) -> Wording:
    """Links in the words of the glossary. `titles`: of pages and trees → their keys."""
    return Wording(_link_words(terms), titles)


def _link_words(terms: Mapping[str, Term]) -> dict[str, str]:
    found = {}
    for term in terms.values():
        spelled = term.id.replace("-", " ")
        name = next((name for name in (term.name, *term.aliases) if _folded(name) == spelled), term.name)
        found[term.id] = words_of(name)
    return found


def term_article(term: Term, terms: Mapping[str, Term], pages: Sequence[ReferencePage], words: Wording) -> Article:
    """A glossary entry with its neighbours, the pages that speak of it and the screens that use it."""
    blocks: list[Block] = [
        Text((Run(term.short, tone="bold"),)),
        Text(linked(term.definition, words, sentences=True)),
    ]
    for label, text in (("Formula", term.formula), ("Unit", term.unit), ("Typical", term.typical)):
        if text:
            blocks.append(labelled(label, text))
    if term.source:
        blocks.append(labelled("Source", term.source, "muted"))
    if term.aliases:
        blocks.append(labelled("Also called", ", ".join(term.aliases)))
    screens = [(SCREENS[name], f"screen:{name}") for name in term.appears if name in SCREENS]
    told = [(page.title, f"page:{page.id}") for page in pages if term.id in _mentions(page)]
    related = [(terms[name].name, f"term:{name}") for name in term.related if name in terms]
    for label, entries in (("On screen", screens), ("Pages", told), ("See also", related)):
        if entries:
            blocks.append(listing(label, entries))
    if term.origin != "built-in":
        blocks.append(Text((Run(f"Your own entry, from {term.origin}", tone="muted"),)))
    return Article(f"term:{term.id}", term.name, "term", tuple(blocks))


def page_article(
    page: ReferencePage, words: Wording, metrics: Mapping[str, Metric], facts: Facts, computed: Computed | None
) -> Article:
    """A page: text, tables, and worked examples beside what the engine computes; `computed` None: not yet."""
    blocks: list[Block] = [Text((Run(page.summary, tone="muted"),))]
    for section in page.sections:
        blocks.append(Heading(section.title))
        blocks += paragraphs(filled(section.body, facts), words)
        if section.table is not None:
            rows = tuple(tuple(linked(filled(cell, facts), words) for cell in row) for row in section.table.rows)
            blocks.append(Grid(section.table.columns, rows))
        if section.table_from is not None:
            blocks.append(Data(section.table_from))
        for example in section.examples:
            blocks += _example(example, metrics, computed)
        if section.source:
            blocks.append(Text((Run(f"Source: {section.source}", tone="muted"),)))
    return Article(f"page:{page.id}", page.title, "page", tuple(blocks))


def walked_path(walk: Walk, metrics: Mapping[str, Metric], facts: Facts) -> BranchPath:
    """A walk by metrics in words: each question with the value that answered it."""
    asked = []
    for fork in walk.forks:
        question = fork.question
        metric = metrics[question.metric]
        on = f" on {facts.accelerator(question.accelerator).name}" if question.accelerator else ""
        label = f"{words_of(metric.label)}{on}"
        if fork.answer is None:
            fact = f"{label}: no answer for this scenario"
        else:
            limit = _limit(question, fork.threshold, metric, metrics)
            fact = f"{label} = {number(fork.value, metric.unit)}, asked {_OPERATORS[question.op]} {limit}"
        asked.append(Asked(question.question, fork.answer, fact, question.why))
    return BranchPath(tuple(asked), walk.leaf.id, walk.leaf.advice, walk.leaf.why)


def decision_path(decision: Decision, tree: Tree) -> BranchPath:
    """The path that the cost section took, with the reasons that the tree gives for its questions."""
    why = {question.id: question.why for question in tree.questions}
    asked = tuple(
        Asked(QUESTIONS[fork.id], fork.answer, fork_text(fork, decision), why.get(fork.id, ""))
        for fork in decision.path
    )
    return BranchPath(asked, decision.leaf.value, advice_text(decision), why_text(decision))


def tree_article(tree: Tree, path: BranchPath | None, refusal: str = "") -> Article:
    """A tree walked: the path taken lit, each other leaf with what would have to change. `path` None: no answer yet."""
    blocks: list[Block] = [Text((Run(tree.summary, tone="muted"),))]
    if path is None:
        blocks.append(Text((Run(refusal or "computing for this scenario …", tone="bad" if refusal else "key"),)))
    else:
        blocks += [
            Heading("For this scenario"),
            Text((Run(path.advice, tone="bold"),), "✓", 2, "good"),
            Text((Run(path.why, tone="muted"),), "", 2, close=True),
            Heading("The path taken"),
        ]
        for number_, asked in enumerate(path.asked):
            blocks += _asked(asked, number_ > 0)
        blocks.append(Text((Run(path.advice, tone="bold"),), "└→", 3, "good", close=True))
    blocks.append(Heading("What else it could be, and what would have to change" if path else "Where it can end"))
    for leaf in tree.leaves:
        if path is None or leaf.id != path.leaf:
            blocks.append(Text((Run(leaf.advice),), "○", 2, "muted"))
            blocks.append(Text((Run(leaf.change, tone="muted"),), "", 2, close=True))
    blocks.append(Text((Run(f"Source: {tree.source}", tone="muted"),)))
    return Article(f"tree:{tree.id}", tree.title, "tree", tuple(blocks))


def number(value: float | None, unit: str, high: float | None = None) -> str:
    """A figure with its unit: `140 GB`, `155–170 GB`."""
    if value is None:
        return "unknown"
    text = _digits(value) if high is None else f"{_digits(value)}–{_digits(high)}"
    return f"{text} {unit}".strip()


def _digits(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) < 1:
        # A weight such as 0.8125 needs its digits; a price such as 0.33 does not need zeros.
        return significant(value, 4).rstrip("0")
    return significant(value)


def _folded(name: str) -> str:
    return name.casefold().replace("-", " ")


def _mentions(page: ReferencePage) -> set[str]:
    found: set[str] = set()
    for section in page.sections:
        cells = [cell for row in section.table.rows for cell in row] if section.table else []
        for text in (section.body, *cells):
            found.update(markup.links(text))
    return found


def _asked(asked: Asked, close: bool) -> list[Block]:
    answer = {True: Run("yes", tone="good"), False: Run("no", tone="key"), None: Run("unknown", tone="tight")}
    blocks: list[Block] = [
        Text((Run(f"{asked.question} ", tone="bold"), answer[asked.answer]), "●", 2, "key", close),
        Text((Run(asked.fact),), "│", 2, "line", close=True),
    ]
    if asked.why:
        blocks.append(Text((Run(asked.why, tone="muted"),), "│", 2, "line", close=True))
    return blocks


def _limit(question: Question, threshold: float | None, metric: Metric, metrics: Mapping[str, Metric]) -> str:
    words = number(threshold, metric.unit)
    if question.threshold_metric is None:
        return words
    return f"{words} ({words_of(metrics[question.threshold_metric].label)})"


def _example(example: Example, metrics: Mapping[str, Metric], computed: Computed | None) -> list[Block]:
    rows: list[tuple[Runs, ...]] = []
    noted = any(claim.note or claim.correction for claim in example.claims)
    for claim in example.claims:
        said = number(claim.value, claim.unit, claim.high)
        here, apart = _beside(example, claim, metrics, computed)
        why = [Run(claim.note)]
        if claim.correction is not None:
            why += [Run(" " if claim.note else ""), Run(f"(no. {claim.correction})", "page:corrected-figures")]
        row: tuple[Runs, ...] = ((Run(claim.text),), (Run(said),), (Run(here, tone="bold"),), (apart,))
        rows.append((*row, tuple(why)) if noted else row)
    inputs = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in example.scenario.items())
    sources = "; ".join(dict.fromkeys(part for claim in example.claims for part in claim.source.split("; ")))
    columns = ("Figure", "Said", "Here", "Apart", *(("Why",) if noted else ()))
    return [
        Text((Run(example.title, tone="key"),)),
        Text((Run(inputs, tone="muted"),), close=True),
        Grid(columns, tuple(rows), frozenset({1, 2, 3})),
        Text((Run(f"Said by {sources}", tone="muted"),)),
    ]


def _beside(
    example: Example, claim: Claim, metrics: Mapping[str, Metric], computed: Computed | None
) -> tuple[str, Run]:
    """The computed figure, and how far it is from what was said."""
    if claim.metric is None:
        return "–", Run("")
    if computed is None:
        return "…", Run("")
    value = computed(example, claim)
    if value is None:
        return "–", Run("")
    here = number(value, metrics[claim.metric].unit)
    low, high = claim.value, claim.value if claim.high is None else claim.high
    if low * (1 - _CLOSE) <= value <= high * (1 + _CLOSE):
        return here, Run("✓", tone="good")
    nearest = low if value < low else high
    if not nearest:
        return here, Run("≠", tone="tight")
    ratio = value / nearest
    if ratio >= 2 or ratio <= 0.5:
        return here, Run(f"{ratio:.2g}×" if ratio < 100 else f"{ratio:,.0f}×", tone="tight")
    return here, Run(f"{(ratio - 1) * 100:+.0f} %".replace("-", "−"), tone="tight")
