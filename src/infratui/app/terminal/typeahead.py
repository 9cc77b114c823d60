"""Keys in order: over a slow link several arrive at once, and each must find the screen that the one before it left.

Pastes stand in the same line.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen

_LULL_S = 0.025
"""A key that comes sooner is waited for; else the screen draws first what the one before it led to."""
_GIVE_UP_S = 0.5
"""After this long the next key goes on, whatever became of the one before."""
_MOST_WAITING = 500
"""Keys beyond this are lost: nobody has typed them."""
_TIDY_EVERY = 250
"""Keys between two tidyings."""
_NEW_SCREEN_S = 0.01
"""How often a screen that has just been opened is asked whether something on it has the focus."""


class _Passage:
    """Calls back when everything that waits along a way has been handled.

    `call_later` would make a partial of each step, and Textual look at the signature of each: a fifth of a key's time.
    """

    def __init__(self, way: Sequence[MessagePump], then: Callable[[], object]) -> None:
        self._left, self._then = iter(way), then

    def go_on(self) -> None:
        """To the next that takes messages."""
        for pump in self._left:
            if pump.post_message(events.Callback(callback=self.go_on)):
                return
        self._then()


class OrderedKeys(App[int]):
    """An app in which a key waits until the one before is done with.

    Textual forwards keys as they come, but their actions run later: of `enter 1 2` in one packet, the digits would
    still reach the screen instead of the field that enter opened.

    `App._screen_stack` is asked whether there still is a screen: its public counterparts raise on the way out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting_keys: deque[events.Key | events.Paste] = deque()
        self._key_turn = 0
        self._key_busy = False
        self._key_at = 0.0
        self._passage: _Passage | None = None
        """The way of the last key, which has not begun."""
        self._key_timers: tuple[asyncio.TimerHandle, ...] = ()

    @property
    def quiet_s(self) -> float:
        """Seconds since the last key."""
        return time.monotonic() - self._key_at

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not self._screen_stack:
            # On the way out: nothing is left that a key could mean something to.
            return
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self._key_busy:
                if len(self._waiting_keys) < _MOST_WAITING:
                    self._waiting_keys.append(event)
                self._pass()
                return
            await self._send_key(event)
        else:
            await super().on_event(event)

    async def _send_key(self, event: events.Key | events.Paste) -> None:
        if not self._screen_stack:
            return
        self._key_busy = True
        self._key_at = time.monotonic()
        self._key_turn += 1
        turn, screen = self._key_turn, self.screen
        if turn % _TIDY_EVERY == 0:
            self.call_later(self.tidy)
        # What the key passes through: first the key itself goes this way, then the messages that it caused.
        way: list[MessagePump] = [self.focused] if self.focused is not None else []
        way = [*(node for node in (way[0].ancestors_with_self if way else [screen])), self]  # type: ignore[attr-defined]
        await super().on_event(event)
        for timer in self._key_timers:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._passage = _Passage((*way, *way), lambda: self._done(turn, screen))
        self._key_timers = (
            loop.call_later(_LULL_S, self._pass),
            loop.call_later(_GIVE_UP_S, lambda: self.call_later(self._done, turn, screen)),
        )
        if self._waiting_keys:
            self._pass()

    def _pass(self) -> None:
        """Follow the last key on its way, to know when it is done with."""
        if self._passage is not None:
            passage, self._passage = self._passage, None
            passage.go_on()

    def tidy(self) -> None:
        """Drop what is only remembered to be faster; called now and then in long use."""

    def _done(self, turn: int, screen: Screen[Any], tries: int = 20) -> None:
        if turn != self._key_turn or not self._key_busy or not self._screen_stack:
            return
        if self._waiting_keys and self.screen is not screen and self.screen.focused is None and tries:
            self.set_timer(_NEW_SCREEN_S, lambda: self._done(turn, screen, tries - 1))
            return
        self._key_busy = False
        if self._waiting_keys:
            self.call_later(self._send_key, self._waiting_keys.popleft())
            # Keys that come before that runs still belong behind it.
            self._key_busy = True
