"""The math as a tree: the figure first, below each step what it is made of, everything once."""

from __future__ import annotations

from infratui.catalog.load import default_catalog
from infratui.engine.evaluate import evaluate
from infratui.engine.figures.derivation import Derivation, Formula, Ledger, Unit
from infratui.report.math import text, trees
from infratui.report.sections import SECTIONS
from infratui.scenario import Scenario

PART = Formula("part", "amount * 2", Unit.BYTES, term="weights")
REST = Formula("rest", "amount + 1", Unit.BYTES, term="overhead")
WHOLE = Formula("whole", "part + kept", Unit.BYTES, term="vram")


def small() -> Derivation:
    """`whole` uses `part` by name, and `rest` as `kept`: by its value alone."""
    ledger = Ledger()
    part = ledger(PART, amount=7_000)
    rest = ledger(REST, amount=12_345)
    ledger(WHOLE, part=part, kept=rest)
    return ledger.derivation("Whole")


def test_the_figure_stands_first_and_its_parts_below_it() -> None:
    [(title, branches)] = trees([small()])
    assert title == "Whole"
    assert [(branch.step.symbol, branch.depth) for branch in branches] == [("whole", 0), ("part", 1), ("rest", 1)]


def test_small_numbers_that_happen_to_be_equal_are_no_parts() -> None:
    ledger = Ledger()
    ledger(PART, amount=4)
    ledger(WHOLE, part=1, kept=8)
    [(_, branches)] = trees([ledger.derivation("Apart")])
    assert [branch.depth for branch in branches] == [0, 0]


def test_what_an_earlier_title_told_is_named_and_not_told_again() -> None:
    first, again = trees([small(), small()])
    assert len(first[1]) == 3
    assert [(branch.step.symbol, branch.again) for branch in again[1]] == [("whole", True)]
    assert "whole = 26.3 kB (as above)" in text([small(), small()])


def test_every_step_of_every_section_is_told_once() -> None:
    evaluation = evaluate(Scenario(), default_catalog())
    for section in SECTIONS:
        result = section.report.evaluate(evaluation)
        derivations = tuple(section.report.derivations(result))
        told: set[tuple[str, str]] = set()
        for derivation, (_, branches) in zip(derivations, trees(derivations), strict=True):
            steps = {(step.symbol, step.substituted) for step in derivation}
            shown = [(branch.step.symbol, branch.step.substituted) for branch in branches if not branch.again]
            assert {*shown} == steps - told
            told |= steps


def test_memory_opens_with_its_total() -> None:
    evaluation = evaluate(Scenario(), default_catalog())
    section = next(section for section in SECTIONS if section.id == "vram")
    _, branches = next(iter(trees(section.report.derivations(section.report.evaluate(evaluation)))))
    assert branches[0].step.symbol == "total"
    assert [branch.step.symbol for branch in branches if branch.depth == 1][:3] == [
        "all_weights", "all_kv_cache", "all_runtime",
    ]  # fmt: skip
