"""What the engine asks of a catalog. The engine never opens a file: it is handed something of this shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .architecture import Model
from .hardware import Accelerator, Link
from .precision import Precision
from .runtime_memory import RuntimeTable


class UnknownFactError(ValueError):
    """A name that the catalog does not carry: what, and the nearest names."""


class Facts(Protocol):
    """A catalog, as the engine sees it. Lookups raise UnknownFactError with the nearest known names."""

    def model(self, name: str) -> Model:
        """By id, alias, Hugging Face id or path of a checkpoint."""

    def precision(self, name: str) -> Precision: ...

    def precisions(self) -> Sequence[Precision]: ...

    def accelerator(self, name: str) -> Accelerator:
        """By id or leniently by name: `H100 80GB HBM3`, `H100-SXM-80GB`, `h100`."""

    def accelerators(self) -> Sequence[Accelerator]: ...

    def link(self, name: str) -> Link: ...

    def runtime(self) -> RuntimeTable:
        """Fitted memory constants of the serving engines."""
