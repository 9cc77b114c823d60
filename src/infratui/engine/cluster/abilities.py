"""What not every serving engine can do: caches shared out by tokens, splits, formats that it reads, hardware."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, Literal

from ...value_types import Keyed, dataclass
from ..figures.reason import Reason
from ..memory.runtime import version_key
from ..model.precision import Precision
from .hardware import Accelerator

POOLS = "pools"
"""Prefill and decode on pools of their own."""
ANY_CONTEXT = frozenset({"mla", "gqa"})
"""Kinds of attention whose cache some engine shares out by tokens."""


@dataclass(frozen=True, slots=True)
class EngineAbility:
    """One engine and what it can do."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str
    ability: Literal["mla", "gqa", "pools"]
    """A kind of attention whose cache is shared out by tokens, or pools of their own for prefill and decode."""
    since: str
    """The first version that can."""
    source: str


def able(rows: Iterable[EngineAbility], engine: str, version: str = "") -> frozenset[str]:
    """What an engine can do; without a version the newest is meant."""
    return frozenset(
        row.ability
        for row in rows
        if row.engine == engine and (not version or version_key(version) >= version_key(row.since))
    )


class Cannot(StrEnum):
    """Why an engine does not run something, however it is laid out."""

    HARDWARE = "does not run on it"
    UNPREDICTED = "is not predicted on it"
    GGUF = "reads GGUF files"
    WEIGHTS = "does not read such weights"
    CACHE = "has no such cache"


@dataclass(frozen=True, slots=True)
class EngineProfile(Keyed):
    """What an engine can do and what it leaves out. The defaults leave nothing out."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    engine: str = ""
    name: str = ""
    """As its makers write it."""
    tensor: bool = True
    """Cuts layers: tensor and expert parallelism."""
    stages: bool = True
    """Deals layers out to GPUs."""
    nodes: bool = True
    """Runs one copy over several servers."""
    not_on: tuple[str, ...] = ()
    """Generations of hardware that it does not run on."""
    not_predicted_on: tuple[str, ...] = ()
    """Those that it runs on, without a measured row to predict it by."""
    weights: tuple[str, ...] = ()
    """Ids or families of the weights that it reads; empty: any."""
    caches: tuple[str, ...] = ()
    """Ids of the caches that it keeps; empty: any."""
    source: str = ""
    can: frozenset[str] = frozenset()
    """What not all engines do, as the rows of its version say: `mla`, `gqa`, `pools`."""

    @property
    def without_sharing(self) -> EngineProfile:
        """The same where no cache is shared out by tokens."""
        return replace(self, can=self.can - ANY_CONTEXT)

    @property
    def reads_gguf(self) -> bool:
        """Files of llama.cpp are what it reads."""
        return "gguf" in self.weights

    def reads(self, precision: Precision) -> bool:
        """Weights that are stored so can be served."""
        return not self.weights or precision.id in self.weights or precision.family in self.weights

    def refusal(self, accelerator: Accelerator, precision: Precision, kv_precision: Precision) -> Reason | None:
        """Why it serves nothing of the kind; None: it may."""
        if accelerator.arch in self.not_on:
            return Reason(Cannot.HARDWARE, self.name, where=accelerator.name)
        if accelerator.arch in self.not_predicted_on:
            return Reason(Cannot.UNPREDICTED, self.name, where=accelerator.name)
        if not self.reads(precision):
            return Reason(Cannot.GGUF if self.reads_gguf else Cannot.WEIGHTS, self.name, where=precision.label)
        if self.caches and kv_precision.id not in self.caches:
            return Reason(Cannot.CACHE, self.name, where=kv_precision.label)
        return None


ANY_ENGINE = EngineProfile(can=ANY_CONTEXT)
PLAIN_ENGINE = EngineProfile()
