"""The whole report: every section's answer as plain text or Markdown, with its inputs, math and sources."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING

from ..checking import checked_policy
from ..engine.evaluate import Evaluation, evaluate
from ..engine.figures.units import ByteUnit
from . import check
from .markdown import escaped, fenced, markdown_table
from .math import markdown as markdown_math
from .money import figure
from .printed import markdown_block
from .sections import Outcome, outcomes

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
    blocks = [f"{head}\n{'=' * len(head)}", inputs_line(scenario, facts)]
    if scenario.policy:
        checked = checked_policy(evaluation, facts.today)
        said = [f"  {check.MARKS[limit.verdict]} {check.sentence(limit, checked)}" for limit in checked.limits]
        blocks.append("\n".join((f"Policy: {check.headline(checked)}", *said)))
    for found in outcomes(evaluation):
        words = textwrap.fill(found.summary(bytes_as), WIDTH)
        lines = [found.section.title, "-" * len(found.section.title), words]
        lines += _figures(found, bytes_as)
        lines.append(f"The math: infratui {found.section.command} --explain")
        blocks.append("\n".join(line for line in lines if line))
    return "\n\n".join(blocks)


def markdown_report(evaluation: Evaluation, date: dt.date, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """All sections as Markdown with inputs, figures, math and sources."""
    scenario = evaluation.typed
    blocks = [
        f"# {escaped(scenario.name)}",
        f"infratui, {date.isoformat()}. {escaped(inputs_line(scenario, evaluation.facts))}",
    ]
    if scenario.policy:
        checked = checked_policy(evaluation, date)
        blocks += [f"## Policy: {escaped(check.headline(checked))}", markdown_block(check.table(checked, title=""))]
    for found in outcomes(evaluation):
        blocks.append(f"## {found.section.title}")
        blocks.append(escaped(found.summary(bytes_as)))
        blocks.append(figures_table(found.headlines() if found.result is not None else (), bytes_as, scenario.currency))
        blocks.append(markdown_math(found.derivations(), bytes_as, scenario.currency))
    changed = scenario.changed()
    if changed:
        blocks.append("## Inputs that differ from the defaults")
        blocks.append(fenced("\n".join(f"{key}: {value}" for key, value in changed.items()), "yaml"))
    return "\n\n".join(block for block in blocks if block) + "\n"


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
    users = "1 user" if scenario.users == 1 else f"{scenario.users:,} users"
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
