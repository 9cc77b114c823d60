"""The catalog of number formats: complete, costed as published, and extended by one entry."""

from __future__ import annotations

import copy

import pytest

from infratui.catalog.built_in import DATA
from infratui.catalog.errors import CatalogError
from infratui.catalog.formats_data import formats_from, number_format, number_formats
from infratui.catalog.yaml_io import read_built_in
from infratui.engine.formats import FormatError, NumberFormat, encode_value
from infratui.engine.formats.lab import error_table

ENTRY = {
    "id": "e3m4", "label": "FP8 E3M4", "family": "float",
    "element": {"kind": "float", "exponent": 3, "mantissa": 4, "bias": 3, "specials": "ieee"},
    "native": [], "used_for": ["weights"], "evidence": [], "notes": "", "source": "ml_dtypes 0.6.0 float8_e3m4",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "bits"),
    # Effective bits with scales and zero points, confirmed against the sizes of published checkpoints and GGUF blocks.
    [("fp32", 32), ("tf32", 32), ("bf16", 16), ("e4m3", 8), ("e4m3_channel", 8.0078125), ("mxfp8", 8.25),
     ("mxfp6", 6.25), ("mxfp4", 4.25), ("nvfp4", 4.5), ("int8", 8.00390625), ("int8_g128", 8.1875),
     ("int4_g128", 4.125), ("awq", 4.15625), ("gptq", 4.15625), ("int4_g32", 4.5), ("int4_g64", 4.25), ("nf4", 4.5),
     ("q8_0", 8.5), ("q4_0", 4.5), ("q4_k", 4.5)],
)  # fmt: skip
def test_effective_bits_are_the_published_ones(name: str, bits: float) -> None:
    assert number_format(name).effective_bits == bits


@pytest.mark.parametrize(
    ("name", "highest", "smallest_normal", "smallest"),
    [("fp16", 65504, 2.0**-14, 2.0**-24), ("e4m3", 448, 2.0**-6, 2.0**-9), ("e5m2", 57344, 2.0**-14, 2.0**-16),
     ("e4m3_fnuz", 240, 2.0**-7, 2.0**-10), ("e2m3", 7.5, 1, 0.125), ("e3m2", 28, 0.25, 0.0625), ("e2m1", 6, 1, 0.5)],
)  # fmt: skip
def test_ranges_are_those_of_the_specifications(
    name: str, highest: float, smallest_normal: float, smallest: float
) -> None:
    element = number_format(name).element

    assert (element.highest, element.lowest) == (highest, -highest)
    assert (element.smallest_normal, element.smallest_subnormal) == (smallest_normal, smallest)


@pytest.mark.parametrize("entry", number_formats(), ids=lambda entry: entry.id)
def test_every_entry_has_a_label_a_use_a_source_and_works(entry: NumberFormat) -> None:
    assert entry.label
    assert entry.used_for
    assert entry.source
    assert entry.notes.endswith(".")
    assert encode_value(entry, 0.7834).bits


def test_names_are_forgiving_and_unknown_ones_are_refused_with_the_list() -> None:
    assert number_format("FP8").id == number_format(" fp8-e4m3 ").id == number_format("FP8 E4M3").id == "e4m3"
    with pytest.raises(FormatError, match="use one of fp32, tf32"):
        number_format("fp7")


def test_hardware_tells_native_from_emulated() -> None:
    assert number_format("nvfp4").is_native_on("Blackwell")
    assert not number_format("nvfp4").is_native_on("Hopper")
    assert not number_format("bf16").is_native_on("Turing")
    assert not number_format("e4m3").is_native_on("CDNA3")
    assert number_format("e4m3_fnuz").is_native_on("CDNA3")


def test_what_ships_fits_its_shape() -> None:
    assert formats_from(read_built_in(DATA / "formats.yaml"), "formats.yaml") == number_formats()


def test_one_entry_adds_a_format() -> None:
    (added,) = formats_from({"formats": [ENTRY]}, "own.yaml")

    assert encode_value(added, 0.7834).decoded == 0.78125
    assert len(error_table([*number_formats(), added], [0.1, 0.2])) == len(number_formats()) + 1


def test_a_block_format_takes_any_float_above_it_as_scale() -> None:
    block = {**ENTRY, "id": "blocky", "scaling": {"fit": "absmax", "block": 16, "scale": "e3m4"}}

    added = formats_from({"formats": [ENTRY, block]}, "own.yaml")[1]

    assert added.effective_bits == 8.5
    assert encode_value(added, 0.7834).stored[0].type == "E3M4"


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("id",), "fp 8", "id 'fp 8'"),
        (("family",), "roman", "formats.0.family"),
        (("colour",), "red", "formats.0.colour"),
        (("element", "exponent"), 0, "exponent"),
        (("element",), {"kind": "integer", "bits": 4, "lowest": -9, "highest": 7, "coding": "twos_complement"}, "-9"),
        (("element",), {"kind": "codebook", "values": [1, 0]}, "ascending"),
        (("scaling",), {"fit": "absmax", "scale": "fp99"}, "fp99"),
        (("scaling",), {"fit": "minmax", "scale": "e8m0"}, "zero point"),
        (("scaling",), {"fit": "k_search", "scale": "e8m0"}, "search"),
        (("scaling",), {"fit": "ggml_absmax", "scale": "e8m0"}, "e8m0"),
        (("aliases",), ["e3m4"], "used twice"),
    ],
)
def test_a_wrong_entry_is_named_in_one_line(where: tuple[str, ...], value: object, message: str) -> None:
    entry = copy.deepcopy(ENTRY)
    target = entry if len(where) == 1 else entry[where[0]]
    target[where[-1]] = value
    first = {**ENTRY, "id": "first"} if where != ("aliases",) else ENTRY
    document = {"formats": [entry] if where != ("aliases",) else [first, {**entry, "id": "second"}]}

    with pytest.raises(CatalogError, match=message) as refusal:
        formats_from(document, "own.yaml")

    assert str(refusal.value).startswith("own.yaml: ")
    assert "\n" not in str(refusal.value)
