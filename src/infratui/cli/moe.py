"""`infratui moe`: dense beside mixture of experts, and the router."""

from __future__ import annotations

import click

from .common import Whole
from .section import named, section_command

command = section_command(
    "moe",
    "Compare a dense model with a mixture of experts at the same precision, load and GPUs.",
    (
        click.Option(["--dense"], metavar="NAME|PATH", help="The dense model."),
        click.Option(["--moe"], metavar="NAME|PATH", help="The mixture of experts."),
        click.Option(["--batch"], type=Whole(1, 4096), help="Tokens per step."),
    ),
    named(dense="dense_model", moe="moe_model", batch="router_batch"),
)
