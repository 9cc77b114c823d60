"""The catalog that the app opens with: the user's own facts, or without them where one of their files is broken."""

from __future__ import annotations

from pathlib import Path

from ..catalog.errors import CatalogError
from ..catalog.load import Catalog, default_catalog


def open_facts() -> tuple[Catalog, str]:
    """The catalog; where one of the user's files is broken, the built-in facts and what is wrong."""
    try:
        return default_catalog().check(), ""
    except CatalogError as error:
        text = str(error).replace(str(Path.home()), "~")
        return Catalog(), f"{text}; your own facts are left out"
