"""The rule of thumb's replica: one user's speed taken for a whole instance, as simple calculators count."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..cluster.layout import Layout
from ..deployment.demand import Demand, Offered, offered_load
from ..deployment.judge import NoReplicaError, Replica
from ..deployment.reasons import Limit, ReasonKind
from ..deployment.site import Site
from ..figures.derivation import Basis, Formula, Ledger, Unit
from ..figures.reason import Reason
from ..memory.rule_of_thumb import figures, memory, split
from ..model.architecture import parameters

if TYPE_CHECKING:
    from ..case import Case

SEVENTY_BILLION = 70_000_000_000

INSTANCE_RATE = Formula(
    "tokens/s of an instance",
    "tokens_per_s_at_70b * seventy_billion / active_parameters",
    Unit.TOKENS_PER_S,
    basis=Basis.ASSUMED,
    term="tokens-per-second",
)
INSTANCE_REQUESTS = Formula(
    "replica rate",
    "tokens_per_s * load_pct / 100 / (input_tokens + output_tokens)",
    Unit.REQUESTS_PER_S,
    basis=Basis.ASSUMED,
    term="throughput",
)


def thumb_load(demand: Demand) -> Offered:
    """A day's tokens spread over its 24 hours, without a peak: what the rule sizes for, whenever the service runs."""
    even = replace(demand, hours_per_day=24.0, days_per_week=7.0, peak_factor=1.0)
    return offered_load(even, Ledger(recording=False))


def thumb_replica(case: Case, site: Site, *, explain: bool = True) -> Replica:
    """An instance as the guide counts it: weights over GPU gigabytes, 60 tokens/s at 70B, 75 % loaded.

    It knows no batch, so it overstates the GPUs of a busy service many times over: shown to be compared with.
    Raises NoReplicaError where no number of GPUs of a pipeline holds the weights.
    """
    model, precision, scenario = case.model, case.precision, case.scenario
    accelerator, rules = site.accelerator, case.facts.cost_rules()
    known = figures(model)
    weights = memory(known, precision.nominal_bytes, precision.nominal_bytes, 1, 1).weights
    needed = split(weights, 1, accelerator.memory_marketing_gb).min_gpus
    node = min(accelerator.gpus_per_node or 8, 8)
    tp = min(needed, node)
    layout = Layout(tp, math.ceil(needed / tp))
    if layout.pp > max(1, known.layers):
        raise NoReplicaError(Reason(ReasonKind.NO_LAYOUT, model.name, where=accelerator.name))
    ledger = Ledger(explain)
    rate = ledger(
        INSTANCE_RATE,
        source=rules.thumb_tokens_per_s.source,
        tokens_per_s_at_70b=rules.thumb_tokens_per_s.value,
        seventy_billion=SEVENTY_BILLION,
        active_parameters=parameters(model).active if model.is_moe else known.parameters,
    )
    requests = ledger(
        INSTANCE_REQUESTS,
        source=rules.thumb_load_pct.source,
        tokens_per_s=rate,
        load_pct=rules.thumb_load_pct.value,
        input_tokens=scenario.input_tokens,
        output_tokens=scenario.output_tokens,
    )
    return Replica(
        model=model,
        precision=precision,
        accelerator=accelerator,
        layout=layout,
        batch=1.0,
        requests_per_s=float(requests),
        ttft_s=None,
        tpot_s=1 / rate,
        limited_by=Limit.ONE_AT_A_TIME,
        bound="",
        interval=None,
        by_rule=True,
        derivation=ledger.derivation("One replica by the rule of thumb") if explain else None,
    )
