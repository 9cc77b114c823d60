"""The rule of thumb's deployment: bytes over a card's gigabytes, the ladder of splits, and what it cannot know."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ...value_types import dataclass
from ..figures.derivation import Derivation
from ..figures.units import GIB
from ..memory import rule_of_thumb
from ..memory.rule_of_thumb import RuleOfThumbMemory, RuleOfThumbSplit
from ..model.architecture import Compressed, GroupedQuery, Latent, Model, Recurrent, RuleOfThumb, layer_order

if TYPE_CHECKING:
    from ..case import Case
    from ..cluster.hardware import Accelerator


class UnknownCache(StrEnum):
    """A cache that the rule has no arithmetic for: it counts 2 × layers × heads × width × tokens, and no more."""

    LATENT = "latent"
    COMPRESSED = "compressed"
    STATE = "state"
    WINDOW = "window"
    NOTHING = "nothing"
    """None is kept."""


def unknown_cache(model: Model) -> UnknownCache | None:
    """Why the rule knows no cache of this model; None: it does, as for every classic size."""
    if model.rule_of_thumb:
        return None
    if not model.answers:
        return UnknownCache.NOTHING
    found = set()
    for layer in layer_order(model):
        match layer.attention:
            case Latent():
                found.add(UnknownCache.LATENT)
            case Compressed():
                found.add(UnknownCache.COMPRESSED)
            case Recurrent():
                found.add(UnknownCache.STATE)
            case GroupedQuery(window=int()):
                found.add(UnknownCache.WINDOW)
            case _:
                pass
    return next((kind for kind in UnknownCache if kind in found), None)


@dataclass(frozen=True, slots=True)
class ThumbSizing:
    """One model on one kind of card, as the rule counts. A gigabyte of a card holds 2^30 bytes there."""

    model: Model
    figures: RuleOfThumb
    accelerator: Accelerator
    gpus: int
    """At hand."""
    users: int
    context: int
    bytes_per_parameter: float
    kv_bytes_per_element: float
    weights: int
    memory: RuleOfThumbMemory | None
    """All users at full context with 15 % on top; None: the cache is one that the rule does not know."""
    unknown: UnknownCache | None
    derivation: Derivation | None

    @property
    def card_gb(self) -> float:
        """Gigabytes of one card as it is sold: 80 for an 80 GB card."""
        return self.accelerator.memory_marketing_gb

    @property
    def card(self) -> int:
        """The same in bytes."""
        return round(self.card_gb * GIB)

    @property
    def split(self) -> RuleOfThumbSplit:
        """The ladder on the GPUs at hand: sized on the weights alone."""
        return rule_of_thumb.split(self.weights, self.gpus, self.card_gb)

    @property
    def least(self) -> int:
        """GPUs that hold everything; where the cache is unknown, the weights."""
        held = self.memory.total if self.memory else self.weights
        return rule_of_thumb.split(held, 1, self.card_gb).min_gpus

    @property
    def holds(self) -> bool:
        """The GPUs at hand do."""
        return self.gpus >= self.least

    @property
    def free_per_gpu(self) -> int:
        """Bytes of each card that are left; negative where it is short."""
        held = self.memory.total if self.memory else self.weights
        return self.card - -(-held // self.gpus)

    @property
    def room(self) -> float:
        """Bytes that caches may take on the GPUs at hand."""
        return self.gpus * self.card / 1.15 - self.weights

    @property
    def max_users(self) -> int | None:
        """Users of this context; None: nobody knows their caches."""
        if self.memory is None:
            return None
        each = self.memory.kv_cache / self.users
        return max(0, math.floor(self.room / each + 1e-9)) if each else self.users

    @property
    def max_context(self) -> int | None:
        """Tokens that each user may have."""
        if self.memory is None:
            return None
        token = self.memory.kv_cache / self.context
        return max(0, math.floor(self.room / token + 1e-9)) if token else self.context

    def cached_in(self, kv_bytes_per_element: float) -> RuleOfThumbMemory | None:
        """Memory with caches of another width; None: the rule knows no cache of this model."""
        if self.memory is None:
            return None
        return replace(self, kv_bytes_per_element=kv_bytes_per_element).with_load(self.users, self.context)

    def with_load(self, users: int, context: int) -> RuleOfThumbMemory:
        """Memory for other users and contexts, where the cache is known."""
        return rule_of_thumb.memory(self.figures, self.bytes_per_parameter, self.kv_bytes_per_element, context, users)


def sized(case: Case) -> ThumbSizing:
    """The scenario's model as the rule counts it, remembered."""
    return case.part("thumb", size)


def size(case: Case) -> ThumbSizing:
    """Count weights, cache and overhead of the scenario's model on its own GPUs."""
    model, load = case.model, case.load
    figures, unknown = rule_of_thumb.figures(model), unknown_cache(model)
    each, cached = case.precision.nominal_bytes, case.kv_precision.nominal_bytes
    found = rule_of_thumb.memory(figures, each, cached, load.context, load.users, explain=True)
    return ThumbSizing(
        model=model,
        figures=figures,
        accelerator=case.accelerator,
        gpus=case.gpus,
        users=load.users,
        context=load.context,
        bytes_per_parameter=each,
        kv_bytes_per_element=cached,
        weights=found.weights,
        memory=None if unknown else found,
        unknown=unknown,
        derivation=None if unknown else found.derivation,
    )
