"""The bit lab: one weight taken apart, its place on the ruler, and the group it shares a scale with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from ....report.bit_lab import decibels, number, percent
from ....report.math import pretty
from ....value_types import dataclass
from ...keys import Where, bindings
from ...widgets.line_editor import LineNowAndThen
from .ruler import ruler

if TYPE_CHECKING:
    from ....engine.formats import BitField, Encoded, QuantizedGroup
    from ....engine.sections.bit_lab import LabResult

TONES = {"S": "key", "E": "tight", "M": "weights", "V": "kv"}
"""Letter of a bit field → its colour."""
_NAMES = {"S": "sign", "E": "exponent", "M": "mantissa", "V": "value"}
_EIGHTHS = "▁▂▃▄▅▆▇█"


class BitLab(LineNowAndThen, can_focus=True):
    """←→ walk the formats, ↑↓ the weights of the group, enter types the weight under the cursor.

    The lab never changes anything itself: it posts what the user wants and shows the `LabResult` it is given.
    """

    DEFAULT_CSS = "BitLab { height: auto; width: 1fr; text-wrap: nowrap; }"
    BINDINGS = bindings(Where.LAB)
    PLACE = Where.LAB

    at: reactive[int] = reactive(0)

    @dataclass
    class FormatWanted(Message):
        """The user walks to another format."""

        id: str

    @dataclass
    class WeightTyped(Message):
        """The user typed a weight of the group."""

        lab: BitLab
        index: int
        text: str

    @dataclass
    class Noted(Message):
        """Something to say in the status line; empty clears it."""

        text: str
        tone: str = "muted"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tooltip = "←→ walk the number formats, ↑↓ the weights of the group, enter types the weight"
        self._lab: LabResult | None = None

    def show(self, lab: LabResult) -> None:
        """Replace what is shown; the cursor stays on its weight."""
        self._lab = lab
        if self.at >= len(lab.group.values):
            self.set_reactive(BitLab.at, 0)
        self._redraw()

    def _redraw(self) -> None:
        """Draw again; other widgets move only where the number of lines has changed."""
        width = max(20, self.size.width)
        self.refresh(layout=len(self._lines(width)) != self.size.height)

    # -- drawing

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(max(20, width)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        lab = self._lab
        if lab is None:
            return [Content("")]
        encoded = lab.group.encoded(self.at)
        return [
            self._title(lab, width),
            self._value(lab, encoded, width),
            *bit_lines(encoded.bits, width),
            Content.styled(_cut(f"= {pretty(encoded.expression)}", width), "$muted"),
            *shared_lines(lab, encoded, width),
            *ruler(lab.group.number_line(self.at, 4 if width < 100 else 6), encoded, width),
            *self._group(lab.group, width),
        ]

    def _title(self, lab: LabResult, width: int) -> Content:
        entry = lab.format
        mark = "▌" if self.has_focus else " "
        head = f"◂ {entry.label} ▸"
        words = f"   {entry.effective_bits:.6g} bits per value · native on "
        words += _named(entry.native_hardware, width - len(head) - 1 - len(words)) or "no matrix unit"
        return Content.assemble((mark, "$key"), (head, "bold $key"), (_cut(words, width - len(head) - 1), "$muted"))

    def _value(self, lab: LabResult, encoded: Encoded, width: int) -> Content:
        count = len(lab.group.values)
        place = f" weight {self.at + 1} of {count}  " if count > 1 else " "
        if self.typing:
            return Content.assemble((place, "$muted"), ("› ", "bold $key"), self.line(24))
        clamped = "  clamped: beyond the range" if encoded.is_saturated else ""
        error = f"   off by {encoded.absolute_error:.3g} ({percent(encoded.relative_error)}){clamped}"
        head = f"{number(encoded.value)} → {number(encoded.decoded)}"
        return Content.assemble((place, "$muted"), (head, "bold"), (_cut(error, width - len(place) - len(head)), ""))

    def _group(self, group: QuantizedGroup, width: int) -> list[Content]:
        if len(group.values) < 2:
            return []
        lost = f"{group.flushed} became zero" if group.flushed else "none became zero"
        title = f" group of {len(group.values)}: {decibels(group.snr_db)}, {lost}"
        return [
            Content.styled(title, "$muted"),
            self._strip("weights", group, tuple(map(abs, group.values)), "weights", width),
            self._strip("errors", group, tuple(map(abs, group.errors)), "bad", width),
            self._marks(group, width),
        ]

    def _strip(self, label: str, group: QuantizedGroup, sizes: tuple[float, ...], tone: str, width: int) -> Content:
        """One cell or more per weight, as high as its size; blocks that share a scale stand apart."""
        each, top = _cell(group, width), max(sizes)
        parts: list[tuple[str, str]] = [(f" {label:8}", "$muted")]
        for index, size in enumerate(sizes):
            gap = " " if index and group.block_of(index).start == index else ""
            glyph = _EIGHTHS[min(7, round(7 * size / top))] if top and size else "·"
            here = index == self.at
            parts.append((gap + glyph * each, f"bold ${'key' if here else tone}"))
        return Content.assemble(*parts)

    def _marks(self, group: QuantizedGroup, width: int) -> Content:
        each = _cell(group, width)
        blocks = sum(1 for block in group.blocks if 0 < block.start <= self.at)
        return Content.styled(" " * (9 + self.at * each + blocks) + "▲", "$key")

    # -- keys

    def action_format(self, by: int) -> None:
        """To the next or previous format: the value snaps to its grid."""
        if self._lab is not None:
            self.post_message(self.FormatWanted(self._lab.neighbour(by).id))

    def action_weight(self, by: int) -> None:
        """To the next or previous weight of the group."""
        if self._lab is not None:
            self.at = (self.at + by) % len(self._lab.group.values)
            self._redraw()

    def action_edit(self) -> None:
        """Type the weight under the cursor."""
        if self._lab is not None:
            self.begin()
            now = number(self._lab.group.values[self.at])
            self.post_message(self.Noted(f"Typing weight {self.at + 1} (now {now}): enter accepts", "key"))

    def line_entered(self, text: str) -> None:
        self.post_message(self.WeightTyped(self, self.at, text))

    def line_left(self) -> None:
        self.post_message(self.Noted(""))


def bit_lines(fields: tuple[BitField, ...], width: int) -> list[Content]:
    """Letters above the bits they name, and what the letters mean; wide where there is room."""
    count = sum(len(field.bits) for field in fields)
    gap = " " if 2 * count + 2 * len(fields) < width else ""
    letters: list[tuple[str, str]] = [(" ", "")]
    bits: list[tuple[str, str]] = [(" ", "")]
    for field in fields:
        tone = f"${TONES.get(field.letter, 'foreground')}"
        letters += [(gap.join(field.letter * len(field.bits)), tone), ("  ", "")]
        bits += [(gap.join(field.bits), f"bold {tone}"), ("  ", "")]
    legend = "  ".join(
        f"{field.letter} {_NAMES.get(field.letter, field.name)} {pretty(field.value)}" for field in fields
    )
    used = count + len(gap) * (count - len(fields)) + 2 * len(fields) + 1
    if used + len(legend) < width:
        letters.append((f" {legend}", "$muted"))
        return [Content.assemble(*letters), Content.assemble(*bits)]
    return [Content.assemble(*letters), Content.assemble(*bits), Content.styled(_cut(f" {legend}", width), "$muted")]


def shared_lines(lab: LabResult, encoded: Encoded, width: int) -> list[Content]:
    """The scale, zero point and minimum that the block stores, with who shares each."""
    from ....engine.sections.bit_lab import sharers

    parts = [
        f"{stored.name} {number(stored.value)} ({stored.type}, {sharers(lab.format, stored.name)})"
        for stored in encoded.stored
    ]
    lines: list[str] = []
    for part in parts or ["no shared scale: neighbours do not matter"]:
        if lines and len(lines[-1]) + len(part) + 4 <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(f" {part}")
    return [Content(_cut(line, width)) for line in lines]


def _cell(group: QuantizedGroup, width: int) -> int:
    return max(1, min(3, (width - 10 - len(group.blocks)) // len(group.values)))


def _named(names: Sequence[str], room: int) -> str:
    """As many names as there is room for, and how many more there are."""
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        text = ", ".join(names[:shown]) + more
        if len(text) <= room or shown == 1:
            return text
    return ""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
