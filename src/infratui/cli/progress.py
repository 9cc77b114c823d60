"""Says on standard error how far something has come, where a person looks on and it takes longer than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

T = TypeVar("T")
_PATIENCE_S = 0.7
_EVERY_S = 0.1


def followed(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """The items as they come, counted on one line that is gone in the end. Ctrl+C reaches the caller."""
    began, told = time.monotonic(), 0.0
    try:
        for done, item in enumerate(items, start=1):
            yield item
            now = time.monotonic() - began
            if sys.stderr.isatty() and now > _PATIENCE_S and now - told > _EVERY_S:
                told = now
                click.echo(f"\r{done} of {count} {what}; ctrl+c stops ", nl=False, err=True)
    finally:
        if told:
            click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
