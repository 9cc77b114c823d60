"""A summary fit for a design document: one paragraph with what it assumes, by what, and as of when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import __version__
from ..engine.figures.derivation import Derivation
from ..scenario import INPUTS
from .inputs import input_text
from .sections import SECTIONS

if TYPE_CHECKING:
    from ..engine.facts import Facts
    from ..scenario import Scenario


def paragraph(
    words: str, section: str, scenario: Scenario, facts: Facts, derivations: Iterable[Derivation], date: dt.date
) -> str:
    """The words of a screen in one paragraph, with its assumptions, its error band and the date."""
    parts = [_sentence(" ".join(words.split()))]
    if assumed := assumptions(section, scenario, facts):
        parts.append(f"Assumed: {', '.join(assumed)}.")
    widest = max(bands(derivations), default=None)
    if widest is not None:
        parts.append(f"Calibrated figures carry up to ±{widest:.0f} %.")
    parts.append(f"(infratui {__version__}, {date.isoformat()})")
    return " ".join(part for part in parts if part)


def assumptions(section: str, scenario: Scenario, facts: Facts) -> list[str]:
    """The inputs a section rests on, as `label value`."""
    return [
        f"{_label(field)} {input_text(field, getattr(scenario, field), facts, scenario.currency)}"
        for field in assumed(section)
    ]


def bands(derivations: Iterable[Derivation]) -> list[float]:
    """Error bands of the calibrated steps, ± percent."""
    return [step.band_pct for derivation in derivations for step in derivation if step.band_pct is not None]


def assumed(section_id: str) -> tuple[str, ...]:
    """The inputs that a section's summary rests on without naming them."""
    return next((entry.report.ASSUMED for entry in SECTIONS if entry.id == section_id), ())


def _label(field: str) -> str:
    label = INPUTS[field].label
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?" else f"{text}."
