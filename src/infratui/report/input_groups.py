"""Inputs by what they are about: what everybody sets stands open, the rest is folded while it is as usual."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..scenario import INPUTS
from ..value_types import dataclass


@dataclass(frozen=True, slots=True)
class InputGroup:
    """Inputs under one title."""

    title: str
    fields: tuple[str, ...] = ()
    """Those that are always shown, in order."""
    folded: tuple[str, ...] = ()
    """Those that are shown where they differ from their defaults, or where the group is opened."""
    usual: str = ""
    """What the folded ones come to while all of them are at their defaults: `all auto`."""

    def within(self, fields: Collection[str]) -> InputGroup:
        """The part of the group that a screen has."""
        return InputGroup(
            self.title,
            tuple(field for field in self.fields if field in fields),
            tuple(field for field in self.folded if field in fields),
            self.usual,
        )


GROUPS = (
    InputGroup("Compared", ("dense_model", "moe_model")),
    InputGroup(
        "Demand",
        ("requests_per_day", "hours_per_day", "peak_factor"),
        ("days_per_week",),
    ),
    InputGroup(
        "Workload",
        ("model", "precision", "kv_precision", "users", "context", "input_tokens", "output_tokens"),
        ("mean_fill", "shared_prefix", "prefix_hit"),
    ),
    InputGroup("Hardware", ("accelerator", "gpus"), ("gpus_per_node", "node_link", "utilization")),
    InputGroup("Split", (), ("tp", "pp", "dp", "ep", "dcp", "pools"), "all auto"),
    InputGroup(
        "Serving",
        (),
        ("engine", "max_batched_tokens", "max_num_seqs", "windowed_kv", "adapters", "adapter_rank"),
        "vLLM",
    ),
    InputGroup("Speculative", (), ("acceptance", "draft_tokens"), "off"),
    InputGroup("Targets", ("ttft_ms", "tpot_ms"), ("spares", "load_pct", "own_tokens_per_s")),
    InputGroup("Decision", ("compliance", "term_years"), ("fleet_basis", "cascade_pct", "cascade_model")),
    InputGroup(
        "Router",
        ("router_batch",),
        ("router_top_k", "router_skew", "router_layer", "capacity_factor", "router_seed"),
    ),
    InputGroup(
        "Bit lab",
        ("shown_formats", "lab_value", "lab_format"),
        ("lab_scale", "lab_group", "lab_distribution", "lab_outlier", "lab_seed"),
    ),
)  # fmt: skip
"""The groups in the order in which they are told; a field stands in one of them."""

BRIEF: Mapping[str, str] = {
    "mean_fill": "Context in use",
    "shared_prefix": "Common prompt",
    "prefix_hit": "Prompt cached",
    "utilization": "GPU memory",
    "windowed_kv": "Window cache",
    "acceptance": "Accepted",
    "cascade_pct": "Small first",
    "lab_distribution": "Weights from",
    "node_link": "Network",
    "requests_per_day": "Requests",
    "hours_per_day": "Hours",
    "days_per_week": "Days",
    "peak_factor": "Peak",
    "ttft_ms": "TTFT",
    "tpot_ms": "TPOT",
    "gpus_per_node": "Per node",
    "max_batched_tokens": "Batched tokens",
    "engine_version": "Version",
    "spares": "Spares",
}
"""What a row calls an input whose label needs more room than a row has."""

PER: Mapping[str, str] = {"requests_per_day": "/day", "hours_per_day": " a day", "days_per_week": " a week"}
"""What a row says behind the value of an input whose label leaves it out."""


def brief(field: str) -> str:
    """An input's label in a row of inputs."""
    return BRIEF.get(field, INPUTS[field].label)


def groups(fields: Collection[str]) -> tuple[InputGroup, ...]:
    """The groups of a screen's inputs; the one of the first field comes first."""
    found = [part for group in GROUPS if (part := group.within(fields)).fields or part.folded]
    first = next(iter(fields), "")
    return tuple(sorted(found, key=lambda group: first not in (*group.fields, *group.folded)))
