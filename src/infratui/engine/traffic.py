"""What a layout sends over its links for every token, and how long any link would take for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .architecture import Mixture, Model, layer_order
from .derivation import Basis, Derivation, Formula, Ledger, Unit
from .hardware import Link
from .layout import Layout

_ACTIVATION_BYTES = 2

ALL_REDUCE_BYTES = Formula(
    "all-reduce bytes per token",
    "all_reduces * 2 * (tp - 1) / tp * hidden * activation_bytes",
    Unit.BYTES,
    term="all-reduce",
)
HOP_BYTES = Formula(
    "hop bytes per token", "(pp - 1) * hidden * activation_bytes", Unit.BYTES, term="pipeline-parallelism"
)
EXCHANGE_BYTES = Formula(
    "all-to-all bytes per token",
    "moe_layers * 2 * top_k * (ep - 1) / ep * hidden * activation_bytes",
    Unit.BYTES,
    term="all-to-all",
)
LINK_TIME = Formula("time per token", "bytes / bandwidth", Unit.SECONDS, term="nvlink")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that one token makes a GPU send, by kind, in one direction."""

    all_reduce: int
    """Tensor parallelism: two per layer, ring algorithm."""
    hop: int
    """Pipeline parallelism: the hidden state at every stage boundary, over the whole pipeline."""
    all_to_all: int
    """Expert parallelism: to the experts and back."""
    messages: int
    """Collectives and hops per token and forward pass: each costs its latency."""
    derivation: Derivation

    @property
    def total(self) -> int:
        return self.all_reduce + self.hop + self.all_to_all


@dataclass(frozen=True, slots=True)
class LinkTime:
    """A link, and how long it takes for the bytes of one token at its published bandwidth."""

    link: Link
    seconds: float | None
    """Bytes over bandwidth, latency of every message added where it is published; None: no published bandwidth."""
    used: bool
    """The plan sends over this link."""


def traffic_of(model: Model, layout: Layout) -> Traffic:
    """Bytes per token of a layout.

    Llama 3.1 405B under TP8: 126 layers × 2 all-reduces × 2·7/8 × 16,384 × 2 B = 14,450,688 B per token and GPU.
    """
    ledger = Ledger()
    order = layer_order(model)
    hidden = model.hidden_size
    halves = sum((group.attention is not None) + (group.mlp is not None) for group in order)
    moe_layers = sum(isinstance(group.mlp, Mixture) for group in order)
    spread = layout.ep > layout.tp
    # Where experts spread beyond TP they exchange tokens instead of reducing.
    reduces = halves - (moe_layers if spread else 0)
    all_reduce = hop = exchange = messages = 0
    if layout.tp > 1:
        all_reduce = ledger.bytes(
            ALL_REDUCE_BYTES, all_reduces=reduces, tp=layout.tp, hidden=hidden, activation_bytes=_ACTIVATION_BYTES
        )
        messages += reduces
    if layout.pp > 1:
        hop = ledger.bytes(HOP_BYTES, pp=layout.pp, hidden=hidden, activation_bytes=_ACTIVATION_BYTES)
        messages += layout.pp - 1
    mixture = model.mixture
    if mixture is not None and layout.ep > 1 and spread:
        exchange = ledger.bytes(
            EXCHANGE_BYTES,
            moe_layers=moe_layers,
            top_k=mixture.top_k,
            ep=layout.ep,
            hidden=hidden,
            activation_bytes=_ACTIVATION_BYTES,
        )
        messages += 2 * moe_layers
    if not ledger.steps:
        ledger(Formula("bytes per token", "0", Unit.BYTES, basis=Basis.EXACT), note="replicas do not talk")
    return Traffic(all_reduce, hop, exchange, messages, ledger.derivation("Bytes per token over the links"))


def link_times(traffic: Traffic, links: Iterable[Link], used: Iterable[str]) -> tuple[LinkTime, ...]:
    """Seconds per token of this traffic on every link, latency included where it is published."""
    names = set(used)
    found = []
    for link in links:
        seconds = None
        if link.bandwidth:
            latency = traffic.messages * (link.latency_us or 0) * 1e-6
            seconds = float(LINK_TIME(bytes=traffic.total, bandwidth=link.bandwidth)) + latency
        found.append(LinkTime(link, seconds, link.id in names))
    return tuple(found)
