"""Every input of all five screens: one immutable value whose fields carry label, unit, range, steps and term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Literal

from .demand_profile import DemandProfile, profile_from
from .inputs import (
    POOLS,
    RATIO,
    Input,
    InputField,
    Kind,
    SaidError,
    Steps,
    gigabytes,
    given,
    number,
    percent,
    price,
    typed,
)
from .policy import NO_POLICY, PREFIX, Policy
from .value_types import dataclass, types_of


class ScenarioError(ValueError):
    """An input that is no scenario: what, where, and what would be right."""


def _weights(text: str) -> str:
    """The weights of the lab's group. Raises ValueError in words."""
    if text.strip():
        from .engine.formats.lab import GROUP_LIMIT, parse_group

        count = len(parse_group(text))
        if count >= GROUP_LIMIT:
            raise ValueError(f"{count} weights; give at most {GROUP_LIMIT - 1} beside the value")
    return text.strip()


@dataclass(frozen=True)
class Scenario:
    """One deployment in question. Replace it as a whole: `scenario.with_(users=100)`."""

    FIELDS: ClassVar[Mapping[str, InputField]] = {}
    """Name → what a field is, and what its values hold to."""

    name: str = given("Untitled", Input("Name", Kind.TEXT), longest=80)
    estimator: Literal["detailed", "rule-of-thumb"] = given(
        "detailed", Input("Estimator", Kind.CHOICE, "detailed-estimator")
    )

    # The deployment: shared by every screen.
    model: str = given("llama-3.3-70b", Input("Model", Kind.MODEL, "parameters"), shortest=1, longest=400)
    precision: str = given("", Input("Weights", Kind.PRECISION, "precision", zero="as released"))
    kv_precision: str = given("bf16", Input("KV cache", Kind.KV_PRECISION, "kv-cache"))
    users: int = given(50, Input("Users", Kind.COUNT, "concurrency", "", Steps.USERS), low=1, high=1_000_000)
    context: int = given(
        8192, Input("Context", Kind.TOKENS, "context-window", "tokens", Steps.CONTEXT), low=1, high=16_777_216
    )
    mean_fill: float = given(
        100.0, Input("Share of the context in use", Kind.PERCENT, "mean-fill", "%", Steps.FILLS), low=0.01, high=100
    )
    shared_prefix: int = given(
        0,
        Input("Common prompt tokens", Kind.TOKENS, "prefix-caching", "tokens", (0, *Steps.CONTEXT)),
        low=0,
        high=1 << 24,
    )
    accelerator: str = given("h100-sxm", Input("GPU", Kind.ACCELERATOR, "vram"))
    gpus: int = given(8, Input("GPUs", Kind.COUNT, "node", "", Steps.COUNTS), low=1, high=16_384)
    gpus_per_node: int = given(
        0,
        Input("GPUs per node", Kind.COUNT, "node", "", (0, 1, 2, 4, 8, 16), "catalog", "GPUs of one server"),
        low=0,
        high=1024,
    )
    utilization: float = number(
        0.9, "GPU memory the engine may take", "gpu-memory-utilization", "", Steps.SHARES, 0.01, 1
    )

    # The serving engine.
    engine: Literal["vllm", "sglang", "tensorrt-llm", "tgi", "llama.cpp", "ollama"] = given(
        "vllm", Input("Engine", Kind.CHOICE, "serving-framework")
    )
    max_batched_tokens: int = given(
        0,
        Input("Batched tokens", Kind.TOKENS, "chunked-prefill", "tokens", (0, 2048, 4096, 8192, 16384, 32768), "auto"),
        low=0,
        high=1_048_576,
    )
    max_num_seqs: int = given(
        0, Input("Max sequences", Kind.COUNT, "continuous-batching", "", (0, *Steps.POWERS), "auto"), low=0, high=65_536
    )
    windowed_kv: Literal["windowed", "full-length"] = given(
        "windowed", Input("Cache of window layers", Kind.CHOICE, "sliding-window-attention")
    )
    engine_version: str = given(
        "",
        Input("Engine version", Kind.TEXT, "serving-framework", zero="newest", help="a version such as 0.25.1"),
        longest=40,
        pattern=r"^([0-9]+(\.[0-9]+)*[\w.+-]*)?$",
    )
    host: str = given(
        "",
        Input("Host", Kind.TEXT, "vram", zero="any", help="the name of a host profile, as reconcile keeps it"),
        longest=63,
        pattern=r"^([A-Za-z0-9][\w.-]*)?$",
    )

    adapters: int = given(
        0, Input("LoRA adapters", Kind.COUNT, "lora", "", (0, *Steps.POWERS[:9]), "none"), low=0, high=4096
    )
    adapter_rank: int = given(
        16, Input("LoRA rank", Kind.COUNT, "lora", "", (4, 8, 16, 32, 64, 128, 256)), low=1, high=1024
    )

    # The layout: 0 leaves the choice to the engine.
    tp: int = given(
        0, Input("TP", Kind.COUNT, "tensor-parallelism", "", (0, *Steps.POWERS[:6]), "auto"), low=0, high=1024
    )
    pp: int = given(
        0, Input("PP", Kind.COUNT, "pipeline-parallelism", "", (0, *Steps.POWERS[:6]), "auto"), low=0, high=1024
    )
    dp: int = given(
        0, Input("DP", Kind.COUNT, "data-parallelism", "", (0, *Steps.POWERS[:8]), "auto"), low=0, high=4096
    )
    ep: int = given(
        0, Input("EP", Kind.COUNT, "expert-parallelism", "", (0, *Steps.POWERS[:8]), "auto"), low=0, high=1024
    )
    dcp: int = given(0, Input("DCP", Kind.COUNT, "dcp", "", (0, *Steps.POWERS[:6]), "auto"), low=0, high=1024)
    pools: str = given("", POOLS, longest=9, pattern=RATIO)
    node_link: str = given("infiniband-ndr", Input("Between nodes", Kind.CHOICE, "infiniband"))

    # The traffic.
    input_tokens: int = given(
        500, Input("Input", Kind.TOKENS, "prefill", "tokens", Steps.LENGTHS), low=0, high=16_777_216
    )
    output_tokens: int = given(
        500, Input("Output", Kind.TOKENS, "decode", "tokens", Steps.LENGTHS), low=1, high=1_048_576
    )
    prefix_hit: float = percent(0.0, "Prompt already cached", "prefix-caching", Steps.PERCENTS)
    acceptance: float = percent(0.0, "Speculative decoding", "acceptance-rate", Steps.PERCENTS, zero="off")
    draft_tokens: int = given(
        3, Input("Draft tokens", Kind.COUNT, "speculative-decoding", "", (1, 2, 3, 4, 5, 6, 8)), low=1, high=16
    )

    # Demand and money.
    requests_per_day: int = given(
        50_000, Input("Requests/day", Kind.COUNT, "throughput", "", Steps.DEMAND), low=0, high=10**13
    )
    hours_per_day: float = number(24.0, "Hours/day", "duty-cycle", "h", (1, 2, 4, 6, 8, 10, 12, 16, 20, 24), 0.01, 24)
    days_per_week: float = number(7.0, "Days/week", "duty-cycle", "", (1, 2, 3, 4, 5, 6, 7), 0.01, 7)
    peak_factor: float = number(2.0, "Peak factor", "peak-factor", "×", (1, 1.5, 2, 2.5, 3, 4, 5, 10), 1, 100)
    peak_window: Literal["60s", "10s"] = given(
        "60s",
        Input("Peak over", Kind.CHOICE, "peak-factor", help="the busiest minute, or the busiest ten seconds, measured"),
    )
    demand_profile: DemandProfile | None = given(
        None,
        Input("Measured", Kind.PROFILE, "demand-profile", zero="none", help="lengths and peaks that were measured"),
        read=profile_from,
    )
    ttft_ms: float = number(
        2000.0, "TTFT target", "ttft", "ms", (0, 200, 500, 1000, 2000, 5000, 10000), 0, 3.6e6, "none"
    )
    tpot_ms: float = number(50.0, "TPOT target", "tpot", "ms", (0, 10, 20, 30, 50, 75, 100, 200), 0, 3.6e6, "none")
    load_pct: float = given(
        85.0,
        Input("Sized for", Kind.PERCENT, "sized-load", "%", (50, 60, 70, 75, 80, 85, 90, 95, 100)),
        low=1,
        high=100,
    )
    own_tokens_per_s: float = number(
        0.0,
        "My tokens/s",
        "throughput",
        "tok/s",
        (),
        0,
        1e9,
        "predicted",
        "of one copy, measured: answers of all its users",
    )
    spares: int = given(0, Input("Spare replicas", Kind.COUNT, "n-plus-one", "", (0, 1, 2, 3, 4)), low=0, high=1024)
    fleet_basis: Literal["needs", "mine"] = given(
        "needs",
        Input("Priced", Kind.CHOICE, "replica", help="the GPUs that the demand needs, or those of the scenario"),
    )
    cascade_pct: float = given(
        0.0,
        Input("Small model first", Kind.PERCENT, "cascade", "%", Steps.PERCENTS, "off", "share of requests"),
        low=0,
        high=100,
    )
    cascade_model: str = given("llama-3.1-8b", Input("Small model", Kind.MODEL, "cascade"), longest=400)
    compliance: bool = given(False, Input("Compliance", Kind.SWITCH, "compliance", help="data must stay on premises"))
    term_years: float = number(3.0, "Horizon", "amortization", "years", (1, 2, 3, 4, 5), 0.01, 10)
    growth_pct: float = percent(0.0, "Growth", "growth", (0, 1, 2, 3, 5, 8, 10, 15), "%/month", "none")
    growth_to: int = given(
        0,
        Input("Grows to", Kind.COUNT, "growth", "requests/day", (0, *Steps.DEMAND), "by the rate"),
        low=0,
        high=10**13,
    )
    growth_months: int = given(24, Input("Over", Kind.COUNT, "growth", "months", (12, 18, 24, 30, 36)), low=1, high=120)
    lead_months: int = given(
        3, Input("Lead time", Kind.COUNT, "lead-time", "months", (0, 1, 2, 3, 4, 6, 9, 12)), low=0, high=36
    )
    on_demand_usd: float = price("On-demand", "on-demand")
    spot_usd: float = price("Spot", "spot")
    reserved_1y_usd: float = price("Reserved 1 y", "reserved")
    reserved_3y_usd: float = price("Reserved 3 y", "reserved")
    purchase_usd: float = price("Purchase", "owned", "$/GPU", 1e9)
    api_usd_per_mtok: float = price("API price", "breakeven", "$/1M tokens")
    api: bool = given(True, Input("API", Kind.SWITCH, "breakeven", help="an API is an option here"))
    currency: str = given("$", Input("Currency", Kind.TEXT), longest=4)
    electricity_usd_per_kwh: float = given(
        0.1, Input("Electricity", Kind.MONEY, "pue", "$/kWh", (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)), low=0, high=100
    )
    pue: float = given(1.3, Input("PUE", Kind.NUMBER, "pue", "×", (1.1, 1.2, 1.3, 1.4, 1.6, 2)), low=1, high=5)
    hosting_usd_per_kw_month: float = given(
        150.0, Input("Hosting", Kind.MONEY, "owned", "$/kW·month", (0, 100, 150, 200, 300)), low=0, high=1e5
    )
    staff_usd_per_year: float = given(
        100_000.0,
        Input("Staff", Kind.MONEY, "owned", "$/year", (0, 50_000, 100_000, 250_000, 500_000)),
        low=0,
        high=1e9,
    )
    maintenance_pct: float = percent(5.0, "Maintenance", "owned", (0, 2, 3, 5, 8, 10), "%/year")
    interest_pct: float = percent(8.0, "Cost of capital", "cost-of-capital", (0, 4, 6, 8, 10, 12), "%/year")
    resale_pct: float = percent(15.0, "Resale", "resale", (0, 10, 15, 20, 30, 40))
    egress_gb: float = gigabytes("Egress", "egress", "GB/month")
    egress_usd_per_gb: float = given(0.09, Input("Egress price", Kind.MONEY, "egress", "$/GB"), low=0, high=100)
    storage_gb: float = gigabytes("Storage", "egress", "GB")
    storage_usd_per_gb_month: float = given(
        0.08, Input("Storage price", Kind.MONEY, "egress", "$/GB·month"), low=0, high=100
    )
    life_years: float = number(4.0, "Life", "amortization", "years", (2, 3, 4, 5, 6), 0.01, 20)

    # Dense beside mixture of experts, and the router.
    dense_model: str = given("", Input("Dense", Kind.MODEL, "dense-model", zero="automatic"), longest=400)
    moe_model: str = given("", Input("MoE", Kind.MODEL, "moe", zero="automatic"), longest=400)
    router_batch: int = given(
        32, Input("Batch", Kind.COUNT, "experts-touched", "tokens", Steps.POWERS), low=1, high=4096
    )
    router_top_k: int = given(
        0, Input("Top-k", Kind.COUNT, "top-k", "", (0, 1, 2, 4, 6, 8, 10, 16, 22), "model"), low=0, high=512
    )
    router_skew: float = number(0.5, "Router bias", "load-imbalance", "", (0, 0.25, 0.5, 0.75, 1, 1.5, 2), 0, 3)
    router_layer: int = given(0, Input("Layer", Kind.COUNT, "router", "", tuple(range(64))), low=0, high=1000)
    router_seed: int = given(7, Input("Seed", Kind.COUNT, "scenario", "", tuple(range(16))), low=0, high=2**31)
    capacity_factor: float = number(0.0, "Capacity", "capacity-factor", "×", (0, 1, 1.25, 1.5, 2, 4), 0, 100, "none")

    # Precisions side by side, and the bit lab.
    shown_formats: Literal["classic", "all"] = given(
        "classic", Input("Formats", Kind.CHOICE, "precision", help="the classic four, or every way to store weights")
    )
    lab_value: float = given(0.7834, Input("Value", Kind.NUMBER, "rounding"), low=-1e300, high=1e300)
    lab_format: str = given("e4m3", Input("Format", Kind.CHOICE, "precision"), longest=40)
    lab_scale: float = number(0.0, "Scale", "scale", "", (), 0, 1e300, "fitted", "of every block of its group")
    lab_group: str = given(
        "",
        Input("Compared with", Kind.TEXT, "group-size", zero="drawn", help="up to 31 weights that share its scale"),
        longest=900,
        check=_weights,
    )
    lab_distribution: Literal["gaussian", "heavy_tailed"] = given(
        "gaussian", Input("Weights drawn from", Kind.CHOICE, "outlier", help="what drawn weights look like")
    )
    lab_outlier: float = number(
        20.0, "Outlier", "outlier", "×", (1, 2, 5, 10, 20, 50, 100), 1, 1e6, help="times the group's size"
    )
    lab_seed: int = given(1, Input("Tensor seed", Kind.COUNT, "scenario", "", tuple(range(16))), low=0, high=2**31)

    policy: Policy = NO_POLICY
    """What the deployment is held to: no input, since no figure follows from it."""

    def __post_init__(self) -> None:
        for name, value in _checked(self.__dict__, "").items():
            self.__dict__[name] = value

    def with_(self, **changes: object) -> Scenario:
        """A copy with checked changes, limits of its policy as `policy.fits`. Raises ScenarioError in one line."""
        return self.replaced(_checked(changes, "", self.policy))

    def replaced(self, changes: Mapping[str, object]) -> Scenario:
        """A copy with changes that are known to be right."""
        made = object.__new__(Scenario)
        made.__dict__.update(self.__dict__, **changes)
        return made

    def in_force(self) -> Scenario:
        """With what was measured in place of what was typed: what the engine is handed. Itself without a profile."""
        profile = self.demand_profile
        return self if profile is None else self.replaced(profile.in_place(self.peak_window))

    def values(self) -> dict[str, Any]:
        """Every field by its name."""
        return {name: self.__dict__[name] for name in self.FIELDS}

    def changed(self) -> dict[str, Any]:
        """The fields that differ from the defaults: what a person would write down."""
        return {name: value for name, value in self.values().items() if value != self.FIELDS[name].default}


