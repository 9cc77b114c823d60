"""Levers on cost: each a change of the scenario, what it saves here, and what that rests on."""

from __future__ import annotations

from enum import StrEnum

from ...value_types import dataclass
from ..case import Case
from ..deployment.judge import NoReplicaError
from ..figures.reason import Reason
from .case import CostCase, cheapest_monthly
from .notes import LeverNote

_EIGHT, _SIX = 8.6, 6.0
"""Effective bits up to which weights count as 8-bit, and as 4-bit."""
_TTFT_MS, _TPOT_MS = 2000.0, 50.0
"""Targets that come back when spot is switched off: the scenario's defaults."""

_WITHOUT_SPEED = frozenset({"cascade", "spot"})
"""Levers that leave the speed of the model as it is."""
_NOTHING = 0.005
"""Share of the cost below which a lever does nothing: as many GPUs are needed either way."""

Change = tuple[tuple[str, object], ...]


class LeverEffect(StrEnum):
    """What is known of a lever."""

    SAVES = "saves"
    COSTS = "costs"
    NOTHING = "nothing"
    UNMEASURED = "unmeasured"
    """Only a measured rate tells."""
    OWN_SPEED = "own speed"
    """The user's own rate is of the other side."""
    NO_PRICE = "no price"
    REFUSED = "refused"
    """The scenario has no answer on its other side."""


@dataclass(frozen=True, slots=True)
class CostLever:
    """One switch. `saves` is USD per month by which the cheapest option is lower with it than without."""

    note: LeverNote
    on: bool
    turn: Change
    """Scenario fields that flip the switch; empty where only the user can (a measured rate is missing)."""
    saves: float | None
    share: float | None
    """`saves` over the cost without the lever."""
    effect: LeverEffect
    refusal: Reason | None = None
    """Why there is no answer on the other side."""


def evaluate_levers(case: Case) -> tuple[CostLever, ...]:
    """Price the scenario with and without each lever. Raises ValueError where the scenario itself has no answer."""
    now = cheapest_monthly(CostCase.of(case))
    found = []
    for note in case.facts.cost_notes().levers:
        on, turn = _switch(note.id, case)
        found.append(_lever(note, on, turn, case, now))
    return tuple(found)


def _lever(note: LeverNote, on: bool, turn: Change, case: Case, now: float | None) -> CostLever:
    if not turn:
        return CostLever(note, on, (), None, None, LeverEffect.UNMEASURED)
    if case.scenario.own_tokens_per_s and note.id not in _WITHOUT_SPEED:
        return CostLever(note, on, (), None, None, LeverEffect.OWN_SPEED)
    try:
        other = cheapest_monthly(CostCase.of(case.with_(**dict(turn))))
    except NoReplicaError as error:
        return CostLever(note, on, turn, None, None, LeverEffect.REFUSED, error.reason)
    if now is None or other is None:
        return CostLever(note, on, turn, None, None, LeverEffect.NO_PRICE)
    without, with_it = (other, now) if on else (now, other)
    saves = without - with_it
    share = saves / without if without > 0 else 0.0
    effect = LeverEffect.SAVES if saves > 0 else LeverEffect.COSTS
    return CostLever(note, on, turn, saves, share, LeverEffect.NOTHING if abs(share) < _NOTHING else effect)


def _switch(lever: str, case: Case) -> tuple[bool, Change]:
    """Whether a lever is on, and the fields that flip it."""
    scenario, facts = case.scenario, case.facts
    bits = case.precision.bits
    released = case.model.weight_precision
    match lever:
        case "eight-bit":
            on = _SIX < bits <= _EIGHT
            return on, (("precision", "bf16" if on else "fp8"),)
        case "four-bit":
            on = bits <= _SIX
            native = case.accelerator.fp4 is not None
            wide = released if facts.precision(released).bits > _SIX else "bf16"
            return on, (("precision", wide if on else "nvfp4" if native else "int4-awq"),)
        case "eight-bit-cache":
            on = case.kv_precision.bits <= _EIGHT
            return on, (("kv_precision", "bf16" if on else "fp8"),)
        case "prefix-caching":
            on = scenario.prefix_hit > 0
            known = min(100.0, 100 * scenario.shared_prefix / scenario.input_tokens) if scenario.input_tokens else 0.0
            hit = known or facts.cost_rules().prefix_hit_pct.value
            return on, (("prefix_hit", 0.0 if on else hit),)
        case "cascade":
            on = scenario.cascade_pct > 0
            return on, (("cascade_pct", 0.0 if on else facts.cost_rules().cascade_pct.value),)
        case "speculation":
            on = scenario.acceptance > 0
            return on, (("acceptance", 0.0),) if on else ()
        case "spot":
            on = not (scenario.ttft_ms or scenario.tpot_ms)
            if on:
                return on, (("ttft_ms", _TTFT_MS), ("tpot_ms", _TPOT_MS))
            return on, (("ttft_ms", 0.0), ("tpot_ms", 0.0))
        case _:
            return False, ()
