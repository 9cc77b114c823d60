"""Every reason of the engine has words, in the unit that was asked for."""

from __future__ import annotations

from collections import defaultdict

import pytest

from infratui.engine.cluster.abilities import Cannot
from infratui.engine.cluster.legal import Illegal
from infratui.engine.deployment.judge import NoReplicaError, refused_by
from infratui.engine.deployment.reasons import ReasonKind
from infratui.engine.figures.reason import Reason, because
from infratui.engine.figures.units import ByteUnit
from infratui.report.reasons import error_text, reason_text, reasons_text

KEYS = (
    "layouts", "gain", "group", "other", "ttft_s", "tpot_s", "replicas", "idle", "gpus", "missing", "needed", "most",
    "seconds", "target_s", "tp", "pp", "ep", "dp", "heads", "width", "block", "ranks", "experts", "layers", "share",
    "speed", "dcp", "copies", "node",
)  # fmt: skip


@pytest.mark.parametrize("kind", [*ReasonKind, *Illegal, *Cannot])
def test_each_kind_is_a_phrase(kind: ReasonKind | Illegal | Cannot) -> None:
    said = reason_text(Reason(kind, "a name", tuple((key, 4.0) for key in KEYS), "TP4 on H100"))
    assert len(said.split()) > 1
    assert "\n" not in said


def test_two_kinds_never_share_their_words() -> None:
    """Those that only repeat a name do."""
    words = defaultdict(list)
    for kind in (*ReasonKind, *Illegal, *Cannot):
        words[reason_text(Reason(kind, kind.name, tuple((key, 4.0) for key in KEYS)))].append(kind)
    assert [kinds for kinds in words.values() if len(kinds) > 1] == []


def test_bytes_are_in_the_unit_of_the_reader() -> None:
    short = because(ReasonKind.SHORT, missing=2**30)
    assert reason_text(short, ByteUnit.GIB) == "memory short by 1.00 GiB per GPU"
    assert reason_text(short) == "memory short by 1.07 GB per GPU"
    assert reasons_text((short, short), between="; ").count(";") == 1


def test_an_error_with_a_reason_is_worded_and_one_without_says_itself() -> None:
    reason = Reason(Illegal.HEADS, numbers=(("tp", 3), ("heads", 64)), where="TP3")
    error = NoReplicaError(reason)
    assert str(error) == "TP3: attention heads do not split (tp 3, heads 64)"
    assert error_text(error) == "TP3: TP3 does not divide 64 attention heads"
    assert refused_by(error) is reason
    assert reason_text(refused_by(ValueError("no rate"))) == error_text(ValueError("no rate")) == "no rate"
