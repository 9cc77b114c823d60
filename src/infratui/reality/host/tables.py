"""What listings call things: labels, device numbers, short names and instance types, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """A machine type of a cloud."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    cloud: str
    type: str
    gpus: int
    gpu: str
    """Catalog id, or a name that the catalog may not carry."""
    source: str


@dataclass(frozen=True, slots=True)
class HostTables:
    """The names that listings use."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    product_labels: tuple[str, ...]
    """Node labels that name the card, the surest first."""
    count_labels: tuple[str, ...]
    memory_labels: Mapping[str, str]
    """Node label → unit of its bare numbers."""
    resources: tuple[str, ...]
    """Extended resources that count cards."""
    device_numbers: Mapping[str, str]
    """PCI device number → name."""
    names: Mapping[str, str]
    """Short name in lower case → a name that the catalog knows."""
    instances: tuple[Instance, ...]
    source: str = ""

    def instance(self, name: str) -> Instance | None:
        """A machine type by its exact name, whatever its case; None: not known."""
        wanted = name.casefold()
        return next((entry for entry in self.instances if entry.type.casefold() == wanted), None) if wanted else None
