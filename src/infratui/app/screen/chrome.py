"""What frames every screen: the title line with its tabs, the hint and status line, the key bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.reactive import reactive
from textual.screen import Screen

from ...report.show import Line
from ...report.workload import WorkloadWords
from ...value_types import dataclass
from ..keys import TYPING, find
from ..widgets.headline import LOW
from ..widgets.painted import Painted

if TYPE_CHECKING:
    from ...checking import CheckedPolicy

BAR_KEYS = 14
"""Keys on the key bar at most."""


@dataclass(frozen=True, slots=True)
class Title:
    """What the title line says."""

    tabs: tuple[tuple[str, str, str], ...] = ()
    """Mode, title and short title of each screen."""
    active: str = ""
    aside: tuple[str, str, str] = ("", "", "")
    """Key, title and short title of the screen beside them that is shown, which has a tab as long as it is."""
    name: str = ""
    changed: bool = False
    """The scenario differs from the preset or file of that name."""
    notes: tuple[str, ...] = ()
    """Estimator and unit of bytes."""


class TitleBar(Painted):
    """The screens, the scenario and the estimator in one line."""

    DEFAULT_CSS = "TitleBar { text-wrap: nowrap; height: 1; background: $panel; }"

    title: reactive[Title] = reactive(Title())

    def toned(self, width: int) -> Sequence[Line]:
        title = self.title
        name = f"⚑ {title.name}{'*' if title.changed else ''}" if title.name else ""
        for short, brand, notes in ((0, 1, 2), (1, 1, 2), (1, 0, 2), (1, 0, 1), (1, 0, 0)):
            left = self._tabs(bool(short), bool(brand))
            right = "  ".join(part for part in (name, *title.notes[:notes]) if part) + " "
            used = sum(cell_len(text) for text, _ in left)
            if used + len(right) + 2 <= width:
                break
        room = width - used - 2
        if len(right) > room:
            right = right[: max(0, room - 1)] + "…"
        gap = " " * max(1, width - used - len(right))
        return ((*left, (gap, ""), (right, "muted")),)

    def _tabs(self, short: bool, brand: bool) -> Line:
        parts = [(" infratui ", "bold key")] if brand else []
        for number, (mode, text, brief) in enumerate(self.title.tabs, 1):
            label = f" {number} {brief if short else text} "
            parts.append((label, "bold reverse") if mode == self.title.active else (label, "muted"))
        key, text, brief = self.title.aside
        if key:
            parts.append((f" {key} {brief if short else text} ", "bold reverse"))
        return tuple(parts)


class WorkloadLine(Painted):
    """What is served, for whom and on what, the same on every screen; `!` where memory and money are far apart."""

    DEFAULT_CSS = "WorkloadLine { text-wrap: nowrap; height: 1; padding: 0 1; }"

    workload: reactive[WorkloadWords | None] = reactive(None)

    def toned(self, width: int) -> Sequence[Line]:
        if self.workload is None:
            return ()
        tight = self.workload.tone == "tight"
        room = width - 2 * tight
        text = self.workload.text(room)
        text = text if len(text) <= room else f"{text[: max(0, room - 1)]}…"
        return ((*((("! ", "bold tight"),) if tight else ()), (text, "muted")),)


class PolicyStrip(Painted):
    """What the scenario's policy comes to, under the headline; not there where it has none."""

    DEFAULT_CSS = "PolicyStrip { text-wrap: nowrap; height: auto; padding: 0 1; display: none; }"

    checked: reactive[CheckedPolicy | None] = reactive(None)

    def watch_checked(self) -> None:
        self.display = self.checked is not None
        self.refit()

    def toned(self, width: int) -> Sequence[Line]:
        if self.checked is None:
            return ()
        from ...report.check import strip

        return strip(self.checked, max(20, width), brief=self.app.size.height < LOW)


