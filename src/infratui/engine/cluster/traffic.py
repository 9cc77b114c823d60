"""What a layout sends over its links for every token, and how long any link would take for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Number, Unit
from ..model.architecture import AnyAttention, GroupedQuery, Latent, Mixture, Model, layer_order
from .fabric import per_gpu
from .hardware import Link
from .layout import Layout

_ACTIVATION_BYTES = 2
_SUM_BYTES = 4
"""A log-sum-exp of attention scores."""

ALL_REDUCE_BYTES = Formula(
    "all-reduce bytes per token",
    "all_reduces * 2 * (tp - 1) / tp * hidden * activation_bytes",
    Unit.BYTES,
    term="all-reduce",
)
HOP_BYTES = Formula(
    "hop bytes per token", "(pp - 1) * hidden * activation_bytes / tp", Unit.BYTES, term="pipeline-parallelism"
)
EXCHANGE_BYTES = Formula(
    "all-to-all bytes per token",
    "moe_layers * 2 * top_k * (ep - 1) / ep * hidden * activation_bytes / tp",
    Unit.BYTES,
    term="all-to-all",
)
CONTEXT_BYTES = Formula(
    "cache exchange bytes per token",
    "(dcp - 1) / dcp * gathered",
    Unit.BYTES,
    term="dcp",
)
TRANSFER = Formula("transfer", "bytes / bandwidth", Unit.SECONDS, term="nvlink")
LATENCY = Formula("latency", "messages * latency", Unit.SECONDS, term="all-reduce")

Reach = Literal["node", "nodes"]
"""Within a domain, or between domains."""


@dataclass(frozen=True, slots=True)
class Share:
    """What goes over one kind of link for one token: bytes in one direction, and messages, each with its latency."""

    bytes: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that one token makes the GPUs on its way send, one rank of every stage, in one direction."""

    all_reduce: int
    """Tensor parallelism: two per layer, ring algorithm."""
    hop: int
    """Pipeline parallelism: the hidden state at every stage boundary; each rank of a stage sends its share."""
    all_to_all: int
    """Expert parallelism: to the experts and back."""
    messages: int
    """Collectives and hops per token and forward pass: each costs its latency."""
    inside: Share
    """Of that, inside a node."""
    between: Share
    """Of that, between nodes."""
    derivation: Derivation
    context: int = 0
    """Decode context parallelism: queries to all ranks of a group, outputs back."""

    @property
    def total(self) -> int:
        return self.all_reduce + self.hop + self.all_to_all + self.context

    def over(self, reach: Reach) -> Share:
        return self.inside if reach == "node" else self.between


@dataclass(frozen=True, slots=True)
class LinkTime:
    """A link, and how long it takes for what one token sends where such a link can stand."""

    link: Link
    reach: Reach
    share: Share
    bandwidth: float | None
    """Bytes per second, direction and GPU."""
    transfer_s: float | None
    """Bytes over bandwidth; None: no published bandwidth."""
    latency_s: float | None
    """Latency of all messages; None: no published latency."""
    used: bool
    """The plan has this link."""


