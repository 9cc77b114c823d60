"""What can be wrong with facts: one line each, naming file, line and key and what would be right."""

from __future__ import annotations


class CatalogError(ValueError):
    """A catalog file that cannot be used: what, where, and what would be right."""
