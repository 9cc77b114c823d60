"""Labelled sentences, as this screen uses them."""

from ...widgets.prose import Prose, Says

__all__ = ["Prose", "Says"]
