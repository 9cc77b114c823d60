"""Pictures that move: at most four frames a second, only while there is something to say and someone to see it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.visual import Visual
from textual.widget import Widget

from ...value_types import dataclass
from ..terminal.remembered import relayout
from .painted import tone_style

SPEEDS = (0.5, 1.0, 2.0, 4.0)
"""Frames per second; four are the most."""
_USUAL = len(SPEEDS) - 1


IDLE_S = 10.0
"""Seconds that a picture plays by itself at most."""


class GridAnimation(Widget, can_focus=True):
    """A picture with frames. Subclasses say how many frames there are and what line `y` of a frame shows.

    ```python
    class Pulse(GridAnimation):
        FRAMES = 8                                        # one cycle
        def line(self, y: int, frame: int, width: int) -> Content:
            return Content("·" * frame + "●")
    ```

    `say(...)` is called when the plan it shows appears or changes: it plays `CYCLES` cycles and rests on frame `REST`.
    The screen's animation keys (`space . , + -`) reach `motion_toggle`, `motion_step` and `motion_speed`. Nothing plays
    while the widget is hidden, its screen is suspended, or motion is off. Frames depend on nothing but their number.
    """

    DEFAULT_CSS = "GridAnimation { height: auto; width: 1fr; }"
    FRAMES = 8
    CYCLES = 3
    REST = 0

    frame: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Paced(Message):
        """It plays faster or slower now, or has begun or ended to play."""

        animation: GridAnimation

    def __init__(self, *, motion: bool = True, id: str | None = None) -> None:
        super().__init__(id=id)
        self.allowed = motion
        self._speed = _USUAL
        self._left = 0
        self._timer: Timer | None = None

    # -- what a subclass says

    def line(self, y: int, frame: int, width: int) -> Content:
        """Line `y` of a frame."""
        raise NotImplementedError

    def lines(self) -> int:
        """How many lines the picture takes."""
        return 1

    def rested(self) -> None:
        """What played by itself has come to rest."""

    # -- playing

    @property
    def playing(self) -> bool:
        """Frames follow each other by themselves."""
        return self._timer is not None and self._left != 0

    @property
    def pace(self) -> str:
        """How fast it plays against its usual speed: `×½`."""
        ratio = SPEEDS[self._speed] / SPEEDS[_USUAL]
        return "×1" if ratio == 1 else f"×{ratio:g}" if ratio > 1 else f"×1/{1 / ratio:g}"

    def say(self, *, motion: bool) -> None:
        """The picture is a new one: show it, and where motion is allowed play it for a few cycles."""
        self.allowed = motion
        self.set_reactive(GridAnimation.frame, self.REST)
        relayout(self)
        if motion:
            self._play(min(self.CYCLES * self.FRAMES, round(IDLE_S * SPEEDS[self._speed])))
        else:
            self._pause()

    def motion_toggle(self) -> None:
        """Play until paused, or pause."""
        if self.playing:
            self._pause()
        else:
            self._play(-1)

    def motion_step(self, by: int) -> None:
        """Pause and move by one frame."""
        self._pause()
        self._show((self.frame + by) % max(1, self.FRAMES))

    def motion_speed(self, by: int) -> None:
        """Faster or slower."""
        self._speed = max(0, min(len(SPEEDS) - 1, self._speed + by))
        if self.playing:
            self._play(self._left)
        else:
            self.post_message(self.Paced(self))

    def _play(self, frames: int) -> None:
        self._stop_timer()
        self._left = frames
        self._timer = self.set_interval(1 / SPEEDS[self._speed], self._tick)
        self.post_message(self.Paced(self))

    def _pause(self) -> None:
        self._left = 0
        if self._timer is not None:
            self._stop_timer()
            self.post_message(self.Paced(self))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        if not self.is_attached or not self.screen.is_current or not self.is_on_screen:
            return
        if self._left > 0:
            self._left -= 1
        if self._left == 0:
            self._pause()
            self._show(self.REST)
            self.rested()
            return
        self._show((self.frame + 1) % max(1, self.FRAMES))

    def _show(self, frame: int) -> None:
        if frame != self.frame:
            self.frame = frame
            self.refresh()

    def suspend(self) -> None:
        """The screen is hidden: stop, whatever was left to play."""
        self._pause()

    # -- drawing

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return self.lines()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        content = self.line(y, self.frame, width) if y < self.lines() else Content("")
        if y == 0 and self.has_focus:
            content = Content.assemble(("▌", "$key"), content[1:] if len(content) else content)
        return Visual.to_strips(self, content, width, 1, self.visual_style)[0]

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def cells(texts: Sequence[tuple[str, str]]) -> Content:
    """A line from pieces of text and colour variables: `("██", "weights")`."""
    return Content.assemble(*((text, tone_style(tone) if tone else "") for text, tone in texts))
