"""The sections of an evaluation as reports see them: their order, titles, results, summaries, figures and math."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..engine.figures.derivation import Derivation
from ..engine.figures.units import ByteUnit
from ..mishaps import unforeseen

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation


@dataclass(frozen=True, slots=True)
class Section:
    """One section: the name of its result on an evaluation, its title and its command."""

    id: str
    title: str
    command: str


SECTIONS = (
    Section("vram", "VRAM", "vram"),
    Section("quantization", "Quantization", "quant"),
    Section("parallelism", "Parallelism", "plan"),
    Section("cost", "Buy vs Rent", "cost"),
    Section("moe", "MoE vs Dense", "moe"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A section's result, or in words why there is none."""

    section: Section
    result: Any
    refusal: str = ""


def sections_of(evaluation: Evaluation) -> tuple[Section, ...]:
    """The sections that the engine has."""
    return tuple(section for section in SECTIONS if hasattr(type(evaluation), section.id))


def answer(evaluation: Evaluation, section: Section) -> Answer:
    """Evaluate a section. What nobody expected is kept in the log and said in one line: the other sections stand."""
    try:
        return Answer(section, getattr(evaluation, section.id))
    except (ValueError, OSError) as error:
        return Answer(section, None, str(error))
    except Exception as error:
        return Answer(section, None, str(unforeseen(error, f"evaluating {section.title}")))


def answers(evaluation: Evaluation) -> tuple[Answer, ...]:
    """Evaluate every section there is."""
    return tuple(answer(evaluation, section) for section in sections_of(evaluation))


def summary(found: Answer, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The section's answer in plain sentences: the words of its screen."""
    if found.result is None:
        return f"No answer: {found.refusal}."
    name = f"{__package__}.{found.section.id}"
    if importlib.util.find_spec(name) is None:
        return ""
    told: str = importlib.import_module(name).summary(found.result, bytes_as)
    return told


def derivations(found: Answer) -> Sequence[Derivation]:
    """The math behind a section."""
    if found.result is None:
        return ()
    listed: Any = getattr(found.result, "derivations", ())
    # One per row of a table: the chosen one speaks for the section.
    return tuple(listed(found.result.chosen) if callable(listed) else listed)
