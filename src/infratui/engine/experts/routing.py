"""The mixture-of-experts router, simulated: scores per expert, the chosen ones, and the load that a batch leaves.

Scoring model. The affinity of token t to expert e at one layer is

    logit = ln(N · p_e) + G(t, e)        p_e ∝ rank_e^(−skew), ranks shuffled per seed and layer

with G standard Gumbel noise, so that the top-k of the logits is a draw of k experts without replacement with weights p:
skew 0 gives every k-subset the same chance, which is the assumption behind `experts_touched_closed_form`; a larger skew
gives Zipf popularity. A token that carries a word takes most of its noise from the word: the maximum of two shifted
Gumbel variables is again a Gumbel, so words make equal words route mostly alike without changing the distribution.

Randomness comes from `random.Random(text).random()` alone, the one method Python keeps stable: equal seeds give equal
routing on every machine.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Sequence
from enum import StrEnum

from infratui.engine.experts.load import (
    RoutingError,
    experts_touched,
    experts_touched_closed_form,
    load_entropy,
    load_imbalance,
    load_of,
)

from ...value_types import dataclass

WORD_SHARE = 0.85
"""Share of a token's noise that its word decides; the rest is its context (an assumption of the simulation)."""
MAX_SKEW = 5.0
"""Zipf exponents above this leave all the load on top_k experts."""
MAX_BATCH_TOKENS = 16_384
"""More tokens than one forward step takes; bounds the time of a simulation to a few seconds."""

_PUNCTUATION = ".,;:!?()\"'"


class RouterGate(StrEnum):
    """How logits become scores."""

    SOFTMAX = "softmax"
    """Probabilities over all experts; a group scores by its best expert (Mixtral, Qwen, DeepSeek-V2)."""
    SIGMOID_BIAS = "sigmoid_bias"
    """Independent scores; a load-balancing bias counts for the choice, never for the mix, and a group scores by its
    two best experts (DeepSeek-V3 report, 2.1.2; Kimi-K2 and GLM-5 follow it)."""


@dataclass(frozen=True, slots=True)
class RouterSpec:
    """One MoE layer's router, as the model's configuration describes it."""

    experts: int
    """Routed experts, N."""
    top_k: int
    """Routed experts per token, k."""
    gate: RouterGate = RouterGate.SOFTMAX
    groups: int = 1
    """Groups of experts (`n_group`); 1 means no group limit."""
    group_top_k: int = 1
    """Groups that a token may choose from (`topk_group`)."""
    shared_experts: int = 0
    """Experts that every token passes, outside the routing."""
    renormalise: bool = True
    """Whether the weights of the chosen are divided by their sum (`norm_topk_prob`)."""
    routed_scaling: float = 1.0
    """Factor on the routed sum (`routed_scaling_factor`)."""
    bias_correction: float = 0.5
    """Share of the popularity that the learned bias cancels (`sigmoid_bias` only): 1 balances the load whatever the
    skew, 0 does nothing. Half, because the traffic served is not the traffic the bias was learned on (assumed)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "gate", _gate(self.gate))
        if self.experts < 1:
            raise RoutingError(f"experts = {self.experts}: a router needs at least 1 expert")
        if not 1 <= self.top_k <= self.experts:
            raise RoutingError(f"top-k = {self.top_k}: choose 1 to {self.experts}, the number of experts")
        if self.groups < 1 or self.experts % self.groups:
            raise RoutingError(f"groups = {self.groups}: must divide the {self.experts} experts")
        if not 1 <= self.group_top_k <= self.groups:
            raise RoutingError(f"group top-k = {self.group_top_k}: choose 1 to {self.groups}, the number of groups")
        if self.top_k > self.group_top_k * self.group_size:
            raise RoutingError(
                f"top-k = {self.top_k}: {self.group_top_k} of {self.groups} groups hold only "
                f"{self.group_top_k * self.group_size} experts"
            )
        if self.shared_experts < 0:
            raise RoutingError(f"shared experts = {self.shared_experts}: must be 0 or more")
        if not (math.isfinite(self.routed_scaling) and self.routed_scaling > 0):
            raise RoutingError(f"routed scaling = {self.routed_scaling}: must be a positive number")
        if not 0 <= self.bias_correction <= 1:
            raise RoutingError(f"bias correction = {self.bias_correction}: must be between 0 and 1")

    @property
    def group_size(self) -> int:
        """Experts per group."""
        return self.experts // self.groups


@dataclass(frozen=True, slots=True)
class TokenRouting:
    """What the router decides for one token at one layer."""

    token_index: int
    layer: int
    word: str
    scores: tuple[float, ...]
    """Gate score of every expert: a probability (softmax), or 0 … 1 on its own (sigmoid); the weights come from it."""
    choice_scores: tuple[float, ...]
    """Score plus bias: what the top-k compares. Equals `scores` for softmax."""
    group_scores: tuple[float, ...]
    """Score of every group; one entry when the model does not limit groups."""
    groups_kept: tuple[int, ...]
    """Groups that the token may choose from, best first."""
    experts: tuple[int, ...]
    """The chosen experts, best first."""
    weights: tuple[float, ...]
    """Mixing weights in the order of `experts`; they sum to 1 when the model renormalises."""
    routed_scaling: float
    """Factor on the weighted sum of the experts' outputs, after the weights."""