_TYPES = types_of(Scenario)
Scenario.FIELDS = {
    entry.name: typed(entry.metadata["given"], _TYPES[entry.name])
    for entry in fields(Scenario)
    if "given" in entry.metadata
}

INPUTS: Mapping[str, Input] = {name: entry.spec for name, entry in Scenario.FIELDS.items()}
"""Field name → what it is to the person who changes it."""


def bounds(name: str) -> tuple[float | None, float | None]:
    """Lowest and highest allowed value of a numeric field."""
    return Scenario.FIELDS[name].low, Scenario.FIELDS[name].high


def choices(name: str) -> tuple[str, ...]:
    """The values of a `Literal` field."""
    return Scenario.FIELDS[name].choices


def parse(values: Mapping[str, object], where: str = "") -> Scenario:
    """A scenario of a mapping. Raises ScenarioError: what, where, and what would be right."""
    return _DEFAULT.replaced(_checked(values, where))


def field_of(name: str) -> InputField | None:
    """A field of the scenario, or a limit of its policy by a name such as `policy.fits`; None: there is no such."""
    return Policy.FIELDS.get(name[len(PREFIX) :]) if name.startswith(PREFIX) else Scenario.FIELDS.get(name)


def unknown_key(key: str, where: str = "") -> ScenarioError:
    """The refusal of a name that no field has, with the nearest that one has."""
    from difflib import get_close_matches

    known = [f"{PREFIX}{name}" for name in Policy.FIELDS] if key.startswith(PREFIX) else [*Scenario.FIELDS]
    near = get_close_matches(key[:60], known, 1)
    hint = f"did you mean {near[0]!r}?" if near else "run `infratui fields` for the list"
    return ScenarioError(f"{where}unknown key {_short(key, 60)!r}; {hint}")


