"""Loads the reference: glossary, pages, decision trees and metrics, lazily and checked; the user's own terms too."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from . import markup, yaml_io
from .built_in import DATA
from .errors import CatalogError
from .reference_schema import Metric, ReferencePage, Term, Tree

_T = TypeVar("_T", bound=BaseModel)


def glossary(extra: Path | None = None) -> Mapping[str, Term]:
    """All terms by id, in file order; those of `extra`, a file of the user's, add to or replace the built-in ones.

    Raises CatalogError in one line: file and line, term, key, and what would be right.
    """
    built_in = _glossary()
    if extra is None:
        return built_in
    entries = _entries(yaml_io.read(extra), str(extra))
    own: dict[str, Term] = {}
    for number, entry in enumerate(entries):
        term = _validated(Term, entry, extra, (number,), _label(entry, number))
        if term.id in own:
            raise _wrong(extra, (number,), f"term {term.id!r} appears twice; keep one")
        own[term.id] = term.model_copy(update={"origin": str(extra)})
    merged = {**built_in, **own}
    for number, term in enumerate(own.values()):
        for field, target in _targets(term):
            if target not in merged:
                key = yaml_io.printable(target, 60)
                raise _wrong(extra, (number, field), f"term {term.id!r} links unknown {key!r}{_near(target, merged)}")
    return merged


def term(name: str, extra: Path | None = None) -> Term:
    """A term by id, name or alias, whatever the case. Raises CatalogError with the nearest known id."""
    terms = glossary(extra)
    found = terms.get(name) or terms.get(_names(terms).get(name.casefold().strip(), ""))
    if found is None:
        raise CatalogError(f"no term {yaml_io.printable(name, 60)!r}{_near(name, terms)}")
    return found


@cache
def pages() -> tuple[ReferencePage, ...]:
    """All reference pages in reading order."""
    found = [
        _validated(ReferencePage, yaml_io.read_built_in(path), path, (), path.name)
        for path in sorted((DATA / "pages").glob("*.yaml"))
    ]
    return tuple(sorted(found, key=lambda entry: (entry.order, entry.id)))


def page(name: str) -> ReferencePage:
    """A page by id. Raises CatalogError with the nearest known id."""
    found = {entry.id: entry for entry in pages()}
    if name not in found:
        raise CatalogError(f"no page {yaml_io.printable(name, 60)!r}{_near(name, found)}")
    return found[name]


@cache
def trees() -> Mapping[str, Tree]:
    """All decision trees by id."""
    return {entry.id: entry for entry in _table(Tree, "trees.yaml")}


def tree(name: str) -> Tree:
    """A decision tree by id. Raises CatalogError with the nearest known id."""
    if name not in trees():
        raise CatalogError(f"no decision tree {yaml_io.printable(name, 60)!r}{_near(name, trees())}")
    return trees()[name]


@cache
def metrics() -> Mapping[str, Metric]:
    """The quantities that trees and worked examples may name, by key."""
    return {entry.key: entry for entry in _table(Metric, "metrics.yaml")}


@cache
def _glossary() -> Mapping[str, Term]:
    return {entry.id: entry for entry in _table(Term, "glossary.yaml")}


def _table(schema: type[_T], name: str) -> list[_T]:
    path = DATA / name
    entries = _entries(yaml_io.read_built_in(path), name)
    return [_validated(schema, entry, path, (number,), _label(entry, number)) for number, entry in enumerate(entries)]


def _entries(content: Any, name: str) -> list[Any]:
    if content is None:
        return []
    if not isinstance(content, list):
        raise CatalogError(f"{yaml_io.printable(name)}: not a list; begin each entry with `- id:`")
    return content


def _validated(schema: type[_T], entry: Any, path: Path, at: tuple[yaml_io.Key, ...], label: str) -> _T:
    try:
        return schema.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = tuple(key for key in first["loc"] if isinstance(key, (str, int)))
        key = ".".join(str(part) for part in where)
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = f"unknown key{_near(str(where[-1]), schema.model_fields)}"
        raise _wrong(path, (*at, *where), f"{label}: {key + ': ' if key else ''}{message}") from None


def _wrong(path: Path, at: tuple[yaml_io.Key, ...], message: str) -> CatalogError:
    line = yaml_io.line_of(yaml_io.read_text(path), at)
    return CatalogError(f"{yaml_io.printable(str(path))}:{line}: {yaml_io.printable(message, 300)}")


def _label(entry: Any, number: int) -> str:
    name = entry.get("id", entry.get("key")) if isinstance(entry, dict) else None
    return yaml_io.printable(str(name), 60) if name else f"entry {number + 1}"


def _targets(entry: Term) -> list[tuple[str, str]]:
    linked = [("definition", target) for target in markup.links(entry.definition)]
    return linked + [("related", target) for target in entry.related]


def _names(terms: Mapping[str, Term]) -> dict[str, str]:
    # Names win over aliases, the first of two equal aliases wins.
    found: dict[str, str] = {}
    for entry in terms.values():
        for name in entry.aliases:
            found.setdefault(name.casefold(), entry.id)
    return found | {entry.name.casefold(): entry.id for entry in terms.values()}


def _near(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name[:60], known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {len(known)}, none of them near"