def traffic_of(model: Model, layout: Layout, gpus_per_node: int = 8) -> Traffic:
    """Bytes per token of a layout.

    Llama 3.1 405B under TP8: 126 layers × 2 all-reduces × 2·7/8 × 16,384 × 2 B = 14,450,688 B per token and GPU.
    """
    ledger = Ledger()
    order = layer_order(model)
    hidden, tp, pp, ep = model.hidden_size, layout.tp, layout.pp, layout.ep
    halves = sum((group.attention is not None) + (group.mlp is not None) for group in order)
    moe_layers = sum(isinstance(group.mlp, Mixture) for group in order)
    mixture = model.mixture
    spread = mixture is not None and ep > tp
    # Where experts spread beyond TP they exchange tokens instead of reducing.
    reduces = halves - (moe_layers if spread else 0)
    all_reduce = hop = exchange = 0
    node, nodes = Share(), Share()
    if tp > 1:
        all_reduce = ledger.bytes(
            ALL_REDUCE_BYTES, all_reduces=reduces, tp=tp, hidden=hidden, activation_bytes=_ACTIVATION_BYTES
        )
        if tp <= gpus_per_node:
            node = _plus(node, all_reduce, reduces)
        else:
            # The rings between nodes run on all GPUs of a node at once.
            node, nodes = _plus(node, all_reduce, 0), _plus(nodes, all_reduce / gpus_per_node, reduces)
    context = 0
    if layout.dcp > 1:
        attended = [group.attention for group in order if group.attention is not None]
        gathered = sum(exchanged_bytes(attention, tp, layout.dcp) for attention in attended)
        context = ledger.bytes(CONTEXT_BYTES, dcp=layout.dcp, gathered=gathered)
        node = _plus(node, context, 3 * len(attended))
    if pp > 1:
        hop = ledger.bytes(HOP_BYTES, pp=pp, hidden=hidden, activation_bytes=_ACTIVATION_BYTES, tp=tp)
        crossing = sum(stage * tp // gpus_per_node != (stage + 1) * tp // gpus_per_node for stage in range(pp - 1))
        nodes = _plus(nodes, hop * crossing / (pp - 1), crossing)
        node = _plus(node, hop * (pp - 1 - crossing) / (pp - 1), pp - 1 - crossing)
    if mixture is not None and spread:
        exchange = ledger.bytes(
            EXCHANGE_BYTES,
            moe_layers=moe_layers,
            top_k=mixture.top_k,
            ep=ep,
            hidden=hidden,
            activation_bytes=_ACTIVATION_BYTES,
            tp=tp,
        )
        # Ranks of an expert group that share a node, if replicas stand side by side.
        near = min(ep, max(tp, gpus_per_node // pp)) if ep * pp > gpus_per_node else ep
        far = (ep - near) / (ep - 1)
        node = _plus(node, exchange * (1 - far), 0 if far else 2 * moe_layers)
        nodes = _plus(nodes, exchange * far, 2 * moe_layers if far else 0)
    if not ledger.steps:
        ledger(
            Formula("bytes per token", "0", Unit.BYTES, basis=Basis.EXACT, term="all-reduce"),
            note="replicas do not talk",
        )
    messages = node.messages + nodes.messages
    title = "Bytes per token over the links"
    return Traffic(all_reduce, hop, exchange, messages, node, nodes, ledger.derivation(title), context)


def exchanged_bytes(attention: AnyAttention, tp: int, dcp: int) -> float:
    """Bytes per decoded token and layer: all heads of a DCP group, their queries to every rank, outputs and sums back.

    Ranks hold a share of the tokens, so each attends with the queries of all of them; outputs are weighed by their
    log-sum-exp and summed (`cp_lse_ag_out_rs`, vllm-project/vllm#23734). A latent is attended in its absorbed form.
    """
    heads = attention.heads * dcp / tp
    match attention:
        case Latent():
            query, output = attention.kv_lora_rank + attention.qk_rope_head_dim, attention.kv_lora_rank
        case GroupedQuery():
            query, output = attention.head_dim, attention.values
        case _:
            query = output = attention.head_dim
    return heads * ((query + output) * _ACTIVATION_BYTES + _SUM_BYTES)


def _plus(share: Share, size: Number, messages: int) -> Share:
    return Share(share.bytes + round(size), share.messages + messages)


def link_times(
    traffic: Traffic, links: Iterable[Link], used: Iterable[str], own: str, gpus_per_node: int
) -> tuple[LinkTime, ...]:
    """Seconds per token on every link that could stand here: the links of the plan first, then others by bandwidth.

    `own` is the link of the accelerator: other makers' links cannot replace it, PCIe can.
    """
    names = set(used)
    by_id = {link.id: link for link in links}
    kind = by_id[own].type[:2] if own in by_id else "nv"
    found = []
    for link in by_id.values():
        if link.joins == "host":
            continue
        reach: Reach = "nodes" if link.joins == "nodes" else "node"
        share = traffic.over(reach)
        if link.id not in names and (not share.bytes or (reach == "node" and link.type[:2] not in (kind, "pc"))):
            continue
        bandwidth = per_gpu(link, gpus_per_node) if reach == "nodes" else link.bandwidth
        transfer = float(TRANSFER(bytes=share.bytes, bandwidth=bandwidth)) if bandwidth else None
        latency = link.latency_us
        wait = None if latency is None else float(LATENCY(messages=share.messages, latency=latency * 1e-6))
        found.append(LinkTime(link, reach, share, bandwidth, transfer, wait, link.id in names))
    return tuple(sorted(found, key=lambda time: (not time.used, time.reach, -(time.bandwidth or 0))))