def _checked(values: Mapping[str, object], where: str, policy: Policy = NO_POLICY) -> dict[str, object]:
    """Each value as its field holds it. Raises ScenarioError for the first that is wrong."""
    found: dict[str, object] = {}
    limits: dict[str, object] = {}
    where = f"{where}: " if where else ""
    for key, value in values.items():
        if key == "policy":
            if isinstance(value, Policy):
                found[key] = value
                continue
            if not isinstance(value, Mapping):
                raise ScenarioError(f"{where}policy: write limits below it, such as `fits: true`")
            policy = NO_POLICY
            limits |= {name: _value(f"{PREFIX}{name}", entry, where) for name, entry in value.items()}
        elif key.startswith(PREFIX):
            limits[key[len(PREFIX) :]] = _value(key, value, where)
        else:
            found[key] = _value(key, value, where)
    return found | {"policy": policy.replaced(limits)} if limits or policy is not NO_POLICY else found


def _value(key: str, value: object, where: str) -> object:
    entry = field_of(key)
    if entry is None:
        raise unknown_key(key, where)
    try:
        return entry.checked(value)
    except SaidError as error:
        raise ScenarioError(f"{where}{key}: {error}") from None
    except ValueError as error:
        shown = _short(_SPELLED.get(repr(value), repr(value)), 40)
        raise ScenarioError(f"{where}{key}: {shown} is not allowed; {error}") from None


# How a file writes what Python calls otherwise.
_SPELLED = {"None": "null", "True": "true", "False": "false"}


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_DEFAULT = Scenario()
