"""How one matrix is stored under a quantization method: bits with scales, and the format it computes in."""

from __future__ import annotations

from dataclasses import replace

from ..engine.model.precision import Compute
from ..value_types import dataclass
from .errors import CheckpointError
from .fields import WIDTH, Fields
from .text import safe_text

PER_CHANNEL = 0
"""Group size that stands for a whole output row."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """Bits of one element and what its group adds."""

    label: str
    element_bits: float
    group: int = PER_CHANNEL
    """Weights that share a scale; 0: one output row."""
    overhead_bits: float = 0.0
    """Scale and zero point of one group."""
    compute: Compute = "bf16"
    activation_bits: int = 16
    split: int = 0
    """Weights along the split dimension that share a scale; see Precision.block."""
    format: str = ""

    def bits(self, inputs: int) -> float:
        """Effective bits per weight of a matrix with so many columns."""
        return self.element_bits + self.overhead_bits / (self.group or inputs)


NVFP4 = Scheme("NVFP4", 4, 16, 8, "fp4", 4, 16, "nvfp4")
MXFP4 = Scheme("MXFP4", 4, 32, 8, "bf16", 16, 32, "mxfp4")
MXFP8 = Scheme("MXFP8", 8, 32, 8, "fp8", 8, 32, "mxfp8")
FP8 = Scheme("FP8", 8, compute="fp8", activation_bits=8, format="e4m3")
INT8 = Scheme("INT8", 8, PER_CHANNEL, 16, "int8", 8, format="int8")

ALGORITHMS: dict[str, Scheme] = {
    "FP8": FP8,
    "FP8_PER_CHANNEL_PER_TOKEN": replace(FP8, overhead_bits=32),
    "FP8_PB_WO": Scheme("FP8 blocks", 8, 128 * 128, 32, "bf16", 16, 128, "e4m3"),
    "FP8_PB_REAL": Scheme("FP8 blocks", 8, 128 * 128, 32, "fp8", 8, 128, "e4m3"),
    "NVFP4": NVFP4,
    "NVFP4_AWQ": NVFP4,
    "NVFP4_SVD": NVFP4,
    "W4A16_NVFP4": replace(NVFP4, label="NVFP4 weights", compute="bf16", activation_bits=16),
    "W4A8_NVFP4_FP8": replace(NVFP4, label="NVFP4 weights", compute="fp8", activation_bits=8),
    "MXFP4": replace(MXFP4, compute="fp4", activation_bits=4),
    "W4A16_MXFP4": MXFP4,
    "W4A8_MXFP4_FP8": replace(MXFP4, compute="fp8", activation_bits=8),
    "MXFP8": MXFP8,
    "W4A16": Scheme("INT4", 4, 128, 16, "bf16", 16, 128, "int4_g128"),
    "W4A16_AWQ": Scheme("INT4 AWQ", 4, 128, 16, "bf16", 16, 128, "int4_g128"),
    "INT4_AWQ": Scheme("INT4 AWQ", 4, 128, 16, "bf16", 16, 128, "int4_g128"),
    "W4A8_AWQ": Scheme("INT4 AWQ", 4, 128, 16, "fp8", 8, 128, "int4_g128"),
    "INT8_SQ": INT8,
    "W8A8_SQ_PER_CHANNEL": INT8,
    "W8A8_SQ_PER_CHANNEL_PER_TOKEN_PLUGIN": INT8,
    "W8A16": replace(INT8, compute="bf16", activation_bits=16),
    "INT8_WO": replace(INT8, compute="bf16", activation_bits=16),
}
"""ModelOpt's `quant_algo` (NVIDIA/TensorRT-Model-Optimizer, modelopt/torch/export)."""

WIDE_ALGORITHMS = {"", "NONE", "BF16", "FP16"}


def algorithm(fields: Fields, name: str = "quant_algo") -> Scheme | None:
    """The scheme that `quant_algo` and `group_size` name; None where the weights stay as they are."""
    stated = fields.text(name).upper()
    if stated in WIDE_ALGORITHMS:
        return None
    if stated not in ALGORITHMS:
        raise CheckpointError(
            f"{fields.at(name)}: {safe_text(stated, 40)!r} is not known; known are {', '.join(sorted(ALGORITHMS))}"
        )
    scheme = ALGORITHMS[stated]
    group = fields.integer("group_size", high=WIDTH, default=0)
    if group and 0 < scheme.group <= 4096:
        scheme = replace(scheme, group=group, split=group)
    return scheme


