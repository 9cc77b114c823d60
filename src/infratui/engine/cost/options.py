"""Five ways to pay for the same GPUs: on demand, spot, reserved for 1 and 3 years, owned."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ...value_types import dataclass
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Step, Unit
from .assumptions import CostRules
from .demand import HOURS_PER_MONTH, Fleet, Offered

STAFF = "staff"
"""The part of an owned month that people are paid from."""
GIGABYTES = "egress and storage"
"""The part of a rented month that is billed by the gigabyte."""


class Option(StrEnum):
    ON_DEMAND = "on demand"
    SPOT = "spot"
    RESERVED_1Y = "reserved 1 year"
    RESERVED_3Y = "reserved 3 years"
    OWNED = "owned"


ON_DEMAND_MONTH = Formula("on demand", "gpus * hours * rate", Unit.USD, term="on-demand")
SPOT_MONTH = Formula("spot", "gpus * hours * rate * (1 + interruption_pct / 100)", Unit.USD, term="spot")
RESERVED_MONTH = Formula("reserved", "gpus * hours_per_month * rate", Unit.USD, term="reserved")
GPUS_BOUGHT = Formula("GPUs bought", "ceil(gpus / sold_by) * sold_by", Unit.COUNT, term="owned")
CAPITAL = Formula(
    "capital", "gpus * price_per_gpu * (1 + server_pct / 100 + network_pct / 100)", Unit.USD, term="owned"
)
ANNUITY = Formula(
    "capital per month",
    "(capital - resale / (1 + rate) ** months) * rate / (1 - (1 + rate) ** -months)",
    Unit.USD,
    term="cost-of-capital",
)
STRAIGHT_LINE = Formula("capital per month", "(capital - resale) / months", Unit.USD, term="amortization")
RESALE = Formula("resale", "capital * resale_pct / 100", Unit.USD, term="resale")
MONTHLY_RATE = Formula("monthly interest", "interest_pct / 100 / 12", Unit.SHARE, term="cost-of-capital")
POWER_KW = Formula("IT power", "gpus * watts_per_gpu * host_factor / 1000", Unit.KILOWATTS, term="pue")
LOAD_SHARE = Formula(
    "mean power share",
    "duty * active_pct / 100 + (1 - duty) * idle_pct / 100",
    Unit.SHARE,
    basis=Basis.ASSUMED,
    term="duty-cycle",
)
ENERGY_MONTH = Formula(
    "electricity", "power_kw * power_share * pue * hours_per_month * usd_per_kwh", Unit.USD, term="pue"
)
HOSTING_MONTH = Formula("hosting", "power_kw * usd_per_kw_month", Unit.USD, term="owned")
MAINTENANCE_MONTH = Formula("maintenance", "capital * maintenance_pct / 100 / 12", Unit.USD, term="owned")
STAFF_MONTH = Formula("staff", "staff_usd_per_year / 12 * max(1, gpus / staff_gpus)", Unit.USD, term="owned")
OPERATING_MONTH = Formula("operating cost", "electricity + hosting + maintenance + staff", Unit.USD, term="owned")
OWNED_MONTH = Formula("owned", "capital_per_month + operating", Unit.USD, term="owned")
EGRESS_MONTH = Formula("egress", "egress_gb * usd_per_gb", Unit.USD, basis=Basis.ASSUMED, term="egress")
STORAGE_MONTH = Formula("storage", "storage_gb * usd_per_gb_month", Unit.USD, basis=Basis.ASSUMED, term="egress")
RENTED_MONTH = Formula("rented", "gpus_rented + egress + storage", Unit.USD, term="egress")
PER_MTOK = Formula("cost per 1M tokens", "monthly / tokens_per_month * 1000000", Unit.USD_PER_MTOK, term="duty-cycle")


@dataclass(frozen=True, slots=True)
class OptionRates:
    """USD per GPU-hour, purchase per GPU; None where no price is known."""

    on_demand: float | None = None
    spot: float | None = None
    reserved_1y: float | None = None
    reserved_3y: float | None = None
    purchase: float | None = None


@dataclass(frozen=True, slots=True)
class ByTheGigabyte:
    """What a cloud bills beside its GPUs."""

    egress_gb: float = 0.0
    """Per month."""
    egress_usd_per_gb: float = 0.0
    storage_gb: float = 0.0
    storage_usd_per_gb_month: float = 0.0

    @property
    def monthly(self) -> float:
        """USD."""
        return self.egress_gb * self.egress_usd_per_gb + self.storage_gb * self.storage_usd_per_gb_month


@dataclass(frozen=True, slots=True)
class Ownership:
    """What owning costs besides the GPUs."""

    watts_per_gpu: float
    server_pct: float
    """Chassis, CPUs, memory and disks, on top of the GPU price."""
    network_pct: float
    host_factor: float
    """Server power over the sum of its GPUs' TDP."""
    idle_pct: float
    """Power of an idle server, percent of full."""
    interruption_pct: float
    """Spot: work repeated and capacity kept to survive interruptions."""
    pue: float
    electricity_usd_per_kwh: float
    hosting_usd_per_kw_month: float
    staff_usd_per_year: float
    maintenance_pct: float
    interest_pct: float
    resale_pct: float
    life_years: float
    active_pct: float = 100.0
    """Power of a serving server, percent of its maximum."""
    sold_by: int = 1
    """GPUs that are bought at once."""
    staff_gpus: float = 64.0
    """GPUs that the stated staff run; more need more of them."""