@dataclass(frozen=True, slots=True)
class BatchRouting:
    """What one batch of tokens leaves on the experts of one layer."""

    layer: int
    chosen: tuple[tuple[int, ...], ...]
    """Experts of each token, best first."""
    load: tuple[int, ...]
    """Tokens per expert, before any capacity; sums to batch · k."""
    touched_expected: float
    """Experts touched if the choice were uniform: N·(1−(1−k/N)^B)."""
    capacity: int | None
    """Tokens that one expert takes: ceil(capacity factor · B·k/N); None without a limit."""
    overflow: tuple[int, ...]
    """Assignments per expert beyond its capacity."""
    tokens_dropped: int
    """Tokens that lost at least one of their experts to a full queue (earlier tokens go first)."""

    @property
    def batch(self) -> int:
        """Tokens in the batch."""
        return len(self.chosen)

    @property
    def touched(self) -> int:
        """Experts that at least one token chose: the ones whose weights the step reads."""
        return experts_touched(self.load)

    @property
    def imbalance(self) -> float:
        """Fullest expert over the mean."""
        return load_imbalance(self.load)

    @property
    def entropy(self) -> float:
        """Entropy of the load over ln N: 1 is even, 0 is one expert."""
        return load_entropy(self.load)

    @property
    def assignments_dropped(self) -> int:
        """Token–expert pairs beyond capacity."""
        return sum(self.overflow)


@dataclass(frozen=True, slots=True)
class LayerGate:
    """Popularity and bias of every expert at one layer: what all tokens share."""

    log_popularity: tuple[float, ...]
    """ln(N · p_e): 0 everywhere when balanced."""
    bias: tuple[float, ...]
    """Added to the sigmoid for the choice; 0 everywhere for softmax."""


def layer_gate(spec: RouterSpec, seed: int, layer: int, skew: float) -> LayerGate:
    """Zipf popularity of the experts, shuffled by seed and layer, and the bias that the model learned against it.

    The bias of expert e is `correction · (1/2 − sigmoid(ln(N·p_e)))`. With a correction of 1 every expert passes the
    same threshold with the same probability, which is where the training rule (raise the bias of the underloaded, lower
    that of the overloaded) comes to rest.
    """
    if layer < 0:
        raise RoutingError(f"layer = {layer}: must be 0 or more")
    if not 0 <= skew <= MAX_SKEW:
        raise RoutingError(f"skew = {skew}: choose 0 (balanced) to {MAX_SKEW:g} (Zipf exponent)")
    uniform = random.Random(f"popularity/{seed}/{layer}").random
    draws = [uniform() for _ in range(spec.experts)]
    by_rank = sorted(range(spec.experts), key=draws.__getitem__)
    total = math.fsum((rank + 1) ** -skew for rank in range(spec.experts))
    log_popularity = [0.0] * spec.experts
    for rank, expert in enumerate(by_rank):
        log_popularity[expert] = math.log(spec.experts / total) - skew * math.log(rank + 1)
    if spec.gate is RouterGate.SOFTMAX:
        return LayerGate(tuple(log_popularity), (0.0,) * spec.experts)
    bias = tuple(spec.bias_correction * (0.5 - _sigmoid(value)) for value in log_popularity)
    return LayerGate(tuple(log_popularity), bias)


