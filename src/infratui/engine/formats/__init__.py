"""Number formats down to the bit: one description per format, one codec for all of them.

A `NumberFormat` is an element (how one number is stored) and, in most formats, a scaling (what a block of numbers
shares). The catalog reads them from data; nothing here knows a format by name. `quantize` encodes a group and
`encode_value` a single number; both say the code, its bits by field, the decoded value, the error and the neighbours on
the number line. `infratui.engine.formats.lab` draws weights and compares formats on them.

    group = quantize(number_format("nvfp4"), [0.31, -0.12, 0.7834])
    group.snr_db                     # 10 log10(signal / noise), None when exact
    group.encoded(2).bits            # (BitField("S", …), BitField("E", …), BitField("M", …))
    group.encoded(2).stored          # the block's scale and the tensor's scale, with their own bits
    group.number_line(2)             # Tick(value, code, is_chosen), ascending

Bad input (nan, an infinity, an empty group, a scale of 0) raises `FormatError`, a one-line `ValueError`.
"""

from infratui.engine.formats.blocks import Block, StoredNumber
from infratui.engine.formats.codec import (
    Encoded,
    QuantizedGroup,
    Tick,
    decode_code,
    encode_value,
    quantize,
    signal_to_noise_db,
)
from infratui.engine.formats.description import REFERENCE_ROW, Family, Fit, KSearch, NumberFormat, ScaleType, Scaling
from infratui.engine.formats.elements import (
    BitField,
    CodebookElement,
    Coding,
    FloatElement,
    IntegerElement,
    PowerOfTwoElement,
    Rounding,
    Specials,
)
from infratui.engine.formats.errors import FormatError

__all__ = [
    "REFERENCE_ROW",
    "BitField",
    "Block",
    "CodebookElement",
    "Coding",
    "Encoded",
    "Family",
    "Fit",
    "FloatElement",
    "FormatError",
    "IntegerElement",
    "KSearch",
    "NumberFormat",
    "PowerOfTwoElement",
    "QuantizedGroup",
    "Rounding",
    "ScaleType",
    "Scaling",
    "Specials",
    "StoredNumber",
    "Tick",
    "decode_code",
    "encode_value",
    "quantize",
    "signal_to_noise_db",
]
