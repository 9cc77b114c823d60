"""Quantization configurations → precision by part: which matrices are packed, how, and what stays wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace

from ..engine.model.architecture import Model, Part, layer_order, parameters
from ..engine.model.precision import PartBits, Precision
from ..value_types import dataclass
from .errors import CheckpointError
from .fields import Fields
from .matching import Names
from .modules import Module, modules
from .schemes import MXFP4, NVFP4, WIDE_ALGORITHMS, Scheme, algorithm, compressed, fp8, integer_groups
from .text import safe_text

WIDE_BITS = {"float32": 32, "float": 32, "float16": 16, "half": 16, "bfloat16": 16, "float64": 64}

MOST_RULES = 200
"""Schemes that one checkpoint may tell apart; each is tried on every matrix of every layer."""


@dataclass(frozen=True)
class StoragePlan:
    """Rules of one checkpoint, first match wins: lists of modules with a scheme, lists that stay wide, the rest."""

    default: Scheme | None = None
    """Scheme of every matrix that no rule names."""
    rules: tuple[tuple[Names, Scheme | None], ...] = ()
    parts: frozenset[Part] = frozenset()
    """Parts that `default` is meant for; empty: all."""
    head: Scheme | None = None
    kv_format: str = ""
    """Format that the KV cache is calibrated for."""
    warnings: list[str] = field(default_factory=list)

    def scheme(self, layer: int, module: Module) -> Scheme | None:
        """How a matrix of a layer is stored; None: wide."""
        for names, scheme in self.rules:
            if names.match(layer, module.names):
                return scheme
        return self.default if not self.parts or module.part in self.parts else None


def wide_bits(config: Fields) -> int:
    """Bits of unquantized weights: the stated type's, 16 where none is stated."""
    return WIDE_BITS.get(config.text("torch_dtype", "dtype").removeprefix("torch."), 16)


def wide_precision(config: Fields) -> str:
    """Precision id of unquantized weights."""
    bits = wide_bits(config)
    half = config.text("torch_dtype", "dtype").removeprefix("torch.") in {"float16", "half"}
    return "fp32" if bits == 32 else "fp16" if half else "bf16"


def precision_of(model: Model, plan: StoragePlan, wide: int) -> Precision:
    """Fold the schemes of all matrices into effective bits by part, weighted by elements."""
    count = parameters(model)
    packed: dict[Part, float] = dict.fromkeys(Part, 0.0)
    elements: dict[Part, int] = dict.fromkeys(Part, 0)
    weight: dict[Scheme, int] = {}
    for index, group in enumerate(layer_order(model)):
        for module in modules(group, model.hidden_size):
            scheme = plan.scheme(index, module)
            if scheme is None:
                continue
            packed[module.part] += module.elements * scheme.bits(module.inputs)
            elements[module.part] += module.elements
            weight[scheme] = weight.get(scheme, 0) + module.elements
    if plan.head is not None:
        head = count.of(Part.HEAD)
        packed[Part.HEAD], elements[Part.HEAD] = head * plan.head.bits(model.hidden_size), head
    bits: dict[Part, float] = {}
    for part, total in count.parts:
        left = max(0, total - elements[part])
        bits[part] = (packed[part] + left * wide) / total if total and elements[part] else float(wide)
    main_part = max(count.parts, key=lambda entry: entry[1])[0]
    main = max(weight, key=lambda scheme: weight[scheme]) if weight else None
    return Precision(
        id=f"{model.id}@stored",
        label=main.label if main else f"{wide}-bit",
        bits=bits[main_part],
        family="as stored",
        parts=tuple(PartBits(part, value) for part, value in bits.items() if value != bits[main_part]),
        compute=main.compute if main else "bf16" if wide == 16 else "fp32",
        activation_bits=main.activation_bits if main else wide,
        block=main.split if main else 0,
        format=main.format if main else "",
        source="the checkpoint's quantization configuration",
        origin=model.origin,
    )


def plan_of(config: Fields, separate: Fields | None) -> StoragePlan | None:
    """The plan that `quantization_config` (or ModelOpt's own file) describes; None where weights are not quantized."""
    inner = config.section("quantization_config") or config.section("compression_config")
    text = config.section("text_config")
    if inner is None and text is not None:
        inner = text.section("quantization_config") or text.section("compression_config")
    if inner is None:
        own = separate.section("quantization") if separate is not None else None
        return _modelopt(own) if own is not None else None
    method = inner.text("quant_method").lower()
    if not method:
        method = "modelopt" if "quant_algo" in inner else "compressed-tensors" if "config_groups" in inner else ""
    if not method and (inner.flag("load_in_4bit") or inner.flag("load_in_8bit")):
        method = "bitsandbytes"
    reader = METHODS.get(method)
    if reader is None:
        known = ", ".join(sorted(METHODS))
        raise CheckpointError(f"{inner.at('quant_method')}: {safe_text(method, 40)!r} is not known; known are {known}")
    plan = reader(inner)
    if (text or config).text("expert_dtype").lower() == "fp4" and plan.default is not None:
        # DeepSeek V4 as released: experts in 4 bit with power-of-two scales, the rest in FP8 blocks.
        experts = Names(["experts"], inner.at("expert_dtype"))
        plan = replace(plan, rules=(*plan.rules, (experts, replace(MXFP4, compute="fp8", activation_bits=8))))
    return plan


