"""The one door: scenario + facts → results. Screens, reports, the command line and tests all come through here.

Sections are evaluated when they are asked for, and remembered by the fields they depend on: changing a price does not
size memory again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from .facts import Facts

if TYPE_CHECKING:
    from ..scenario import Scenario
    from .bit_lab import LabResult
    from .cost.case import Sized
    from .cost.levers import CostLever
    from .cost.section import CostResult
    from .cost.tornado import Tornado
    from .moe import MoeResult
    from .parallelism import ParallelismResult
    from .planner import DemandPlan
    from .quantization import QuantizationResult
    from .vram import VramResult

T = TypeVar("T")

Key = tuple[object, ...]


class Memo:
    """Remembers the last results of each section."""

    def __init__(self, size: int = 24) -> None:
        self._size = size
        self._entries: OrderedDict[Key, object] = OrderedDict()

    def get(self, key: Key, make: Callable[[], T]) -> T:
        """The remembered result of a key, or a new one."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]  # type: ignore[return-value]
        made = make()
        self._entries[key] = made
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
        return made


class Evaluation:
    """The results of one scenario, section by section, each evaluated on first use.

    A section raises ValueError in one line where the scenario cannot be answered: an unknown name, a layout that is
    not legal, a price that is missing.
    """

    def __init__(self, scenario: Scenario, facts: Facts, memo: Memo) -> None:
        self.scenario = scenario
        self.facts = facts
        self._memo = memo

    def _section(self, name: str, fields: tuple[str, ...], make: Callable[[Scenario, Facts], T]) -> T:
        key = (name, *(getattr(self.scenario, field) for field in fields))
        return self._memo.get(key, lambda: make(self.scenario, self.facts))

    @property
    def vram(self) -> VramResult:
        """Memory: weights, KV cache, runtime, what fits where."""
        from .vram import FIELDS, evaluate_vram

        return self._section("vram", FIELDS, evaluate_vram)

    @property
    def moe(self) -> MoeResult:
        """A dense model beside a mixture of experts, and its router."""
        from .moe import FIELDS, evaluate_moe

        return self._section("moe", FIELDS, evaluate_moe)

    @property
    def _sized(self) -> Sized:
        from .cost.case import SERVING_FIELDS, size_replicas

        return self._section("replicas", SERVING_FIELDS, size_replicas)

    @property
    def cost(self) -> CostResult:
        """Buy or rent: fleet, options, breakevens, API, decision."""
        from .cost.section import FIELDS, evaluate_cost

        return self._section("cost", FIELDS, lambda scenario, facts: evaluate_cost(scenario, facts, self._sized))

    @property
    def cost_levers(self) -> tuple[CostLever, ...]:
        """What each lever on cost would save here."""
        from .cost.levers import FIELDS, evaluate_levers

        return self._section("cost levers", FIELDS, evaluate_levers)

    @property
    def cost_tornado(self) -> Tornado | None:
        """Which input moves the decision most; None where there is nothing to compare."""
        from .cost.section import FIELDS
        from .cost.tornado import evaluate_tornado

        return self._section(
            "cost tornado", FIELDS, lambda scenario, facts: evaluate_tornado(scenario, facts, self._sized)
        )

    @property
    def parallelism(self) -> ParallelismResult:
        """Layouts: every split of the GPUs, which to take, what it sends."""
        from .parallelism import FIELDS, evaluate_parallelism

        return self._section("parallelism", FIELDS, evaluate_parallelism)

    @property
    def quantization(self) -> QuantizationResult:
        """Every way to store the weights: bytes, GPUs, speed, quality."""
        from .quantization import FIELDS, evaluate_quantization

        return self._section("quantization", FIELDS, evaluate_quantization)

    @property
    def lab(self) -> LabResult:
        """One value and its group in every number format."""
        from .bit_lab import FIELDS, evaluate_lab

        return self._section("lab", FIELDS, evaluate_lab)

    @property
    def demand_plan(self) -> DemandPlan:
        """The cheapest plan over the whole catalog: half a second, so ask for it only when it is wanted."""
        from .planner import FIELDS, plan_demand

        return self._section("demand plan", FIELDS, plan_demand)


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
