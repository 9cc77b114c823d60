"""The quantization section: every way to store a model's weights, with bytes, GPUs, speed and published quality."""

from __future__ import annotations

from dataclasses import replace

from ...value_types import dataclass
from ..case import Case
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..deployment.answer import deployed, fewest_of
from ..deployment.fewest import fewest
from ..deployment.judge import refused_by
from ..deployment.thumb import UnknownCache, sized
from ..facts import Facts
from ..figures.derivation import Derivation
from ..figures.reason import Reason
from ..figures.units import GIB
from ..formats import FormatError, NumberFormat
from ..formats.methods import QuantizationMethod
from ..formats.quality import Assessment, Badge, Rules, Subject
from ..formats.quality_order import badges
from ..memory import rule_of_thumb
from ..memory.kv_cache import Sequences, kv_demand
from ..memory.weights import checkpoint_weights
from ..model.architecture import Model, Part, parameters
from ..model.precision import Precision
from ..speed import Interval, Plan, SpeedError
from .precision_compare import PrecisionComparison
from .precision_rows import (
    BYTE_RATIO,
    EFFECTIVE_BITS,
    RULE_GPUS,
    RULE_SPEED,
    RULE_WEIGHTS,
    SAVED,
    SIXTEEN_BIT,
    KvRow,
    PrecisionRow,
    RuleOfThumbEffect,
    arithmetic_of,
)

REFERENCE = "bf16"
"""Precision that savings and speeds are measured against: what models are trained and published in."""
_NOTICED = 0.02
"""Share of a speed below which two are the same."""
ONE_TOKEN = Sequences(users=1, context=1)
"""The least that a GPU can be asked to serve."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantizationResult:
    """Everything the trade-off part of the quantization screen shows."""

    estimator: str
    model: Model
    accelerator: Accelerator
    layout: Layout
    """Where speeds are compared: the layout of the chosen GPUs."""
    batch: float
    """Sequences that one replica decodes together in that comparison."""
    rows: tuple[PrecisionRow, ...]
    """In the order of the catalog."""
    chosen: PrecisionRow
    """The scenario's precision."""
    reference: PrecisionRow
    """16 bit."""
    kv_rows: tuple[KvRow, ...]
    methods: tuple[QuantizationMethod, ...]
    no_speed: Reason | None
    """Why no speed is predicted; empty where it is."""
    interval: Interval | None
    """Around predicted decode steps; None: no measured data."""
    rules: Rules
    """How published rows become badges."""
    comparison: PrecisionComparison
    unknown_cache: UnknownCache | None
    """Why the rule of thumb knows no cache of this model; None: it does."""

    def row(self, precision_id: str) -> PrecisionRow:
        """The row of a precision. Raises KeyError."""
        for row in (*self.rows, self.reference):
            if row.precision.id == precision_id:
                return row
        raise KeyError(precision_id)

    @property
    def safest_smallest(self) -> PrecisionRow | None:
        """The row with the fewest GPUs, then bytes, among those that published data call Safe and the engine serves."""
        safe = [
            row for row in self.rows if row.quality.badge is Badge.SAFE and row.gpus is not None and self.advisable(row)
        ]
        return min(safe, key=lambda row: (row.gpus or 0, row.weights), default=None)

    def advisable(self, row: PrecisionRow) -> bool:
        """GGUF files are taken where the engine reads nothing else."""
        return self.comparison.deployment.engine.reads_gguf or row.precision.family != "gguf"

    @property
    def is_decoding(self) -> bool:
        """Requests wait for decode; else, where nothing is written, for prefill."""
        return self.comparison.workload.output_tokens >= 2

    def pace(self, row: PrecisionRow) -> float | None:
        """Speed against the reference of what the requests wait for."""
        if row.speed is None:
            return None
        return row.speed.decode if self.is_decoding else row.speed.prefill

    def why_no_speed(self, row: PrecisionRow) -> Reason | None:
        """Why a format's speed against the reference is not predicted."""
        plan = self.comparison.plans[row.precision.id]
        return plan if isinstance(plan, Reason) else self.no_speed

    def slows(self, row: PrecisionRow) -> bool:
        """Whether a format takes noticeably longer than the reference."""
        pace = self.pace(row)
        return pace is not None and pace < 1 - _NOTICED

    def gains(self, row: PrecisionRow) -> bool:
        """Whether a format saves a GPU, or time as far as it is predicted."""
        fewest, pace = self.reference.gpus, self.pace(row)
        if row.gpus is not None and (fewest is None or row.gpus < fewest):
            return True
        return pace is None or pace > 1 + _NOTICED

    def derivations(self, row: PrecisionRow) -> tuple[Derivation, ...]:
        """The math behind every figure of a row."""
        if self.estimator != "detailed":
            return (self.comparison.by_rule(row, self.reference),)
        return self.comparison.derivations(row, self.reference)


