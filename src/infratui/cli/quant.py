"""`infratui quant`: the model in every precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .section import section_command


def _changes(options: Mapping[str, Any]) -> dict[str, object]:
    changes: dict[str, object] = {"shown_formats": "all"} if options["everything"] else {}
    return changes | ({"precision": options["precision"]} if options["precision"] else {})


command = section_command(
    "quant",
    "Weights, GPUs, speed and published quality of the model in each precision.",
    (
        click.Option(["--all", "everything"], is_flag=True, help="Every precision, not only FP32, FP16, FP8 and INT4."),
        click.Option(["--precision"], metavar="NAME", help="The weights' precision: fp8, int4-awq, nvfp4, q4_k_m …"),
    ),
    _changes,
)
