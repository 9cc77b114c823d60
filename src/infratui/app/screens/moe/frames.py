"""What the routing panel tells, frame by frame: a token through the router, and a batch as it grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from ....engine.experts.load import LoadWindow, load_entropy, load_imbalance
from ....engine.experts.router import RouterResult
from ....engine.experts.routing import BatchRouting, RouterGate, RouterSpec, TokenRouting, route_token
from ....value_types import dataclass

WINDOW = 64
"""Tokens whose load the heat map shows."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""Names of the chosen experts, best first; beyond, they share a `+`."""


class RouterPhase(StrEnum):
    """What happens to a token, in order."""

    ENTER = "enter"
    RISE = "rise"
    SCORE = "score"
    GROUPS = "groups"
    CHOOSE = "choose"
    COMPUTE = "compute"
    MIX = "mix"


@dataclass(frozen=True, slots=True)
class TokenFrame:
    """One moment of one token."""

    number: int
    place: int
    """Index of the word in the text."""
    phase: RouterPhase
    routing: TokenRouting
    window: LoadWindow
    """The last tokens; with this one as soon as its experts compute."""
    caption: str

    @property
    def chosen(self) -> tuple[int, ...]:
        """The experts chosen so far, best first: none before the choice."""
        return self.routing.experts if self.phase in (RouterPhase.CHOOSE, RouterPhase.COMPUTE, RouterPhase.MIX) else ()

    @property
    def rise(self) -> float:
        """How far the bars of the scores have risen, 0 to 1."""
        return {RouterPhase.ENTER: 0.0, RouterPhase.RISE: 0.5}.get(self.phase, 1.0)

    def letter(self, expert: int) -> str:
        """The letter of a chosen expert; empty for any other."""
        return letter_of(self.chosen.index(expert)) if expert in self.chosen else ""


def letter_of(rank: int) -> str:
    """`A` for the best of the chosen experts, `B` for the second."""
    return LETTERS[rank] if rank < len(LETTERS) else "+"


class TokenReel:
    """All frames of a text: every word passes one layer's router. Frames follow from spec, seed and words alone.

    >>> TokenReel(RouterSpec(8, 2), 7, 0, 0.5, ("one", "two")).frame(0).phase
    <Phase.ENTER: 'enter'>
    """

    def __init__(
        self, spec: RouterSpec, seed: int, layer: int, skew: float, words: Sequence[str], gpus: int = 1
    ) -> None:
        self.spec, self.seed, self.layer, self.skew = spec, seed, layer, skew
        self.words = tuple(words)
        self.gpus = gpus
        self.phases = tuple(phase for phase in RouterPhase if spec.groups > 1 or phase is not RouterPhase.GROUPS)
        self._routed: dict[int, TokenRouting] = {}

    def __len__(self) -> int:
        return len(self.words) * len(self.phases)

    def last_of(self, token: int) -> int:
        """Number of the last frame of a token."""
        return (token + 1) * len(self.phases) - 1

    def routing(self, place: int) -> TokenRouting:
        """How the word at a place is routed."""
        if place not in self._routed:
            word = self.words[place]
            self._routed[place] = route_token(self.spec, self.seed, place, self.layer, self.skew, word=word)
        return self._routed[place]

    def frame(self, number: int) -> TokenFrame:
        """One frame; numbers beyond the text start over, with a cold heat map."""
        place, step = divmod(number % len(self), len(self.phases))
        phase = self.phases[step]
        routing = self.routing(place)
        counted = place + (phase in (RouterPhase.COMPUTE, RouterPhase.MIX))
        first = max(0, counted - WINDOW)
        chosen = tuple(self.routing(at).experts for at in range(first, counted))
        window = LoadWindow(self.spec.experts, WINDOW, chosen)
        return TokenFrame(number % len(self), place, phase, routing, window, self._caption(place, phase, routing))

    def _caption(self, place: int, phase: RouterPhase, routing: TokenRouting) -> str:
        spec, word = self.spec, self.words[place]
        match phase:
            case RouterPhase.ENTER:
                return f"“{word}” arrives at the router of layer {self.layer}"
            case RouterPhase.RISE | RouterPhase.SCORE:
                how = "a softmax" if spec.gate is RouterGate.SOFTMAX else "a sigmoid each"
                bias = " plus a learned bias" if spec.bias_correction and spec.gate is RouterGate.SIGMOID_BIAS else ""
                return f"the gate scores all {spec.experts} experts: {how}{bias}"
            case RouterPhase.GROUPS:
                kept = " ".join(str(group) for group in sorted(routing.groups_kept))
                return f"{spec.group_top_k} of {spec.groups} groups stay open ({kept}), the others are out"
            case RouterPhase.CHOOSE:
                return f"the top {spec.top_k} are chosen{self._again(place, routing)}"
            case RouterPhase.COMPUTE:
                size = spec.experts // self.gpus
                homes = len({expert // size for expert in routing.experts})
                where = f" on {homes} of {self.gpus} GPUs" if self.gpus > 1 else ""
                shared = f", beside {spec.shared_experts} shared" if spec.shared_experts else ""
                return f"{spec.top_k} experts compute{where}{shared}; {spec.experts - spec.top_k} only take up memory"
        scale = f", times {spec.routed_scaling:g}" if spec.routed_scaling != 1 else ""
        total = "weights that sum to 1" if spec.renormalise else "their own scores"
        return f"the outputs are mixed back by {total}{scale}"

    def _again(self, place: int, routing: TokenRouting) -> str:
        word = _bare(self.words[place])
        before = next((at for at in range(place - 1, -1, -1) if _bare(self.words[at]) == word), None)
        if before is None:
            return ""
        same = len(set(routing.experts) & set(self.routing(before).experts))
        return f"; “{word}” has been here before, with {same} of the same {self.spec.top_k}"


def _bare(word: str) -> str:
    return word.strip(".,;:!?()\"'").casefold()


@dataclass(frozen=True, slots=True)
class BatchFrame:
    """The first tokens of a batch, and what they touch."""

    number: int
    routing: BatchRouting
    imbalance: float
    entropy: float
    caption: str

    @property
    def tokens(self) -> int:
        return self.routing.batch


class BatchReel:
    """A batch that doubles until it is whole: one frame per size."""

    def __init__(self, router: RouterResult) -> None:
        self.router = router
        self.sizes = tuple(_doubling(router.batch.batch))
        self._frames: dict[int, BatchFrame] = {}

    def __len__(self) -> int:
        return len(self.sizes)

    def frame(self, number: int) -> BatchFrame:
        """One frame; numbers beyond the last start over."""
        at = number % len(self)
        if at not in self._frames:
            size, spec = self.sizes[at], self.router.spec
            found = self.router.first(size)
            tokens = "1 token touches" if size == 1 else f"{size:,} tokens touch"
            caption = (
                f"{tokens} {found.touched} of {spec.experts} experts ({found.touched / spec.experts:.0%}); "
                f"an even choice would touch {found.touched_expected:.1f}"
            )
            load = found.load
            self._frames[at] = BatchFrame(at, found, load_imbalance(load), load_entropy(load), caption)
        return self._frames[at]


def _doubling(batch: int) -> Iterator[int]:
    size = 1
    while size < batch:
        yield size
        size *= 2
    yield batch
