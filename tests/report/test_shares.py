"""Who holds what: the ranges of the guide's sketches, in words."""

from __future__ import annotations

from infratui.engine.cluster.layout import Layout
from infratui.report.shares import shares


def said(layout: Layout, stages: list[tuple[int, int]]) -> dict[str, str]:
    return {line.label: line.text for line in shares(layout, 8192, stages)}


def test_a_matrix_of_8192_columns_over_four_gpus() -> None:
    assert "T0 0–2,047, T1 2,048–4,095, T2 4,096–6,143, T3 6,144–8,191 of 8,192" in said(Layout(tp=4), [(1, 80)])["TP"]


def test_stages_and_copies() -> None:
    found = said(Layout(pp=2, dp=2), [(1, 40), (41, 80)])
    assert found["PP"].endswith("S0 1–40, S1 41–80")
    assert found["DP"].endswith("user A by R0, user B by R1")
    assert "TP" not in found


def test_many_are_named_by_the_first_and_the_last() -> None:
    assert said(Layout(tp=8), [])["TP"].count("T") == 4
    assert "…" in said(Layout(tp=8), [])["TP"]


def test_one_gpu_holds_all() -> None:
    assert said(Layout(), [(1, 80)]) == {}
