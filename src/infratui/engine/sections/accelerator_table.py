"""The table of every accelerator: the fewest of each that hold a load."""

from __future__ import annotations

import math
from functools import lru_cache

from ..deployment.fewest import Fewest, fewest
from ..deployment.site import Site
from ..memory.kv_cache import Sequences
from ..memory.plan import Deployment, MemoryPlan
from .vram_result import AcceleratorRow, Verdict

TIGHT_SHARE = 0.05
"""Less than this share of the requested memory free: the error of the estimate may decide."""


@lru_cache(maxsize=8)
def accelerator_rows(deployment: Deployment, load: Sequences, sites: tuple[Site, ...]) -> tuple[AcceleratorRow, ...]:
    """The smallest legal layout on every accelerator, in the order given."""
    # Cards of one memory size behind like servers need equally many.
    known: dict[object, Fewest] = {}
    rows = []
    for site in sites:
        visible = site.table.visible_memory(site.accelerator)
        refused = deployment.refusal(site.accelerator)
        alike = visible, site.fabric.domain, deployment.batch(site.accelerator), refused
        if alike not in known:
            known[alike] = fewest(deployment, site, load)
        rows.append(accelerator_row(deployment, site, known[alike]))
    return tuple(rows)


def accelerator_row(deployment: Deployment, site: Site, least: Fewest) -> AcceleratorRow:
    """One line of the table."""
    plan = least.plan
    visible = site.table.visible_memory(site.accelerator)
    if plan is None:
        return AcceleratorRow(
            accelerator=site.accelerator,
            visible=visible,
            usable=math.floor(visible * deployment.utilization),
            gpus_arithmetic=least.gpus,
            gpus=None,
            layout=None,
            nodes=None,
            free=None,
            max_users=None,
            max_context=None,
            verdict=Verdict.NO,
            reason=least.reason,
        )
    return AcceleratorRow(
        accelerator=site.accelerator,
        visible=visible,
        usable=plan.requested,
        gpus_arithmetic=least.gpus,
        gpus=plan.layout.gpus,
        layout=plan.layout,
        nodes=site.fabric.domains(plan.layout.gpus),
        free=plan.free,
        max_users=plan.max_users,
        max_context=plan.max_context,
        verdict=verdict(plan),
        reason=least.reason,
    )


def verdict(plan: MemoryPlan) -> Verdict:
    """How a plan stands; tight where the error of the estimate may decide."""
    if not plan.fits:
        return Verdict.NO
    return Verdict.TIGHT if plan.free < TIGHT_SHARE * plan.requested else Verdict.FITS