def fp8(fields: Fields) -> Scheme:
    """DeepSeek-style FP8: one scale per block, per channel or per tensor."""
    block = fields.integers("weight_block_size", low=1, high=WIDTH)
    if block is None:
        dynamic = fields.text("activation_scheme", default="dynamic")
        return replace(FP8, label=f"FP8 {safe_text(dynamic, 12)}", overhead_bits=0)
    if len(block) != 2:
        raise fields.wrong("weight_block_size", "a pair such as (128, 128)")
    scale = 8 if fields.text("scale_fmt") == "ue8m0" and fields.text("scale_dtype") != "float32" else 32
    return Scheme(f"FP8 blocks of {block[0]}×{block[1]}", 8, block[0] * block[1], scale, "fp8", 8, max(block), "e4m3")


def compressed(weights: Fields, activations: Fields | None) -> Scheme:
    """One `weights` entry of compressed-tensors (vllm-project/compressed-tensors, QuantizationArgs)."""
    bits = weights.integer("num_bits", high=16)
    kind = weights.text("type", default="int")
    if kind not in {"int", "float"}:
        raise weights.wrong("type", "'int' or 'float'")
    stated_group = weights.values.get("group_size")
    group = 0 if stated_group == -1 else weights.integer("group_size", high=WIDTH, default=0)
    block = weights.integers("block_structure", low=1, high=WIDTH)
    strategy = weights.text("strategy", default="group" if group else "tensor")
    acting = activations.integer("num_bits", high=16, default=16) if activations is not None else 16
    symmetric = weights.flag("symmetric", default=True)
    if kind == "float" and bits == 4:
        base = MXFP4 if group == 32 else NVFP4
        base = replace(base, group=group or base.group, split=group or base.split)
        return replace(base, activation_bits=acting, compute=_float_compute(acting))
    if strategy == "block" and block and len(block) == 2:
        return Scheme(
            f"FP{bits} blocks", bits, block[0] * block[1], 32, _float_compute(acting), acting, max(block), "e4m3"
        )
    label = f"{'FP' if kind == 'float' else 'INT'}{bits}"
    if kind == "float" and group == 32 and bits == 8:
        return replace(MXFP8, activation_bits=acting, compute=_float_compute(acting))
    overhead = 0.0 if strategy == "tensor" else 16.0 + (0 if symmetric else bits)
    compute: Compute = _float_compute(acting) if kind == "float" else "int8" if acting <= 8 else "bf16"
    shape = "per tensor" if strategy == "tensor" else f"in groups of {group}" if group else "per channel"
    return Scheme(f"{label} {shape}", bits, group, overhead, compute, acting, group, _format(kind, bits, group))


def _float_compute(activation_bits: int) -> Compute:
    return "fp4" if activation_bits <= 4 else "fp8" if activation_bits <= 8 else "bf16"


def _format(kind: str, bits: int, group: int) -> str:
    if kind == "float":
        return "e4m3" if bits == 8 else ""
    return (
        f"int{bits}_g{group}" if group in {32, 64, 128} and bits in {4, 8} else f"int{bits}" if bits in {4, 8} else ""
    )


def integer_groups(fields: Fields, label: str, *, zero_points: bool) -> Scheme:
    """GPTQ and AWQ: packed integers with a 16-bit scale per group, and a packed zero point."""
    bits = fields.integer("bits", "w_bit", "nbits", low=2, high=8)
    size = fields.values.get("group_size", fields.values.get("q_group_size"))
    group = 0 if size in (-1, 0, None) else fields.integer("group_size", "q_group_size", high=WIDTH)
    overhead = 16 + (bits if zero_points else 0)
    return Scheme(
        f"{label} INT{bits}" + (f" in groups of {group}" if group else " per channel"),
        bits,
        group,
        overhead,
        split=group,
        format=_format("int", bits, group),
    )
