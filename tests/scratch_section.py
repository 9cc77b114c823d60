"""A sixth section, tried through every door: one row in the list, its words, its screen. Prints what each door said."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from types import ModuleType

from infratui.engine.figures.compare import headline
from infratui.engine.figures.derivation import Derivation, Formula, Unit
from infratui.report import sections
from infratui.report.show import Answer, Cell, Column, Row, Table

LAYERS = Formula("layers", "layers", Unit.COUNT, term="parameters")


@dataclass(frozen=True, slots=True)
class Count:
    """How many layers a model has."""

    layers: int


def words() -> ModuleType:
    """What `report/scratch.py` would be."""
    told = ModuleType("infratui.report.scratch")
    told.ASSUMED = ()
    told.evaluate = lambda evaluation: Count(42)
    told.answer = lambda result, bytes_as: Answer(f"{result.layers} layers", "in all", "good")
    told.page = lambda result, bytes_as: (
        Table("layers", "Layers", (Column("layers"),), (Row("all", (Cell(str(result.layers)),)),)),
    )
    told.summary = lambda result, bytes_as: f"The model has {result.layers} layers."
    told.headlines = lambda evaluation, result: (headline("Layers", result.layers),)
    told.derivations = lambda result: (Derivation("Layers", (LAYERS.step(layers=result.layers),)),)
    told.data = lambda result, explain=False: {"layers": result.layers}
    return told


def screen() -> ModuleType:
    """What `app/screens/scratch/screen.py` would be."""
    from infratui.app.screen.section import SectionScreen
    from infratui.app.widgets.panel import Panel
    from infratui.app.widgets.table import TableView

    class ScratchScreen(SectionScreen[Count]):
        """Layers."""

        FIELDS = ("model",)

        def compose_body(self):
            with Panel("Layers", id="layers"):
                yield TableView()

    place = ModuleType("infratui.app.screens.scratch.screen")
    place.ScratchScreen = ScratchScreen
    return place


def main() -> None:
    """Add the section, then walk through the doors."""
    sections.SECTIONS += (sections.Section("scratch", "Scratch", "Scr", "scratch", "layers: how many"),)
    sys.modules["infratui.report.scratch"] = words()
    from click.testing import CliRunner

    from infratui.app.app import InfraApp
    from infratui.app.settings import Settings
    from infratui.app.widgets.headline import HeadlineView
    from infratui.catalog.load import Catalog
    from infratui.cli.group import cli
    from infratui.engine.evaluate import evaluate
    from infratui.report.compare import as_json, comparison
    from infratui.report.export import json_report
    from infratui.report.full import plain_report
    from infratui.scenario import Scenario

    sys.modules["infratui.app.screens.scratch"] = ModuleType("infratui.app.screens.scratch")
    sys.modules["infratui.app.screens.scratch.screen"] = screen()
    facts, scenario = Catalog(), Scenario()
    evaluation = evaluate(scenario, facts)

    def printed(*arguments: str) -> str:
        return CliRunner().invoke(cli, [*arguments]).output

    async def shown() -> tuple[bool, str]:
        app = InfraApp(scenario, facts=facts, settings=Settings(motion=False), start="vram")
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.pause()
            await pilot.press("6")
            await app.workers.wait_for_complete()
            await pilot.pause()
            tab = any("Scratch" in tab for tab in app.title_line().tabs)
            return tab, app.page.query_one(HeadlineView).answer.text

    tab, figure = asyncio.run(shown())
    compared = comparison(evaluation, evaluation)
    whole = json.loads(json_report(evaluation, facts.today))
    print(
        json.dumps(
            {
                "tab": tab,
                "screen": figure,
                "command": "42 layers" in printed("scratch"),
                "help": "layers: how many" in printed("--help"),
                "markdown": "42" in printed("scratch", "--markdown"),
                "csv": printed("scratch", "--csv").splitlines()[0],
                "json": json.loads(printed("scratch", "--json"))["layers"],
                "report": "The model has 42 layers." in plain_report(scenario, facts),
                "whole_json": whole["sections"]["scratch"]["result"]["layers"],
                "compare": "scratch" in {figure["section"] for figure in as_json(compared)["figures"]},
                "start": "scratch" in printed("--screen", "nowhere"),
            }
        )
    )


if __name__ == "__main__":
    main()
