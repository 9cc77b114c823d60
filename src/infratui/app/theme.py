"""Colours: one dark theme of our own, and the five meanings as variables that every theme resolves."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

MEANINGS: Mapping[str, str] = {
    "weights": "#8087f8",
    "kv": "#b68cf6",
    "overhead": "#3f74d1",
    "good": "#5fce8b",
    "tight": "#e6b450",
    "bad": "#f2667a",
    "muted": "#8a91a8",
    "line": "#323849",
    "cursor-back": "#262c3d",
    "key": "#6cc7e0",
}
"""Theme variable → colour: weights indigo, KV violet, overhead deep blue, fits green, tight amber, does not fit red."""

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
    primary="#8087f8",
    secondary="#b68cf6",
    accent="#6cc7e0",
    success="#5fce8b",
    warning="#e6b450",
    error="#f2667a",
    foreground="#d9dde8",
    background="#10131a",
    surface="#10131a",
    panel="#171b25",
    dark=True,
    variables=dict(MEANINGS),
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
    variables=dict(LIGHT_MEANINGS),
)

THEMES = ("infratui", "infratui-light", "ansi-dark", "ansi-light", "nord", "gruvbox", "textual-dark")
"""Themes that the theme key walks; any other theme of Textual can be named in the settings."""


def meanings(theme: Theme) -> dict[str, str]:
    """The variables a theme of Textual's own lacks."""
    if theme.ansi:
        return dict(ANSI_MEANINGS)
    return dict(MEANINGS if theme.dark else LIGHT_MEANINGS)