def _list(fields: Fields, *names: str) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        found.extend(fields.texts(name) or ())
    return tuple(found)


def _plan(
    fields: Fields,
    default: Scheme | None,
    ignore: Sequence[str],
    *,
    parts: frozenset[Part] = frozenset(),
    rules: Sequence[tuple[Names, Scheme | None]] = (),
    head: Scheme | None = None,
    kv_format: str = "",
) -> StoragePlan:
    if len(rules) > MOST_RULES:
        raise CheckpointError(f"{fields.where} tells {len(rules):,} schemes apart; at most {MOST_RULES} are expected")
    names = Names(ignore, fields.where)
    unclear = [*names.ignored, *(pattern for rule, _ in rules for pattern in rule.ignored)]
    warnings = [
        f"{fields.where}: pattern {safe_text(pattern, 60)!r} is not understood and left out" for pattern in unclear
    ]
    return StoragePlan(
        default,
        (*rules, *([(names, None)] if names else [])),
        parts,
        None if names.match_outside("lm_head", "head", "output") else head,
        kv_format,
        warnings[:5],
    )


def _fp8(fields: Fields) -> StoragePlan:
    """FP8 of DeepSeek, Kimi, Qwen, GLM; NVIDIA's V4 packs the experts of such a checkpoint further."""
    overrides = _algorithms(fields)
    # With overrides, `ignore` says what the second packing left alone: that is still FP8.
    ignore = _list(fields, "modules_to_not_convert", "ignored_layers", *(() if overrides else ("ignore",)))
    return _plan(fields, fp8(fields), ignore, rules=overrides)


def _algorithms(fields: Fields) -> list[tuple[Names, Scheme | None]]:
    """`quantized_layers`: module → algorithm, gathered by algorithm."""
    layers = fields.section("quantized_layers")
    if layers is None:
        return []
    gathered: dict[Scheme | None, list[str]] = {}
    known: dict[tuple[object, object], Scheme | None] = {}
    for name, entry in layers.sections():
        key = (str(entry.values.get("quant_algo")), str(entry.values.get("group_size")))
        if key not in known:
            known[key] = algorithm(entry)
        gathered.setdefault(known[key], []).append(name)
    return [(Names(names, layers.where), scheme) for scheme, names in gathered.items()]


def _modelopt(fields: Fields) -> StoragePlan:
    kv = fields.text("kv_cache_quant_algo") or _cache_format(fields)
    ignore = _list(fields, "exclude_modules", "ignore")
    stated = fields.text("quant_algo").upper()
    if stated == "MIXED_PRECISION":
        rules = _algorithms(fields)
        head = next((scheme for names, scheme in rules if scheme and names.match_outside("lm_head")), None)
        return _plan(fields, None, ignore, rules=rules, head=head, kv_format=safe_text(kv, 12).lower())
    if stated in WIDE_ALGORITHMS and "config_groups" in fields:
        return replace(_compressed(fields), kv_format=safe_text(kv, 12).lower())
    plan = _plan(fields, algorithm(fields), ignore, kv_format=safe_text(kv, 12).lower())
    if plan.default is not None and not ignore:
        plan.warnings.append(f"{fields.where} lists no modules left wide: all matrices but the head count as packed")
    return plan


def _compressed(fields: Fields) -> StoragePlan:
    groups = fields.section("config_groups")
    if groups is None:
        raise fields.missing("config_groups", "an object of groups with targets and weights")
    default: Scheme | None = None
    rules: list[tuple[Names, Scheme | None]] = []
    head: Scheme | None = None
    ignore = _list(fields, "ignore", "modules_to_not_convert")
    for _, group in groups.sections():
        weights = group.section("weights")
        if weights is None:
            continue
        scheme = compressed(weights, group.section("input_activations"))
        targets = group.texts("targets") or ("Linear",)
        classes = [target for target in targets if not target.startswith("re:") and "." not in target]
        named = [target for target in targets if target.startswith("re:") or "." in target or "_" in target]
        if any(target in {"Linear", "LinearBase"} or target.endswith(("Linear", "Experts")) for target in classes):
            default = scheme
        if named:
            names = Names(named, group.at("targets"))
            rules.append((names, scheme))
            if names.match_outside("lm_head"):
                head = scheme
    # What is ignored stays wide even where a target names it.
    ignored = Names(ignore, fields.where)
    return _plan(fields, default, ignore, rules=[(ignored, None), *rules], head=head, kv_format=_cache_format(fields))


def _cache_format(fields: Fields) -> str:
    """`fp8` of a `kv_cache_scheme`, which names the format or describes it; empty where there is none."""
    if isinstance(fields.values.get("kv_cache_scheme"), str):
        return safe_text(fields.text("kv_cache_scheme"), 12).lower()
    scheme = fields.section("kv_cache_scheme")
    if scheme is None:
        return ""
    return f"{'int' if scheme.text('type') == 'int' else 'fp'}{scheme.integer('num_bits', high=16)}"