def evaluate_quantization(case: Case) -> QuantizationResult:
    """Compare the precisions of a scenario. Raises ValueError in one line for names and values that cannot be."""
    deployment, site, load, facts, scenario = case.deployment, case.site, case.load, case.facts, case.scenario
    reference = facts.precision(REFERENCE)
    chosen = deployment.precision
    shown = shown_precisions(case, chosen, scenario.shown_formats == "all")
    plan_here = deployed(case).plan
    layout = plan_here.layout if plan_here else Layout()
    workload = case.workload(concurrency=float(load.users))
    limit = workload.max_num_seqs or scenario.max_num_seqs
    batch = max(1.0, min(load.users / layout.dp, float(limit)))
    plans: dict[str, Plan | Reason] = {}
    for precision in {entry.id: entry for entry in (*shown, reference)}.values():
        if refused := replace(deployment, precision=precision).refusal(site.accelerator):
            # What is not served has no speed.
            plans[precision.id] = refused
            continue
        try:
            plans[precision.id] = Plan.of(
                deployment.model,
                precision,
                deployment.kv_precision,
                site.accelerator,
                layout,
                case.speed_constants,
                engine=scenario.engine,
                version=scenario.engine_version,
                fabric=site.fabric,
                windowed=deployment.windowed,
                rules=deployment.constants.kv,
            )
        except SpeedError as error:
            plans[precision.id] = refused_by(error)
    comparison = PrecisionComparison(deployment, site, load, workload, layout, batch, plans)
    rows = tuple(_row(comparison, case, precision, reference) for precision in shown)
    base = next((row for row in rows if row.precision.id == reference.id), None)
    base = base or _row(comparison, case, reference, reference)
    plan = plans[reference.id]
    band = None if isinstance(plan, Reason) else plan.band("tpot")
    return QuantizationResult(
        estimator=scenario.estimator,
        model=deployment.model,
        accelerator=site.accelerator,
        layout=layout,
        batch=batch,
        rows=rows,
        chosen=next(row for row in rows if row.precision.id == chosen.id),
        reference=base,
        kv_rows=_kv_rows(comparison, case),
        methods=tuple(facts.methods()),
        no_speed=plan if isinstance(plan, Reason) else None,
        interval=band.interval if band else None,
        rules=facts.quality().rules,
        comparison=comparison,
        unknown_cache=sized(case).unknown,
    )


GGUF_CLASSICS = ("q8_0", "q4_k_m")
"""What takes the place of FP8 and INT4 where GGUF files are read."""


def shown_precisions(case: Case, chosen: Precision, everything: bool) -> tuple[Precision, ...]:
    """The classic precisions or all that change this model, in the order of the catalog, always with the chosen one.

    Of those, what the engine reads. A checkpoint's own way to store its weights is in no catalog: where it is chosen it
    comes first.
    """
    engine, model = case.abilities, case.model
    classic = GGUF_CLASSICS if engine.reads_gguf else ()
    listed = tuple(
        precision
        for precision in case.facts.precisions()
        if precision.id == chosen.id
        or (
            precision.for_weights
            and engine.reads(precision)
            and (precision.classic or precision.id in classic or (everything and _changes(model, precision)))
        )
    )
    return listed if any(precision.id == chosen.id for precision in listed) else (chosen, *listed)


def _changes(model: Model, precision: Precision) -> bool:
    """Whether a precision does something to this model: one for experts alone leaves a dense model as it is."""
    if precision.bits < SIXTEEN_BIT or not precision.parts:
        return True
    return model.is_moe and precision.bits_of(Part.ROUTED_EXPERTS) < SIXTEEN_BIT


