"""Whole public traces against an independent computation: runs where INFRATUI_SAMPLES names a folder that has them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from .samples import read

FOLDER = Path(os.environ.get("INFRATUI_SAMPLES", ""))
pytestmark = pytest.mark.skipif(not os.environ.get("INFRATUI_SAMPLES"), reason="INFRATUI_SAMPLES names no folder")


def rank(values: list[int], share: float) -> int:
    """Nearest rank: another definition than the program's."""
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


def test_azure_2023_code():
    raw = (FOLDER / "trace_full" / "azure2023_code.csv.gz").read_bytes()
    rows = list(csv.DictReader(gzip.decompress(raw).decode().splitlines()))
    times = [dt.datetime.fromisoformat(row["TIMESTAMP"][:26]).timestamp() for row in rows]
    found = read(raw)
    assert (found.format, found.requests) == ("azure", len(rows))
    for spread, column in ((found.input, "ContextTokens"), (found.output, "GeneratedTokens")):
        values = [int(row[column]) for row in rows]
        assert spread.mean == pytest.approx(sum(values) / len(values), rel=1e-9)
        for share in (50, 90, 99):
            assert spread.at(share) == pytest.approx(rank(values, share), rel=0.01), (column, share)
    seconds = max(times) - min(times)
    for window, peak in ((60, found.peak_60s), (10, found.peak_10s)):
        busiest = max(Counter((at - min(times)) // window for at in times).values())
        assert peak == pytest.approx(busiest / window / (len(times) / seconds), rel=1e-6)


def test_mooncake_excerpt():
    raw = (FOLDER / "trace" / "mooncake_conversation_trace.txt").read_bytes()
    rows = [json.loads(line) for line in raw.decode().splitlines() if line.strip()]
    seen: set[int] = set()
    hit = 0
    for row in rows:
        known = next((at for at, block in enumerate(row["hash_ids"]) if block not in seen), len(row["hash_ids"]))
        hit += min(row["input_length"], 512 * known)
        seen |= set(row["hash_ids"])
    found = read(raw)
    assert (found.format, found.requests) == ("mooncake", len(rows))
    assert found.prefix_share == pytest.approx(hit / sum(row["input_length"] for row in rows), abs=0.001)


def test_metrics_of_two_versions_at_once():
    found = read((FOLDER / "metrics" / "vllm_mixed_old_new_names_datadog.txt").read_bytes())
    assert (found.requests, found.saturated) == (1, False)
    assert found.prefix_share == pytest.approx(0.547, abs=0.001)
