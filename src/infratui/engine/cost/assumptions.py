"""What money rests on besides prices: each figure with its basis and source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar, Literal

from ...value_types import dataclass


@dataclass(frozen=True, slots=True)
class Assumption:
    """One figure, and what it rests on."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    key: str
    label: str
    value: float
    unit: str
    basis: Literal["published", "assumed"]
    source: str
    input: bool = False
    """The default of a scenario field of the same name; the field's value counts."""


@dataclass(frozen=True, slots=True)
class CostRules:
    """Every assumption by name. Percentages are 0 to 100."""

    host_factor: Assumption
    active_pct: Assumption
    idle_pct: Assumption
    server_pct: Assumption
    network_pct: Assumption
    interruption_pct: Assumption
    discount_1y_pct: Assumption
    discount_3y_pct: Assumption
    load_pct: Assumption
    thumb_tokens_per_s: Assumption
    thumb_load_pct: Assumption
    cascade_pct: Assumption
    prefix_hit_pct: Assumption
    electricity_usd_per_kwh: Assumption
    pue: Assumption
    hosting_usd_per_kw_month: Assumption
    staff_usd_per_year: Assumption
    staff_gpus: Assumption
    maintenance_pct: Assumption
    interest_pct: Assumption
    resale_pct: Assumption
    life_years: Assumption
    lead_months: Assumption
    egress_usd_per_gb: Assumption
    storage_usd_per_gb_month: Assumption
    co2_g_per_kwh: Assumption

    def __iter__(self) -> Iterator[Assumption]:
        for field in fields(self):
            yield getattr(self, field.name)
