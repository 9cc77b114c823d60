"""Blocks of a report on screen: drawn by the lines that the command line prints, in the colours of the theme."""

from __future__ import annotations

from typing import Generic, TypeVar

from ...report.draw import lines_of
from ...report.show import Bars, Block, Line, Lines, Prose, Stack, Stacks
from ..terminal.remembered import relayout
from .painted import Painted

Shown = TypeVar("Shown", bound=Block)


class Drawn(Painted, Generic[Shown]):
    """A widget that shows one block of a section, as high as it needs."""

    DEFAULT_CSS = "Drawn { text-wrap: nowrap; height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._block: Shown | None = None

    @property
    def block(self) -> Shown | None:
        """What is shown."""
        return self._block

    def show(self, block: Shown) -> None:
        """Replace what is shown; nothing is repainted where it is the same."""
        if block == self._block:
            return
        width = self.content_size.width
        height, self._block = self.get_content_height(None, None, width), block
        self.refresh()
        if self.get_content_height(None, None, width) != height:
            relayout(self)

    def draw(self, width: int) -> tuple[Line, ...]:
        """The lines for a width."""
        return () if self._block is None else lines_of(self._block, width)

    def toned(self, width: int) -> tuple[Line, ...]:
        return self.draw(width)


class BarList(Drawn[Bars]):
    """Bars lying below each other.

    ```python
    bars.show(Bars("parts", "By part", (Bar("FP16", 141e9, "141 GB"), Bar("FP8", 71e9, "71 GB", marked=True))))
    ```
    """


class StackedBar(Drawn[Stack]):
    """Parts of one quantity to scale, with their labels above.

    ```python
    bar.show(Stack("bar", "", (Part("weights", 71e9, "71 GB", "weights"),), capacity=640e9))
    ```

    With a capacity, the bar's full width is the larger of the two, and `│` stands where the capacity ends.
    """

    DEFAULT_CSS = "StackedBar { text-wrap: nowrap; height: auto; width: 1fr; }"


class StacksView(Drawn[Stacks]):
    """Several wholes to one scale, with one legend.

    ```python
    view.show(Stacks("weights", "", (("MLP", "weights"), ("experts", "key")), (("MoE", (20.0, 720.0), "740 GB"),)))
    ```
    """

    DEFAULT_CSS = "StacksView { text-wrap: nowrap; height: auto; width: 1fr; padding: 0 1; }"


class ProseView(Drawn[Prose]):
    """Labelled sentences, wrapped with the labels hanging out to the left.

    ```python
    view.show(Prose("why", "Why", (Says("decode", "waits for weights"),)))
    ```
    """

    DEFAULT_CSS = "ProseView { height: auto; width: 1fr; text-wrap: nowrap; padding: 0 1; }"


class LinesView(Drawn[Lines]):
    """Lines that are laid out already.

    ```python
    view.show(Lines("startup", "What vLLM will print", ((("INFO …", "good"),),)))
    ```
    """
