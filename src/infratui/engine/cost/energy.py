"""Electricity and CO2 of a million tokens: the fleet's servers, on all month, over the tokens that they serve."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Unit
from .assumptions import CostRules
from .demand import HOURS_PER_MONTH, Offered
from .options import LOAD_SHARE, POWER_KW, Ownership

ENERGY = Formula(
    "energy per 1M tokens",
    "power_kw * power_share * pue * hours_per_month / tokens_per_month * 1000000",
    Unit.KWH,
    basis=Basis.ASSUMED,
    term="pue",
)
CO2 = Formula("CO2 per 1M tokens", "energy * grams_per_kwh", Unit.GRAMS, basis=Basis.ASSUMED, term="pue")


@dataclass(frozen=True, slots=True)
class Energy:
    """Of one million tokens, input and output."""

    kwh: float
    co2_g: float
    grams_per_kwh: float
    """Of the grid that is assumed."""
    derivation: Derivation


def energy_of(gpus: int, offered: Offered, own: Ownership, rules: CostRules) -> Energy | None:
    """None without demand, or where the accelerator's power is not published."""
    if offered.tokens_per_month <= 0 or not own.watts_per_gpu:
        return None
    ledger = Ledger()
    power = ledger(POWER_KW, gpus=gpus, watts_per_gpu=own.watts_per_gpu, host_factor=own.host_factor)
    duty = min(1.0, offered.service_hours_per_month / HOURS_PER_MONTH)
    share = ledger(LOAD_SHARE, duty=duty, active_pct=own.active_pct, idle_pct=own.idle_pct)
    kwh = ledger(
        ENERGY, power_kw=power, power_share=share, pue=own.pue, hours_per_month=HOURS_PER_MONTH,
        tokens_per_month=offered.tokens_per_month, note="servers stay on all month",
    )  # fmt: skip
    grid = rules.co2_g_per_kwh
    grams = ledger(CO2, energy=kwh, grams_per_kwh=grid.value, source=grid.source)
    return Energy(float(kwh), float(grams), grid.value, ledger.derivation("Energy per 1M tokens"))
