"""`infratui vram`: memory, and what fits where."""

from __future__ import annotations

from .section import section_command

command = section_command("vram", "Memory of a deployment. Exit code 1 when the GPUs do not hold it.")
