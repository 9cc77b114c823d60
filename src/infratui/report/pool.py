"""What several models on one pool take: GPUs, the packing by node, money, and what each of them adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .money import money
from .names import short_name
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.deployment.pool import SharedPool

_COLUMNS = (
    Column("Scenario", "left"),
    Column("Model", "left", keep=3),
    Column("Format", "left", keep=5),
    Column("Layout", "left", keep=4),
    Column("Replicas", keep=2, term="replica"),
    Column("GPUs", term="node"),
    Column("Adds nodes", term="node"),
    Column("Adds/month"),
    Column("Alone/month", keep=1),
)
_NODES = (Column("Nodes"), Column("Holds", "left", flex=True), Column("Free GPUs"))


def answer(found: SharedPool, currency: str = "$") -> Answer:
    """Nodes, GPUs and money of the pool."""
    nodes = f"{found.node_count:,} node{'s' * (found.node_count != 1)} of {found.gpus_per_node} × "
    figure = f"{nodes}{short_name(found.accelerator)}"
    used = f"{found.used:,} of {found.gpus:,} GPUs in use"
    if found.usd is None:
        return Answer(figure, used, "good", (Says("", "no price is known for this GPU"),))
    alone = found.alone_usd
    saved = ""
    if alone is not None and alone > found.usd * 1.0005:
        saved = f"; on servers of their own {money(alone, currency)}"
    return Answer(figure, used, "good", (Says("", f"{money(found.usd, currency)} a month, {found.paid}{saved}"),))


def page(found: SharedPool, currency: str = "$") -> tuple[Block, ...]:
    """Tenants, nodes, and what this is not."""
    return (tenants(found, currency), nodes(found), basis(found))


def tenants(found: SharedPool, currency: str = "$") -> Table:
    """Each scenario: its fleet, and what the pool would save without it."""
    rows = []
    for at, tenant in enumerate(found.tenants):
        cells = (
            Cell(tenant.name, "bold"), Cell(tenant.model), Cell(tenant.precision), Cell(tenant.layout),
            _count(tenant.replicas), _count(tenant.gpus), _count(tenant.adds_nodes),
            _usd(tenant.adds_usd, currency), _usd(tenant.alone_usd, currency),
        )  # fmt: skip
        rows.append(Row(str(at), cells))
    return Table("tenants", "Models on the pool", _COLUMNS, tuple(rows))


def _count(value: int) -> Cell:
    return Cell(f"{value:,}", rank=float(value))


def _usd(value: float | None, currency: str) -> Cell:
    return Cell("–", "muted") if value is None else Cell(money(value, currency), rank=value)


def nodes(found: SharedPool) -> Table:
    """Nodes with the same content in one row."""
    rows = []
    for at, node in enumerate(found.nodes):
        held = ", ".join(f"{gpus} × {found.tenants[tenant].name}" for tenant, gpus in node.held)
        free = Cell(str(node.free), "tight" if node.free else "muted", float(node.free))
        rows.append(Row(str(at), (Cell(f"{node.count:,}", "bold", float(node.count)), Cell(held), free)))
    return Table("nodes", "Packed by node", _NODES, tuple(rows))


def basis(found: SharedPool) -> Prose:
    """What the packing is, and what it is not."""
    return Prose(
        "pool-basis",
        "",
        (
            Says(
                "Basis",
                "whole replicas packed into nodes, the largest first; no scheduler: nothing moves, shares a GPU or "
                "waits. Adds: what the pool would not need without that model",
                muted=True,
            ),
        ),
    )


def data(found: SharedPool) -> dict[str, Any]:
    """The pool as plain values; USD per month."""
    return {
        "accelerator": found.accelerator.id,
        "gpus_per_node": found.gpus_per_node,
        "nodes": found.node_count,
        "gpus": found.gpus,
        "gpus_in_use": found.used,
        "usd_per_month": found.usd,
        "usd_per_month_alone": found.alone_usd,
        "paid": found.paid or None,
        "scheduler": False,
        "models": [
            {
                "scenario": tenant.name,
                "model": tenant.model,
                "precision": tenant.precision,
                "layout": tenant.layout,
                "replicas": tenant.replicas,
                "gpus": tenant.gpus,
                "adds_nodes": tenant.adds_nodes,
                "adds_usd_per_month": tenant.adds_usd,
                "alone_nodes": tenant.alone_nodes,
                "alone_usd_per_month": tenant.alone_usd,
            }
            for tenant in found.tenants
        ],
        "packing": [
            {
                "nodes": node.count,
                "holds": [{"scenario": found.tenants[tenant].name, "gpus": gpus} for tenant, gpus in node.held],
                "free_gpus": node.free,
            }
            for node in found.nodes
        ],
    }
