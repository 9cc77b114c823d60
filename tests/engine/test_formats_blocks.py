"""Integers, tables and block-scaled formats: against gguf and ml_dtypes bit by bit, and by their properties."""

from __future__ import annotations

import itertools
import math

import gguf
import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infratui.catalog.formats_data import formats_from, number_format, number_formats
from infratui.engine.formats import FormatError, NumberFormat, QuantizedGroup, encode_value, quantize

GGUF = gguf.GGMLQuantizationType
SCALED = [entry.id for entry in number_formats() if entry.scaling is not None]
Q5_0 = {
    "id": "q5_0", "label": "GGUF Q5_0", "family": "gguf",
    "element": {"kind": "integer", "bits": 5, "lowest": -16, "highest": 15, "coding": "offset", "rounding": "half_up"},
    "scaling": {"fit": "ggml_extreme", "block": 32, "scale": "fp16"},
    "native": [], "used_for": ["weights"], "evidence": [], "notes": "", "source": "gguf 0.19.0",
}  # fmt: skip
FP16 = {
    "id": "fp16", "label": "FP16", "family": "float", "native": [], "used_for": [], "evidence": [], "notes": "",
    "element": {"kind": "float", "exponent": 5, "mantissa": 10, "bias": 15, "specials": "ieee"}, "source": "test",
}  # fmt: skip


