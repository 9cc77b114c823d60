"""What published evidence says a way of storing weights or a KV cache costs in quality, as a badge with its rows.

A row compares a quantized model with its own baseline; its loss is the relative fall of an accuracy or rise of a
perplexity. Each row is graded by the limits of its kind of metric, and the badge is the grade of the median row (the
worse of the two middle ones), so that a single small test set decides nothing. Rows of the model in question decide
alone when there are enough of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from ...value_types import dataclass


class Badge(StrEnum):
    """The verdict in a word."""

    SAFE = "Safe"
    CAUTION = "Caution"
    NOTICEABLE = "Noticeable"
    NO_DATA = "no published data"


_GRADES = (Badge.SAFE, Badge.CAUTION, Badge.NOTICEABLE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One published comparison."""

    model: str
    method: str
    scheme: str
    weight_bits: float | None
    activation_bits: float | None
    kv_bits: float | None
    metric: str
    higher_is_better: bool
    baseline: float
    quantized: float
    note: str
    source: str

    @property
    def loss_percent(self) -> float:
        """Loss relative to the baseline in percent, negative where the quantized model scored better.

        Example:
            >>> accuracy_row.baseline, accuracy_row.quantized, accuracy_row.loss_percent
            (0.80, 0.79, 1.25)
        """
        change = 100 * (self.quantized - self.baseline) / self.baseline
        return -change if self.higher_is_better else change


@dataclass(frozen=True, slots=True)
class Limits:
    """Losses in percent up to which a row is Safe, or Caution."""

    safe: float
    caution: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How rows become a badge."""

    accuracy: Limits
    perplexity: Limits
    rows_for_a_model: int
    """Rows of the model itself from which on they decide alone."""
    references: tuple[str, ...]
    """Schemes that are the baseline of the others."""

    def limits_of(self, row: Evidence) -> Limits:
        """The limits of the row's kind of metric."""
        return self.accuracy if row.higher_is_better else self.perplexity

    def grade(self, row: Evidence) -> Badge:
        """The badge that this row alone would give."""
        limits = self.limits_of(row)
        if row.loss_percent <= limits.safe:
            return Badge.SAFE
        return Badge.CAUTION if row.loss_percent <= limits.caution else Badge.NOTICEABLE


@dataclass(frozen=True, slots=True, eq=False)
class QualityTable:
    """Every published comparison, and the rules that make badges of them."""

    evidence: tuple[Evidence, ...]
    rules: Rules

    def assess(self, names: Collection[str], model: str = "") -> Assessment:
        """Judge the schemes or methods `names`, by the rows of `model` where there are enough."""
        return assess(self.evidence, self.rules, names, model)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A badge and everything it rests on."""

    badge: Badge
    reason: str
    """One sentence."""
    is_reference: bool
    """Whether the scheme is the baseline, so that there is nothing to compare."""
    is_of_the_model: bool
    """Whether the rows are those of the model asked for."""
    rows: tuple[Evidence, ...]
    """The rows that decided, largest loss first."""
    accuracy_loss_percent: float | None
    """Median over the accuracy rows; None without any."""
    perplexity_rise_percent: float | None
    """Median over the perplexity rows; None without any."""

    @property
    def worst(self) -> Evidence | None:
        """The row with the largest loss."""
        return self.rows[0] if self.rows else None


def assess(evidence: Iterable[Evidence], rules: Rules, names: Collection[str], model: str = "") -> Assessment:
    """Judge a scheme by what was published about it.

    Args:
        names: schemes or method names whose rows speak for it, in any case.
        model: the model in question; its own rows decide when there are enough.
    """
    wanted = {name.lower() for name in names}
    if wanted.intersection(rules.references):
        return Assessment(Badge.SAFE, "the format the others are measured against", True, False, (), None, None)
    rows = [row for row in evidence if row.scheme.lower() in wanted or row.method.lower() in wanted]
    own = [row for row in rows if model and same_model(row.model, model)]
    is_own = bool(own) and len(own) >= rules.rows_for_a_model
    if is_own:
        rows = own
    if not rows:
        return Assessment(Badge.NO_DATA, "no published comparison was found", False, False, (), None, None)
    grades = sorted(_GRADES.index(rules.grade(row)) for row in rows)
    badge = _GRADES[grades[len(grades) // 2]]
    accuracy = _median([row.loss_percent for row in rows if row.higher_is_better])
    perplexity = _median([row.loss_percent for row in rows if not row.higher_is_better])
    return Assessment(
        badge=badge,
        reason=_reason(rows, accuracy, perplexity, model if is_own else ""),
        is_reference=False,
        is_of_the_model=is_own,
        rows=tuple(sorted(rows, key=lambda row: -row.loss_percent)),
        accuracy_loss_percent=accuracy,
        perplexity_rise_percent=perplexity,
    )


def same_model(one: str, other: str) -> bool:
    """Whether two names mean the same model, apart from spelling, maker and fine-tuning for chat.

    Example:
        >>> same_model("Meta-Llama-3.1-8B", "Llama-3.1 8B Instruct")
        True
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    words = re.findall(r"[a-z]+|\d+(?:\.\d+)?", name.rsplit("/", 1)[-1].lower())
    return "".join(word for word in words if word not in {"instruct", "chat", "it", "base", "meta", "hf"})


def _median(numbers: Sequence[float]) -> float | None:
    ordered, half = sorted(numbers), len(numbers) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _reason(rows: Sequence[Evidence], accuracy: float | None, perplexity: float | None, model: str) -> str:
    parts = []
    if accuracy is not None:
        parts.append(f"accuracy {_signed(-accuracy)}")
    if perplexity is not None:
        parts.append(f"perplexity {_signed(perplexity)}")
    count = f"{len(rows)} published comparison{'s' if len(rows) > 1 else ''}"
    models = len({_plain(row.model) for row in rows})
    whose = f"of {model}" if model else f"on {models} model{'s' if models > 1 else ''}"
    median = "median " if len(rows) > 1 else ""
    return f"{median}{' and '.join(parts)} in {count} {whose}"


def _signed(percent: float) -> str:
    return f"{percent:+.1f} %".replace("-", "−").replace("+0.0", "±0.0").replace("−0.0", "±0.0")
