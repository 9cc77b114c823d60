"""What published evidence says a way of storing weights or a KV cache costs in quality, as a badge with its rows.

A row compares a quantized model with its own baseline; its loss is the relative fall of an accuracy or rise of a
perplexity. Each row is graded by the limits of its kind of metric, and the badge is the grade of the median row (the
worse of the two middle ones), so that a single small test set decides nothing. Rows of the model in question decide
alone when there are enough of them; rows of others count where they are of its kind and within reach of its size, and
only with the same width of activations. The precision that a model was released in is its reference.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

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
class Subject:
    """The model in question, or that of a row: how far evidence reaches depends on it."""

    name: str
    parameters: float
    """In all."""
    is_mixture: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Up to which ratio of sizes a row speaks for another model."""

    larger: float
    """A dense row for a larger dense model: those lose less."""
    smaller: float
    """A dense row for a smaller dense model."""
    mixture: float
    """A mixture's row for a mixture, either way."""
    across: float
    """Between a dense model and a mixture, either way."""

    def covers(self, row: Subject, asked: Subject) -> bool:
        """Whether a row of one model says something about another."""
        ratio = asked.parameters / row.parameters
        if row.is_mixture != asked.is_mixture:
            return 1 / self.across <= ratio <= self.across
        if row.is_mixture:
            return 1 / self.mixture <= ratio <= self.mixture
        return 1 / self.smaller <= ratio <= self.larger


@dataclass(frozen=True, slots=True)
class Rules:
    """How rows become a badge."""

    accuracy: Limits
    perplexity: Limits
    rows_for_a_model: int
    """Rows of the model itself from which on they decide alone."""
    references: tuple[str, ...]
    """Schemes that are the baseline of the others."""
    reach: Reach | None = None
    """None: every row counts for every model."""
    sizes: Mapping[str, tuple[float, bool]] | None = None
    """Billions of parameters, and whether it is a mixture, of models whose names do not tell."""

    def limits_of(self, row: Evidence) -> Limits:
        """The limits of the row's kind of metric."""
        return self.accuracy if row.higher_is_better else self.perplexity

    def grade(self, row: Evidence) -> Badge:
        """The badge that this row alone would give."""
        limits = self.limits_of(row)
        if row.loss_percent <= limits.safe:
            return Badge.SAFE
        return Badge.CAUTION if row.loss_percent <= limits.caution else Badge.NOTICEABLE

    def subject_of(self, model: str) -> Subject | None:
        """Size and kind of a published model, from the list or its name; None: neither tells."""
        if self.sizes and model in self.sizes:
            billions, mixture = self.sizes[model]
            return Subject(model, billions * 1e9, mixture)
        return _told(model)


_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)\s*[bB]\b")
_ACTIVE = re.compile(r"-A\d+(?:\.\d+)?B\b")


@lru_cache(maxsize=512)
def _told(model: str) -> Subject | None:
    """What a name says: `Qwen3-30B-A3B` is a mixture of 30 billion."""
    found = _BILLIONS.search(model)
    return None if found is None else Subject(model, float(found[1]) * 1e9, bool(_ACTIVE.search(model)))


@dataclass(frozen=True, slots=True, eq=False)
class QualityTable:
    """Every published comparison, and the rules that make badges of them."""

    evidence: tuple[Evidence, ...]
    rules: Rules

    def assess(
        self, names: Collection[str], subject: Subject | None = None, activation_bits: float | None = None
    ) -> Assessment:
        """Judge the schemes or methods `names`, by the rows of the subject where there are enough."""
        return assess(self.evidence, self.rules, names, subject, activation_bits)


