"""The reference as one library: any term, page or tree by its key as an article, computed for a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from ..catalog import reference
from ..catalog.decision import walk
from ..catalog.errors import CatalogError
from ..catalog.reference_search import Hit, search
from ..engine.evaluate import Evaluation, Evaluator
from ..engine.metrics import metric
from ..scenario import ScenarioError, parse
from ..value_types import dataclass
from .article import Article, Wording
from .terms import BranchPath, decision_path, page_article, term_article, tree_article, walked_path, wording

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..catalog.reference_schema import Claim, Example, ReferencePage, Term

BUY_OR_RENT = "buy-or-rent"
"""The tree that the cost section walks itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the contents."""

    key: str
    title: str
    kind: str
    about: str


@dataclass(slots=True)
class Library:
    """Terms (the user's own included), pages and trees."""

    terms: Mapping[str, Term]
    problem: str = ""
    """Why the user's own terms are left out, or nothing."""
    _computed: dict[tuple[str, str], float | None] = field(default_factory=dict)
    _words: Wording | None = None

    @classmethod
    def open(cls, own: Path | None = None) -> Library:
        """The library with the terms of a file; a broken file is left out, and `problem` says what is wrong with it."""
        if own is None or not own.is_file():
            return cls(reference.glossary())
        try:
            return cls(reference.glossary(own))
        except CatalogError as error:
            return cls(reference.glossary(), str(error))

    def contents(self, query: str = "") -> tuple[Entry, ...]:
        """Everything in reading order: pages, trees, terms by name; with a query, what matches, best first."""
        if query.strip():
            hits = search(query, terms=self.terms)
            trees = [entry for entry in self._trees() if _holds(f"{entry.title} {entry.about}", query)]
            return (*trees, *(self._hit(hit) for hit in hits))
        pages = [Entry(f"page:{page.id}", page.title, "page", page.summary) for page in reference.pages()]
        terms = sorted(self.terms.values(), key=lambda entry: entry.name.casefold())
        return (
            *pages,
            *self._trees(),
            *(Entry(f"term:{term.id}", term.name, term.topic, term.short) for term in terms),
        )

    def title(self, key: str) -> str:
        """The title of an article. Raises CatalogError."""
        kind, _, name = key.partition(":")
        if kind == "term":
            return self._term(name).name
        return reference.page(name).title if kind == "page" else reference.tree(name).title

    def find(self, name: str) -> str:
        """The key behind a term, page or tree named in any way. Raises CatalogError with the nearest known term."""
        wanted = name.strip().casefold()
        for term in self.terms.values():
            names = (term.id, f"term:{term.id}", term.name.casefold(), *(alias.casefold() for alias in term.aliases))
            if wanted in names:
                return f"term:{term.id}"
        for kind, entries in (("page", reference.pages()), ("tree", reference.trees().values())):
            for entry in entries:
                if wanted in (entry.id, entry.title.casefold(), f"{kind}:{entry.id}"):
                    return f"{kind}:{entry.id}"
        return f"term:{reference.term(name).id}"

    def article(self, key: str, facts: Catalog, evaluation: Evaluation | None) -> Article:
        """An article; without an evaluation, what is computed is left open. Raises CatalogError for an unknown key."""
        kind, _, name = key.partition(":")
        if kind == "page":
            page = reference.page(name)
            ask = self._asker(facts) if evaluation is not None or not computes(page) else None
            return page_article(page, self._wording(), reference.metrics(), facts, ask)
        if kind == "tree":
            tree = reference.tree(name)
            if evaluation is None:
                return tree_article(tree, None)
            try:
                return tree_article(tree, self._path(name, facts, evaluation))
            except (ValueError, OSError) as error:
                return tree_article(tree, None, str(error))
        return term_article(self._term(name), self.terms, reference.pages(), self._wording())

    def slow(self, key: str) -> bool:
        """The article computes something: make it without an evaluation first."""
        kind, _, name = key.partition(":")
        return kind == "tree" or (kind == "page" and computes(reference.page(name)))

    # -- inside

    def _wording(self) -> Wording:
        if self._words is None:
            titles = {page.title: f"page:{page.id}" for page in reference.pages()}
            titles |= {tree.title: f"tree:{tree.id}" for tree in reference.trees().values()}
            self._words = wording(self.terms, titles)
        return self._words

    def _term(self, name: str) -> Term:
        return self.terms[name] if name in self.terms else reference.term(name)

    def _trees(self) -> list[Entry]:
        return [Entry(f"tree:{tree.id}", tree.title, "tree", tree.summary) for tree in reference.trees().values()]

    def _hit(self, hit: Hit) -> Entry:
        kind = "term" if hit.kind == "term" else "page"
        shown = self.terms[hit.id].topic if kind == "term" else hit.kind
        section = f"#{hit.section}" if hit.kind == "section" else ""
        return Entry(f"{kind}:{hit.id}{section}", hit.title, shown, hit.excerpt)

    def _path(self, name: str, facts: Catalog, evaluation: Evaluation) -> BranchPath:
        tree = reference.tree(name)
        if name == BUY_OR_RENT:
            return decision_path(evaluation.cost.decision, tree)
        found = walk(tree, lambda key, accelerator: metric(evaluation, key, accelerator))
        return walked_path(found, reference.metrics(), facts)

    def _asker(self, facts: Catalog) -> Callable[[Example, Claim], float | None]:
        # Examples have inputs of their own: what was computed for them holds whatever the scenario is.
        evaluator = Evaluator(facts)

        def ask(example: Example, claim: Claim) -> float | None:
            place = (example.id, claim.text)
            if place not in self._computed:
                self._computed[place] = claimed(example, claim, evaluator)
            return self._computed[place]

        return ask


def computes(page: ReferencePage) -> bool:
    """The page has worked examples."""
    return any(section.examples for section in page.sections)


def claimed(example: Example, claim: Claim, evaluator: Evaluator) -> float | None:
    """What the engine says to a claim of a worked example; None where it says nothing."""
    if claim.metric is None:
        return None
    try:
        scenario = parse({**example.scenario, **claim.scenario})
    except ScenarioError:
        return None
    return metric(evaluator(scenario), claim.metric, claim.accelerator)


def _holds(text: str, query: str) -> bool:
    return all(word in text.casefold() for word in query.casefold().split())
