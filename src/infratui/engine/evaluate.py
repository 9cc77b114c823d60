"""The one door: scenario + facts → results. Screens, reports, the command line and tests all come through here.

Parts are evaluated when they are asked for, and remembered by the fields they read: changing a price does not size
memory again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from .case import Case, in_force
from .facts import Facts

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .cost.growth import DemandGrowth
    from .cost.levers import CostLever
    from .cost.tornado import Tornado
    from .deployment.answer import Deployed, FleetAnswer
    from .deployment.apart import Apart
    from .deployment.planner import DemandPlan
    from .sections.bit_lab import LabResult
    from .sections.cost import CostResult
    from .sections.demand_effect import DemandEffect
    from .sections.load_curve import FleetLoad, LoadCurve
    from .sections.moe import MoeResult
    from .sections.parallelism import ParallelismResult
    from .sections.quantization import QuantizationResult
    from .sections.thumb import ThumbLayouts, ThumbMemory, ThumbSides
    from .sections.vram import VramResult

Key = tuple[object, ...]


class Memo:
    """The last results, each under the values of the fields that its evaluation read."""

    def __init__(self, size: int = 40) -> None:
        self._size = size
        self._entries: OrderedDict[Key, object] = OrderedDict()
        self._read: dict[str, OrderedDict[tuple[str, ...], None]] = {}
        """Sets of fields that evaluations of a part have read, the last ones last."""

    def find(self, part: str, scenario: Scenario) -> tuple[object, tuple[str, ...]] | None:
        """A remembered result, and the fields that it was made of."""
        # A copy, and no look before the leap: another thread may keep results in the meantime.
        for fields in tuple(reversed(self._read.get(part, ()))):
            key = _key(part, scenario, fields)
            try:
                self._entries.move_to_end(key)
                return self._entries[key], fields
            except KeyError:
                continue
        return None

    def keep(self, part: str, scenario: Scenario, fields: tuple[str, ...], result: object) -> None:
        """Remember a result that depends on these fields alone."""
        known = self._read.setdefault(part, OrderedDict())
        known[fields] = None
        known.move_to_end(fields)
        if len(known) > _FIELD_SETS:
            known.popitem(last=False)
        self._entries[_key(part, scenario, fields)] = result
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


_FIELD_SETS = 8
"""What an evaluation reads depends on what it finds: as many different sets of fields are told apart per part."""


def _key(part: str, scenario: Scenario, fields: tuple[str, ...]) -> Key:
    return (part, fields, *(getattr(scenario, field) for field in fields))


class Evaluation:
    """The results of one scenario, part by part, each evaluated on first use.

    A part raises ValueError in one line where the scenario cannot be answered: an unknown name, a layout that is not
    legal, a price that is missing.
    """

    def __init__(self, scenario: Scenario, facts: Facts, memo: Memo) -> None:
        self.typed = scenario
        """As it was written down."""
        self.scenario = in_force(scenario, facts)
        """With what was measured in place of what was typed: what all results are of."""
        self.facts = facts
        self._memory = memo
        self.case = Case(self.scenario, facts, memo)

    def knows(self, part: str) -> bool:
        """A part has been evaluated, and is remembered."""
        return self._memory.find(part, self.scenario) is not None

    @property
    def deployment(self) -> Deployed:
        """The layout to take on the scenario's GPUs, and the fewest that hold it: what every section shows."""
        from .deployment.answer import deployed

        return deployed(self.case)

    @property
    def fleet(self) -> FleetAnswer:
        """The cheapest fleet that meets both sides of the demand, or the scenario's own GPUs as they are."""
        from .deployment.answer import fleet_of

        return fleet_of(self.case)

    @property
    def vram(self) -> VramResult:
        """Memory: weights, KV cache, runtime, what fits where."""
        from .sections.vram import evaluate_vram

        return self.case.part("vram", evaluate_vram)

    @property
    def vram_first(self) -> VramResult:
        """What of that is there within a frame: no ways out, no table, no growth."""
        from .sections.vram import evaluate_vram_first

        return self.case.part("vram first", evaluate_vram_first)

    @property
    def thumb_memory(self) -> ThumbMemory:
        """Memory by the rule of thumb. Raises NoThumbError for a cache that it does not know."""
        from .sections.thumb import evaluate_thumb_memory

        return self.case.part("thumb memory", evaluate_thumb_memory)

    @property
    def thumb_layouts(self) -> ThumbLayouts:
        """The ladder of splits by the rule of thumb."""
        from .sections.thumb import evaluate_thumb_layouts

        return self.case.part("thumb layouts", evaluate_thumb_layouts)

    @property
    def thumb_sides(self) -> ThumbSides:
        """A dense model beside a mixture by the rule of thumb."""
        from .sections.thumb import evaluate_thumb_sides

        return self.case.part("thumb sides", evaluate_thumb_sides)

    @property
    def moe(self) -> MoeResult:
        """A dense model beside a mixture of experts, and its router."""
        from .sections.moe import evaluate_moe

        return self.case.part("moe", evaluate_moe)

    @property
    def cost(self) -> CostResult:
        """Buy or rent: fleet, options, breakevens, API, decision."""
        from .sections.cost import evaluate_cost

        return self.case.part("cost", evaluate_cost)

    @property
    def cost_levers(self) -> tuple[CostLever, ...]:
        """What each lever on cost would save here."""
        from .cost.levers import evaluate_levers

        return self.case.part("cost levers", evaluate_levers)

    @property
    def cost_tornado(self) -> Tornado | None:
        """Which input moves the decision most; None where there is nothing to compare."""
        from .cost.tornado import evaluate_tornado

        return self.case.part("cost tornado", evaluate_tornado)

    @property
    def growth(self) -> DemandGrowth:
        """Demand that grows month by month: the fleet's steps and the ways to pay; a second at most."""
        from .cost.growth import evaluate_growth

        return self.case.part("growth", evaluate_growth)

    @property
    def parallelism(self) -> ParallelismResult:
        """Layouts: every split of the GPUs, which to take, what it sends."""
        from .sections.parallelism import evaluate_parallelism

        return self.case.part("parallelism", evaluate_parallelism)

    @property
    def load_curve(self) -> LoadCurve:
        """The chosen layout under load: percentiles, knee, capacity. A tenth of a second or two."""
        from .sections.load_curve import evaluate_load

        return self.case.part("load curve", evaluate_load)

    @property
    def fleet_load(self) -> FleetLoad:
        """Percentiles of the fleet at the demand of today."""
        from .sections.load_curve import evaluate_fleet_load

        return self.case.part("fleet load", evaluate_fleet_load)

    @property
    def demand_effect(self) -> DemandEffect:
        """What measured demand asks for beside the typed one; several searches, a tenth of a second."""
        from .sections.demand_effect import demand_effect

        return demand_effect(self.typed, lambda scenario: Case(scenario, self.facts, self._memory))

    @property
    def apart(self) -> Apart:
        """Prefill and decode on pools of their own, beside the fleet that does both."""
        from .deployment.apart import evaluate_apart

        return self.case.part("apart", evaluate_apart)

    @property
    def quantization(self) -> QuantizationResult:
        """Every way to store the weights: bytes, GPUs, speed, quality."""
        from .sections.quantization import evaluate_quantization

        return self.case.part("quantization", evaluate_quantization)

    @property
    def lab(self) -> LabResult:
        """One value and its group in every number format."""
        from .sections.bit_lab import evaluate_lab

        return self.case.part("lab", evaluate_lab)

    @property
    def demand_plan(self) -> DemandPlan:
        """The cheapest plan over the whole catalog: half a second, so ask for it only when it is wanted."""
        from .deployment.planner import plan_demand

        return self.case.part("demand plan", plan_demand)


class Evaluator:
    """Evaluates scenarios over one catalog, remembering what has not changed."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._memo = Memo()

    def __call__(self, scenario: Scenario) -> Evaluation:
        return Evaluation(scenario, self.facts, self._memo)


def evaluate(scenario: Scenario, facts: Facts) -> Evaluation:
    """Evaluate one scenario without remembering others."""
    return Evaluator(facts)(scenario)