@dataclass(frozen=True, slots=True)
class RateBasis:
    """Where the price of an option comes from: shown beside the step that uses it."""

    note: str = ""
    source: str = ""
    basis: Basis = Basis.DERIVED
    steps: tuple[Step, ...] = ()
    """How the price was estimated, where none is published."""


_UNTOLD = RateBasis()
_NOTHING_BESIDE = ByTheGigabyte()


@dataclass(frozen=True, slots=True)
class CostPart:
    """One part of an option's month, in USD."""

    name: str
    monthly: float


@dataclass(frozen=True, slots=True)
class OptionCost:
    """One option over the months: `upfront` and `running` make the curve, `monthly` spreads capital evenly."""

    option: Option
    monthly: float
    upfront: float
    running: float
    """USD that leave the account each month."""
    resale: float
    """USD that come back at the end of life."""
    per_mtok: float | None
    """USD per 1M tokens at the real duty cycle; None without demand."""
    derivation: Derivation
    parts: tuple[CostPart, ...] = ()
    """What an owned month is made of; of a rented one what comes on top of the GPUs."""

    @property
    def yearly(self) -> float:
        return self.monthly * 12

    def cumulative(self, month: float) -> float:
        """USD spent after so many months, resale not yet counted."""
        return self.upfront + self.running * month


def _per_mtok(monthly: float, offered: Offered, ledger: Ledger) -> float | None:
    if offered.tokens_per_month <= 0:
        return None
    return ledger(PER_MTOK, monthly=monthly, tokens_per_month=offered.tokens_per_month)


def _rented(
    option: Option,
    formula: Formula,
    fleet: Fleet,
    offered: Offered,
    values: Mapping[str, float],
    why: RateBasis,
    explain: bool,
    beside: ByTheGigabyte,
) -> OptionCost:
    ledger = Ledger(explain)
    ledger.steps.extend(why.steps)
    monthly = float(ledger(formula, basis=why.basis, note=why.note, source=why.source, gpus=fleet.gpus, **values))
    parts: tuple[CostPart, ...] = ()
    if beside.monthly:
        egress = ledger(EGRESS_MONTH, egress_gb=beside.egress_gb, usd_per_gb=beside.egress_usd_per_gb)
        storage = ledger(STORAGE_MONTH, storage_gb=beside.storage_gb, usd_per_gb_month=beside.storage_usd_per_gb_month)
        monthly = float(ledger(RENTED_MONTH, gpus_rented=monthly, egress=egress, storage=storage))
        parts = (CostPart(GIGABYTES, egress + storage),)
    per_mtok = _per_mtok(monthly, offered, ledger)
    return OptionCost(option, monthly, 0.0, monthly, 0.0, per_mtok, ledger.derivation(f"Cost: {option.value}"), parts)


def price_options(
    fleet: Fleet,
    offered: Offered,
    rates: OptionRates,
    own: Ownership,
    why: Mapping[Option, RateBasis] | None = None,
    rules: CostRules | None = None,
    *,
    beside: ByTheGigabyte = _NOTHING_BESIDE,
    explain: bool = True,
) -> dict[Option, OptionCost]:
    """The monthly cost of each option that has a price. Reserved GPUs are paid around the clock.

    `explain=False` leaves the derivations empty: the fast path of searches.
    """
    found: dict[Option, OptionCost] = {}
    basis = {option: (why or {}).get(option, RateBasis()) for option in Option}
    hours = offered.service_hours_per_month
    if rates.on_demand is not None:
        values = {"hours": hours, "rate": rates.on_demand}
        option = Option.ON_DEMAND
        found[option] = _rented(option, ON_DEMAND_MONTH, fleet, offered, values, basis[option], explain, beside)
    if rates.spot is not None:
        values = {"hours": hours, "rate": rates.spot, "interruption_pct": own.interruption_pct}
        option = Option.SPOT
        found[option] = _rented(option, SPOT_MONTH, fleet, offered, values, basis[option], explain, beside)
    for option, rate in ((Option.RESERVED_1Y, rates.reserved_1y), (Option.RESERVED_3Y, rates.reserved_3y)):
        if rate is not None:
            values = {"hours_per_month": HOURS_PER_MONTH, "rate": rate}
            found[option] = _rented(option, RESERVED_MONTH, fleet, offered, values, basis[option], explain, beside)
    if rates.purchase is not None:
        found[Option.OWNED] = owned(fleet, offered, rates.purchase, own, basis[Option.OWNED], rules, explain=explain)
    return found


