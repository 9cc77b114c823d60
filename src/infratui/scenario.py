"""Every input of all five screens: one immutable model whose fields carry label, unit, range, steps and term."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .plain_text import CONTROL


class ScenarioError(ValueError):
    """An input that is no scenario: what, where, and what would be right."""


class Kind(StrEnum):
    """How a value is typed, stepped and shown."""

    MODEL = "model"
    PRECISION = "precision"
    KV_PRECISION = "kv precision"
    ACCELERATOR = "accelerator"
    CHOICE = "choice"
    SWITCH = "switch"
    COUNT = "count"
    TOKENS = "tokens"
    NUMBER = "number"
    PERCENT = "percent"
    """Held as a percentage, 0 to 100."""
    MONEY = "money"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Input:
    """What a field is to the person who changes it."""

    label: str
    kind: Kind
    term: str = ""
    """Glossary id."""
    unit: str = ""
    steps: tuple[float, ...] = ()
    """Values that ←/→ walk; beyond them any value in range can be typed."""
    zero: str = ""
    """What 0 or empty means, where it is not a number: `auto`."""
    help: str = ""


_POWERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024)
_USERS = (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000, 1024, 2000, 4096)
_CONTEXT = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576)
_LENGTHS = (1, 32, 64, 128, 200, 256, 500, 512, 1000, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
_PERCENTS = (0, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 100)
_DEMAND = (
    100, 500, 1000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
)  # fmt: skip


class Scenario(BaseModel):
    """One deployment in question. Replace it as a whole: `scenario.with_(users=100)`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(max_length=80), Input("Name", Kind.TEXT)] = "Untitled"
    estimator: Annotated[
        Literal["detailed", "rule-of-thumb"], Input("Estimator", Kind.CHOICE, "detailed-estimator")
    ] = "detailed"

    # The deployment: shared by every screen.
    model: Annotated[str, Field(min_length=1, max_length=400), Input("Model", Kind.MODEL, "parameters")] = (
        "llama-3.3-70b"
    )
    precision: Annotated[str, Input("Weights", Kind.PRECISION, "precision", zero="as released")] = ""
    kv_precision: Annotated[str, Input("KV cache", Kind.KV_PRECISION, "kv-cache")] = "bf16"
    users: Annotated[int, Field(ge=1, le=1_000_000), Input("Users", Kind.COUNT, "concurrency", "", _USERS)] = 50
    context: Annotated[
        int, Field(ge=1, le=16_777_216), Input("Context", Kind.TOKENS, "context-window", "tokens", _CONTEXT)
    ] = 8192
    mean_fill: Annotated[
        float, Field(ge=0.01, le=100), Input("Mean fill", Kind.PERCENT, "mean-fill", "%", (10, 25, 50, 75, 100))
    ] = 100.0
    shared_prefix: Annotated[
        int,
        Field(ge=0, le=16_777_216),
        Input("Shared prefix", Kind.TOKENS, "prefix-caching", "tokens", (0, *_CONTEXT)),
    ] = 0
    accelerator: Annotated[str, Input("GPU", Kind.ACCELERATOR, "vram")] = "h100-sxm"
    gpus: Annotated[int, Field(ge=1, le=16_384), Input("GPUs", Kind.COUNT, "node", "", _COUNTS)] = 8
    gpus_per_node: Annotated[
        int,
        Field(ge=0, le=1024),
        Input("GPUs per node", Kind.COUNT, "node", "", (0, 1, 2, 4, 8, 16), "catalog", "GPUs of one server"),
    ] = 0
    utilization: Annotated[
        float,
        Field(ge=0.01, le=1),
        Input("Utilization", Kind.NUMBER, "gpu-memory-utilization", "", (0.8, 0.85, 0.9, 0.92, 0.95)),
    ] = 0.9

    # The serving engine.
    engine: Annotated[Literal["vllm", "sglang", "tensorrt-llm"], Input("Engine", Kind.CHOICE, "serving-framework")] = (
        "vllm"
    )
    max_batched_tokens: Annotated[
        int,
        Field(ge=0, le=1_048_576),
        Input("Batched tokens", Kind.TOKENS, "chunked-prefill", "tokens", (0, 2048, 4096, 8192, 16384, 32768), "auto"),
    ] = 0
    max_num_seqs: Annotated[
        int,
        Field(ge=0, le=65_536),
        Input("Max sequences", Kind.COUNT, "continuous-batching", "", (0, *_POWERS), "auto"),
    ] = 0
    windowed_kv: Annotated[
        Literal["windowed", "full-length"], Input("Windowed KV", Kind.CHOICE, "sliding-window-attention")
    ] = "windowed"
    engine_version: Annotated[
        str,
        Field(max_length=40, pattern=r"^([0-9]+(\.[0-9]+)*[\w.+-]*)?$"),
        Input("Engine version", Kind.TEXT, "serving-framework", zero="newest", help="a version such as 0.25.1"),
    ] = ""
    host: Annotated[
        str,
        Field(max_length=63, pattern=r"^([A-Za-z0-9][\w.-]*)?$"),
        Input("Host", Kind.TEXT, "vram", zero="any", help="the name of a host profile, as reconcile keeps it"),
    ] = ""

    # The layout: 0 leaves the choice to the engine.
    tp: Annotated[
        int, Field(ge=0, le=1024), Input("TP", Kind.COUNT, "tensor-parallelism", "", (0, *_POWERS[:6]), "auto")
    ] = 0
    pp: Annotated[
        int, Field(ge=0, le=1024), Input("PP", Kind.COUNT, "pipeline-parallelism", "", (0, *_POWERS[:6]), "auto")
    ] = 0
    dp: Annotated[
        int, Field(ge=0, le=4096), Input("DP", Kind.COUNT, "data-parallelism", "", (0, *_POWERS[:8]), "auto")
    ] = 0
    ep: Annotated[
        int, Field(ge=0, le=1024), Input("EP", Kind.COUNT, "expert-parallelism", "", (0, *_POWERS[:8]), "auto")
    ] = 0
    node_link: Annotated[str, Input("Between nodes", Kind.CHOICE, "infiniband")] = "infiniband-ndr"

    # The traffic.
    input_tokens: Annotated[
        int, Field(ge=0, le=16_777_216), Input("Input", Kind.TOKENS, "prefill", "tokens", _LENGTHS)
    ] = 500
    output_tokens: Annotated[
        int, Field(ge=1, le=1_048_576), Input("Output", Kind.TOKENS, "decode", "tokens", _LENGTHS)
    ] = 500
    prefix_hit: Annotated[
        float, Field(ge=0, le=100), Input("Prefix hits", Kind.PERCENT, "prefix-caching", "%", _PERCENTS)
    ] = 0.0
    acceptance: Annotated[
        float, Field(ge=0, le=100), Input("Draft accepted", Kind.PERCENT, "acceptance-rate", "%", _PERCENTS, "off")
    ] = 0.0
    draft_tokens: Annotated[
        int, Field(ge=1, le=16), Input("Draft tokens", Kind.COUNT, "speculative-decoding", "", (1, 2, 3, 4, 5, 6, 8))
    ] = 3

    # Demand and money.
    requests_per_day: Annotated[
        int, Field(ge=0, le=10**13), Input("Requests/day", Kind.COUNT, "throughput", "", _DEMAND)
    ] = 50_000
    hours_per_day: Annotated[
        float,
        Field(ge=0.01, le=24),
        Input("Hours/day", Kind.NUMBER, "duty-cycle", "h", (1, 2, 4, 6, 8, 10, 12, 16, 20, 24)),
    ] = 24.0
    days_per_week: Annotated[
        float, Field(ge=0.01, le=7), Input("Days/week", Kind.NUMBER, "duty-cycle", "", (1, 2, 3, 4, 5, 6, 7))
    ] = 7.0
    peak_factor: Annotated[
        float, Field(ge=1, le=100), Input("Peak factor", Kind.NUMBER, "peak-factor", "×", (1, 1.5, 2, 2.5, 3, 4, 5, 10))
    ] = 2.0
    ttft_ms: Annotated[
        float,
        Field(ge=0, le=3.6e6),
        Input("TTFT target", Kind.NUMBER, "ttft", "ms", (0, 200, 500, 1000, 2000, 5000, 10000), "none"),
    ] = 2000.0
    tpot_ms: Annotated[
        float,
        Field(ge=0, le=3.6e6),
        Input("TPOT target", Kind.NUMBER, "tpot", "ms", (0, 10, 20, 30, 50, 75, 100, 200), "none"),
    ] = 50.0
    spares: Annotated[
        int, Field(ge=0, le=1024), Input("Spare replicas", Kind.COUNT, "n-plus-one", "", (0, 1, 2, 3, 4))
    ] = 0
    fleet_basis: Annotated[
        Literal["needs", "mine"],
        Input("Priced", Kind.CHOICE, "replica", help="the GPUs that the demand needs, or those of the scenario"),
    ] = "needs"
    cascade_pct: Annotated[
        float,
        Field(ge=0, le=100),
        Input("Cascade", Kind.PERCENT, "cascade", "%", _PERCENTS, "off", "requests that a small model answers"),
    ] = 0.0
    cascade_model: Annotated[str, Field(max_length=400), Input("Small model", Kind.MODEL, "cascade")] = "llama-3.1-8b"
    compliance: Annotated[bool, Input("Compliance", Kind.SWITCH, "compliance", help="data must stay on premises")] = (
        False
    )
    term_years: Annotated[
        float, Field(ge=0.01, le=10), Input("Horizon", Kind.NUMBER, "amortization", "years", (1, 2, 3, 4, 5))
    ] = 3.0
    on_demand_usd: Annotated[
        float, Field(ge=0, le=1e6), Input("On-demand", Kind.MONEY, "on-demand", "$/GPU·h", (), "catalog")
    ] = 0.0
    spot_usd: Annotated[float, Field(ge=0, le=1e6), Input("Spot", Kind.MONEY, "spot", "$/GPU·h", (), "catalog")] = 0.0
    reserved_1y_usd: Annotated[
        float, Field(ge=0, le=1e6), Input("Reserved 1 y", Kind.MONEY, "reserved", "$/GPU·h", (), "catalog")
    ] = 0.0
    reserved_3y_usd: Annotated[
        float, Field(ge=0, le=1e6), Input("Reserved 3 y", Kind.MONEY, "reserved", "$/GPU·h", (), "catalog")
    ] = 0.0
    purchase_usd: Annotated[
        float, Field(ge=0, le=1e9), Input("Purchase", Kind.MONEY, "owned", "$/GPU", (), "catalog")
    ] = 0.0
    api_usd_per_mtok: Annotated[
        float, Field(ge=0, le=1e6), Input("API price", Kind.MONEY, "breakeven", "$/1M tokens", (), "catalog")
    ] = 0.0
    api: Annotated[bool, Input("API", Kind.SWITCH, "breakeven", help="an API is an option here")] = True
    currency: Annotated[str, Field(max_length=4), Input("Currency", Kind.TEXT)] = "$"
    electricity_usd_per_kwh: Annotated[
        float,
        Field(ge=0, le=100),
        Input("Electricity", Kind.MONEY, "pue", "$/kWh", (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)),
    ] = 0.1
    pue: Annotated[float, Field(ge=1, le=5), Input("PUE", Kind.NUMBER, "pue", "×", (1.1, 1.2, 1.3, 1.4, 1.6, 2))] = 1.3
    hosting_usd_per_kw_month: Annotated[
        float, Field(ge=0, le=1e5), Input("Hosting", Kind.MONEY, "owned", "$/kW·month", (0, 100, 150, 200, 300))
    ] = 150.0
    staff_usd_per_year: Annotated[
        float,
        Field(ge=0, le=1e9),
        Input("Staff", Kind.MONEY, "owned", "$/year", (0, 50_000, 100_000, 250_000, 500_000)),
    ] = 100_000.0
    maintenance_pct: Annotated[
        float, Field(ge=0, le=100), Input("Maintenance", Kind.PERCENT, "owned", "%/year", (0, 2, 3, 5, 8, 10))
    ] = 5.0
    interest_pct: Annotated[
        float,
        Field(ge=0, le=100),
        Input("Cost of capital", Kind.PERCENT, "cost-of-capital", "%/year", (0, 4, 6, 8, 10, 12)),
    ] = 8.0
    resale_pct: Annotated[
        float, Field(ge=0, le=100), Input("Resale", Kind.PERCENT, "resale", "%", (0, 10, 15, 20, 30, 40))
    ] = 15.0
    life_years: Annotated[
        float, Field(ge=0.01, le=20), Input("Life", Kind.NUMBER, "amortization", "years", (2, 3, 4, 5, 6))
    ] = 4.0

    # Dense beside mixture of experts, and the router.
    dense_model: Annotated[
        str, Field(max_length=400), Input("Dense", Kind.MODEL, "dense-model", zero="follows the model")
    ] = ""
    moe_model: Annotated[str, Field(max_length=400), Input("MoE", Kind.MODEL, "moe", zero="follows the model")] = ""
    router_batch: Annotated[
        int, Field(ge=1, le=4096), Input("Batch", Kind.COUNT, "experts-touched", "tokens", _POWERS)
    ] = 32
    router_top_k: Annotated[
        int, Field(ge=0, le=512), Input("Top-k", Kind.COUNT, "top-k", "", (0, 1, 2, 4, 6, 8, 10, 16, 22), "model")
    ] = 0
    router_skew: Annotated[
        float, Field(ge=0, le=3), Input("Skew", Kind.NUMBER, "load-imbalance", "", (0, 0.25, 0.5, 0.75, 1, 1.5, 2))
    ] = 0.5
    router_layer: Annotated[int, Field(ge=0, le=1000), Input("Layer", Kind.COUNT, "router", "", tuple(range(64)))] = 0
    router_seed: Annotated[int, Field(ge=0, le=2**31), Input("Seed", Kind.COUNT, "scenario", "", tuple(range(16)))] = 7
    capacity_factor: Annotated[
        float,
        Field(ge=0, le=100),
        Input("Capacity", Kind.NUMBER, "capacity-factor", "×", (0, 1, 1.25, 1.5, 2, 4), "none"),
    ] = 0.0

    # Precisions side by side, and the bit lab.
    shown_formats: Annotated[
        Literal["classic", "all"],
        Input("Formats", Kind.CHOICE, "precision", help="the classic four, or every way to store weights"),
    ] = "classic"
    lab_value: Annotated[float, Field(ge=-1e300, le=1e300), Input("Value", Kind.NUMBER, "rounding")] = 0.7834
    lab_format: Annotated[str, Field(max_length=40), Input("Format", Kind.CHOICE, "precision")] = "e4m3"
    lab_group: Annotated[
        str,
        Field(max_length=900),
        Input("Beside it", Kind.TEXT, "group-size", zero="drawn", help="up to 31 weights that share its scale"),
    ] = ""
    lab_distribution: Annotated[
        Literal["gaussian", "heavy_tailed"],
        Input("Drawn from", Kind.CHOICE, "outlier", help="what drawn weights look like"),
    ] = "gaussian"
    lab_outlier: Annotated[
        float,
        Field(ge=1, le=1e6),
        Input("Outlier", Kind.NUMBER, "outlier", "×", (1, 2, 5, 10, 20, 50, 100), help="times the group's size"),
    ] = 20.0
    lab_seed: Annotated[
        int, Field(ge=0, le=2**31), Input("Tensor seed", Kind.COUNT, "scenario", "", tuple(range(16)))
    ] = 1

    @field_validator("*")
    @classmethod
    def _one_line(cls, value: object) -> object:
        """Texts are names and paths, and reach terminals, titles and files: one line, nothing that steers it."""
        if isinstance(value, str):
            found = re.search(CONTROL, value) or re.search(r"[\n\t]", value)
            if found:
                raise ValueError(f"control character {found[0]!a}; remove it")
        return value

    @field_validator("lab_group")
    @classmethod
    def _weights(cls, text: str) -> str:
        if text.strip():
            from .engine.formats.lab import GROUP_LIMIT, parse_group

            count = len(parse_group(text))
            if count >= GROUP_LIMIT:
                raise ValueError(f"{count} weights; give at most {GROUP_LIMIT - 1} beside the value")
        return text.strip()

    def with_(self, **changes: object) -> Scenario:
        """A copy with validated changes. Raises ScenarioError in one line."""
        return parse({**self.model_dump(), **changes})

    def changed(self) -> dict[str, Any]:
        """The fields that differ from the defaults: what a person would write down."""
        return self.model_dump(exclude_defaults=True)


