"""A log beside its prediction: terms, what explains each gap, what stays unexplained, and what would have started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ..engine.facts import Facts
from ..value_types import dataclass
from .logs.lines import LogFigure
from .logs.reading import LogReading, StartOutcome
from .naming import plausible
from .prediction import Given, Predicted, Visible, kv_figure, predict
from .remedies import Remedy, remedies_for

Unit = Literal["bytes", "tokens", "ratio"]
BAND = 0.08
"""Share by which a figure may be off where the engine's generation publishes no band."""


@dataclass(frozen=True, slots=True)
class ComparedTerm:
    """One figure, as predicted and as the log says it."""

    term: str
    predicted: float | None
    measured: float | None
    unit: Unit
    line: str
    """The log's own line; empty: it has none."""
    implausible: bool = False
    """Measured, but it cannot be that of the model."""

    @property
    def gap(self) -> float | None:
        """Measured less predicted."""
        if self.predicted is None or self.measured is None or self.implausible:
            return None
        return self.measured - self.predicted


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a term differs: its kind, the bytes that it accounts for, and facts for a sentence."""

    kind: str
    """`batch`, `draft`, `layers`, `share`, `weights`, `graphs`, `runtime`, `kv`."""
    bytes: int
    facts: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that a log and the prediction say together."""

    reading: LogReading
    predicted: Predicted
    terms: tuple[ComparedTerm, ...]
    causes: tuple[Cause, ...]
    """The largest first."""
    unexplained: int | None
    """Bytes of one GPU that neither the log nor the prediction accounts for; None: the log has too few figures."""
    shortfall: int | None
    """Bytes that a refused start was short of."""
    remedies: tuple[Remedy, ...]
    profile: str = ""
    """Host profile that the prediction used."""

    @property
    def visible(self) -> Visible | None:
        return self.predicted.visible

    @property
    def unexplained_share(self) -> float | None:
        """Of visible memory."""
        if self.unexplained is None or self.visible is None or not self.visible.bytes:
            return None
        return abs(self.unexplained) / self.visible.bytes

    @property
    def within_band(self) -> bool:
        """The start succeeded and weights, KV space and tokens are as predicted, within the published band."""
        if self.reading.outcome not in (StartOutcome.STARTED, StartOutcome.INCOMPLETE):
            return False
        constants = self.predicted.constants
        band = (constants.kv_space_band_pct or 0) / 100 if constants else 0
        compared = [
            entry
            for entry in self.terms
            if entry.term in ("weights", "kv_space", "kv_tokens") and entry.gap is not None and entry.predicted
        ]
        return bool(compared) and all(
            abs(entry.gap or 0) <= (band or BAND) * abs(entry.predicted or 1) for entry in compared
        )


def reconcile(
    reading: LogReading, facts: Facts, flags: Mapping[str, Mapping[str, str]], given: Given | None = None
) -> Reconciliation:
    """The log beside the prediction with exactly its settings. Raises ValueError for an unknown `given.gpu`."""
    given = given or Given()
    predicted = predict(reading, facts, given)
    terms = _terms(reading, predicted)
    unexplained = _unexplained(reading, predicted, terms)
    causes = tuple(sorted(_causes(reading, predicted, terms), key=lambda cause: -abs(cause.bytes)))
    shortfall = _shortfall(reading, predicted)
    failed = reading.outcome in (StartOutcome.REFUSED, StartOutcome.OOM, StartOutcome.KILLED)
    ways = remedies_for(reading, predicted, flags.get(reading.engine, {}), shortfall) if failed else ()
    return Reconciliation(reading, predicted, terms, causes, unexplained, shortfall, ways)


def _term(name: str, unit: Unit, predicted: float | None, figure: LogFigure | None) -> ComparedTerm | None:
    if predicted is None and figure is None:
        return None
    return ComparedTerm(
        name, predicted, None if figure is None else figure.value, unit, "" if figure is None else figure.line
    )


def measured_weights(reading: LogReading) -> LogFigure | None:
    """The model's own weights on the GPU that holds most; on llama.cpp, on all of them together."""
    found = reading.all("weights")
    if not found:
        return None
    if reading.engine == "llama.cpp":
        return replace(found[0], value=sum(figure.value for figure in found))
    if reading.engine == "sglang":
        return max(reading.firsts("weights"), key=lambda figure: figure.value)
    return max(found, key=lambda figure: figure.value)