def weights(count: int, seed: int = 3, spread: float = 0.02) -> np.ndarray:
    draw = np.random.default_rng(seed)
    heavy = draw.standard_t(3, count) * spread
    # Exact ties, zeros and a block of zeros are where implementations differ.
    heavy[: count // 4] = np.round(heavy[: count // 4] / spread * 16) / 16
    heavy[count // 2 : count // 2 + 256] = 0
    return heavy.astype(np.float32)


def pack(group: QuantizedGroup) -> np.ndarray:
    """The bytes a GGUF file holds for the group, blocks of full length assumed."""
    out = bytearray()
    codes = np.array(group.codes, dtype=np.uint8)
    if group.format.id == "q4_k":
        for at in range(0, len(group.blocks), 8):
            subs = group.blocks[at : at + 8]
            d, d_min = (np.uint16(subs[0].stored[which].code).tobytes() for which in (2, 3))
            packed = bytearray(12)
            for j, (scale, minimum) in enumerate((sub.stored[0].code, sub.stored[1].code) for sub in subs):
                if j < 4:
                    packed[j], packed[j + 4] = scale, minimum
                else:
                    packed[j + 4] = (scale & 15) | (minimum & 15) << 4
                    packed[j - 4] |= scale >> 4 << 6
                    packed[j] |= minimum >> 4 << 6
            pairs = codes[subs[0].start : subs[0].start + 256].reshape(4, 2, 32)
            out += d + d_min + bytes(packed) + (pairs[:, 0] | pairs[:, 1] << 4).tobytes()
        return np.frombuffer(bytes(out), np.uint8)
    for block in group.blocks:
        part = codes[block.start : block.start + block.length]
        out += np.uint16(block.stored[0].code).tobytes()
        if group.format.element.bits == 8:
            out += part.tobytes()
            continue
        if group.format.element.bits == 5:
            out += np.packbits(part >> 4, bitorder="little").tobytes()
        low = part & 15
        out += (low[:16] | low[16:] << 4).tobytes()
    return np.frombuffer(bytes(out), np.uint8)


@pytest.mark.parametrize("name", ["q8_0", "q4_0", "q5_0"])
@pytest.mark.parametrize("spread", [0.02, 1.0, 300.0])
def test_gguf_formats_store_the_very_bytes_of_the_reference_quantizer(name: str, spread: float) -> None:
    entry = formats_from({"formats": [FP16, Q5_0]}, "test")[1] if name == "q5_0" else number_format(name)
    values = weights(64 * 256, spread=spread)

    group = quantize(entry, values.tolist())

    theirs = gguf.quants.quantize(values, GGUF[name.upper()])
    ours = pack(group).reshape(-1)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.float32(group.decoded), gguf.quants.dequantize(theirs, GGUF[name.upper()]))


def test_q4_k_decodes_as_the_reference_decodes_its_bytes() -> None:
    values = weights(16 * 256)

    group = quantize(number_format("q4_k"), values.tolist())

    theirs = gguf.quants.dequantize(pack(group), GGUF.Q4_K)
    np.testing.assert_array_equal(np.float32(group.decoded), theirs)


def test_q4_k_beats_q4_0_at_the_same_4_5_bits() -> None:
    values = weights(16 * 256).tolist()
    q4_k, q4_0 = number_format("q4_k"), number_format("q4_0")

    assert q4_k.effective_bits == q4_0.effective_bits == 4.5
    assert (quantize(q4_k, values).snr_db or 0) > (quantize(q4_0, values).snr_db or 0) + 1


@pytest.mark.parametrize("name", ["mxfp4", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp8", "mxfp8_e5m2"])
def test_mx_blocks_follow_the_ocp_conversion(name: str) -> None:
    entry = number_format(name)
    dtype = {"mxfp4": ml_dtypes.float4_e2m1fn, "mxfp6_e2m3": ml_dtypes.float6_e2m3fn, "mxfp8": ml_dtypes.float8_e4m3fn,
             "mxfp6_e3m2": ml_dtypes.float6_e3m2fn, "mxfp8_e5m2": ml_dtypes.float8_e5m2}[name]  # fmt: skip
    top = float(ml_dtypes.finfo(dtype).max)
    blocks = weights(512 * 32).reshape(-1, 32).astype(np.float64)

    group = quantize(entry, blocks.ravel().tolist())

    absmax = np.abs(blocks).max(axis=1, keepdims=True)
    exponent = np.where(
        absmax > 0, np.floor(np.log2(np.where(absmax > 0, absmax, 1))) - math.floor(math.log2(top)), -127
    )
    scale = np.exp2(exponent)
    elements = np.clip(blocks / scale, -top, top).astype(np.float32).astype(dtype)
    np.testing.assert_array_equal(group.codes, elements.view(np.uint8).ravel())
    np.testing.assert_array_equal(group.decoded, (elements.astype(np.float64) * scale).ravel())
    np.testing.assert_array_equal([block.stored[0].code for block in group.blocks], exponent.ravel() + 127)


def test_mxfp4_scales_and_values_agree_with_gguf() -> None:
    values = weights(64 * 32)

    group = quantize(number_format("mxfp4"), values.tolist())

    theirs = gguf.quants.quantize(values, GGUF.MXFP4)
    assert [block.stored[0].code for block in group.blocks if any(values[block.start : block.start + 32])] == [
        int(scale) for scale, row in zip(theirs.reshape(-1, 17)[:, 0], values.reshape(-1, 32), strict=True) if any(row)
    ]
    # gguf breaks ties towards zero, so its values may differ, but never by a smaller error.
    errors = np.abs(gguf.quants.dequantize(theirs, GGUF.MXFP4) - values)
    np.testing.assert_allclose(np.abs(np.float32(group.decoded) - values), errors, rtol=0, atol=1e-7)


def test_nvfp4_has_a_tensor_scale_e4m3_block_scales_and_e2m1_elements() -> None:
    blocks = weights(512 * 16).reshape(-1, 16).astype(np.float64)

    group = quantize(number_format("nvfp4"), blocks.ravel().tolist())

    tensor = np.float64(np.float32(np.abs(blocks).max() / (6 * 448)))
    scale = (np.abs(blocks).max(axis=1) / 6 / tensor).astype(np.float32).astype(ml_dtypes.float8_e4m3fn)
    multiplier = (scale.astype(np.float64) * tensor)[:, None]
    units = np.divide(blocks, multiplier, out=np.zeros_like(blocks), where=multiplier > 0)
    elements = np.clip(units, -6, 6).astype(np.float32).astype(ml_dtypes.float4_e2m1fn)
    np.testing.assert_array_equal([block.stored[0].code for block in group.blocks], scale.view(np.uint8))
    assert {block.stored[1].value for block in group.blocks} == {tensor}
    np.testing.assert_array_equal(group.decoded, (elements.astype(np.float64) * multiplier).ravel())


def test_the_tensor_of_a_group_sets_its_nvfp4_scale() -> None:
    alone = quantize(number_format("nvfp4"), [0.01, 0.02])
    part = quantize(number_format("nvfp4"), [0.01, 0.02], tensor_absmax=1.0)

    assert alone.blocks[0].stored[1].value == pytest.approx(0.02 / 2688)
    assert part.blocks[0].stored[1].value == pytest.approx(1 / 2688)
    assert part.blocks[0].stored[0].code < alone.blocks[0].stored[0].code == 0x7E


def test_int8_by_hand() -> None:
    # absmax 1.27 over 127 levels is a scale of 0.01, which FP16 stores as 0.01000213623046875.
    group = quantize(number_format("int8"), [0.5, -1.27, 0.0, 0.004])

    assert group.blocks[0].scale == 0.01000213623046875
    assert group.codes == (50, 256 - 127, 0, 0)
    assert group.decoded == (50 * 0.01000213623046875, -127 * 0.01000213623046875, 0.0, 0.0)
    assert [(f.letter, f.bits, f.value) for f in group.encoded(1).bits] == [
        ("S", "1", "-128"),
        ("V", "0000001", "1"),
    ]


def test_int4_asymmetric_by_hand() -> None:
    # -0.5 … 1.0 over 15 steps is a scale of 0.1; zero lies 5 steps up.
    group = quantize(number_format("int4_asym"), [-0.5, 1.0, 0.0, 0.26])

    scale = float(np.float16(0.1))
    assert group.codes == (0, 15, 5, 8)
    assert group.blocks[0].zero == 5
    assert group.decoded == (-5 * scale, 10 * scale, 0.0, 3 * scale)
    zero_point = group.encoded(0).stored[1]
    assert (zero_point.name, zero_point.type, zero_point.bits[0].bits) == ("zero point", "UINT4", "0101")


def test_nf4_takes_the_nearest_quantile_of_the_block() -> None:
    group = quantize(number_format("nf4"), [2.0, 0.15, -2.0, 1.2])

    assert group.codes == (15, 8, 0, 13)
    assert group.decoded == (2.0, 2 * 0.07958029955625534, -2.0, 2 * 0.5626170039176941)


def test_a_given_scale_replaces_the_fitted_one() -> None:
    group = quantize(number_format("int8"), [0.5, -1.25, 3.0], scale=2.0**-6)

    assert group.decoded == (0.5, -1.25, 127 / 64)
    assert [group.encoded(index).is_saturated for index in range(3)] == [False, False, True]


@pytest.mark.parametrize("name", SCALED)
def test_a_block_of_zeros_stays_zero(name: str) -> None:
    group = quantize(number_format(name), [0.0, -0.0, 0.0])

    assert group.decoded == (0.0, 0.0, 0.0)
    assert group.snr_db is None
    assert group.number_line(0)
    assert group.encoded(1).relative_error is None


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize(
    "values", [[1.7e308, -1.7e308, 1.0], [5e-324, -5e-324], [1e300, 1e-300, -1e-308], [0.3] * 33, [-2.0, -1.0]]
)
def test_extreme_groups_give_finite_answers(name: str, values: list[float]) -> None:
    group = quantize(number_format(name), values)

    assert all(map(math.isfinite, group.decoded))
    assert group.snr_db is None or math.isfinite(group.snr_db)
    assert math.isfinite(group.rms_error)
    for index in range(len(values)):
        encoded = group.encoded(index)
        assert math.isfinite(encoded.absolute_error)
        assert all(number.bits for number in encoded.stored)
        assert any(tick.is_chosen for tick in group.number_line(index))


small = st.floats(min_value=-8, max_value=8).map(lambda x: x if abs(x) > 1e-3 else 0.0)
groups = st.lists(small, min_size=1, max_size=32)


@given(st.sampled_from(SCALED), groups)
def test_decoded_values_are_nearest_in_their_block(name: str, values: list[float]) -> None:
    group = quantize(number_format(name), values)
    # llama.cpp picks codes with the scale before it is stored in FP16: nearest to within that rounding.
    slack = 2.0**-10 if name in {"q8_0", "q4_0"} else 1e-12

    for index, value in enumerate(values):
        block = group.block_of(index)
        grid = group.grid(index)
        reach = max(map(abs, values[block.start : block.start + block.length]))
        nearest = min(abs(x - value) for x in grid)
        assert group.decoded[index] in grid
        assert abs(group.decoded[index] - value) <= nearest + slack * (reach + block.minimum)


@given(st.sampled_from(SCALED), groups)
def test_larger_values_never_decode_to_smaller_ones_in_a_block(name: str, values: list[float]) -> None:
    group = quantize(number_format(name), values)

    for block in group.blocks:
        part = range(block.start, block.start + block.length)
        decoded = [group.decoded[index] for index in sorted(part, key=lambda index: values[index])]
        assert all(a <= b for a, b in itertools.pairwise(decoded))


@given(st.sampled_from([name for name in SCALED if name.startswith("mx")]), groups)
def test_mx_formats_are_idempotent(name: str, values: list[float]) -> None:
    once = quantize(number_format(name), values)

    assert quantize(number_format(name), once.decoded).decoded == once.decoded


@given(st.sampled_from([name for name in SCALED if number_format(name).scaling.search is None]), groups)
def test_with_its_scale_kept_a_block_is_idempotent(name: str, values: list[float]) -> None:
    values = values[:16]
    entry = number_format(name)
    once = quantize(entry, values)
    scale = abs(once.blocks[0].scale)
    assume(scale > 0 and once.blocks[0].zero == 0 and name != "q4_0")

    again = quantize(entry, once.decoded, scale=scale if name != "nvfp4" else None)

    assert again.decoded == pytest.approx(once.decoded, rel=1e-3 if name == "nvfp4" else 0, abs=0)


@given(st.sampled_from(SCALED), groups)
def test_the_shown_expression_of_a_block_evaluates_to_the_decoded_value(name: str, values: list[float]) -> None:
    group = quantize(number_format(name), values)

    for index in range(len(values)):
        encoded = group.encoded(index)
        assert eval(encoded.expression) == pytest.approx(encoded.decoded, rel=1e-15, abs=0)
        assert encoded.below is None or encoded.below <= values[index]
        assert encoded.above is None or encoded.above >= values[index]


@given(st.sampled_from(SCALED), groups)
def test_fields_join_to_the_code(name: str, values: list[float]) -> None:
    group = quantize(number_format(name), values)

    for index in range(len(values)):
        encoded = group.encoded(index)
        assert int("".join(field.bits for field in encoded.bits), 2) == encoded.code
        for number in encoded.stored:
            assert int("".join(field.bits for field in number.bits), 2) == number.code


@pytest.mark.parametrize("entry", number_formats(), ids=lambda entry: entry.id)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 10**400])
def test_numbers_that_are_not_finite_are_refused_in_one_line(entry: NumberFormat, bad: float) -> None:
    with pytest.raises(FormatError) as single:
        encode_value(entry, bad)
    with pytest.raises(FormatError, match="weight 2") as group:
        quantize(entry, [0.5, bad])

    assert "\n" not in str(single.value) + str(group.value)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-12])
def test_scales_that_cannot_work_are_refused(scale: float) -> None:
    with pytest.raises(FormatError, match="scale"):
        quantize(number_format("int8"), [0.5], scale=scale)


def test_a_scale_where_there_is_none_is_refused() -> None:
    with pytest.raises(FormatError, match="FP16 has no scale"):
        quantize(number_format("fp16"), [0.5], scale=1.0)
    with pytest.raises(FormatError, match="finds its own scales"):
        quantize(number_format("q4_k"), [0.5], scale=1.0)


def test_an_empty_group_and_a_missing_weight_are_refused() -> None:
    with pytest.raises(FormatError, match="empty"):
        quantize(number_format("int8"), [])
    with pytest.raises(FormatError, match="weight 3 does not exist"):
        quantize(number_format("int8"), [1.0, 2.0]).encoded(2)