def _gptq(fields: Fields) -> StoragePlan:
    scheme = integer_groups(fields, "GPTQ", zero_points=True)
    rules: list[tuple[Names, Scheme | None]] = []
    dynamic = fields.section("dynamic")
    if dynamic is not None:
        if len(dynamic.values) > MOST_RULES:
            raise fields.wrong("dynamic", f"an object of at most {MOST_RULES} patterns")
        for pattern, value in dynamic.values.items():
            names = Names([f"re:{pattern.removeprefix('-:').removeprefix('+:')}"], dynamic.where)
            if pattern.startswith("-:"):
                rules.append((names, None))
            elif isinstance(value, dict):
                own = Fields({**fields.values, **value}, dynamic.at(safe_text(pattern, 40)))
                rules.append((names, integer_groups(own, "GPTQ", zero_points=True)))
    head = scheme if fields.flag("lm_head") else None
    return _plan(fields, scheme, _list(fields, "modules_to_not_convert"), rules=rules, head=head)


def _awq(fields: Fields) -> StoragePlan:
    scheme = integer_groups(fields, "AWQ", zero_points=fields.flag("zero_point", default=True))
    return _plan(fields, scheme, _list(fields, "modules_to_not_convert"))


def _auto_round(fields: Fields) -> StoragePlan:
    kind = fields.text("data_type", default="int")
    if kind.startswith(("nv_fp", "mx_fp")):
        scheme = NVFP4 if kind.startswith("nv") else MXFP4
    elif kind == "int":
        scheme = integer_groups(fields, "AutoRound", zero_points=True)
    else:
        raise fields.wrong("data_type", "'int', 'mx_fp' or 'nv_fp'")
    rules: list[tuple[Names, Scheme | None]] = []
    extra = fields.section("extra_config")
    head: Scheme | None = None
    gathered: dict[Scheme | None, list[str]] = {}
    if extra is not None:
        for name, entry in extra.sections():
            bits = entry.integer("bits", low=1, high=32, default=16)
            own: Scheme | None = None
            if bits < 16:
                own = integer_groups(
                    Fields({**fields.values, **entry.values}, entry.where), "AutoRound", zero_points=True
                )
            gathered.setdefault(own, []).append(name)
            if name == "lm_head":
                head = own
        rules = [(Names(names, extra.where), own) for own, names in gathered.items()]
    return _plan(fields, scheme, _list(fields, "modules_to_not_convert"), rules=rules, head=head)


def _bitsandbytes(fields: Fields) -> StoragePlan:
    skip = _list(fields, "llm_int8_skip_modules")
    if fields.flag("load_in_8bit", "_load_in_8bit"):
        return _plan(fields, Scheme("INT8 (LLM.int8)", 8, 0, 32, "int8", 8, format="int8"), skip)
    # A 32-bit scale per 64 weights; double quantization packs it to 8 bits with another 32 per 256 scales.
    doubled = fields.flag("bnb_4bit_use_double_quant")
    kind = fields.text("bnb_4bit_quant_type", default="fp4").upper()
    return _plan(fields, Scheme(f"{safe_text(kind, 8)}", 4, 64, 8 + 32 / 256 if doubled else 32, format="nf4"), skip)


def _mxfp4(fields: Fields) -> StoragePlan:
    skip = _list(fields, "modules_to_not_convert")
    return _plan(fields, MXFP4, skip, parts=frozenset({Part.ROUTED_EXPERTS}))


def _fbgemm(fields: Fields) -> StoragePlan:
    scheme = Scheme("FP8 per channel", 8, 0, 32, "fp8", 8, format="e4m3")
    return _plan(fields, scheme, _list(fields, "modules_to_not_convert"))


def _hqq(fields: Fields) -> StoragePlan:
    settings = fields.section("quant_config")
    weights = settings.section("weight_quant_params") if settings is not None else None
    own = weights or fields
    return _plan(
        fields, replace(integer_groups(own, "HQQ", zero_points=False), overhead_bits=32), _list(fields, "skip_modules")
    )


def _eetq(fields: Fields) -> StoragePlan:
    return _plan(fields, Scheme("INT8 weights", 8, 0, 16, format="int8"), _list(fields, "modules_to_not_convert"))


METHODS: dict[str, Callable[[Fields], StoragePlan]] = {
    "fp8": _fp8,
    "fbgemm_fp8": _fbgemm,
    "modelopt": _modelopt,
    "modelopt_fp4": _modelopt,
    "nvfp4": _modelopt,
    "compressed-tensors": _compressed,
    "gptq": _gptq,
    "gptq_marlin": _gptq,
    "awq": _awq,
    "awq_marlin": _awq,
    "auto-round": _auto_round,
    "auto_round": _auto_round,
    "intel/auto-round": _auto_round,
    "bitsandbytes": _bitsandbytes,
    "mxfp4": _mxfp4,
    "hqq": _hqq,
    "eetq": _eetq,
}
"""Readers by `quant_method`."""
