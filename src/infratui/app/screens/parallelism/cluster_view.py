"""The cluster on screen: plays one decode step, frame by frame, with what each part of it is and how long it takes."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip

from ...widgets.grid_animation import GridAnimation, cells
from .frames import TrafficFrame
from .picture import Cluster, Picture

_NOTHING = TrafficFrame((), "")


class ClusterView(GridAnimation):
    """GPUs in nodes with what they hold and do.

    ```python
    view.show(cluster, frames, motion=True)     # frames from `frames.frames` or a single still one
    ```
    """

    def __init__(self, *, motion: bool = True, id: str | None = None) -> None:
        super().__init__(motion=motion, id=id)
        self._cluster: Cluster | None = None
        self._frames: tuple[TrafficFrame, ...] = (_NOTHING,)
        self._same: tuple[int, ...] = (0,)
        """For each frame the first one that looks like it."""
        self._picture: Picture | None = None
        self._strips: dict[tuple[int, int, bool, str], Strip] = {}
        self._laid_out = (0, 0)
        self.FRAMES = 1
        self.tooltip = "One decode step, timed as predicted: space plays, . and , step, + and - change the speed"

    @property
    def caption(self) -> str:
        """What the frame on screen says."""
        return self._frames[min(self.frame, len(self._frames) - 1)].caption

    def show(self, cluster: Cluster, frames: tuple[TrafficFrame, ...], *, motion: bool) -> None:
        """Replace the picture; it plays where the plan is a new one and there is more than one frame."""
        if (cluster, frames) == (self._cluster, self._frames) and motion == self.allowed:
            return
        self._cluster, self._frames = cluster, frames
        self._same = tuple(frames.index(frame) for frame in frames)
        self.FRAMES = len(frames)
        # At rest the GPUs are seen at work.
        self.REST = next((at for at, frame in enumerate(frames) if frame.step_s), 0)
        self._picture = None
        self._strips.clear()
        self.say(motion=motion and len(frames) > 1)

    def picture(self, width: int) -> Picture | None:
        """The cluster laid out for a width, and for how high the screen is."""
        height = self.app.size.height
        if self._cluster is None:
            return None
        if self._picture is None or self._laid_out != (width, height):
            self._laid_out = (width, height)
            self._picture = Picture(self._cluster, width, height // 2 - 2)
            self._strips.clear()
        return self._picture

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        picture = self.picture(width)
        return picture.lines if picture else 1

    def lines(self) -> int:
        picture = self.picture(self.size.width)
        return picture.lines if picture else 1

    def line(self, y: int, frame: int, width: int) -> Content:
        picture = self.picture(width)
        if picture is None:
            return Content("")
        return cells(picture.line(y, self._frames[min(frame, len(self._frames) - 1)]))

    def _show(self, frame: int) -> None:
        """Repaint the lines on which two frames differ; a long part of a step repeats its frame."""
        was, picture = self._same[self.frame], self.picture(self.size.width)
        self.frame = frame
        now = self._same[frame]
        if was == now or picture is None:
            return
        before, after = self._frames[was], self._frames[now]
        changed = [y for y in range(picture.lines) if picture.line(y, before) != picture.line(y, after)]
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        # Lines are made once per picture: a cycle that repeats costs no more than sending what differs.
        self.picture(self.size.width)
        key = (y, self._same[min(self.frame, len(self._same) - 1)], y == 0 and self.has_focus, self.app.theme)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = super().render_line(y)
        return strip
