"""Marks inside reference text: `[[term]]` links and `{{model.params_total:glm-5}}` figures; all else is plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from ..value_types import dataclass

FIGURES: Final[dict[str, tuple[str, ...]]] = {
    "model": ("name", "params_total", "params_active", "layers", "max_context", "license", "kv_bytes_per_token"),
    "accelerator": (
        "name",
        "memory_gib",
        "memory_gb",
        "bandwidth_gb_s",
        "bf16_tflops",
        "fp8_tflops",
        "fp4_tflops",
        "link_gb_s",
        "tdp_w",
    ),
}
"""Every figure a text may ask for, by the table it comes from."""

_MARK = re.compile(r"\[\[(?P<term>[^\[\]|]+)(?:\|(?P<text>[^\[\]]+))?\]\]|\{\{(?P<figure>[^{}]*)\}\}")
_FIGURE = re.compile(r"(?P<table>\w+)\.(?P<field>\w+):(?P<row>[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that the text leaves to the catalog: field `field` of row `row` in `table`."""

    table: str
    field: str
    row: str


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text: plain, a link to a term, or a figure still to be filled in."""

    text: str
    term: str = ""
    figure: Figure | None = None


class MarkError(ValueError):
    """A mark that cannot be read: what, and what would be right."""


def spans(text: str) -> Iterator[Span]:
    """The text in order, cut at its marks. Raises MarkError for a figure that is not on the list."""
    at = 0
    for mark in _MARK.finditer(text):
        if mark.start() > at:
            yield Span(text[at : mark.start()])
        if mark["term"] is not None:
            yield Span(mark["text"] or mark["term"].replace("-", " "), term=mark["term"])
        else:
            yield Span(mark[0], figure=_figure(mark["figure"]))
        at = mark.end()
    if at < len(text):
        yield Span(text[at:])


def links(text: str) -> tuple[str, ...]:
    """The ids of the terms that a text links to, in order."""
    return tuple(mark["term"] for mark in _MARK.finditer(text) if mark["term"] is not None)


def figures(text: str) -> tuple[Figure, ...]:
    """The figures that a text leaves to the catalog. Raises MarkError for one that is not on the list."""
    return tuple(span.figure for span in spans(text) if span.figure is not None)


def fill(text: str, value: Callable[[Figure], str]) -> str:
    """The text with each figure replaced by what `value` says; links stay marked."""
    return _MARK.sub(lambda mark: mark[0] if mark["figure"] is None else value(_figure(mark["figure"])), text)


def plain(text: str) -> str:
    """The text as it reads without marks: links by their words, figures left out."""
    return "".join(span.text for span in spans(text) if span.figure is None)


def _figure(inner: str) -> Figure:
    found = _FIGURE.fullmatch(inner.strip())
    if found is None:
        raise MarkError(f"{{{{{inner}}}}} is no figure; write {{{{model.params_total:glm-5}}}}")
    figure = Figure(found["table"], found["field"], found["row"])
    fields = FIGURES.get(figure.table)
    if fields is None:
        raise MarkError(f"{{{{{inner}}}}}: no table {figure.table!r}; use {' or '.join(FIGURES)}")
    if figure.field not in fields:
        raise MarkError(f"{{{{{inner}}}}}: {figure.table} has no {figure.field!r}; use one of {', '.join(fields)}")
    return figure
