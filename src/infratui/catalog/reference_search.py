"""Finds terms, pages and sections by what a person types: every character is plain text, small slips are forgiven."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Literal

from ..value_types import dataclass
from . import markup, reference
from .reference_schema import PageSection, ReferencePage, Term

MAX_QUERY = 100
"""Characters of a query that are looked at."""

_EXACT, _START, _WORD, _PART, _ID, _TEXT = 100.0, 80.0, 60.0, 45.0, 40.0, 20.0
_FUZZY_RATIO = 0.72
_FUZZY = 15.0
_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """One result, best first."""

    kind: Literal["term", "page", "section"]
    id: str
    """Id of the term or page."""
    title: str
    excerpt: str
    score: float
    section: int = 0
    """Index of the section within the page."""


def search(
    query: str,
    *,
    terms: Mapping[str, Term] | None = None,
    pages: Iterable[ReferencePage] | None = None,
    limit: int = 50,
) -> list[Hit]:
    """Terms, pages and sections that match all words of the query, best first; all terms by name for an empty one.

    >>> search("kv cache")[0].id
    'kv-cache'
    """
    terms = reference.glossary() if terms is None else terms
    words = _fold(query[:MAX_QUERY]).split()
    if not words:
        names = sorted(terms.values(), key=lambda entry: _fold(entry.name))
        return [Hit("term", entry.id, entry.name, entry.short, 0.0) for entry in names][:limit]
    pages = reference.pages() if pages is None else pages
    hits = [hit for hit in (*_in_terms(words, terms), *_in_pages(words, pages)) if hit.score > 0]
    hits.sort(key=lambda hit: (-hit.score, len(hit.title), hit.title))
    return hits[:limit]


def _in_terms(words: list[str], terms: Mapping[str, Term]) -> Iterator[Hit]:
    phrase = " ".join(words)
    for entry in terms.values():
        names = [_fold(name) for name in (entry.name, *entry.aliases)]
        text = _fold(f"{entry.short} {markup.plain(entry.definition)} {entry.formula} {entry.typical}")
        best = _name_score(phrase, names, entry.id)
        if not best and all(any(word in name for name in names) or word in text for word in words):
            best = _TEXT + (5.0 if any(word in name for word in words for name in names) else 0.0)
        if not best:
            best = _fuzzy(phrase, names)
        yield Hit("term", entry.id, entry.name, entry.short, best)


def _in_pages(words: list[str], pages: Iterable[ReferencePage]) -> Iterator[Hit]:
    phrase = " ".join(words)
    for page in pages:
        title = _fold(page.title)
        # A page stands a little behind a term that matches as well: the term is the shorter answer.
        score = _name_score(phrase, [title], page.id) or (_TEXT if _all_in(words, title, _fold(page.summary)) else 0.0)
        yield Hit("page", page.id, page.title, page.summary, score * 0.95)
        for number, section in enumerate(page.sections):
            heading = _fold(section.title)
            text = _section_text(section)
            folded = _fold(text)
            score = _name_score(phrase, [heading], "") or (_TEXT if _all_in(words, heading, folded) else 0.0)
            if score:
                name = f"{page.title} – {section.title}"
                yield Hit("section", page.id, name, _excerpt(text, words), score * 0.9, number)


def _name_score(phrase: str, names: list[str], entry_id: str) -> float:
    best = _ID if entry_id and phrase.replace(" ", "-") in entry_id else 0.0
    for number, name in enumerate(names):
        if name == phrase:
            score = _EXACT
        elif name.startswith(phrase):
            score = _START
        elif f" {phrase}" in name:
            score = _WORD
        elif phrase in name:
            score = _PART
        else:
            continue
        # An alias counts slightly less than the name itself.
        best = max(best, score - (0.5 if number else 0.0))
    return best


def _fuzzy(phrase: str, names: list[str]) -> float:
    if len(phrase) < 4:
        return 0.0
    ratio = 0.0
    for name in names:
        matcher = SequenceMatcher(None, name, phrase, autojunk=False)
        if matcher.real_quick_ratio() > _FUZZY_RATIO and matcher.quick_ratio() > _FUZZY_RATIO:
            ratio = max(ratio, matcher.ratio())
    return _FUZZY * ratio if ratio > _FUZZY_RATIO else 0.0


def _all_in(words: list[str], *texts: str) -> bool:
    return all(any(word in text for text in texts) for word in words)


def _section_text(section: PageSection) -> str:
    cells = [cell for row in section.table.rows for cell in row] if section.table else []
    claims = [claim.text for example in section.examples for claim in example.claims]
    return markup.plain(" ".join([section.body, *cells, *claims])).replace("\n", " ")


def _excerpt(text: str, words: list[str]) -> str:
    folded = _fold(text)
    found = [at for at in (folded.find(word) for word in words) if at >= 0]
    # Folding may change the length of exotic text; an excerpt that is off by a few characters does no harm.
    start = max(0, min(found, default=0) - _EXCERPT // 4)
    cut = text[start : start + _EXCERPT].strip()
    return ("…" if start else "") + cut + ("…" if start + _EXCERPT < len(text) else "")


def _fold(text: str) -> str:
    """Lower case without accents; hyphens and underscores read as spaces."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        " " if char in "-_\t\n" else char for char in folded if not unicodedata.combining(char) and char != "\x00"
    )
