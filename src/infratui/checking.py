"""A scenario held against its policy: one call for every front end. The day is handed in: nothing here has a clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from .engine.policy import FigureOf, JudgedLimit, LimitVerdict, judge_policy, worst
from .value_types import dataclass

if TYPE_CHECKING:
    from .engine.evaluate import Evaluation
    from .launching.validity import FlagCheck
    from .policy import Policy


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """Every limit of a policy with its verdict, in the policy's order."""

    limits: tuple[JudgedLimit, ...]
    flags: FlagCheck | None = None
    """What the flags of the policy's engine came to; None where it names none, or there is no plan to start."""
    currency: str = "$"

    @property
    def verdict(self) -> LimitVerdict:
        return worst(self.limits)

    def those(self, verdict: LimitVerdict) -> tuple[JudgedLimit, ...]:
        """The limits of one verdict."""
        return tuple(entry for entry in self.limits if entry.verdict is verdict)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A scenario file held against its own policy, or why it cannot be."""

    path: str
    name: str = ""
    """Of the scenario."""
    checked: CheckedPolicy | None = None
    error: str = ""
    """One line with file and line; empty: it was read."""
    line: int = 1
    """Of the error, or of the policy."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Limit → the line that states it."""

    @property
    def exit_code(self) -> int:
        """0 holds, 1 broken, 2 unreadable, 3 cannot tell."""
        if self.checked is None:
            return 2
        return {LimitVerdict.HOLDS: 0, LimitVerdict.BROKEN: 1, LimitVerdict.CANNOT_TELL: 3}[self.checked.verdict]


def worst_code(codes: tuple[int, ...]) -> int:
    """Of several files: unreadable over broken over cannot tell."""
    return next((code for code in (2, 1, 3) if code in codes), 0)


def checked_policy(evaluation: Evaluation, on: dt.date) -> CheckedPolicy:
    """The scenario's policy, judged. `on`: the day that prices age to."""
    scenario = evaluation.scenario
    limits = judge_policy(evaluation, scenario.policy, on)
    if not scenario.policy.engine_flags:
        return CheckedPolicy(limits, None, scenario.currency)
    limit, flags = _flags(evaluation, scenario.policy)
    return CheckedPolicy((*limits, limit), flags, scenario.currency)


def _flags(evaluation: Evaluation, policy: Policy) -> tuple[JudgedLimit, FlagCheck | None]:
    from .catalog.launch_flags import launch_flags
    from .launching.validity import check_flags

    asked = policy.engine_flags

    def judged(verdict: LimitVerdict, value: float | None, basis: FigureOf, subject: str) -> JudgedLimit:
        return JudgedLimit("engine_flags", verdict, asked, value, None, None, basis, subject)

    try:
        found = check_flags(asked, evaluation.case, launch_flags())
    except ValueError as error:
        return judged(LimitVerdict.CANNOT_TELL, None, FigureOf.REFUSED, str(error)), None
    verdict = LimitVerdict.HOLDS
    if found.refusal or found.missing:
        verdict = LimitVerdict.BROKEN
    elif found.unknown:
        verdict = LimitVerdict.CANNOT_TELL
    value = float(found.stated) if verdict is LimitVerdict.HOLDS else None
    return judged(verdict, value, FigureOf.FLAGS, f"{found.engine} {found.version}"), found