def _inputs() -> dict[str, Input]:
    found: dict[str, Input] = {}
    for name, info in Scenario.model_fields.items():
        found[name] = next(entry for entry in info.metadata if isinstance(entry, Input))
    return found


INPUTS: Mapping[str, Input] = _inputs()
"""Field name → what it is to the person who changes it."""


def bounds(name: str) -> tuple[float | None, float | None]:
    """Lowest and highest allowed value of a numeric field (exclusive bounds are returned as they stand)."""
    low = high = None
    for entry in Scenario.model_fields[name].metadata:
        low = getattr(entry, "ge", None) if getattr(entry, "ge", None) is not None else getattr(entry, "gt", low)
        high = getattr(entry, "le", None) if getattr(entry, "le", None) is not None else getattr(entry, "lt", high)
    return low, high


def choices(name: str) -> tuple[str, ...]:
    """The values of a `Literal` field."""
    annotation = Scenario.model_fields[name].annotation
    return tuple(getattr(annotation, "__args__", ()))


def parse(values: Mapping[str, object], where: str = "") -> Scenario:
    """Validate a mapping. Raises ScenarioError: what, where, and what would be right."""
    for key, value in values.items():
        if isinstance(value, bool) and key in INPUTS and INPUTS[key].kind in _NUMBERS:
            raise ScenarioError(_explain(key, "", "write a number", value, where))
    try:
        return Scenario.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(_explain(key, first["type"], first["msg"], first.get("input"), where)) from None


_NUMBERS = (Kind.COUNT, Kind.TOKENS, Kind.NUMBER, Kind.PERCENT, Kind.MONEY)
# How a file writes what Python calls otherwise.
_SPELLED = {"None": "null", "True": "true", "False": "false"}


def _explain(key: str, kind: str, message: str, value: object, where: str) -> str:
    prefix = f"{where}: " if where else ""
    key = key if len(key) <= 60 else key[:59] + "…"
    if kind == "extra_forbidden":
        from difflib import get_close_matches

        near = get_close_matches(key, Scenario.model_fields, 1)
        hint = f"did you mean {near[0]!r}?" if near else "run `infratui fields` for the list"
        return f"{prefix}unknown key {key!r}; {hint}"
    if kind == "value_error":
        return f"{prefix}{key}: {message.removeprefix('Value error, ')}"
    shown = repr(value)
    shown = _SPELLED.get(shown, shown)
    shown = shown if len(shown) <= 40 else shown[:37] + "…"
    if kind == "string_pattern_mismatch":
        return f"{prefix}{key}: {shown} is not allowed; write {INPUTS[key].help}, or leave it empty"
    return f"{prefix}{key}: {shown} is not allowed; {message[0].lower()}{message[1:]}"
