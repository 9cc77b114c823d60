"""Hardware, precisions and prices: complete, sourced, joined, and within what physics allows."""

from __future__ import annotations

import re

import pytest

from infratui.catalog.load import Catalog
from infratui.engine.cluster.hardware import Accelerator
from infratui.engine.model.architecture import Part
from infratui.engine.model.precision import Precision

CATALOG = Catalog()


def of(items: tuple[Accelerator, ...] | tuple[Precision, ...]) -> list[object]:
    return [pytest.param(item, id=item.id) for item in items]


def test_at_least_forty_accelerators_of_six_makers():
    vendors = {accelerator.vendor for accelerator in CATALOG.accelerators()}

    assert len(CATALOG.accelerators()) >= 40
    assert vendors >= {"NVIDIA", "AMD", "Intel", "Huawei", "Google", "AWS"}


@pytest.mark.parametrize("accelerator", of(CATALOG.accelerators()))
def test_accelerators_stay_within_bounds(accelerator: Accelerator):
    assert accelerator.source
    assert 0.88 < accelerator.memory / (accelerator.memory_marketing_gb * 2**30) < 1.08
    assert 2e11 < (accelerator.bandwidth or 0) <= 8e12
    # The fastest dense rate of any part here is 15 PFLOP/s at FP4 (GB300); a sparse headline would exceed these.
    for compute, most in (("fp32", 3e14), ("bf16", 2.6e15), ("fp8", 5.1e15), ("int8", 5.1e15), ("fp4", 1.5e16)):
        rate = accelerator.peak(compute)
        assert rate is None or 1e12 < rate <= most
    if accelerator.link:
        link = CATALOG.link(accelerator.link)
        assert link.bandwidth is not None
        assert accelerator.link_bandwidth == pytest.approx(link.bandwidth, rel=0.01)


@pytest.mark.parametrize("accelerator", of(CATALOG.accelerators()))
def test_narrower_formats_are_not_slower(accelerator: Accelerator):
    sixteen = accelerator.peak("bf16")

    if sixteen and accelerator.fp8:
        assert accelerator.fp8 >= sixteen
    if accelerator.fp8 and accelerator.fp4:
        assert 1.9 <= accelerator.fp4 / accelerator.fp8 <= 4.1


@pytest.mark.parametrize(
    ("name", "mib", "bf16", "bandwidth"),
    [
        ("h100-sxm", 81_559, 989e12, 3350e9),  # nvidia-smi; NVIDIA data sheet, sparse rate halved
        ("h200-sxm", 143_771, 989e12, 4800e9),
        ("a100-80gb-sxm", 81_920, 312e12, 2039e9),
        ("b200-sxm", 183_359, 2250e12, 8000e9),
        ("mi300x", 196_592, 1307e12, 5300e9),
        ("l40s", 46_068, 362e12, 864e9),
    ],
)
def test_the_common_parts_to_the_digit(name: str, mib: int, bf16: float, bandwidth: float):
    found = CATALOG.accelerator(name)

    assert found.memory == mib * 2**20
    assert found.memory_reported
    assert (found.bf16, found.bandwidth) == (bf16, bandwidth)


def test_links_count_one_direction():
    assert CATALOG.link("nvlink-4").bandwidth == 450e9
    assert CATALOG.link("infiniband-ndr").bandwidth == 50e9
    assert CATALOG.link("InfiniBand NDR 4x").id == "infiniband-ndr"
    assert CATALOG.accelerator("h100-sxm").link_bandwidth == 450e9
    assert CATALOG.accelerator("h100-pcie").link_domain == 2
    assert CATALOG.accelerator("gb200").link_domain == 72
    assert all(link.source and link.bandwidth for link in CATALOG.links())


def test_systems_join_accelerators_and_add_up():
    for system in CATALOG.systems():
        assert system.source
        if not system.accelerator:
            continue
        part = CATALOG.accelerator(system.accelerator)
        if system.memory_total_gb:
            assert system.memory_total_gb == pytest.approx(system.gpus * part.memory_marketing_gb, rel=0.005)
        if system.price_usd_low and system.price_usd_high:
            assert system.price_usd_low <= system.price_usd_high


@pytest.mark.parametrize("precision", of(CATALOG.precisions()))
def test_precisions_are_sourced_and_never_below_their_elements(precision: Precision):
    nominal = re.match(r"\D*(\d+)", precision.label)

    assert precision.source
    assert precision.for_weights or precision.for_kv
    assert 1 < precision.bits <= 32
    assert precision.bits_of(Part.NORMS) >= 16 or not precision.for_weights
    if nominal and precision.family in ("integer", "fp8", "fp6", "fp4") and not precision.parts:
        assert precision.bits >= int(nominal[1])


def test_the_four_classic_precisions_have_their_round_bytes():
    classic = {p.id: p.nominal_bytes for p in CATALOG.precisions() if p.classic}

    assert classic == {"fp32": 4, "fp16": 2, "fp8": 1, "int4": 0.5}


def test_kv_precisions():
    found = {p.id: p.bits for p in CATALOG.precisions() if p.for_kv}

    assert found["bf16"] == 16
    assert found["fp8"] == 8
    assert found["nvfp4"] == 4.5
    assert found["int8-kv"] == 8.25
    assert "int4" not in found  # INT4 weights do not mean an INT4 cache


@pytest.mark.parametrize(
    ("precision", "bits"),
    # Whole-file averages that llama.cpp prints for Llama-3.1 8B.
    [("q4_k_m", 4.8944), ("q5_k_m", 5.7036), ("q6_k", 6.5633), ("q8_0", 8.5008), ("q2_k", 3.1593), ("iq4_xs", 4.4597)],
)
def test_gguf_mixes_average_to_what_a_real_file_takes(precision: str, bits: float):
    from infratui.engine.model.architecture import parameters

    count = parameters(CATALOG.model("llama-3.1-8b"))
    found = CATALOG.precision(precision)
    mean = sum(number * found.bits_of(part) for part, number in count.parts) / count.total

    assert mean == pytest.approx(bits, rel=0.002)


def test_llama_405b_with_attention_kept_wide_matches_the_log():
    from infratui.engine.model.architecture import parameters

    count = parameters(CATALOG.model("405b"))
    found = CATALOG.precision("fp8-bf16-attention")
    gib = sum(number * found.bits_of(part) for part, number in count.parts) / 8 / 2**30

    # vLLM on eight GPUs prints 56.7677 GiB each; norms and part of the scales are copied to every one.
    assert gib / 8 == pytest.approx(56.77, rel=0.005)


def test_prices_are_dated_sourced_and_believable():
    every = [price for part in CATALOG.accelerators() for price in CATALOG.prices(part.id)]

    assert len(every) > 500
    for price in every:
        assert price.source
        assert price.provider
        assert re.fullmatch(r"20\d\d(-\d\d(-\d\d)?)?", price.date)
        assert (100 if price.kind == "purchase" else 0.05) < price.usd < (100_000 if price.kind == "purchase" else 20)


def test_prices_are_newest_first():
    dates = [price.date for price in CATALOG.prices("h100-sxm")]

    assert dates == sorted(dates, reverse=True)
    assert len(dates) > 50


def test_precisions_name_formats_and_evidence_that_exist():
    formats = {entry.id for entry in CATALOG.formats()}
    methods = {row.method for row in CATALOG.quality().evidence}

    for precision in CATALOG.precisions():
        assert not precision.format or precision.format in formats
        assert set(precision.quality) <= methods
