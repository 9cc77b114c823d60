"""The scenario on screen and others on one pool of servers: which ones is typed, the answer is read over the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ... import store
from ...report.reasons import error_text
from ...scenario import ScenarioError
from .overlays import Prompt, Reading

if TYPE_CHECKING:
    from ...scenario import Scenario
    from ..shell import Shell

WIDTH = 106
"""Columns of what is read."""


def ask(shell: Shell) -> None:
    """Ask which scenarios share the pool, then show what it takes."""
    names = [preset.id for preset in store.presets()]
    others: list[Scenario] = []

    def check(text: str) -> str:
        others.clear()
        try:
            others.extend(store.named_scenario(name.strip()) for name in text.split(",") if name.strip())
        except (ScenarioError, OSError) as error:
            return error_text(error)
        return "" if others else "name one scenario at least: a preset or a path"

    def typed(text: str | None) -> None:
        if text is not None:
            _show(shell, others)

    title = "Beside this scenario on one pool: presets or files, commas between"
    shell.push_screen(Prompt(title, ", ".join(names[1:3]), check), typed)


def _show(shell: Shell, others: list[Scenario]) -> None:
    from ...engine.deployment.pool import evaluate_pool
    from ...report import pool as words
    from ...report.printed import answer_lines, block_lines

    own = shell.scenario
    free = {"tp": 0, "pp": 0, "dp": 0, "ep": 0, "dcp": 0}
    on_these = {"accelerator": own.accelerator, "gpus_per_node": own.gpus_per_node, "fleet_basis": "needs"}
    try:
        cases = [shell.session.evaluate(own.with_(fleet_basis="needs")).case]
        cases += [shell.session.evaluate(other.with_(**on_these, **free)).case for other in others]
        found = evaluate_pool(cases)
    except (ValueError, OSError) as error:
        shell.note(error_text(error), "bad")
        return
    lines = [*answer_lines(words.answer(found, own.currency), WIDTH)]
    for block in words.page(found, own.currency):
        lines += block_lines(block, WIDTH)
    content = Content("\n").join(Content.assemble(*((text, _style(tone)) for text, tone in line)) for line in lines)
    shell.push_screen(Reading("Several models on one pool", content))


def _style(tone: str) -> str:
    strong = "bold " if tone.startswith("bold") else ""
    name = tone.removeprefix("bold").strip()
    return f"{strong}${name}" if name else strong.strip()