def owned(
    fleet: Fleet,
    offered: Offered,
    price_per_gpu: float,
    own: Ownership,
    why: RateBasis = _UNTOLD,
    rules: CostRules | None = None,
    *,
    explain: bool = True,
) -> OptionCost:
    """Capital with interest and resale over its life, plus power, hosting, maintenance and staff."""
    ledger = Ledger(explain)
    ledger.steps.extend(why.steps)
    gpus = fleet.gpus
    if gpus % own.sold_by:
        gpus = int(ledger(GPUS_BOUGHT, gpus=gpus, sold_by=own.sold_by, note="servers are sold whole"))
    capital = ledger(
        CAPITAL,
        gpus=gpus,
        price_per_gpu=price_per_gpu,
        server_pct=own.server_pct,
        network_pct=own.network_pct,
        basis=Basis.ASSUMED,
        note=why.note,
        source="; ".join(part for part in (why.source, rules.server_pct.source if rules else "") if part),
    )
    resale = ledger(
        RESALE,
        capital=capital,
        resale_pct=own.resale_pct,
        basis=Basis.ASSUMED,
        source=rules.resale_pct.source if rules else "",
    )
    months = own.life_years * 12
    # Below a millionth of a percent the annuity is a straight line, and its divisor no number.
    if own.interest_pct > 1e-6:
        rate = ledger(
            MONTHLY_RATE,
            interest_pct=own.interest_pct,
            basis=Basis.ASSUMED,
            source=rules.interest_pct.source if rules else "",
        )
        capital_per_month = ledger(ANNUITY, capital=capital, resale=resale, rate=rate, months=months)
    else:
        capital_per_month = ledger(STRAIGHT_LINE, capital=capital, resale=resale, months=months)
    power_kw = ledger(
        POWER_KW,
        gpus=gpus,
        watts_per_gpu=own.watts_per_gpu,
        host_factor=own.host_factor,
        source=rules.host_factor.source if rules else "",
    )
    duty = min(1.0, offered.service_hours_per_month / HOURS_PER_MONTH)
    share = ledger(
        LOAD_SHARE,
        duty=duty,
        active_pct=own.active_pct,
        idle_pct=own.idle_pct,
        source=rules.active_pct.source if rules else "",
    )
    electricity = ledger(
        ENERGY_MONTH,
        power_kw=power_kw,
        power_share=share,
        pue=own.pue,
        hours_per_month=HOURS_PER_MONTH,
        usd_per_kwh=own.electricity_usd_per_kwh,
        basis=Basis.ASSUMED,
        source=rules.electricity_usd_per_kwh.source if rules else "",
    )
    hosting = ledger(
        HOSTING_MONTH,
        power_kw=power_kw,
        usd_per_kw_month=own.hosting_usd_per_kw_month,
        basis=Basis.ASSUMED,
        source=rules.hosting_usd_per_kw_month.source if rules else "",
    )
    maintenance = ledger(
        MAINTENANCE_MONTH,
        capital=capital,
        maintenance_pct=own.maintenance_pct,
        basis=Basis.ASSUMED,
        source=rules.maintenance_pct.source if rules else "",
    )
    staff = ledger(
        STAFF_MONTH,
        staff_usd_per_year=own.staff_usd_per_year,
        gpus=gpus,
        staff_gpus=own.staff_gpus,
        basis=Basis.ASSUMED,
        source=f"{rules.staff_usd_per_year.source}; {rules.staff_gpus.source}" if rules else "",
    )
    operating = ledger(OPERATING_MONTH, electricity=electricity, hosting=hosting, maintenance=maintenance, staff=staff)
    monthly = ledger(OWNED_MONTH, capital_per_month=capital_per_month, operating=operating)
    per_mtok = _per_mtok(monthly, offered, ledger)
    derivation = ledger.derivation(f"Cost: {Option.OWNED.value}")
    straight = (capital - resale) / months
    parts = (
        CostPart("hardware less resale", straight),
        CostPart("capital cost", capital_per_month - straight),
        CostPart("electricity", electricity),
        CostPart("hosting", hosting),
        CostPart("maintenance", maintenance),
        CostPart(STAFF, staff),
    )
    return OptionCost(Option.OWNED, monthly, capital, operating, resale, per_mtok, derivation, parts)
