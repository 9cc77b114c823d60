"""When what takes longer than a row is computed: what leads at once, the rest when keys rest, and both now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FRAME_S = 0.02
"""What is known at once is drawn in this time."""
_HELD_S = 0.15
"""Changes that come faster one after the other than this are those of a key that is held."""
_REST_S = 0.05
"""How long a held key must have rested: terminals repeat it thirty times a second."""
_LONGEST_S = 0.25
"""While keys keep coming, everything is shown as often as this."""
_LEAD_SHARE, _WHOLE_SHARE = 1 / 8, 1 / 12
"""How much of the time of a held key either may take: the row must keep up with the key."""


class KeyPace:
    """Follows the changes of one screen.

    >>> now = 0.0
    >>> pace = KeyPace(lambda: now)
    >>> pace.changed()
    >>> pace.rest
    0.0
    >>> now = 0.03
    >>> pace.changed()
    >>> pace.rest
    0.05
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = -_HELD_S
        """When the last change came, or what it led to was done: a key that waited for that is held all the same."""
        self.held = False
        """A key is held."""
        self._waiting: float | None = None
        """Since when something is not shown yet."""
        self._lead_from = 0.0
        """When a held key may lead again."""
        self._whole_s = 0.0
        """How long everything took while a key was held."""

    def changed(self) -> None:
        """A change has come."""
        now = self._clock()
        self.held, self._last = now - self._last < _HELD_S, now
        if self._waiting is None:
            self._waiting = now

    @property
    def rest(self) -> float:
        """Seconds that the last change waits for another one: only where a key is held."""
        return _REST_S if self.held else 0.0

    @property
    def leads(self) -> bool:
        """What is known at once is shown: always, but for a held key that it would hold up."""
        return not self.held or self._clock() >= self._lead_from

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Around what is shown at once."""
        begun = self._clock()
        yield
        now = self._last = self._clock()
        self._lead_from = now + (now - begun) * (1 / _LEAD_SHARE - 1)

    @property
    def overdue(self) -> bool:
        """While a key is held, what is not shown yet has waited long enough."""
        longest = max(_LONGEST_S, self._whole_s / _WHOLE_SHARE)
        return self.held and self._waiting is not None and self._clock() - self._waiting >= longest

    @contextmanager
    def catching_up(self) -> Iterator[None]:
        """Around everything, while a key is held."""
        begun = self._clock()
        yield
        self._last = self._clock()
        self._whole_s = self._last - begun

    def shown(self) -> None:
        """Everything is shown."""
        self._waiting = None
