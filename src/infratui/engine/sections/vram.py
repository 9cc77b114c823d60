"""The memory section: what one replica needs, where it fits, how it grows, and how many users fit instead."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..case import Case
from ..cluster.layout import Layout
from ..cost.rents import monthly_rents
from ..deployment.answer import Deployed, deployed
from ..deployment.candidates import kv_copies
from ..deployment.site import Site
from ..deployment.thumb import unknown_cache
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from ..memory import rule_of_thumb
from ..memory.kv_cache import CacheKind, KvTier, Sequences, kv_demand, kv_layers, kv_tier
from ..memory.plan import Deployment, MemoryPlan
from ..memory.startup import StartupLines, predict_startup
from ..memory.weights import PartWeights, checkpoint_weights, total_weights
from ..model.architecture import Part, group_counts, layer_order, parameters
from .accelerator_table import accelerator_row, accelerator_rows, verdict
from .vram_result import (
    AcceleratorRow,
    Estimate,
    Growth,
    GrowthLine,
    KvGroup,
    LayerCache,
    PrefixEffect,
    Selected,
    Verdict,
    VramResult,
)

if TYPE_CHECKING:
    from ..deployment.ways_out import WayOut

__all__ = [
    "AcceleratorRow",
    "Estimate",
    "Growth",
    "GrowthLine",
    "KvGroup",
    "LayerCache",
    "PrefixEffect",
    "Selected",
    "Verdict",
    "VramResult",
    "checkpoint_parts",
    "evaluate_vram",
    "evaluate_vram_first",
]

_GROWTH_POINTS = 24

ALL_WEIGHTS = Formula("all_weights", "dp * tp * weights_of_stages", Unit.BYTES, term="parameters")
ALL_KV = Formula("all_kv_cache", "dp * tp * kv_of_stages", Unit.BYTES, term="kv-cache")
ALL_RUNTIME = Formula(
    "all_runtime",
    "gpus * inside",
    Unit.BYTES,
    basis=Basis.CALIBRATED,
    term="activations",
)
TOTAL = Formula("total", "all_weights + all_kv_cache + all_runtime", Unit.BYTES, term="vram")


def evaluate_vram(case: Case) -> VramResult:
    """The memory section of a scenario. Raises ValueError in one line for names and values that cannot be."""
    first = case.part("vram first", evaluate_vram_first)
    own = accelerator_row(case.deployment, case.site, first.smallest)
    rows = tuple(own if row.accelerator.id == own.accelerator.id else row for row in case.part("accelerators", _rows))
    return replace(
        first,
        ways=() if deployed(case).holds else case.part("ways", _ways),
        rows=rows,
        growth=_growth(case.deployment, case.site, case.load, case.gpus, first.selected.plan),
    )


def _ways(case: Case) -> tuple[WayOut, ...]:
    from ..deployment.ways_out import ways_out

    return ways_out(case)


def evaluate_vram_first(case: Case) -> VramResult:
    """Enough for the answer and its bar: ways out, the table and growth take nearly all of the time, and are empty."""
    deployment, load, site, scenario = case.deployment, case.load, case.site, case.scenario
    found = deployed(case)
    one = deployment.geometry(Layout())[0]
    selected = _selected(case, found)
    return VramResult(
        estimator=scenario.estimator,
        model=deployment.model,
        deployment=deployment,
        load=load,
        detailed=_detailed(case, found),
        rule_of_thumb=_by_rule_of_thumb(deployment, site, load),
        unknown_cache=unknown_cache(deployment.model),
        checkpoint_bytes=total_weights(deployment.model, deployment.precision),
        weights_by_part=checkpoint_parts(deployment),
        weights_per_gpu=selected.plan.weights.parts if selected.plan else (),
        kv_bytes_per_token=one.bytes_per_token,
        kv_bytes_per_user=one.sequence_bytes(load.tokens),
        kv_groups=_kv_groups(deployment, load),
        layers=_layer_strip(deployment, load),
        tiers=_tiers(deployment, site, load, selected.plan.layout if selected.plan else Layout()),
        smallest=found.fewest,
        ways=(),
        rows=(),
        selected=selected,
        growth=Growth((), 0),
        startup=_startup(deployment, site, load, selected.plan),
        prefix=_prefix_effect(load, selected.plan),
        currency=scenario.currency,
        rents=case.part("rents", monthly_rents),
    )


def _rows(case: Case) -> tuple[AcceleratorRow, ...]:
    """Every accelerator of the catalog; the servers of the chosen one as the scenario has them."""
    own = case.accelerator.id
    return accelerator_rows(
        case.deployment,
        case.load,
        tuple(
            case.site if accelerator.id == own else case.site_of(accelerator)
            for accelerator in case.facts.accelerators()
        ),
    )


def checkpoint_parts(deployment: Deployment) -> tuple[PartWeights, ...]:
    """Weights by part, once, in the order of `Part`."""
    order = {part: at for at, part in enumerate(Part)}
    return tuple(
        sorted(checkpoint_weights(deployment.model, deployment.precision), key=lambda entry: order[entry.part])
    )


def _selected(case: Case, found: Deployed) -> Selected:
    choice, plan, site = found.choice, found.plan, case.site
    return Selected(
        accelerator=site.accelerator,
        gpus=case.gpus,
        plan=site.plan(case.deployment, plan.layout, case.load, explain=True) if plan else None,
        idle=choice.idle,
        verdict=verdict(plan) if plan else Verdict.NO,
        missing=plan.missing if plan else 0,
        missing_gpus=found.missing_gpus,
        pools=choice.pools,
        reasons=choice.reasons,
        refused=choice.refused,
        kv_copies=kv_copies(case.deployment, plan.layout) if plan else 1.0,
        totals=found.totals,
    )


def _detailed(case: Case, found: Deployed) -> Estimate:
    """Over all GPUs of the chosen layout, copies and padding included; where none can be built, of the fewest."""
    deployment, site, load = case.deployment, case.site, case.load
    layout = found.plan.layout if found.plan else found.fewest.plan.layout if found.fewest.plan else Layout()
    plan = site.plan(deployment, layout, load, explain=True)
    replica = load.of(plan.users_per_replica)
    ledger = Ledger()
    weights_sum = sum(stage.total for stage in deployment.weights(layout).stages)
    kv_sum = sum(_stage_kv(deployment, layout, replica))
    source = f"{layout.pp} stages" if layout.pp > 1 else ""
    everything = ledger.bytes(ALL_WEIGHTS, dp=layout.dp, tp=layout.tp, weights_of_stages=weights_sum, note=source)
    cache = ledger.bytes(ALL_KV, dp=layout.dp, tp=layout.tp, kv_of_stages=kv_sum, note=source)
    runtime = int(
        ledger(
            ALL_RUNTIME,
            band_pct=deployment.constants.runtime_band_pct,
            gpus=layout.gpus,
            inside=plan.runtime_inside,
        )
    )
    total = ledger(TOTAL, all_weights=everything, all_kv_cache=cache, all_runtime=runtime)
    before = plan.derivation
    title = f"Memory on {layout.gpus} × {site.accelerator.name} as {layout.label}"
    return Estimate(
        estimator="detailed",
        weights=everything,
        kv_cache=cache,
        runtime=runtime,
        gpus=layout.gpus,
        band_pct=_band(deployment, everything, runtime, total),
        derivation=Derivation(title, lambda: (*(before.steps if before else ()), *ledger.steps)),
    )


def _stage_kv(deployment: Deployment, layout: Layout, replica: Sequences) -> list[int]:
    return [kv_demand(geometry, replica).total for geometry in deployment.geometry(layout)]


def _band(deployment: Deployment, weights: int, runtime: int, total: float) -> float | None:
    """Errors of weights and runtime together; the cache of a known architecture is exact."""
    constants = deployment.constants
    if constants.weights_band_pct is None or constants.runtime_band_pct is None:
        return None
    return math.hypot(weights * constants.weights_band_pct, runtime * constants.runtime_band_pct) / total


def _by_rule_of_thumb(deployment: Deployment, site: Site, load: Sequences) -> Estimate:
    figures = rule_of_thumb.figures(deployment.model)
    found = rule_of_thumb.memory(
        figures,
        deployment.precision.nominal_bytes,
        deployment.kv_precision.nominal_bytes,
        load.context,
        load.users,
        explain=True,
    )
    gpus = rule_of_thumb.split(found.total, 1, site.accelerator.memory_marketing_gb).min_gpus
    assert found.derivation is not None
    return Estimate("rule-of-thumb", found.weights, found.kv_cache, found.overhead, gpus, None, found.derivation)


def _kv_groups(deployment: Deployment, load: Sequences) -> tuple[KvGroup, ...]:
    groups = []
    for entry in deployment.geometry(Layout())[0].groups:
        if entry.kind is CacheKind.NONE:
            continue
        per_user = entry.sequence_bytes(load.tokens)
        shared = load.users > 1 and load.prefix
        own = entry.sequence_bytes(load.tokens - load.prefix) if shared else per_user
        common = entry.sequence_bytes(load.prefix) - entry.layers * entry.state_bytes if shared else 0
        groups.append(
            KvGroup(
                group=entry.group,
                kind=entry.kind,
                layers=entry.layers,
                window=entry.window,
                bytes_per_token=entry.layers * entry.token_bytes,
                bytes_per_user=per_user,
                total=common + load.users * own,
            )
        )
    return tuple(groups)


def _layer_strip(deployment: Deployment, load: Sequences) -> tuple[LayerCache, ...]:
    if not deployment.model.answers:
        return ()
    kept: dict[str, tuple[CacheKind, int]] = {}
    for group in deployment.model.groups:
        entry = kv_layers(group, 1, deployment.kv_precision, 1, deployment.windowed, deployment.constants.kv)
        kept[group.key] = entry.kind, entry.sequence_bytes(load.tokens)
    order = layer_order(deployment.model)
    return tuple(LayerCache(index, layer.key, *kept[layer.key]) for index, layer in enumerate(order))


def _tiers(deployment: Deployment, site: Site, load: Sequences, layout: Layout) -> tuple[KvTier, ...]:
    """One user's cache: each GPU of a replica fetches its own share, or prefills its share of the FLOPs."""
    accelerator = site.accelerator
    per_gpu = max(geometry.sequence_bytes(load.tokens) for geometry in deployment.geometry(layout))
    if not per_gpu:
        return ()
    model = deployment.model
    flops = 2.0 * parameters(model).active * load.tokens
    for group, layers in group_counts(model):
        if group.attention is not None:
            flops += layers * load.tokens * group.attention.attend_flops(max(1, load.tokens // 2), decode=False)
    peak = accelerator.peak(deployment.precision.compute) or accelerator.peak("bf16")
    reached = peak * site.table.prefill_efficiency if peak else None
    return tuple(
        kv_tier(tier, per_gpu, flops / layout.gpus_per_replica, reached, layout.dp)
        for tier in site.table.tiers
        if tier.pcie_gen in (None, accelerator.pcie_gen)
    )


def _growth(deployment: Deployment, site: Site, load: Sequences, gpus: int, plan: MemoryPlan | None) -> Growth:
    """Lines at half, once and twice the context, on the chosen layout."""
    layout = plan.layout if plan else Layout()
    reference = plan or site.plan(deployment, layout, load)
    weights = layout.dp * deployment.weights(layout).replica
    fixed = weights + layout.gpus * reference.runtime_inside
    limit = deployment.model.max_context
    wanted = (load.context // 2, load.context, load.context * 2)
    contexts = sorted({value for value in wanted if 1 <= value <= max(limit, load.context)})
    most = max(2 * load.users, min(4 * load.users, reference.max_users))
    users = sorted({max(1, round(most * step / _GROWTH_POINTS)) for step in range(_GROWTH_POINTS + 1)})
    lines = []
    for context in contexts:
        points = []
        for count in users:
            replica = Sequences(math.ceil(count / layout.dp), context, load.mean_fill, load.shared_prefix)
            cache = layout.dp * layout.tp * sum(_stage_kv(deployment, layout, replica))
            points.append((count, fixed + cache))
        lines.append(GrowthLine(context, tuple(points)))
    return Growth(tuple(lines), gpus * reference.requested)


def _startup(deployment: Deployment, site: Site, load: Sequences, plan: MemoryPlan | None) -> StartupLines | None:
    if plan is None or deployment.constants.engine != "vllm":
        return None
    return predict_startup(
        deployment.geometry(plan.layout)[plan.stage],
        plan.kv_space,
        load.context,
        deployment.batch(site.accelerator).max_batched_tokens,
        block_tokens=deployment.constants.block_tokens,
        printed_by_groups=deployment.constants.prints_groups,
        merged=deployment.constants.merged_line,
        cache_mode=deployment.constants.hybrid_cache,
    )


def _prefix_effect(load: Sequences, plan: MemoryPlan | None) -> PrefixEffect | None:
    if plan is None or not plan.kv_shared:
        return None
    return PrefixEffect(load.prefix, plan.kv_shared * (plan.users_per_replica - 1))