def draft_weights(reading: LogReading) -> LogFigure | None:
    """What SGLang loads after the model on the same rank: the draft model."""
    if reading.engine != "sglang":
        return None
    seen: dict[str, int] = {}
    for figure in reading.all("weights"):
        seen[figure.rank] = seen.get(figure.rank, 0) + 1
        if seen[figure.rank] == 2:
            return figure
    return None


def measured_graphs(reading: LogReading) -> LogFigure | None:
    """CUDA graphs of one rank: SGLang captures several kinds, vLLM says the sum."""
    found = reading.all("graphs")
    if not found:
        return None
    if reading.engine != "sglang":
        return found[-1]
    sums: dict[str, float] = {}
    for figure in found:
        sums[figure.rank] = sums.get(figure.rank, 0) + figure.value
    return replace(found[0], value=max(sums.values()))


def measured_activation(reading: LogReading) -> LogFigure | None:
    """What the log says that activations took; None where it does not."""
    found = reading.all("activation")
    if not found:
        return None
    if reading.engine == "llama.cpp":
        return replace(found[0], value=sum(figure.value for figure in found))
    return max(found, key=lambda figure: figure.value)


def measured_tokens(reading: LogReading) -> LogFigure | None:
    """The tokens that the log says its cache holds; None where it does not."""
    if reading.engine == "tensorrt-llm":
        return reading.last("kv_tokens")
    return reading.smallest("kv_tokens")


def _terms(reading: LogReading, predicted: Predicted) -> tuple[ComparedTerm, ...]:
    weights = _term("weights", "bytes", predicted.weights, measured_weights(reading))
    if weights and weights.measured is not None and predicted.weights:
        weights = replace(weights, implausible=not plausible(weights.measured, predicted.weights))
    non_torch = reading.largest("non_torch") if reading.engine != "sglang" else None
    found = [
        weights,
        _term("draft_weights", "bytes", None, draft_weights(reading)),
        _term("host_weights", "bytes", None, reading.largest("host_weights")),
        _term("activation", "bytes", predicted.activation, measured_activation(reading)),
        _term("non_torch", "bytes", predicted.non_torch, non_torch),
        _term("graphs", "bytes", predicted.graphs, measured_graphs(reading)),
        _term("graphs_estimated", "bytes", None, reading.last("graphs_estimated")),
        _term("visible", "bytes", predicted.visible.bytes if predicted.visible else None, reading.smallest("visible")),
        _term("requested", "bytes", predicted.requested, reading.smallest("requested")),
        _term("kv_space", "bytes", predicted.kv_space, kv_figure(reading, predicted.bytes_per_token)),
        _term("kv_tokens", "tokens", predicted.kv_tokens, measured_tokens(reading)),
        _term("concurrency", "ratio", predicted.concurrency, reading.last("concurrency")),
        _term("kv_needed", "bytes", None, reading.last("kv_needed")),
        _term("longest", "tokens", None, reading.last("longest")),
        _term("available_end", "bytes", None, reading.smallest("available_end")),
        _term("host_kv", "bytes", None, reading.last("host_kv")),
        _term("projected", "bytes", None, reading.last("projected")),
        _term("checkpoint", "bytes", None, reading.first("checkpoint")),
    ]
    return tuple(entry for entry in found if entry is not None)


def _value(terms: tuple[ComparedTerm, ...], name: str) -> float | None:
    """What counts of a term: measured where it is plausible, else predicted."""
    entry = next((entry for entry in terms if entry.term == name), None)
    if entry is None:
        return None
    return entry.measured if entry.measured is not None and not entry.implausible else entry.predicted


def _said(terms: tuple[ComparedTerm, ...], name: str) -> float | None:
    return next((entry.measured for entry in terms if entry.term == name), None)


def _unexplained(reading: LogReading, predicted: Predicted, terms: tuple[ComparedTerm, ...]) -> int | None:
    """The budget less everything that is accounted for."""
    space, constants = _said(terms, "kv_space"), predicted.constants
    if reading.engine == "llama.cpp":
        projected = _said(terms, "projected")
        parts = [_said(terms, name) for name in ("weights", "kv_space", "activation")]
        if projected is None or any(part is None for part in parts):
            return None
        return round(projected - sum(part or 0 for part in parts))
    if space is None or constants is None:
        return None
    share = reading.settings.utilization
    before = reading.smallest("available_before")
    if constants.budget == "free":
        if before is None:
            return None
        used = share or _round_share(space / before.value) if before.value else None
        return None if used is None else round(before.value * used - space)
    weights = _value(terms, "weights")
    if weights is None or predicted.visible is None:
        return None
    draft = _said(terms, "draft_weights") or 0
    if constants.budget == "static":
        if not share:
            return None
        own = sum(pool.size for pool in reading.pools if pool.kind != "draft")
        return round(predicted.visible.bytes * share - weights - draft - own)
    if predicted.visible.basis == "solved":
        # Solved from these very figures, it would leave nothing by construction.
        return None
    requested = _said(terms, "requested") or predicted.visible.bytes * (share or constants.utilization)
    activation, non_torch = _value(terms, "activation"), _value(terms, "non_torch")
    if activation is None or non_torch is None:
        return None
    graphs = 0.0
    if constants.graphs_reserved:
        graphs = _said(terms, "graphs_estimated") or _value(terms, "graphs") or 0.0
    return round(requested - weights - activation - non_torch - graphs - space)


