"""The whole report: every section's answer as plain text or Markdown, with its inputs, math and sources."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING

from .. import __version__
from ..checking import checked_policy
from ..engine.evaluate import Evaluation, evaluate
from ..engine.figures.units import ByteUnit, counted
from . import check
from .draw import VERDICTS
from .markdown import escaped, fenced, markdown_table
from .math import markdown as markdown_math
from .money import figure
from .printed import markdown_block
from .sections import SECTIONS, Outcome, outcomes
from .summary import assumptions as assumed_by

if TYPE_CHECKING:
    from ..engine.facts import Facts
    from ..engine.figures.compare import Headline
    from ..scenario import Scenario


WIDTH = 100
"""Columns of the plain report."""


def plain_report(scenario: Scenario, facts: Facts, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """All sections as plain text, line by line: what a pipe, a dumb terminal or a screen reader gets."""
    evaluation = evaluate(scenario, facts)
    head = f"infratui: {scenario.name}"
    sections = outcomes(evaluation)
    blocks = [f"{head}\n{'=' * len(head)}", inputs_line(scenario, facts)]
    blocks.append("\n".join(line for found in sections for line in _in_short(found, bytes_as)))
    blocks.append(textwrap.fill(f"Assumed: {', '.join(assumptions(scenario, facts))}.", WIDTH))
    if scenario.policy:
        checked = checked_policy(evaluation, facts.today)
        said = [f"  {check.MARKS[limit.verdict]} {check.sentence(limit, checked)}" for limit in checked.limits]
        blocks.append("\n".join((f"Policy: {check.headline(checked)}", *said)))
    for found in sections:
        words = textwrap.fill(found.summary(bytes_as), WIDTH)
        lines = [found.section.title, "-" * len(found.section.title), words]
        lines += _figures(found, bytes_as)
        lines.append(f"The math: infratui {found.section.command} --explain")
        blocks.append("\n".join(line for line in lines if line))
    return "\n\n".join(blocks)


def markdown_report(evaluation: Evaluation, date: dt.date, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """One page first: every answer and what it assumes. The ledger – figures, math and sources – is an appendix."""
    scenario = evaluation.typed
    sections = outcomes(evaluation)
    blocks = [
        f"# {escaped(scenario.name)}",
        f"infratui {__version__}, {date.isoformat()}. {escaped(inputs_line(scenario, evaluation.facts))}",
        "## Answers",
        "\n".join(_answered(found, bytes_as) for found in sections),
    ]
    if scenario.policy:
        checked = checked_policy(evaluation, date)
        blocks += [f"## Policy: {escaped(check.headline(checked))}", markdown_block(check.table(checked, title=""))]
    assumed = "\n".join(f"- {escaped(entry)}" for entry in assumptions(scenario, evaluation.facts))
    blocks += ["## Assumptions", assumed]
    changed = scenario.changed()
    if changed:
        blocks.append("## Inputs that differ from the defaults")
        blocks.append(fenced("\n".join(f"{key}: {value}" for key, value in changed.items()), "yaml"))
    blocks.append("# Appendix: figures, math and sources")
    for found in sections:
        blocks.append(f"## {found.section.title}")
        blocks.append(escaped(found.summary(bytes_as)))
        blocks.append(figures_table(found.headlines() if found.result is not None else (), bytes_as, scenario.currency))
        blocks.append(markdown_math(found.derivations(), bytes_as, scenario.currency))
    return "\n\n".join(block for block in blocks if block) + "\n"


def assumptions(scenario: Scenario, facts: Facts) -> list[str]:
    """The inputs that the sections rest on without naming them, each once."""
    found = (entry for section in SECTIONS for entry in assumed_by(section.id, scenario, facts))
    return list(dict.fromkeys(found))


def _answered(found: Outcome, bytes_as: ByteUnit) -> str:
    """A section's answer as an item of a list: verdict, figures, why and the next best."""
    answer = found.answer(bytes_as)
    reasons = "; ".join(f"{says.label}: {says.text}" if says.label else says.text for says in answer.lines if says.text)
    head = f"- **{escaped(found.section.title)}: {escaped(VERDICTS.get(answer.tone, ''))}{escaped(answer.text)}.**"
    said = ". ".join(escaped(text) for text in (answer.figure, reasons) if text)
    return f"{head} {said}." if said else head


def _in_short(found: Outcome, bytes_as: ByteUnit) -> list[str]:
    answer = found.answer(bytes_as)
    words = f"{VERDICTS.get(answer.tone, '')}{answer.text}"
    words = f"{words}: {answer.figure}" if answer.figure else words
    return textwrap.wrap(f"{found.section.title}: {words}", WIDTH, subsequent_indent="  ")


def inputs_line(scenario: Scenario, facts: Facts) -> str:
    """The deployment in one sentence."""
    try:
        model = facts.model(scenario.model).name
        gpu = facts.accelerator(scenario.accelerator).name
        weights, cache = (
            facts.precision(scenario.precision or facts.model(scenario.model).weight_precision).label,
            facts.precision(scenario.kv_precision).label,
        )
    except (ValueError, OSError):
        model, gpu, weights, cache = scenario.model, scenario.accelerator, scenario.precision, scenario.kv_precision
    users = counted(scenario.users, "user")
    return (
        f"{model}, weights {weights}, KV cache {cache}, {users} with {scenario.context:,} tokens each, "
        f"on {scenario.gpus:,} × {gpu}.{_measured(scenario)}"
    )


def _measured(scenario: Scenario) -> str:
    """Where lengths and peaks come from, if not from the typed inputs."""
    profile = scenario.demand_profile
    return "" if profile is None else f" Demand as measured in {profile}."


def figure_text(headline: Headline, bytes_as: ByteUnit = ByteUnit.GB, currency: str = "$") -> str:
    """A headline's value with its unit, or the words that stand in its place."""
    if headline.value is None:
        return f"– ({headline.words})" if headline.words else "–"
    return figure(headline.value, headline.unit, bytes_as, currency)


def figures_table(figures: tuple[Headline, ...], bytes_as: ByteUnit, currency: str = "$") -> str:
    """Headlines as a Markdown table."""
    if not figures:
        return ""
    rows = [[escaped(entry.name), escaped(figure_text(entry, bytes_as, currency))] for entry in figures]
    return markdown_table(("Figure", "Value"), rows, frozenset({1}))


def _figures(found: Outcome, bytes_as: ByteUnit) -> list[str]:
    if found.result is None:
        return []
    figures = found.headlines()
    width = max((len(entry.name) for entry in figures), default=0)
    currency = found.evaluation.scenario.currency
    return [f"  {entry.name:{width}}  {figure_text(entry, bytes_as, currency)}" for entry in figures]