def route_token(
    spec: RouterSpec, seed: int, token_index: int, layer: int, skew: float, *, word: str = ""
) -> TokenRouting:
    """Route one token at one layer.

    Args:
        token_index: Position in the sequence of tokens; equal (seed, layer, index, word) give equal routing.
        skew: 0 balanced, else the Zipf exponent of the experts' popularity.
        word: Text of the token; equal words route mostly alike at the same layer. Empty: tokens are independent.
    """
    if token_index < 0:
        raise RoutingError(f"token = {token_index}: must be 0 or more")
    gate = layer_gate(spec, seed, layer, skew)
    logits = _logits(gate, seed, token_index, layer, _word_noise(spec, seed, layer, word))
    keys = _choice_keys(spec, gate, logits)
    groups_kept, experts = _choose(spec, keys)
    if spec.gate is RouterGate.SOFTMAX:
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = math.fsum(powers)
        scores = choice_scores = tuple(power / total for power in powers)
    else:
        scores = tuple(_sigmoid(logit - _centre(spec)) for logit in logits)
        choice_scores = tuple(keys)
    picked = [scores[expert] for expert in experts]
    divisor = math.fsum(picked) if spec.renormalise else 1.0
    return TokenRouting(
        token_index=token_index,
        layer=layer,
        word=word,
        scores=scores,
        choice_scores=choice_scores,
        group_scores=_group_scores(spec, choice_scores),
        groups_kept=groups_kept,
        experts=experts,
        weights=tuple(score / divisor for score in picked),
        routed_scaling=spec.routed_scaling,
    )


def route_batch(
    spec: RouterSpec,
    seed: int,
    batch: int,
    layer: int,
    skew: float,
    *,
    first_token: int = 0,
    words: Sequence[str] = (),
    capacity_factor: float | None = None,
) -> BatchRouting:
    """Route `batch` tokens at one layer: the same choices as `route_token` for each, without the scores.

    Args:
        first_token: Index of the first token of the batch.
        words: Text of the tokens, repeated as often as needed: token i carries words[i mod len]. Repeated words touch
            fewer experts than the closed form says, since equal words route alike.
        capacity_factor: Tokens per expert as a multiple of the mean B·k/N (GShard, Switch Transformer); None: no limit.
    """
    if not 1 <= batch <= MAX_BATCH_TOKENS:
        raise RoutingError(f"batch = {batch}: choose 1 to {MAX_BATCH_TOKENS:,} tokens")
    if first_token < 0:
        raise RoutingError(f"first token = {first_token}: must be 0 or more")
    if capacity_factor is not None and not (math.isfinite(capacity_factor) and capacity_factor > 0):
        raise RoutingError(f"capacity factor = {capacity_factor}: must be a positive number, or none")
    gate = layer_gate(spec, seed, layer, skew)
    noise = {word: _word_noise(spec, seed, layer, word) for word in set(words)}
    chosen = []
    for index in range(first_token, first_token + batch):
        word_noise = noise[words[index % len(words)]] if words else None
        keys = _choice_keys(spec, gate, _logits(gate, seed, index, layer, word_noise))
        chosen.append(_choose(spec, keys)[1])
    load = load_of(spec.experts, chosen)
    capacity = expert_capacity(spec, batch, capacity_factor)
    return BatchRouting(
        layer=layer,
        chosen=tuple(chosen),
        load=load,
        touched_expected=experts_touched_closed_form(spec.experts, spec.top_k, batch),
        capacity=capacity,
        overflow=tuple(0 if capacity is None else max(0, tokens - capacity) for tokens in load),
        tokens_dropped=_tokens_dropped(spec.experts, chosen, capacity),
    )


