"""What every screen and report says of the workload, in parts that give way where there is little room."""

from __future__ import annotations

from ..value_types import dataclass

FAR = 4
"""Full contexts that exceed the tokens of a request this many times are worth a colour: memory and money differ."""


@dataclass(frozen=True, slots=True)
class WorkloadWords:
    """What is served, for whom and on what, in parts; those with a high `keep` give way where there is little room."""

    parts: tuple[tuple[str, int], ...]
    tone: str = ""
    """`tight` where memory is sized for far longer sequences than speed and money."""

    def text(self, width: int) -> str:
        """As many parts as fit."""
        kept = list(self.parts)
        while len(kept) > 1 and len(_SEPARATOR.join(part for part, _ in kept)) > width:
            kept.remove(max(kept, key=lambda entry: entry[1]))
        return _SEPARATOR.join(part for part, _ in kept)


_SEPARATOR = " · "
