"""The app as the terminal sees it: what is drawn, which screens are open, its own errors, and its stop and end.

The names of Textual that no public one stands for:

- `App._display` is the one place where every repaint passes: there it shrinks to the cells that changed.
- `App._batch_count` says that Textual will drop a repaint; `App._end_batch` is where it no longer does.
- `App._screen_stacks` and `App._current_mode` say which screens are open, and let the first one be any of them.
- `App._load_screen_css`, `Screen._css_type_name`, `Screen._css_update_count`, `App._css_update_count`: the rules of a
  screen are loaded when it is opened, and told to have been.
- `App._dispatch_action` runs an action: one that fails must not end the app.
- `App._handle_exception`, `App._fatal_error`, `App._return_code`, `App._close_messages_no_wait`: an error of the app's
  own ends it with one line instead of a traceback over the screen.
- `App._disable_tooltips`, `App._disable_notifications`: two widgets on every screen that nothing here ever shows.
- `App._driver` is what can give the terminal back to the shell and take it again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.dom import DOMNode
from textual.screen import Screen

from .driver import Terminal, TerminalDriver
from .ending import FAILED
from .frame import Frame, FrameUpdate
from .narrow import SparingScreen
from .remembered import forget_layouts, forget_lines
from .typeahead import OrderedKeys


class Host(OrderedKeys):
    """An app that draws differences, outlives its own errors and can be stopped; `Shell` fills it."""

    def __init__(self) -> None:
        self.frame = Frame()
        self.terminal: Terminal | None = None
        """Where it is drawn; None in tests."""
        self._once_seen: dict[Screen[Any], list[Callable[[], object]]] = {}
        super().__init__()
        self._disable_tooltips = True
        self._disable_notifications = True

    # -- what a subclass says

    def fail(self, error: BaseException) -> None:
        """Nothing can go on after this error: say so when the terminal is given back."""

    def action_failed(self, name: str, error: Exception) -> None:
        """An action met an error that nobody expected."""

    # -- screens

    def start_in(self, mode: str) -> None:
        """Open with this mode rather than with Textual's own first screen. To be called before the app runs."""
        self._screen_stacks = {mode: []}
        self._current_mode = mode

    @property
    def bottom_screen(self) -> Screen[Any] | None:
        """The screen below every overlay; None on the way in and out."""
        stack = self._screen_stacks.get(self._current_mode)
        return stack[0] if stack else None

    @property
    def open_screens(self) -> Iterator[Screen[Any]]:
        """Every screen that has been opened, shown or not."""
        return (screen for stack in self._screen_stacks.values() for screen in stack)

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        # Textual would parse every rule anew and style the screen that is left: the rules of a screen are its own.
        kind = type(screen)
        place = (kind.__module__, f"{kind.__name__}.CSS")
        if screen.css_path:
            super()._load_screen_css(screen)
        elif screen.CSS and not self.stylesheet.has_source(*place):
            scope = screen._css_type_name if screen.SCOPED_CSS else ""
            self.stylesheet.add_source(screen.CSS, read_from=place, scope=scope)
        # Its widgets get their styles as they are mounted, from the sheet as it is.
        screen._css_update_count = self._css_update_count

    # -- drawing

    def _end_batch(self) -> None:
        super()._end_batch()
        if not self._batch_count and isinstance(
            screen := self._screen_stack[-1] if self._screen_stack else None, SparingScreen
        ):
            screen.pay_frame()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        # Compared with what the terminal shows, a repaint shrinks to the cells that changed.
        if not isinstance(renderable, LayoutUpdate | ChopsUpdate) or self.is_inline or self._batch_count:
            # While Textual composes, it drops what it has rendered.
            super()._display(screen, renderable)
            return
        update = FrameUpdate(self.frame, renderable, (self.size.width, self.size.height))
        if self.is_headless or update.differs(self.console):
            super()._display(screen, update)
        if screen in self._once_seen:
            for action in self._once_seen.pop(screen):
                screen.call_later(action)

    def once_seen(self, screen: Screen[Any], action: Callable[[], object]) -> None:
        """Do something slow when the next frame of a screen is on the terminal; without one, after the next refresh."""
        if self.is_headless:
            screen.call_after_refresh(action)
        else:
            self._once_seen.setdefault(screen, []).append(action)

    async def seen(self, screen: Screen[Any], longest_s: float) -> None:
        """Wait until the next frame of a screen is on the terminal, where one comes in this time."""
        frame = asyncio.Event()
        self.once_seen(screen, frame.set)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(frame.wait(), longest_s)

    def delay_update(self, delay: float = 0.05) -> None:
        """Paint at once: only cells that changed are sent, so there is no transition to mask."""

    def tidy(self) -> None:
        """Drop the lines of all screens as they were drawn, and what was computed for layouts: both are made again."""
        for screen in self.open_screens:
            forget_lines(screen)
        forget_layouts()

    def redraw(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""
        self.frame.forget()
        self.screen.refresh(layout=True)

    def action_suspend_process(self) -> None:
        """Ctrl+Z: back to the shell, until it continues the app."""
        if isinstance(driver := self._driver, TerminalDriver):
            driver.suspend()

    # -- errors of the program's own

    def _handle_exception(self, error: Exception) -> None:
        self.fail(error)
        super()._handle_exception(error)
        self._return_code = FAILED

    def _fatal_error(self) -> None:
        # What there is to say is said when the terminal has been given back; the rest is in the log.
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """Leave after an error that has no other way to be told."""
        self.fail(sys.exc_info()[1] or RuntimeError(" ".join(str(renderable) for renderable in renderables)))
        self._return_code = FAILED
        self._close_messages_no_wait()

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        # One key that fails does not take the app with it.
        try:
            return await super()._dispatch_action(namespace, action_name, params)
        except Exception as error:
            self.action_failed(action_name, error)
            return True