def _round_share(share: float) -> float | None:
    """A share that somebody set: two decimals, near enough."""
    rounded = round(share, 2)
    return rounded if 0 < rounded <= 1 and abs(rounded - share) < 0.001 else None


_NAMEABLE = 0.02 * (1 << 30)


def _causes(reading: LogReading, predicted: Predicted, terms: tuple[ComparedTerm, ...]) -> list[Cause]:
    found: list[Cause] = []
    by_name = {entry.term: entry for entry in terms}
    batch, assumed = predicted.batch, predicted.assumed_batch
    if batch and assumed and batch != assumed and predicted.activation and predicted.assumed_activation:
        saved = predicted.assumed_activation - predicted.activation
        if abs(saved) >= _NAMEABLE:
            facts: dict[str, float | str] = {
                "assumed": assumed.max_batched_tokens,
                "said": batch.max_batched_tokens,
                "assumed_seqs": assumed.max_num_seqs,
                "said_seqs": batch.max_num_seqs,
            }
            found.append(Cause("batch", saved, facts))
    for name in ("weights", "activation", "non_torch", "graphs"):
        gap = by_name[name].gap if name in by_name else None
        if gap is not None and abs(gap) >= _NAMEABLE:
            said = by_name[name]
            found.append(Cause(name, round(gap), {"measured": said.measured or 0, "predicted": said.predicted or 0}))
    draft = by_name.get("draft_weights")
    if draft is not None and draft.measured:
        found.append(Cause("draft", round(draft.measured), {"model": reading.settings.draft_model or ""}))
    found += _layer_cause(reading, predicted, terms)
    before, space = reading.smallest("available_before"), _said(terms, "kv_space")
    constants = predicted.constants
    if (
        constants
        and constants.budget == "free"
        and before
        and before.value
        and space
        and not reading.settings.utilization
    ):
        share = _round_share(space / before.value)
        if share is not None and abs(share - constants.utilization) > 0.001:
            gap = round((share - constants.utilization) * before.value)
            found.append(Cause("share", gap, {"said": share, "assumed": constants.utilization}))
    return found


def _layer_cause(reading: LogReading, predicted: Predicted, terms: tuple[ComparedTerm, ...]) -> list[Cause]:
    """Bytes per token of another number of layers than the model has, but of a whole one."""
    space, tokens = _said(terms, "kv_space"), _said(terms, "kv_tokens")
    if not space or not tokens or not predicted.bytes_per_token or not predicted.layers:
        return []
    per_token = space / tokens
    layers = per_token / predicted.bytes_per_token * predicted.layers
    if abs(layers - predicted.layers) < 0.5 or abs(layers - round(layers)) > 0.02 * max(1.0, layers / 10):
        return []
    gap = round(space - predicted.bytes_per_token * tokens)
    return [Cause("layers", gap, {"said": round(layers), "model": predicted.layers, "per_token": round(per_token)})]


def _shortfall(reading: LogReading, predicted: Predicted) -> int | None:
    needed, available = reading.last("kv_needed"), reading.last("kv_available") or reading.smallest("kv_space")
    if needed is not None and available is not None:
        return max(0, round(needed.value - available.value))
    requested, free = reading.smallest("requested"), reading.smallest("free")
    if requested is not None and free is not None and requested.value > free.value:
        return round(requested.value - free.value)
    weights = measured_weights(reading)
    held = weights.value if weights else predicted.weights
    visible = predicted.visible
    if reading.outcome is StartOutcome.OOM and held and visible:
        share = reading.settings.utilization or 0.9
        inside = held + (predicted.activation or 0) + (predicted.non_torch or 0)
        return max(0, round(inside - visible.bytes * share)) or None
    return None
