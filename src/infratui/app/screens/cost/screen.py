"""The Buy vs Rent screen: demand in, fleet, five options and an API beside them, breakevens, and what to do."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from textual import work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from ....engine.cost.levers import CostLever
from ....engine.cost.tornado import Tornado
from ....engine.deployment.judge import NoReplicaError
from ....engine.deployment.planner import DemandPlan
from ....engine.evaluate import Evaluation
from ....engine.sections.cost import CostResult
from ....report import growth, load_curve, plans
from ....report.cost_levers import levers
from ....report.reasons import error_text
from ....report.show import Block
from ....scenario import Scenario
from ...screen.section import SectionScreen
from ...widgets.columns import ColumnLayout
from ...widgets.drawn import BarList, LinesView, ProseView
from ...widgets.line_chart import LineChart
from ...widgets.panel import Panel
from ...widgets.table import TableView
from ...widgets.value_row import ValueRow
from .decision_tree import DecisionTree
from .tornado_bars import TornadoBars

PRICES = (
    "on_demand_usd", "spot_usd", "reserved_1y_usd", "reserved_3y_usd", "purchase_usd", "api_usd_per_mtok", "currency",
    "electricity_usd_per_kwh", "pue", "hosting_usd_per_kw_month", "staff_usd_per_year", "maintenance_pct",
    "interest_pct", "resale_pct", "life_years", "egress_gb", "egress_usd_per_gb", "storage_gb",
    "storage_usd_per_gb_month",
)  # fmt: skip
"""Inputs that stand beside their sources, in the last panel."""
_REST_S = 0.08
"""A held key steps a value thirty times a second: what takes longer waits until it rests."""


LATE = ("fleet-latency", "growth-panel", "levers", "tornado")
"""Panels that are filled once keys rest: the first two, then the others."""
GROWTH = ("growth_pct", "growth_to", "growth_months", "lead_months")


class RateRows(Container):
    """Value rows in columns, as high as they need."""

    DEFAULT_CSS = "RateRows { height: auto; width: 1fr; }"

    def __init__(self, rows: Iterable[ValueRow]) -> None:
        super().__init__(*rows)
        self._columns = ColumnLayout()

    @property
    def layout(self) -> ColumnLayout:
        return self._columns


class CostScreen(SectionScreen[CostResult]):
    """Money."""

    HELP = (
        "What the demand takes and what it costs: rented by the hour, reserved, owned, or bought per token. Enter on a "
        "lever turns it on or off; prices and assumptions can be your own, in the last panel; m shows the math."
    )
    FIELDS = (
        "requests_per_day", "hours_per_day", "days_per_week", "peak_factor", "input_tokens", "output_tokens",
        "model", "precision", "kv_precision", "users", "context", "prefix_hit", "accelerator", "gpus", "engine",
        "fleet_basis", "ttft_ms", "tpot_ms", "spares", "load_pct", "own_tokens_per_s", "compliance", "term_years",
        "cascade_pct", "cascade_model", "acceptance", "draft_tokens",
    )  # fmt: skip
    TERMS = (
        "on-demand", "spot", "reserved", "owned", "breakeven", "duty-cycle", "peak-factor", "amortization",
        "cost-of-capital", "resale", "pue", "n-plus-one", "per-token-price", "cascade", "prefix-caching",
        "speculative-decoding", "compliance", "ttft", "tpot", "throughput", "replica",
    )  # fmt: skip
    SLOW = True
    CSS = """
    CostScreen LineChart { height: 11; }
    CostScreen.-huge #body { layout: grid; grid-size: 2; grid-columns: 1fr 1fr; grid-rows: auto; grid-gutter: 0 1; }
    CostScreen.-huge LineChart { height: 14; }
    CostScreen.-huge #table, CostScreen.-huge #levers { column-span: 2; }
    """

    class More(Message):
        """Levers and tornado have been computed."""

        def __init__(self, scenario: Scenario, levers: tuple[CostLever, ...], tornado: Tornado | None) -> None:
            super().__init__()
            self.scenario, self.levers, self.tornado = scenario, levers, tornado

    class Foreseen(Message):
        """Latency of the fleet and growth have been computed."""

        def __init__(self, scenario: Scenario, tails: tuple[Block, ...], grown: tuple[Block, ...]) -> None:
            super().__init__()
            self.scenario, self.tails, self.grown = scenario, tails, grown

    class Planned(Message):
        """The catalog has been searched."""

        def __init__(self, scenario: Scenario, plan: DemandPlan) -> None:
            super().__init__()
            self.scenario, self.plan = scenario, plan

    def __init__(self) -> None:
        super().__init__()
        self.levers: tuple[CostLever, ...] = ()
        self.plan: DemandPlan | None = None

    def compose_body(self) -> ComposeResult:
        with Panel("What each way costs per month · o price older than 180 days", id="options"):
            yield BarList()
        with Panel("When does the answer change?", id="tornado"):
            yield TornadoBars()
        with Panel("How it was decided", id="decision"):
            yield DecisionTree()
        with Panel("What the demand takes", id="sizing"):
            yield ProseView()
        with Panel("Latency of the fleet, mean and tails", id="fleet-latency"):
            yield ProseView(id="tails")
        with Panel("Breakevens, and what each request and user costs", id="breakevens"):
            yield ProseView()
        with Panel("Money spent, month by month", id="cumulative"):
            yield LineChart()
        with Panel("Growth: when the fleet must grow, and what it costs", id="growth-panel"):
            yield RateRows(self.make_row(field) for field in GROWTH)
            yield LineChart(id="growth-chart")
            yield ProseView(id="growth-words")
            yield TableView(limit=8, id="growth")
        with Panel("Options and where their prices come from", id="table"):
            yield TableView(limit=6, id="option-table")
        with Panel("Levers: enter turns one on or off", id="levers"):
            yield TableView(limit=7, id="lever-table")
        with Panel("Cheapest plans in the catalog: enter takes one", id="plans"):
            yield TableView(limit=8, id="plan-table")
        with Panel("Per 1M tokens, beside API prices", id="tokens"):
            yield BarList()
        with Panel("Signals", id="signals"):
            yield LinesView()
        with Panel("Hidden costs", id="hidden"):
            yield LinesView()
        with Panel("Your own prices and assumptions", id="rates"):
            yield RateRows(self.make_row(field) for field in PRICES)
            yield LinesView()

    def show(self, result: CostResult) -> None:
        super().show(result)
        self.query_one(DecisionTree).show(result.decision, result.scenario.currency)
        if self.plan is None or self.plan.scenario != self.scenario:
            self.plan = None
            self.place(plans.UNASKED)
        self._await(LATE)
        self._weigh(self.scenario, self.session.evaluation)

    def _await(self, panels: Iterable[str], *, awaited: bool = True) -> None:
        for name in panels:
            self.query_one(f"#{name}", Panel).await_result(awaited=awaited)

    @work(thread=True, exclusive=True, group="levers")
    def _weigh(self, scenario: Scenario, evaluation: Evaluation) -> None:
        """Price every lever and vary every input: a tenth of a second, beside the screen, once a key rests."""
        worker = get_current_worker()
        time.sleep(_REST_S)
        if worker.is_cancelled:
            return
        tails, grown = load_curve.fleet(evaluation), growth.of(evaluation)
        if worker.is_cancelled:
            return
        self.post_message(self.Foreseen(scenario, tails, grown))
        try:
            levers, tornado = evaluation.cost_levers, evaluation.cost_tornado
        except ValueError:
            levers, tornado = (), None
        if not worker.is_cancelled:
            self.post_message(self.More(scenario, levers, tornado))

    def on_cost_screen_foreseen(self, event: Foreseen) -> None:
        if event.scenario != self.scenario:
            return
        self._await(LATE[:2], awaited=False)
        self.place(*event.tails, *(event.grown or (growth.unasked(),)))
        self.query_one("#fleet-latency").display = bool(event.tails)
        for widget in self.query("#growth-chart, #growth"):
            widget.display = len(event.grown) > 1

    def on_cost_screen_more(self, event: More) -> None:
        if event.scenario != self.scenario:
            return
        self._await(LATE[2:], awaited=False)
        self.levers = event.levers
        currency = event.scenario.currency
        self.place(levers(event.levers, currency))
        self.query_one(TornadoBars).show(event.tornado, currency)

    @work(thread=True, exclusive=True, group="plans")
    def _search(self, scenario: Scenario, evaluation: Evaluation) -> None:
        """Search the catalog: half a second, beside the screen."""
        try:
            self.post_message(self.Planned(scenario, evaluation.demand_plan))
        except NoReplicaError as error:
            self.app.call_from_thread(self.note, error_text(error), "bad")

    def on_cost_screen_planned(self, event: Planned) -> None:
        if event.scenario != self.scenario:
            return
        self.plan = replace(event.plan, scenario=event.scenario)
        if event.plan.best is None:
            self.note("nothing in the catalog holds the targets", "bad")
            return
        self.place(plans.plans(self.plan))
        count, refused = len(event.plan.candidates), len(event.plan.refused)
        self.note(f"{count} plans hold the targets, {refused} do not; > sorts, enter takes one", "good")

    def on_table_view_chosen(self, event: TableView.Chosen) -> None:
        match event.table.id:
            case "lever-table":
                self._turn(event.row)
            case "plan-table" if event.row == plans.SEARCH:
                self.note("searching the catalog …", "key")
                self._search(self.scenario, self.session.evaluation)
            case "plan-table":
                self._take(event.row)

    def _turn(self, row: str) -> None:
        """Flip a lever's switch."""
        lever = next((entry for entry in self.levers if entry.note.id == row), None)
        if lever is None:
            return
        if not lever.turn:
            self.note(
                f"{lever.note.label}: {lever.note.basis}; set Speculative decoding to the share that you measured",
                "bad",
            )
        elif self.change(**dict(lever.turn)):
            self.note(f"{lever.note.label} {'off' if lever.on else 'on'}; u undoes it", "good")

    def _take(self, row: str) -> None:
        """Put a plan of the catalog into the scenario."""
        if self.plan is None:
            return
        accelerator, _, precision = row.partition(" ")
        if self.change(accelerator=accelerator, precision=precision, tp=0, pp=0, ep=0, dcp=0):
            self.note(f"{accelerator} in {precision} taken; u undoes it", "good")

    def on_table_view_moved(self, event: TableView.Moved) -> None:
        self.note(event.detail, "muted")