def expert_capacity(spec: RouterSpec, batch: int, capacity_factor: float | None) -> int | None:
    """Tokens one expert takes in a batch: ceil(capacity factor · B·k/N); None without a factor."""
    if capacity_factor is None:
        return None
    return math.ceil(capacity_factor * batch * spec.top_k / spec.experts)


def _gate(value: str) -> RouterGate:
    try:
        return RouterGate(value)
    except ValueError:
        raise RoutingError(f"gate = {value!r}: choose one of {', '.join(gate.value for gate in RouterGate)}") from None


def _exponentials(key: str, count: int) -> list[float]:
    # Exponential variables E; −ln E is standard Gumbel. 1 − u keeps the logarithm's argument above 0.
    uniform, log = random.Random(key).random, math.log
    return [-log(1.0 - uniform()) for _ in range(count)]


def _word_noise(spec: RouterSpec, seed: int, layer: int, word: str) -> list[float] | None:
    text = word.strip(_PUNCTUATION).casefold()
    return _exponentials(f"word/{seed}/{layer}/{text}", spec.experts) if text else None


def _logits(gate: LayerGate, seed: int, token_index: int, layer: int, word_noise: list[float] | None) -> list[float]:
    noise = _exponentials(f"token/{seed}/{layer}/{token_index}", len(gate.log_popularity))
    if word_noise is not None:
        # The smaller of E₁/ρ and E₂/(1−ρ) is again a standard exponential: the word wins a share ρ of the races.
        context = 1 - WORD_SHARE
        noise = [min(word / WORD_SHARE, own / context) for word, own in zip(word_noise, noise, strict=True)]
    log, tiny = math.log, 2.0**-60
    return [shift - log(e or tiny) for shift, e in zip(gate.log_popularity, noise, strict=True)]


def _centre(spec: RouterSpec) -> float:
    # The k-th best of N Gumbel variables lies near ln(N/k): there a sigmoid score is 1/2.
    return math.log(spec.experts / spec.top_k)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _choice_keys(spec: RouterSpec, gate: LayerGate, logits: list[float]) -> list[float]:
    # Softmax keeps the order of the logits, so they decide without the exponentials.
    if spec.gate is RouterGate.SOFTMAX:
        return logits
    centre, exp = _centre(spec), math.exp
    return [1 / (1 + exp(centre - logit)) + bias for logit, bias in zip(logits, gate.bias, strict=True)]


def _group_scores(spec: RouterSpec, keys: Sequence[float]) -> tuple[float, ...]:
    size = spec.group_size
    blocks = [keys[start : start + size] for start in range(0, spec.experts, size)]
    if spec.gate is RouterGate.SOFTMAX:
        return tuple(max(block) for block in blocks)
    return tuple(sum(heapq.nlargest(2, block)) for block in blocks)


def _choose(spec: RouterSpec, keys: Sequence[float]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Groups kept and experts chosen, best first; ties go to the lower index (`nlargest` is stable)."""
    if spec.groups == 1:
        return (0,), tuple(heapq.nlargest(spec.top_k, range(spec.experts), key=keys.__getitem__))
    group_scores = _group_scores(spec, keys)
    kept = heapq.nlargest(spec.group_top_k, range(spec.groups), key=group_scores.__getitem__)
    size = spec.group_size
    allowed = [expert for group in sorted(kept) for expert in range(group * size, (group + 1) * size)]
    return tuple(kept), tuple(heapq.nlargest(spec.top_k, allowed, key=keys.__getitem__))


def _tokens_dropped(experts: int, chosen: Iterable[Sequence[int]], capacity: int | None) -> int:
    if capacity is None:
        return 0
    queued = [0] * experts
    dropped = 0
    for token in chosen:
        for expert in token:
            queued[expert] += 1
        dropped += any(queued[expert] > capacity for expert in token)
    return dropped
