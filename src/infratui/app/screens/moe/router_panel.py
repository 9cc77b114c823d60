"""The live router: one token after the other through a layer, or a whole batch, by space, step and speed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual

from ....engine.experts.router import RouterResult
from ...widgets.grid_animation import GridAnimation
from .frames import BatchReel, TokenReel
from .grid import expert_grid
from .picture import GRID_ROWS, Line, batch_picture, split, token_picture, token_rows

TOKENS = 6
"""Tokens that play by themselves when the router is a new one."""
_EMPTY = 14
"""Lines before there is anything to show."""


class RouterPanel(GridAnimation):
    """Draws the frames of `frames.py`.

    ```python
    panel = RouterPanel()
    panel.show(result.router, routing_words(), motion=True)
    panel.motion_view()      # the whole batch
    ```

    A new router plays its first tokens and rests; the same one goes on as it is. Of a frame only the lines that differ
    from the last one are drawn again.
    """

    class Turned(Message):
        """The other view is shown now."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tokens: TokenReel | None = None
        self._batch: BatchReel | None = None
        self._router: RouterResult | None = None
        self._whole = False
        self._left_at = 0
        self._lines: tuple[Line, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._looks: dict[tuple[object, ...], Style] = {}

    # -- content

    @property
    def whole_batch(self) -> bool:
        """The batch is shown rather than its tokens."""
        return self._whole

    def show(self, router: RouterResult, words: Sequence[str], *, motion: bool) -> None:
        """Show a router; where it is the one that is shown already, only `motion` may have changed."""
        self.allowed = motion
        if router == self._router:
            if not motion:
                self._pause()
            return
        old = self._router
        self._router = router
        self._batch = BatchReel(router)
        token_key = (router.spec, router.seed, router.layer, router.skew, router.ep)
        same_tokens = old is not None and token_key == (old.spec, old.seed, old.layer, old.skew, old.ep)
        if not same_tokens or self._tokens is None:
            self._tokens = TokenReel(router.spec, router.seed, router.layer, router.skew, words, router.ep)
            self._left_at = 0
        if same_tokens and not self._whole and self.playing:
            # Batch, capacity: what the tokens do is not changed by it.
            return
        if not same_tokens:
            # A new router plays its tokens first; where nothing moves it shows what all of them leave.
            self._whole = not motion
        self._start()

    def _start(self) -> None:
        reel = self._batch if self._whole else self._tokens
        if reel is None or self._tokens is None:
            return
        self.FRAMES = len(reel)
        self.REST = len(reel) - 1 if self._whole else min(self._tokens.last_of(TOKENS - 1), len(reel) - 1)
        self.set_reactive(GridAnimation.frame, 0 if self.allowed else self.REST)
        self.refresh(layout=True)
        if self.allowed and self.REST:
            self._play(self.REST)
        else:
            self._pause()

    def motion_view(self) -> None:
        """From the tokens to the whole batch, and back to where the tokens were left."""
        if self._tokens is None or self._batch is None:
            return
        self._whole = not self._whole
        if self._whole:
            self._left_at = self.frame
            self._start()
            return
        self._pause()
        self.FRAMES = len(self._tokens)
        self.REST = self._left_at
        self.set_reactive(GridAnimation.frame, self._left_at)
        self.refresh(layout=True)

    def rested(self) -> None:
        """The tokens have passed: what the whole batch leaves on the experts stays on screen."""
        if not self._whole and self._batch is not None:
            self._left_at = self.frame
            self._whole = True
            self.FRAMES = len(self._batch)
            self.REST = len(self._batch) - 1
            self.set_reactive(GridAnimation.frame, self.REST)
            self.refresh(layout=True)
            self.post_message(self.Turned())

    @property
    def caption(self) -> str:
        """What the frame shows, in words."""
        if self._tokens is None or self._batch is None:
            return ""
        return self._batch.frame(self.frame).caption if self._whole else self._tokens.frame(self.frame).caption

    # -- playing

    def motion_toggle(self) -> None:
        """Play until paused, or pause; a whole batch starts over."""
        if not self.playing and self._whole and self._batch is not None and self.frame == len(self._batch) - 1:
            self._show(0)
        super().motion_toggle()

    def _play(self, frames: int) -> None:
        # A batch is whole after its last frame: it never plays on by itself.
        if self._whole and frames < 0 and self._batch is not None:
            frames = len(self._batch) - 1 - self.frame
        super()._play(frames)

    def _show(self, frame: int) -> None:
        if frame == self.frame:
            return
        before = self._picture(self.size.width)
        self.frame = frame
        after = self._picture(self.size.width)
        width = self.size.width
        changed = [y for y, line in enumerate(after) if y >= len(before) or before[y] != line]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    # -- drawing

    def _picture(self, width: int) -> tuple[Line, ...]:
        if self._tokens is None or self._batch is None or width < 1:
            return ()
        key = (self._whole, self.frame, width, self._router)
        if key != self._drawn:
            if self._whole:
                self._lines = batch_picture(self._batch, self._batch.frame(self.frame), width)
            else:
                self._lines = token_picture(self._tokens, self._tokens.frame(self.frame), width)
            self._drawn = key
        return self._lines

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        if self._tokens is None or self._batch is None or self._router is None:
            return _EMPTY
        if self._whole:
            grid = expert_grid(self._router.spec.experts, self._router.ep, split(width)[1], GRID_ROWS)
            return max(len(grid.rows), len(self._batch)) + 6
        return token_rows(self._tokens, width) + 6

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._picture(width)
        pieces = lines[y] if y < len(lines) else ()
        if y == 0 and self.has_focus and pieces:
            pieces = (("▌", "$key"), (pieces[0][0][1:], pieces[0][1]), *pieces[1:])
        segments = [Segment(text, self._look(style)) for text, style in pieces]
        return Strip(segments).adjust_cell_length(width, self._look(""))

    def _look(self, style: str) -> Style:
        """A style of the picture as the terminal takes it: resolved once for each theme, not for each piece."""
        key = (style, self.app.theme, self.visual_style)
        if key not in self._looks:
            strip = Visual.to_strips(self, Content.assemble(("x", style)), 1, 1, self.visual_style)[0]
            self._looks[key] = next(iter(strip)).style or Style.null()
        return self._looks[key]
