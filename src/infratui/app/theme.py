"""Colours: one dark theme of our own, and the five meanings as variables that every theme resolves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.color import Color
from textual.theme import Theme

MEANINGS: Mapping[str, str] = {
    "weights": "#8787ff",
    "kv": "#af87ff",
    "overhead": "#5f87d7",
    "good": "#5fd787",
    "tight": "#d7af5f",
    "bad": "#ff8787",
    "muted": "#9e9e9e",
    "line": "#6c6c6c",
    "cursor-back": "#262c3d",
    "key": "#5fd7ff",
}
"""Theme variable → colour: weights indigo, KV violet, overhead deep blue, fits green, tight amber, does not fit red.

All of them stand in the palette of 256 colours: such a colour takes half of the bytes, and no terminal changes it.
"""

ANSI_MEANINGS: Mapping[str, str] = {
    "weights": "ansi_bright_blue",
    "kv": "ansi_bright_magenta",
    "overhead": "ansi_blue",
    "good": "ansi_green",
    "tight": "ansi_yellow",
    "bad": "ansi_red",
    "muted": "ansi_default",
    "line": "ansi_bright_black",
    "cursor-back": "ansi_default",
    "key": "ansi_cyan",
}
"""The same in 16 colours, for themes that leave the palette to the terminal."""

LIGHT_MEANINGS: Mapping[str, str] = {
    "weights": "#4a50d6",
    "kv": "#8a3fd1",
    "overhead": "#1f4fa8",
    "good": "#1f7a43",
    "tight": "#8f6200",
    "bad": "#b4233a",
    "muted": "#5c6378",
    "line": "#b9bfcc",
    "cursor-back": "#dfe3ee",
    "key": "#0b6a86",
}

NIGHT = Theme(
    name="infratui",
    primary="#8787ff",
    secondary="#af87ff",
    accent="#5fd7ff",
    success="#5fd787",
    warning="#d7af5f",
    error="#ff8787",
    foreground="#dadada",
    background="#10131a",
    surface="#10131a",
    panel="#171b25",
    dark=True,
)

PAPER = Theme(
    name="infratui-light",
    primary="#4a50d6",
    secondary="#8a3fd1",
    accent="#0b6a86",
    success="#1f7a43",
    warning="#8f6200",
    error="#b4233a",
    foreground="#1d2230",
    background="#f7f8fb",
    surface="#f7f8fb",
    panel="#eceef4",
    dark=False,
)

THEMES = ("infratui", "infratui-light", "ansi-dark", "ansi-light", "nord", "gruvbox", "textual-dark")
"""Themes that the theme key walks; any other theme of Textual can be named in the settings."""


TEXT, SHAPE = 4.5, 3.0
"""Contrast with what lies behind: of what is read, and of lines and fills."""
_SHAPES = ("line", "overhead")
"""Meanings that only fill and draw; all others are read as well."""
_NEVER_CHOSEN = ("weights", "kv")
"""Meanings of bars and their labels, which no cursor stands on."""
_GROUNDS = ("background", "surface", "panel")


def meanings(theme: Theme) -> dict[str, str]:
    """The variables a theme of Textual's own lacks, each as far from its grounds as it must be to be read."""
    if theme.ansi:
        return dict(ANSI_MEANINGS)
    if theme.name not in _FOUND:
        _FOUND[theme.name] = _readable(theme)
    return dict(_FOUND[theme.name])


_FOUND: dict[str, dict[str, str]] = {}
"""Themes by name that have been asked for."""


def _readable(theme: Theme) -> dict[str, str]:
    known = theme.to_color_system().generate()
    grounds = [Color.parse(known[ground]) for ground in _GROUNDS]
    wanted = MEANINGS if theme.dark else LIGHT_MEANINGS
    back = grounds[-1].blend(Color.parse("white" if theme.dark else "black"), 0.12)
    found = {"cursor-back": back.hex}
    for meaning, colour in wanted.items():
        if meaning == "cursor-back":
            continue
        shape = meaning in _SHAPES
        behind = grounds if shape or meaning in _NEVER_CHOSEN else [*grounds, back]
        found[meaning] = readable(Color.parse(colour), behind, SHAPE if shape else TEXT, dark=theme.dark).hex
    return found


def readable(colour: Color, grounds: Sequence[Color], least: float, *, dark: bool) -> Color:
    """The colour, moved towards white or black until it stands out from every ground by `least`."""
    end = Color.parse("white" if dark else "black")
    for step in range(21):
        moved = colour.blend(end, step / 20)
        if all(contrast(moved, ground) >= least for ground in grounds):
            return moved
    return end


def contrast(one: Color, other: Color) -> float:
    """Contrast of two colours by WCAG 2.1, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)
