"""Which accelerator of the catalog a reported card is: never a neighbour of an unknown one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...catalog.matching import match_accelerator
from ...engine.cluster.hardware import Accelerator
from ...engine.facts import Facts, UnknownFactError
from ...engine.figures.units import MIB
from .reading import Card

_NEAR = 0.04
"""Reported sizes of one card differ by driver, ECC and what firmware keeps."""
_CUT = ("...", "…")


def identify(card: Card, facts: Facts) -> tuple[str | None, str]:
    """Catalog id of a card, and why there is none. Its memory must agree with the catalog's where it is reported."""
    name = card.known_as or re.sub(r"[-_]", " ", card.name).strip()
    if not name:
        return None, ""
    if name.endswith(_CUT):
        return _of_beginning(name, card.memory_mib, facts.accelerators())
    try:
        size = f" ({card.memory_mib} MiB)" if card.memory_mib and not card.known_as else ""
        found = facts.accelerator(f"{name}{size}")
    except (UnknownFactError, ValueError):
        try:
            found = facts.accelerator(name)
        except (UnknownFactError, ValueError):
            return None, f"{card.name} is not in the catalog; its memory is kept"
    if card.memory_mib is None:
        others = _sizes(name, facts.accelerators())
        if others and not card.known_as and not _states_size(name):
            return None, f"{card.name} comes with {' or '.join(others)}; nothing here tells which"
        return found.id, ""
    if abs(card.memory_mib * MIB / found.memory - 1) > _NEAR:
        return None, (
            f"{card.name} reports {card.memory_mib:,} MiB, the catalog's {found.name} has "
            f"{found.memory / MIB:,.0f}; not taken for it"
        )
    return found.id, ""


def _states_size(name: str) -> bool:
    return re.search(r"\d+\s*g", name.lower()) is not None


def _sizes(name: str, every: Sequence[Accelerator]) -> list[str]:
    """The memory sizes of the parts that a name fits, where there are several."""
    sizes = {round(entry.memory_marketing_gb) for entry in every if match_accelerator(name, (entry,))}
    return [f"{size} GB" for size in sorted(sizes)] if len(sizes) > 1 else []


def _words(name: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", name.lower())
    return [word for word in words if word not in ("nvidia", "tesla", "geforce", "amd", "instinct")]


def _of_beginning(name: str, memory_mib: int | None, every: Sequence[Accelerator]) -> tuple[str | None, str]:
    words = _words(name.rstrip(".…"))
    fits = [
        entry
        for entry in every
        if any(_begins(words, _words(known)) for known in (entry.name, entry.id, *entry.aliases))
        and (memory_mib is None or abs(memory_mib * MIB / entry.memory - 1) <= _NEAR)
    ]
    if len(fits) == 1:
        return fits[0].id, ""
    if fits:
        return None, f"{name} may be {' or '.join(entry.name for entry in fits[:3])}; nvidia-smi -L prints whole names"
    return None, f"{name} is cut short, and no card of the catalog begins so with this memory"


def _begins(cut: list[str], known: list[str]) -> bool:
    """All words of a cut name stand in a known one, the last of them as a beginning."""
    if not cut:
        return False
    return set(cut[:-1]) <= set(known) and any(word.startswith(cut[-1]) for word in known)
