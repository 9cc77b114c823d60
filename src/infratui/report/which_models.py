"""What given GPUs can serve: every model with its format, users, speed and price, what holds first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..engine.deployment.which_models import ModelFit, ModelRow
from ..engine.figures.units import counted, format_count, format_seconds, format_tokens
from .money import money
from .names import short_name
from .show import Answer, Cell, Column, Row, Says, Table

if TYPE_CHECKING:
    from ..engine.case import Case

_COLUMNS = (
    Column("Model", "left"),
    Column("Params", term="parameters"),
    Column("Format", "left", keep=2, term="precision"),
    Column("Verdict", "left"),
    Column("Users", term="concurrency"),
    Column("Tokens/s", keep=1, term="throughput"),
    Column("TPOT", keep=3, term="tpot"),
    Column("$/1M out", keep=2, term="per-token-price"),
    Column("Layout", "left", keep=4),
    Column("Fewest GPUs", keep=3, term="node"),
    Column("Context", keep=5, term="context-window"),
    Column("Licence", "left", keep=6),
)


def verdict(row: ModelRow) -> tuple[str, str]:
    """Whether it serves, in words and tone."""
    fit = row.shown
    if row.best is None:
        needs = f"needs {fit.fewest:,}" if fit.fewest else "holds on none"
        return f"✗ {needs}", "bad"
    if not row.reaches:
        return f"! context ends at {format_tokens(row.model.max_context)}", "tight"
    if not fit.meets and fit.tpot_s is not None:
        return "! misses the targets", "tight"
    return ("✓ holds", "good") if row.as_released else (f"✓ in {fit.precision.label}", "good")


def consequence(row: ModelRow) -> str:
    """One model in a picker: what would become of it on these GPUs."""
    fit = row.shown
    parts = [verdict(row)[0]]
    if row.best is not None:
        parts.append(counted(fit.max_users, "user"))
        if fit.output_per_s is not None:
            parts.append(f"{format_count(round(fit.output_per_s))} tokens/s")
        if fit.usd_per_mtok is not None:
            parts.append(f"{money(fit.usd_per_mtok)}/1M out")
    return " · ".join(parts)


def question(case: Case) -> str:
    """What was asked."""
    load = case.load
    cards = f"{format_count(case.gpus)} × {short_name(case.accelerator)}"
    return f"{cards} · {counted(load.users, 'user')} × {format_tokens(load.context)}"


def answer(rows: Sequence[ModelRow], case: Case) -> Answer:
    """How many hold it, and the largest of them."""
    held = [row for row in rows if row.best is not None and row.reaches]
    if not held:
        nearest = min((row for row in rows if row.shown.fewest), key=lambda row: row.shown.fewest or 0, default=None)
        hint = f"{nearest.model.name} would with {counted(nearest.shown.fewest or 0, 'GPU')}" if nearest else ""
        return Answer(f"None of {len(rows)} models is held", question(case), "bad", (Says("", hint),) if hint else ())
    released = sum(row.as_released for row in held)
    largest = max(held, key=lambda row: row.parameters)
    return Answer(
        f"{len(held)} of {len(rows)} models are held, {released} as released",
        question(case),
        "good",
        (
            Says("largest", f"{largest.model.name} in {largest.shown.precision.label} as {largest.shown.layout}"),
            Says("$/1M out", "per 1M output tokens with all users at work, on demand", muted=True),
        ),
    )


def table(rows: Sequence[ModelRow], case: Case) -> Table:
    """The models, what holds first and the largest of those on top."""
    currency = case.scenario.currency
    shown = tuple(_row(row, currency, row.model is case.model) for row in sorted(rows, key=lambda row: row.rank))
    return Table("models", "Models on these GPUs", _COLUMNS, shown)


def _row(row: ModelRow, currency: str, marked: bool) -> Row:
    fit = row.shown
    words, tone = verdict(row)
    size = format_count(row.parameters)
    cells = (
        Cell(row.model.name, "bold" if row.best else ""),
        Cell(size, rank=float(row.parameters)),
        Cell(fit.precision.label, rank=fit.precision.bits),
        Cell(words, tone),
        _count(fit.max_users or None),
        _count(fit.output_per_s),
        Cell(format_seconds(fit.tpot_s), rank=fit.tpot_s) if fit.tpot_s is not None else Cell("–", "muted"),
        Cell(money(fit.usd_per_mtok, currency), rank=fit.usd_per_mtok)
        if fit.usd_per_mtok is not None
        else Cell("–", "muted"),
        Cell(fit.layout or "–"),
        _count(fit.fewest),
        Cell(format_tokens(row.model.max_context), rank=float(row.model.max_context)),
        Cell(row.model.license or "–", "muted"),
    )
    released = row.released
    detail = f"released in {released.precision.label}"
    if not row.as_released:
        need = counted(released.fewest, "GPU") if released.fewest else "more GPUs than there are"
        detail += f", which needs {need}"
    own = row.model.origin != "built-in"
    return Row(row.model.id, cells, "" if row.best else "muted", marked, detail, own)


def _count(value: float | None) -> Cell:
    return Cell("–", "muted") if value is None else Cell(format_count(round(value)), rank=float(value))


def data(rows: Sequence[ModelRow], case: Case) -> dict[str, Any]:
    """The rows as plain values."""
    return {
        "accelerator": case.accelerator.id,
        "gpus": case.gpus,
        "users": case.load.users,
        "context_tokens": case.load.context,
        "models": [
            {
                "id": row.model.id,
                "name": row.model.name,
                "parameters": row.parameters,
                "active_parameters": row.active,
                "max_context_tokens": row.model.max_context,
                "license": row.model.license,
                "reaches_context": row.reaches,
                "released": _fit(row.released),
                "best": None if row.best is None else _fit(row.best),
            }
            for row in sorted(rows, key=lambda row: row.rank)
        ],
    }


def _fit(fit: ModelFit) -> dict[str, Any]:
    def ms(seconds: float | None) -> float | None:
        return None if seconds is None else seconds * 1e3

    return {
        "precision": fit.precision.id,
        "holds": fit.holds,
        "meets_targets": fit.meets,
        "gpus": fit.gpus,
        "layout": fit.layout or None,
        "max_users": fit.max_users,
        "fewest_gpus": fit.fewest,
        "ttft_ms": ms(fit.ttft_s),
        "tpot_ms": ms(fit.tpot_s),
        "output_tokens_per_s": fit.output_per_s,
        "usd_per_mtok_output_at_full_load": fit.usd_per_mtok,
    }
