"""When what takes longer than a frame is computed: once keys rest, and now and then while they do not."""

from __future__ import annotations

import time
from collections.abc import Callable

_HELD_S = 0.15
"""Changes that come faster one after the other than this are those of a key that is held."""
_REST_S = 0.06
"""How long a held key must have rested: terminals repeat it thirty times a second."""
_LONGEST_S = 0.25
"""While keys keep coming, everything is shown as often as this."""


class KeyPace:
    """Follows the changes of one screen.

    >>> now = 0.0
    >>> pace = KeyPace(lambda: now)
    >>> pace.rest()
    0.0
    >>> now = 0.03
    >>> pace.rest()
    0.06
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = -_HELD_S
        """When the last change came."""
        self._waiting: float | None = None
        """Since when something is not shown yet."""

    def rest(self) -> float:
        """Seconds that a change, which comes now, waits for the next one."""
        now = self._clock()
        held, self._last = now - self._last < _HELD_S, now
        if self._waiting is None:
            self._waiting = now
        return _REST_S if held else 0.0

    def overdue(self) -> bool:
        """What is not shown yet has waited long enough, whatever comes next."""
        return self._waiting is not None and self._clock() - self._waiting >= _LONGEST_S

    def shown(self) -> None:
        """Everything is shown."""
        self._waiting = None
