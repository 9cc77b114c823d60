"""Precisions under the same model, hardware and load: the arithmetic of a comparison, and its derivations."""

from __future__ import annotations

from dataclasses import replace

from ...value_types import dataclass
from ..cluster.layout import Layout
from ..deployment.site import Site
from ..figures.derivation import Derivation, Ledger
from ..figures.reason import Reason
from ..figures.units import GIB
from ..memory import rule_of_thumb
from ..memory.kv_cache import Sequences, kv_demand
from ..memory.plan import Deployment, explain_sequence, explain_weights
from ..memory.weights import checkpoint_weights
from ..model.precision import Precision
from ..speed import Plan, StepTime, Workload, step_time
from ..speed.workload import prompt_work
from .precision_rows import (
    BYTE_RATIO,
    DECODE_SPEED,
    EFFECTIVE_BITS,
    GPUS,
    KV_TOTAL,
    PREFILL_SPEED,
    RULE_GPUS,
    RULE_SPEED,
    RULE_WEIGHTS,
    SAVED,
    PrecisionRow,
    SpeedEffect,
)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionComparison:
    """What all rows share, and the arithmetic that makes a row."""

    deployment: Deployment
    site: Site
    load: Sequences
    workload: Workload
    layout: Layout
    batch: float
    plans: dict[str, Plan | Reason]
    """Speed plans by precision id, or why there is none."""

    def kv_bytes(self, deployment: Deployment) -> int:
        """Cache of all users, one copy."""
        return kv_demand(deployment.geometry(Layout())[0], self.load).total

    def decode(self, plan: Plan, batch: float, ledger: Ledger | None = None) -> StepTime:
        quiet = ledger or Ledger(recording=False)
        return plan.decode(batch, self.workload.context, ledger=quiet)

    def prefill(self, plan: Plan, ledger: Ledger | None = None) -> StepTime:
        """The step that computes one prompt, or its first chunk."""
        tokens, context = prompt_work(self.workload)
        chunk = min(tokens, float(self.workload.max_batched_tokens))
        return step_time(
            plan.load,
            plan.rates,
            prefill_tokens=chunk,
            prefill_context=context,
            prompts=chunk / tokens,
            ledger=ledger or Ledger(recording=False),
        )

    def speed(self, precision: Precision, reference: Precision) -> SpeedEffect | None:
        plan, base = self.plans[precision.id], self.plans[reference.id]
        if isinstance(plan, Reason) or isinstance(base, Reason):
            return None
        step, step_base = self.decode(plan, self.batch), self.decode(base, self.batch)
        prompt, prompt_base = self.prefill(plan), self.prefill(base)
        alone, alone_base = self.decode(plan, 1.0), self.decode(base, 1.0)
        return SpeedEffect(
            decode=DECODE_SPEED(step_16bit=step_base.total_s, step=step.total_s),
            decode_alone=DECODE_SPEED(step_16bit=alone_base.total_s, step=alone.total_s),
            prefill=PREFILL_SPEED(prompt_16bit=prompt_base.total_s, prompt=prompt.total_s),
            step_s=step.total_s,
            prompt_s=plan.prefill(self.workload),
            bound=step.bound,
            prefill_bound=prompt.bound,
            weights_share=step_base.weights_s / step_base.total_s,
        )

    def derivations(self, row: PrecisionRow, reference: PrecisionRow) -> tuple[Derivation, ...]:
        return (
            self._size(row, reference),
            self._cache(),
            *self._gpus(row),
            *self._speeds(row, reference),
            self.by_rule(row, reference),
        )

    def _size(self, row: PrecisionRow, reference: PrecisionRow) -> Derivation:
        ledger = Ledger()
        precision = row.precision
        deployment = replace(self.deployment, precision=precision)
        parts = checkpoint_weights(deployment.model, precision)
        explain_weights(parts, deployment, ledger)
        ledger(
            EFFECTIVE_BITS,
            source=precision.source,
            weights=row.weights,
            parameters=sum(part.parameters for part in parts),
            note=f"{precision.bits:g} bits in quantized layers" if precision.parts else "",
        )
        ledger(SAVED, weights=row.weights, weights_16bit=reference.weights)
        return ledger.derivation(f"Weights of {deployment.model.name} in {precision.label}")

    def _cache(self) -> Derivation:
        deployment, load, ledger = self.deployment, self.load, Ledger()
        geometry = deployment.geometry(Layout())[0]
        demand = kv_demand(geometry, load)
        explain_sequence(geometry, load.tokens - load.prefix if demand.shared else load.tokens, ledger)
        ledger(KV_TOTAL, shared_prefix=demand.shared, users=load.users, kv_per_user=demand.per_user)
        return ledger.derivation(f"KV cache in {deployment.kv_precision.label}, one copy, whatever the weights")

    def _gpus(self, row: PrecisionRow) -> tuple[Derivation, ...]:
        if row.least.plan is None:
            return ()
        deployment = replace(self.deployment, precision=row.precision)
        plan, accelerator = row.least.plan, self.site.accelerator
        ledger = Ledger()
        ledger(GPUS, tp=plan.layout.tp, pp=plan.layout.pp, dp=plan.layout.dp)
        explained = self.site.plan(deployment, plan.layout, self.load, explain=True)
        memory = (explained.derivation,) if explained.derivation else ()
        return (ledger.derivation(f"{accelerator.name}s that hold {row.precision.label} and the cache"), *memory)

    def _speeds(self, row: PrecisionRow, reference: PrecisionRow) -> tuple[Derivation, ...]:
        plan, base = self.plans[row.precision.id], self.plans[reference.precision.id]
        if isinstance(plan, Reason) or isinstance(base, Reason):
            return ()
        found = []
        steps = {}
        for label, each in ((reference.precision.label, base), (row.precision.label, plan)):
            ledger = Ledger()
            steps[label] = self.decode(each, self.batch, ledger)
            if each is not base or plan is base:
                found.append(ledger.derivation(f"Decode step in {label}, {self.batch:g} users on {self.layout.label}"))
        band = plan.band("tpot")
        ledger = Ledger()
        ledger(
            DECODE_SPEED,
            band_pct=band.interval.half_pct if band else None,
            step_16bit=steps[reference.precision.label].total_s,
            step=steps[row.precision.label].total_s,
        )
        ledger(PREFILL_SPEED, prompt_16bit=self.prefill(base).total_s, prompt=self.prefill(plan).total_s)
        ledger(BYTE_RATIO, weights_16bit=reference.weights, weights=row.weights, note="the limit of reading less")
        return (*found, ledger.derivation(f"Speed of {row.precision.label} against {reference.precision.label}"))

    def by_rule(self, row: PrecisionRow, reference: PrecisionRow) -> Derivation:
        """The same precision by the rule of thumb."""
        ledger = Ledger()
        figures = rule_of_thumb.figures(self.deployment.model)
        nominal = row.precision.nominal_bytes
        weights = ledger.bytes(RULE_WEIGHTS, parameters=figures.parameters, bytes_per_parameter=nominal)
        ledger(RULE_GPUS, weights_gib=weights / GIB, gpu_gb=self.site.accelerator.memory_marketing_gb)
        promised = row.precision.rule_of_thumb_speed
        if promised:
            ledger(RULE_SPEED, against_fp32=promised, against_fp32_16bit=reference.precision.rule_of_thumb_speed)
        return ledger.derivation(f"{row.precision.label} by the rule of thumb")
