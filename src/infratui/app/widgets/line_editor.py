"""One line of text being typed: the editing keys that rows, pickers and prompts share."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

MAX_LENGTH = 400


@dataclass(slots=True)
class LineEditor:
    """Text and a cursor in it. It never blinks."""

    text: str = ""
    cursor: int = 0

    @classmethod
    def over(cls, text: str) -> LineEditor:
        """An editor with the cursor behind the text."""
        return cls(text, len(text))

    def insert(self, text: str) -> None:
        """Put text in at the cursor; what cannot be printed is dropped."""
        text = "".join(character for character in text if character.isprintable())
        text = text[: MAX_LENGTH - len(self.text)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def key(self, key: str, character: str | None) -> bool:
        """Take a key. True where it was an editing key."""
        match key:
            case "backspace" | "ctrl+h":
                if self.cursor:
                    self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
                    self.cursor -= 1
            case "delete":
                self.text = self.text[: self.cursor] + self.text[self.cursor + 1 :]
            case "left":
                self.cursor = max(0, self.cursor - 1)
            case "right":
                self.cursor = min(len(self.text), self.cursor + 1)
            case "home" | "ctrl+a":
                self.cursor = 0
            case "end" | "ctrl+e":
                self.cursor = len(self.text)
            case "ctrl+u":
                self.text, self.cursor = self.text[self.cursor :], 0
            case "ctrl+w":
                kept = self.text[: self.cursor].rstrip().rpartition(" ")
                head = kept[0] + kept[1]
                self.text, self.cursor = head + self.text[self.cursor :], len(head)
            case _:
                if not character or not character.isprintable():
                    return False
                self.insert(character)
        return True

    def content(self, width: int, style: str = "") -> Content:
        """The text with its cursor, scrolled so that the cursor is within `width` cells."""
        start = max(0, self.cursor - width + 1)
        shown = self.text[start : start + width]
        at = self.cursor - start
        under = shown[at : at + 1] or " "
        return Content.assemble((shown[:at], style), (under, "reverse"), (shown[at + 1 :], style))
