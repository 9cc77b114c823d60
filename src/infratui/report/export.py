"""What can be written to a file, under which name, and how it is put together."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..value_types import dataclass
from . import deployment
from .as_json import SCHEMA, dumps, plain
from .sections import Outcome, outcomes

if TYPE_CHECKING:
    from ..engine.evaluate import Evaluation


class ExportKind(StrEnum):
    """A kind of export."""

    SCREEN = "markdown of this screen"
    REPORT = "markdown of all screens"
    JSON = "json"
    CSV = "csv"
    SVG = "svg"
    LAUNCH = "launch"


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of export as it is offered."""

    kind: ExportKind
    label: str
    about: str
    ending: str


OFFERS = (
    Offer(ExportKind.SCREEN, "Markdown of this screen", "summary, tables, math and sources", "md"),
    Offer(ExportKind.REPORT, "Markdown of all screens", "one page of answers and assumptions; math and sources", "md"),
    Offer(ExportKind.JSON, "JSON of all results", "inputs, figures and results, for other programs", "json"),
    Offer(ExportKind.CSV, "CSV of the tables on this screen", "as they are sorted and filtered now", "csv"),
    Offer(ExportKind.LAUNCH, "Launch: what starts it", "a command or manifest, by engine and version", "sh"),
    Offer(ExportKind.SVG, "SVG of this screen", "a picture with selectable text", "svg"),
)


def file_name(offer: Offer, scenario: str, section: str) -> str:
    """The proposed name: `infratui-production-vram.md`; letters, digits and hyphens only."""
    about = "report" if offer.kind in (ExportKind.REPORT, ExportKind.JSON) else section
    return f"infratui-{slug(scenario) or 'plan'}-{slug(about)}.{offer.ending}"


def slug(text: str) -> str:
    """Text as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold().encode("ascii", "ignore").decode()).strip("-")[:60]


def free_path(folder: Path, name: str) -> Path:
    """A path in a folder that nothing stands at: `plan.md`, else `plan-2.md` and so on."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return path


def json_report(evaluation: Evaluation, date: dt.date) -> str:
    """Scenario, headlines and results of every section as JSON; bytes, seconds and dollars as the engine counts."""
    sections = {found.section.id: _section(found) for found in outcomes(evaluation)}
    return dumps(
        {
            "schema": SCHEMA,
            **deployment.as_json(evaluation),
            "infratui": __version__,
            "date": date.isoformat(),
            "scenario": evaluation.typed.values(),
            "policy": evaluation.scenario.policy.stated(),
            "sections": sections,
        }
    )


def _section(found: Outcome) -> dict[str, Any]:
    if found.result is None:
        return {"refused": found.refusal}
    return {
        "summary": found.summary(),
        "headlines": [plain(headline) for headline in found.headlines()],
        "result": plain(found.data()),
    }
