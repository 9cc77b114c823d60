"""The one table of keys: bindings, the key bar, help and the palette are all made from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from textual.binding import Binding, BindingType

from ..value_types import dataclass


class Where(StrEnum):
    """What must have the focus, or be on screen, for a key to mean something."""

    APP = "anywhere"
    SECTION = "a screen"
    ROW = "an input"
    GROUP = "a group of inputs"
    TABLE = "a table"
    BARS = "the bars of the formats"
    LAB = "the bit lab"
    TERMS = "the terms"
    MATH = "the math"
    CONTENTS = "the contents of the reference"
    ARTICLE = "an article"
    MOTION = "an animation"


@dataclass(frozen=True, slots=True)
class Key:
    """One action and the keys that trigger it."""

    action: str
    keys: tuple[str, ...]
    text: str
    """What it does, as help and palette say it."""
    group: str
    where: Where = Where.APP
    bar: int = 0
    """Place on the key bar, 1 first; 0: help and palette only."""
    short: str = ""
    """The text on the key bar."""
    palette: bool = True
    priority: bool = False

    @property
    def id(self) -> str:
        return f"{self.where.name.lower()}.{self.action}"

    @property
    def display(self) -> str:
        """The keys as a person reads them: `← h`."""
        return " ".join(_display(key) for key in self.keys)


KEYS: tuple[Key, ...] = (
    Key("next_screen", ("right_square_bracket", "ctrl+pagedown"), "Next screen", "Screens"),
    Key("previous_screen", ("left_square_bracket", "ctrl+pageup"), "Previous screen", "Screens"),
    Key("jump", ("ctrl+o",), "Jump to a screen or panel", "Screens"),
    # A value row.
    Key("step(1)", ("right", "l"), "Next value", "Change", Where.ROW, palette=False),
    Key("step(-1)", ("left", "h"), "Previous value", "Change", Where.ROW, bar=1, short="change", palette=False),
    Key("leap(1)", ("shift+right", "L"), "Several values up", "Change", Where.ROW, palette=False),
    Key("leap(-1)", ("shift+left", "H"), "Several values down", "Change", Where.ROW, palette=False),
    Key("edit", ("enter",), "Type the value, or open its list", "Change", Where.ROW, bar=2, short="type"),
    Key("reset", ("backspace",), "Back to the default of this value", "Change", Where.ROW),
    Key("sweep", ("f",), "The answer over a range of this value", "See", Where.ROW, bar=3, short="range"),
    Key("fold", ("enter", "right", "left"), "Open or fold the group", "See", Where.GROUP, bar=1, short="unfold"),
    # A table.
    Key("move(1)", ("down", "j"), "Next row", "Move", Where.TABLE, palette=False),
    Key("move(-1)", ("up", "k"), "Previous row", "Move", Where.TABLE, bar=1, short="row", palette=False),
    Key("move(10)", ("pagedown", "ctrl+d"), "Ten rows down", "Move", Where.TABLE, palette=False),
    Key("move(-10)", ("pageup", "ctrl+u"), "Ten rows up", "Move", Where.TABLE, palette=False),
    Key("edge(-1)", ("g", "home"), "First row", "Move", Where.TABLE, palette=False),
    Key("edge(1)", ("G", "end"), "Last row", "Move", Where.TABLE, palette=False),
    Key("choose", ("enter",), "Take this row", "Change", Where.TABLE, bar=2, short="take"),
    Key("sort(1)", ("greater_than_sign",), "Sort by the next column", "Move", Where.TABLE),
    Key("letter", ("S",), "Sort by a column's letter", "Move", Where.TABLE, bar=4, short="sort"),
    Key("filter", ("slash",), "Filter the rows", "See", Where.TABLE, bar=3, short="filter"),
    Key("sort(-1)", ("less_than_sign",), "Sort by the previous column", "Move", Where.TABLE),
    Key("reverse", ("vertical_line",), "Reverse the order", "Move", Where.TABLE),
    # The bars of the formats and the bit lab.
    Key("walk(1)", ("right", "l"), "Next format", "Move", Where.BARS, palette=False),
    Key("walk(-1)", ("left", "h"), "Previous format", "Move", Where.BARS, bar=1, short="format", palette=False),
    Key("choose", ("enter",), "Store the weights in this format", "Change", Where.BARS, bar=2, short="take"),
    Key("format(1)", ("right", "l"), "Next format", "Change", Where.LAB, palette=False),
    Key("format(-1)", ("left", "h"), "Previous format", "Change", Where.LAB, bar=1, short="format", palette=False),
    Key("weight(1)", ("down", "j"), "Next weight of the group", "Move", Where.LAB, palette=False),
    Key("weight(-1)", ("up", "k"), "Previous weight", "Move", Where.LAB, bar=2, short="weight", palette=False),
    Key("edit", ("enter",), "Type the weight", "Change", Where.LAB, bar=3, short="type"),
    # The terms and the math.
    Key("walk(1)", ("right", "l", "down", "j"), "Next term", "Move", Where.TERMS, palette=False),
    Key("walk(-1)", ("left", "h", "up", "k"), "Previous term", "Move", Where.TERMS, bar=1, short="walk", palette=False),
    Key("open", ("enter",), "The whole entry", "See", Where.TERMS, bar=2, short="open"),
    Key("scroll(1)", ("down", "j"), "Scroll down", "Move", Where.MATH, palette=False),
    Key("scroll(-1)", ("up", "k"), "Scroll up", "Move", Where.MATH, bar=1, short="scroll", palette=False),
    Key("scroll(10)", ("pagedown", "ctrl+d"), "Page down", "Move", Where.MATH, palette=False),
    Key("scroll(-10)", ("pageup", "ctrl+u"), "Page up", "Move", Where.MATH, palette=False),
    Key("edge(-1)", ("g", "home"), "Top", "Move", Where.MATH, palette=False),
    Key("edge(1)", ("G", "end"), "Bottom", "Move", Where.MATH, palette=False),
    # The reference.
    Key("move(1)", ("down", "j"), "Next entry", "Move", Where.CONTENTS, palette=False),
    Key("move(-1)", ("up", "k"), "Previous entry", "Move", Where.CONTENTS, bar=1, short="entry", palette=False),
    Key("move(10)", ("pagedown", "ctrl+d"), "Page down", "Move", Where.CONTENTS, palette=False),
    Key("move(-10)", ("pageup", "ctrl+u"), "Page up", "Move", Where.CONTENTS, palette=False),
    Key("edge(-1)", ("g", "home"), "First entry", "Move", Where.CONTENTS, palette=False),
    Key("edge(1)", ("G", "end"), "Last entry", "Move", Where.CONTENTS, palette=False),
    Key("open", ("enter", "right", "l"), "Read the entry", "See", Where.CONTENTS, bar=2, short="read"),
    Key("scroll(1)", ("down", "j"), "Scroll down", "Move", Where.ARTICLE, palette=False),
    Key("scroll(-1)", ("up", "k"), "Scroll up", "Move", Where.ARTICLE, bar=1, short="scroll", palette=False),
    Key("scroll(10)", ("pagedown", "ctrl+d", "space"), "Page down", "Move", Where.ARTICLE, palette=False),
    Key("scroll(-10)", ("pageup", "ctrl+u"), "Page up", "Move", Where.ARTICLE, palette=False),
    Key("edge(-1)", ("g", "home"), "Top", "Move", Where.ARTICLE, palette=False),
    Key("edge(1)", ("G", "end"), "Bottom", "Move", Where.ARTICLE, palette=False),
    Key("link(1)", ("right", "l"), "Next link", "Move", Where.ARTICLE, palette=False),
    Key("link(-1)", ("left", "h"), "Previous link", "Move", Where.ARTICLE, bar=2, short="link", palette=False),
    Key("follow", ("enter",), "Follow the link", "See", Where.ARTICLE, bar=3, short="follow"),
    # A screen.
    Key("next_panel", ("tab",), "Next panel", "Move", Where.SECTION, bar=3, short="panel"),
    Key("previous_panel", ("shift+tab",), "Previous panel", "Move", Where.SECTION),
    Key("next_field", ("down", "j"), "Next field", "Move", Where.SECTION, palette=False),
    Key("previous_field", ("up", "k"), "Previous field", "Move", Where.SECTION, palette=False),
    Key("page(1)", ("pagedown", "ctrl+d"), "Scroll the results down", "Move", Where.SECTION),
    Key("page(-1)", ("pageup", "ctrl+u"), "Scroll the results up", "Move", Where.SECTION),
    Key("math", ("m",), "Show the math", "See", Where.SECTION, bar=4, short="math"),
    Key("zoom", ("z",), "Zoom the focused panel", "See", Where.SECTION),
    Key("fit", ("exclamation_mark",), "Take as many GPUs as hold the load", "Change", Where.SECTION),
    Key("next_term", ("t",), "Next term", "See", Where.SECTION, bar=5, short="terms"),
    Key("previous_term", ("T",), "Previous term", "See", Where.SECTION),
    Key("leave", ("escape",), "Leave the math, the zoom or the panel", "Move", Where.SECTION, palette=False),
    Key("copy_summary", ("y",), "Copy the summary", "Keep", Where.SECTION, bar=6, short="copy"),
    Key("copy_markdown", ("Y",), "Copy the screen as Markdown", "Keep", Where.SECTION),
    Key("export", ("e",), "Export: Markdown, JSON, CSV, SVG, launch", "Keep", Where.SECTION),
    Key("launch", ("E",), "Launch: the command that starts it", "Keep", Where.SECTION),
    # An animation: the focused one, else the first on the screen.
    Key("motion_toggle", ("space",), "Play or pause", "Motion", Where.MOTION, bar=1, short="play"),
    Key("motion_step(1)", ("full_stop",), "Step forward", "Motion", Where.MOTION, bar=2, short="step"),
    Key("motion_step(-1)", ("comma",), "Step back", "Motion", Where.MOTION),
    Key("motion_speed(1)", ("plus", "equals_sign"), "Faster", "Motion", Where.MOTION),
    Key("motion_speed(-1)", ("minus",), "Slower", "Motion", Where.MOTION),
    Key("motion_view", ("v",), "Other view of what is animated", "Motion", Where.MOTION, bar=3, short="view"),
    # Anywhere.
    Key("reference", ("r",), "The reference: terms, pages, trees", "See"),
    Key("search", ("slash",), "Search the reference, or filter its table", "See"),
    Key("compare", ("c",), "Pin the scenario; again compares with it", "Keep", bar=8, short="compare"),
    Key("drop_pin", ("C",), "Drop the pinned scenario", "Keep"),
    Key("swap_pin", ("w",), "Swap scenario and pinned one", "Keep"),
    Key("pool", ("F",), "Fleet: several scenarios on one pool", "See", bar=9, short="fleet"),
    Key("presets", ("p",), "Presets", "Keep", bar=7, short="presets"),
    Key("preset_back", ("P",), "Back to the preset", "Keep"),
    Key("save", ("s",), "Save the scenario", "Keep"),
    Key("open", ("o",), "Open a scenario", "Keep"),
    Key("restore", ("R",), "Bring the last session back", "Keep"),
    Key("undo", ("u",), "Undo", "Change"),
    Key("redo", ("ctrl+r",), "Redo", "Change"),
    Key("toggle_estimator", ("D",), "Detailed estimator or rule of thumb", "Look"),
    Key("toggle_bytes", ("B",), "GB or GiB", "Look"),
    Key("toggle_motion", ("N",), "Animation on or off", "Look"),
    Key("toggle_ascii", ("A",), "Draw with ASCII only", "Look"),
    Key("next_theme", ("X",), "Next theme", "Look"),
    Key("palette", ("ctrl+p", "colon"), "All commands", "Help", palette=False),
    Key("help", ("question_mark", "f1"), "Help for this screen", "Help", bar=8, short="help"),
    Key("redraw", ("ctrl+l",), "Draw the screen again", "Help"),
    Key("suspend_process", ("ctrl+z",), "Stop; the shell's fg goes on", "Leave", palette=False),
    Key("quit", ("q",), "Quit", "Leave"),
    Key("quit", ("ctrl+q",), "Quit, whatever has the keys", "Leave", palette=False, priority=True),
)  # fmt: skip

GROUPS = ("Screens", "Move", "Change", "See", "Keep", "Motion", "Look", "Help", "Leave")
"""Order of the groups in help."""

TYPING = (("enter", "accept"), ("esc", "leave"), ("8k and 1.5M", "work"))
"""What the key bar shows while a value is typed."""

_CLOSES = ("esc", "close")
PICKING = (("type", "filter"), ("↑↓", "choose"), ("enter", "take"), _CLOSES)
FIRST = (("↑↓", "choose"), ("1–5", "answer"), ("type", "model, users, context"), ("enter", "answer"), ("esc", "keep"))
PROMPTED = (("type", "the text"), ("enter", "accept"), _CLOSES)
READING = (("↑↓", "scroll"), ("space", "page"), ("g G", "ends"), _CLOSES)
SWEEPING = (("↑↓", "point"), ("enter", "take"), ("f", "other range"), (">", "sort"), ("/", "filter"), _CLOSES)
LAUNCHING = (
    ("←→", "change"), ("tab", "engine, version, form"), ("v", "version"), ("x", "explain"), ("y", "copy"),
    ("enter", "write"), ("↑↓", "scroll"), _CLOSES,
)  # fmt: skip
SOURCED = (("paste", "or a path"), ("enter", "read, then take"), ("tab", "move"), _CLOSES)
"""What the key bar shows while an overlay has the keys."""

_BY_ID = {key.id: key for key in KEYS}


def keys_for(where: Where) -> Iterator[Key]:
    """The keys that mean something there."""
    return (key for key in KEYS if key.where is where)


def bindings(*where: Where) -> list[BindingType]:
    """Textual bindings of one or more places."""
    return [
        Binding(
            ",".join(key.keys),
            key.action,
            key.short or key.text,
            show=key.bar > 0,
            priority=key.priority,
            id=key.id,
            tooltip=key.text,
        )
        for place in where
        for key in keys_for(place)
    ]


def find(binding_id: str | None) -> Key | None:
    """The table's row of a binding."""
    return _BY_ID.get(binding_id or "")


def screen_bindings(screens: Iterable[tuple[str, str]]) -> list[BindingType]:
    """`1` to `9`, with `alt` where digits are typed, for the screens that exist: pairs of mode and title."""
    return [
        Binding(f"{number},alt+{number}", f"show_screen('{mode}')", title, show=False, id=f"app.screen-{mode}")
        for number, (mode, title) in enumerate(screens, 1)
    ]


_NAMES = {
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "shift+right": "⇧→",
    "shift+left": "⇧←",
    "question_mark": "?",
    "exclamation_mark": "!",
    "full_stop": ".",
    "comma": ",",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "colon": ":",
    "slash": "/",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "vertical_line": "|",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "ctrl+pagedown": "ctrl+pgdn",
    "ctrl+pageup": "ctrl+pgup",
}


def _display(key: str) -> str:
    return _NAMES.get(key, key)