class QualityBasis(StrEnum):
    """What a badge rests on."""

    TESTS = "tests"
    """Published comparisons."""
    REFERENCE = "reference"
    """The format that the others are measured against."""
    RELEASED = "released"
    """The format that the model was released in: nothing is lost against it."""
    NONE = "none"
    """No comparison was found."""
    OUT_OF_REACH = "out of reach"
    """Comparisons were found, of models that say nothing about this one."""
    OTHER_ACTIVATIONS = "other activations"
    """Comparisons were found, of activations in another width."""
    MORE_BITS = "more bits"
    """No worse than a narrower format of its family that is tested better."""
    FEWER_BITS = "fewer bits"
    """No better than a wider format of its family that is tested better."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A badge and everything it rests on."""

    badge: Badge
    basis: QualityBasis
    rows: tuple[Evidence, ...] = ()
    """The rows that decided, largest loss first."""
    accuracy_loss_percent: float | None = None
    """Median over the accuracy rows; None without any."""
    perplexity_rise_percent: float | None = None
    """Median over the perplexity rows; None without any."""
    own_model: str = ""
    """The model asked for, where the rows are its own."""
    beside: str = ""
    """Label of the format of the same family that decides."""

    @property
    def is_reference(self) -> bool:
        """It is the baseline, so that there is nothing to compare."""
        return self.basis in (QualityBasis.REFERENCE, QualityBasis.RELEASED)

    @property
    def is_of_the_model(self) -> bool:
        """The rows are those of the model asked for."""
        return bool(self.own_model)

    @property
    def models(self) -> int:
        """Models that the rows are of."""
        return len({_plain(row.model) for row in self.rows})

    @property
    def worst(self) -> Evidence | None:
        """The row with the largest loss."""
        return self.rows[0] if self.rows else None


RELEASED = Assessment(Badge.SAFE, QualityBasis.RELEASED)
"""What a model was released in is what it is."""


def assess(
    evidence: Iterable[Evidence],
    rules: Rules,
    names: Collection[str],
    subject: Subject | None = None,
    activation_bits: float | None = None,
) -> Assessment:
    """Judge a scheme by what was published about it.

    Args:
        names: schemes or method names whose rows speak for it, in any case.
        subject: the model in question; its own rows decide when there are enough, those of others within reach.
        activation_bits: rows that state another width of activations are of another scheme; None: any.
    """
    wanted = {name.lower() for name in names}
    if wanted.intersection(rules.references):
        return Assessment(Badge.SAFE, QualityBasis.REFERENCE)
    rows = [row for row in evidence if row.scheme.lower() in wanted or row.method.lower() in wanted]
    if not rows:
        return Assessment(Badge.NO_DATA, QualityBasis.NONE)
    if activation_bits is not None:
        rows = [row for row in rows if row.activation_bits in (None, activation_bits)]
        if not rows:
            return Assessment(Badge.NO_DATA, QualityBasis.OTHER_ACTIVATIONS)
    own = [row for row in rows if subject and same_model(row.model, subject.name)]
    is_own = bool(own) and len(own) >= rules.rows_for_a_model
    rows = own if is_own else [row for row in rows if _reaches(row, rules, subject)]
    if not rows:
        return Assessment(Badge.NO_DATA, QualityBasis.OUT_OF_REACH)
    grades = sorted(_GRADES.index(rules.grade(row)) for row in rows)
    return Assessment(
        badge=_GRADES[grades[len(grades) // 2]],
        basis=QualityBasis.TESTS,
        rows=tuple(sorted(rows, key=lambda row: -row.loss_percent)),
        accuracy_loss_percent=_median([row.loss_percent for row in rows if row.higher_is_better]),
        perplexity_rise_percent=_median([row.loss_percent for row in rows if not row.higher_is_better]),
        own_model=subject.name if subject and is_own else "",
    )


def _reaches(row: Evidence, rules: Rules, subject: Subject | None) -> bool:
    if subject is None or rules.reach is None or same_model(row.model, subject.name):
        return True
    found = rules.subject_of(row.model)
    return found is not None and rules.reach.covers(found, subject)


def same_model(one: str, other: str) -> bool:
    """Whether two names mean the same model, apart from spelling, maker and fine-tuning for chat.

    Example:
        >>> same_model("Meta-Llama-3.1-8B", "Llama-3.1 8B Instruct")
        True
    """
    return _plain(one) == _plain(other)


@lru_cache(maxsize=512)
def _plain(name: str) -> str:
    words = re.findall(r"[a-z]+|\d+(?:\.\d+)?", name.rsplit("/", 1)[-1].lower())
    return "".join(word for word in words if word not in {"instruct", "chat", "it", "base", "meta", "hf"})


def _median(numbers: Sequence[float]) -> float | None:
    ordered, half = sorted(numbers), len(numbers) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
