"""What a deployment is held to: limits that stand in a scenario file beside its inputs. A limit of 0 asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from .inputs import Input, InputField, Kind, given, typed
from .value_types import dataclass, types_of

PREFIX = "policy."
"""What a limit's name has before it where it stands among the inputs: `policy.ttft_ms_p95`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one scenario. Latency is at the peak of the demand; money is of the fleet that is priced."""

    FIELDS: ClassVar[Mapping[str, InputField]] = {}

    fits: bool = given(False, Input("Fits", Kind.SWITCH, "vram", help="the memory of the chosen layout holds the load"))
    headroom_pct: float = given(
        0.0,
        Input("Headroom", Kind.PERCENT, "vram", "%", zero="none", help="least share of a GPU's memory that stays free"),
        low=0,
        high=99,
    )
    survive_gpus: int = given(
        0,
        Input("Survives", Kind.COUNT, "n-plus-one", "GPUs", zero="none", help="GPUs that may be lost, wherever"),
        low=0,
        high=1024,
    )
    ttft_ms_p95: float = given(
        0.0, Input("TTFT p95", Kind.NUMBER, "ttft", "ms", zero="none", help="at the peak"), low=0, high=3.6e6
    )
    tpot_ms: float = given(
        0.0, Input("TPOT", Kind.NUMBER, "tpot", "ms", zero="none", help="mean at the peak"), low=0, high=3.6e6
    )
    usd_per_month: float = given(
        0.0, Input("Per month", Kind.MONEY, "breakeven", "$/month", zero="none", help="of the fleet"), low=0, high=1e12
    )
    usd_per_mtok: float = given(
        0.0,
        Input("Per 1M tokens", Kind.MONEY, "per-token-price", "$/1M tokens", zero="none", help="of the fleet"),
        low=0,
        high=1e9,
    )
    prices_max_age_days: int = given(
        0,
        Input("Price age", Kind.COUNT, "breakeven", "days", zero="none", help="most days since it was published"),
        low=0,
        high=36_600,
    )
    engine_flags: str = given(
        "",
        Input(
            "Engine flags",
            Kind.TEXT,
            "serving-framework",
            zero="none",
            help="an engine, its version and flags of yours, such as: vllm 0.25.1 --enable-lora",
        ),
        longest=400,
        pattern=r"^((vllm|sglang|tensorrt-llm|tgi|llama\.cpp|ollama)( v?[0-9][\w.+-]*)?( --?[A-Za-z][\w-]*)*)?$",
    )

    def replaced(self, changes: Mapping[str, Any]) -> Policy:
        """A copy with changes that are known to be right."""
        return Policy(**{name: changes.get(name, getattr(self, name)) for name in self.FIELDS})

    def stated(self) -> dict[str, Any]:
        """The limits that ask something, in the order of the fields."""
        return {name: value for name in self.FIELDS if (value := getattr(self, name))}

    def __bool__(self) -> bool:
        return bool(self.stated())


_TYPES = types_of(Policy)
Policy.FIELDS = {entry.name: typed(entry.metadata["given"], _TYPES[entry.name]) for entry in fields(Policy)}

NO_POLICY = Policy()
