"""Prints an answer and its panels: in colour and to its width on a terminal, plain elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..report import printed
from .common import line_width

if TYPE_CHECKING:
    from ..report.show import Answer, Block


def emit(answer: Answer, blocks: Iterable[Block], first: str = "") -> None:
    """The answer under a line that says what was asked, then every panel under its title."""
    width = line_width()
    lines = [*([((first, ""),)] if first else []), *printed.answer_lines(answer, width)]
    for block in blocks:
        lines += printed.block_lines(block, width)
    printed.write(lines)