class HintLine(Painted):
    """One line above the keys: what is being typed, else what just happened, else what the focused thing means."""

    DEFAULT_CSS = "HintLine { text-wrap: nowrap; height: 1; }"

    hint: reactive[str] = reactive("")
    status: reactive[tuple[str, str]] = reactive(("", ""))
    """Text and tone; it gives way to the hint when something else is focused."""
    more: reactive[str] = reactive("")
    """Where the results are scrolled to, at the right edge; empty where all of them are in view."""

    def _places(self) -> tuple[str, ...]:
        """The place, and a shorter word for it: `pgdn more · 1 of 4`, `1/4`."""
        if not self.more:
            return ("",)
        return f"{self.more} ", f"{self.more.rpartition(' · ')[2].replace(' of ', '/')} "

    def toned(self, width: int) -> Sequence[Line]:
        text, tone = self.status
        said = max(len(text), len(self.hint.partition(" · ")[0]) if not text else 0)
        fitting = (more for more in self._places() if said + len(more) + 6 <= width)
        more = next(fitting, "" if text else self._places()[-1])
        room = width - 1 - len(more)
        style = {"bad": "bold bad", "good": "good", "key": "bold key", "muted": "muted"}.get(tone, "")
        if not text:
            text, style = self.hint, "muted"
        mark = {"bad": "✗ ", "good": "✓ "}.get(tone, "") if self.status[0] else ""
        # What stands behind the last dots of a hint is said where there is room.
        text = f" {mark}{text}"
        while len(text) > room and not mark and " · " in text:
            text = text.rpartition(" · ")[0]
        text = text if len(text) <= room else text[: room - 1] + "…"
        return (((text.ljust(room + 1), style), (more, "key")),)


class KeyBar(Painted):
    """Keys of the focused thing, as many as fit; written again only when they change."""

    DEFAULT_CSS = "KeyBar { text-wrap: nowrap; height: 1; background: $panel; }"

    shown: reactive[tuple[tuple[str, str], ...]] = reactive(())

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.sync)

    def sync(self, screen: Screen[object]) -> None:
        """Take the keys that the screen's bindings offer now."""
        if screen is self.screen and screen.is_current:
            own = getattr(screen.focused, "typing_keys", TYPING)
            self.shown = own if getattr(screen.focused, "typing", False) else bar_keys(screen)

    def toned(self, width: int) -> Sequence[Line]:
        # Whatever else has to give way, the last one stays: the key that lists all keys.
        *others, last = self.shown or (("", ""),)
        parts: list[tuple[str, str]] = []
        left = width - 1 - _cells(last)
        for pair in others:
            left -= _cells(pair)
            if left < 0:
                break
            parts += _drawn(pair)
        return ((*parts, *_drawn(last)),)


def _cells(pair: tuple[str, str]) -> int:
    return len(pair[0]) + len(pair[1]) + 3


def _drawn(pair: tuple[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    keys, text = pair
    return (f" {keys}", "bold key"), (f" {text} ", "")


def bar_keys(screen: Screen[object]) -> tuple[tuple[str, str], ...]:
    """The keys to show for what is focused: its own first, then the screen's, then those that work anywhere."""
    ranked: dict[str, tuple[int, int, str, str]] = {}
    nodes = screen.focused.ancestors_with_self if screen.focused is not None else (screen, screen.app)
    depth = {id(node): at for at, node in enumerate(nodes)}
    said: dict[int, Mapping[str, str]] = {}
    for active in screen.active_bindings.values():
        key = find(active.binding.id)
        if key is None or not key.bar or key.id in ranked:
            continue
        pair = _PAIRS.get(key.action, key.keys[0])
        if id(active.node) not in said:
            said[id(active.node)] = getattr(active.node, "key_texts", {})
        text = said[id(active.node)].get(key.action, key.short)
        ranked[key.id] = (min(2, depth.get(id(active.node), 9)), key.bar, _shown(pair), text)
    help_key = ranked.pop("app.help", None)
    shown = sorted(ranked.values())[: BAR_KEYS - 1]
    back = (("esc", "back"),) if getattr(screen, "has_way_back", False) else ()
    return (*back, *((keys, text) for _, _, keys, text in (*shown, *([help_key] if help_key else []))))


_PAIRS = {
    "step(-1)": "←→",
    "format(-1)": "←→",
    "weight(-1)": "↑↓",
    "move(-1)": "↑↓",
    "walk(-1)": "←→",
    "scroll(-1)": "↑↓",
    "link(-1)": "←→",
}
"""Actions that the bar shows together with their opposite."""


def _shown(key: str) -> str:
    names = {"question_mark": "?", "full_stop": ".", "greater_than_sign": ">", "slash": "/"}
    return names.get(key, key)