def _row(comparison: PrecisionComparison, case: Case, precision: Precision, reference: Precision) -> PrecisionRow:
    model, site, facts = comparison.deployment.model, comparison.site, case.facts
    parts = checkpoint_weights(model, precision)
    weights = sum(part.bytes for part in parts)
    base = sum(part.bytes for part in checkpoint_weights(model, reference))
    element = _format(facts, precision)
    rule = rule_of_thumb.figures(model)
    rule_weights = RULE_WEIGHTS(parameters=rule.parameters, bytes_per_parameter=precision.nominal_bytes)
    promised = precision.rule_of_thumb_speed
    stored = replace(comparison.deployment, precision=precision)
    return PrecisionRow(
        precision=precision,
        format=element,
        weights=weights,
        bits_per_weight=EFFECTIVE_BITS(weights=weights, parameters=sum(part.parameters for part in parts)),
        saved_pct=SAVED(weights=weights, weights_16bit=base),
        byte_ratio=BYTE_RATIO(weights_16bit=base, weights=weights),
        least=fewest_of(case) if precision.id == case.precision.id else fewest(stored, site, comparison.load),
        alone=fewest(stored, site, ONE_TOKEN),
        arithmetic=arithmetic_of(precision, site.accelerator),
        speed=comparison.speed(precision, reference),
        rule=RuleOfThumbEffect(
            weights=round(rule_weights),
            gpus=int(RULE_GPUS(weights_gib=rule_weights / GIB, gpu_gb=site.accelerator.memory_marketing_gb)),
            speed=RULE_SPEED(against_fp32=promised, against_fp32_16bit=reference.rule_of_thumb_speed)
            if promised
            else None,
            speed_fp32=promised or None,
            share_of_fp32=precision.nominal_bytes / 4,
            quality=precision.rule_of_thumb_quality,
        ),
        quality=case.part("quality", qualities)[precision.id],
    )


def qualities(case: Case) -> dict[str, Assessment]:
    """What is known of every precision for the scenario's model, its own way to store weights included."""
    facts, model = case.facts, case.model
    listed = {
        precision.id: precision for precision in (*facts.precisions(), case.precision, facts.precision(REFERENCE))
    }
    named = []
    for precision in listed.values():
        element = _format(facts, precision)
        named.append((precision, precision.quality or (element.evidence if element else ())))
    released = model.weight_precision if model.origin == "built-in" else ""
    return badges(facts.quality(), named, subject_of(model), released)


def subject_of(model: Model) -> Subject:
    """A model as published tests may speak of it."""
    return Subject(model.name, parameters(model).total, model.is_moe)


def _format(facts: Facts, precision: Precision) -> NumberFormat | None:
    try:
        return facts.format(precision.format) if precision.format else None
    except FormatError:
        return None


def _kv_rows(comparison: PrecisionComparison, case: Case) -> tuple[KvRow, ...]:
    facts = case.facts
    deployment, load = comparison.deployment, comparison.load
    base = comparison.kv_bytes(replace(deployment, kv_precision=facts.precision(REFERENCE)))
    sizing = sized(case)
    rows = []
    for precision in facts.precisions():
        if not precision.for_kv:
            continue
        stored = replace(deployment, kv_precision=precision)
        demand = kv_demand(stored.geometry(Layout())[0], load)
        least = fewest(stored, comparison.site, load)
        known = sizing.cached_in(precision.nominal_bytes)
        names = precision.kv_quality or (("reference",) if precision.bits >= SIXTEEN_BIT else ())
        rows.append(
            KvRow(
                precision=precision,
                bytes_per_user=demand.per_user,
                total=demand.total,
                saved_pct=SAVED(weights=demand.total, weights_16bit=base) if base else 0.0,
                gpus=least.plan.layout.gpus if least.plan else None,
                quality=facts.quality().assess(names, subject_of(deployment.model)),
                chosen=precision.id == deployment.kv_precision.id,
                rule_total=known.kv_cache if known else None,
                rule_gpus=rule_of_thumb.split(known.total, 1, sizing.card_gb).min_gpus if known else None,
            )
        )
    return tuple(rows)
