"""A titled part of a screen: what tab moves between and `z` zooms."""

from __future__ import annotations

from textual.containers import Vertical

COMPUTING = " · computing …"
"""Behind the title of a panel whose figures are those of before, or none yet."""


class Panel(Vertical):
    """A container with a hairline and a title above its content.

    ```python
    with Panel("On every accelerator", id="fits"):
        yield TableView(...)
    ```
    """

    DEFAULT_CSS = """
    Panel { height: auto; border-top: solid $line; border-title-color: $muted; border-title-style: none;
        padding: 0 1; }
    """

    ALLOW_MAXIMIZE = True

    def __init__(self, title: str, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.border_title = title

    def await_result(self, *, awaited: bool = True) -> None:
        """Say in the title that what it shows is being computed, or no longer."""
        title = str(self.border_title or "").removesuffix(COMPUTING)
        self.border_title = f"{title}{COMPUTING}" if awaited else title
