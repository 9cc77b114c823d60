"""Reference content as blocks of text with links, before anybody decides how wide it is or where it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..catalog import markup
from ..value_types import dataclass

_BULLET = re.compile(r"^\s*- ")
_SKETCH = "| "
"""What the lines of a sketch begin with."""
_EMPHASIS = re.compile(r"\*(\S[^*\n]*?)\*")


@dataclass(frozen=True, slots=True)
class Run:
    """A run of text. `link` leads to `term:<id>`, `page:<id>`, `tree:<id>` or `screen:<id>`."""

    text: str
    link: str = ""
    tone: str = ""
    """`bold`, `muted`, `key`, `good`, `tight`, `bad`, or empty."""


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, indented by `indent` cells; `mark` stands before its first line, within the indent."""

    runs: Runs
    mark: str = ""
    indent: int = 0
    mark_tone: str = ""
    close: bool = False
    """Follows the block before it without an empty line."""
    drawn: bool = False
    """A sketch: lines as they are, cut where there is no room."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table whose cells wrap."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Runs, ...], ...]
    right: frozenset[int] = frozenset()
    """Columns of numbers."""


@dataclass(frozen=True, slots=True)
class Data:
    """A table of the catalog, by name; see `report.tables`."""

    name: str


Block = Heading | Text | Grid | Data


@dataclass(frozen=True, slots=True)
class Article:
    """One term, page or tree, ready to be laid out."""

    key: str
    """`term:kv-cache`, `page:memory`, `tree:accelerator`."""
    title: str
    kind: str
    blocks: tuple[Block, ...]

    @property
    def links(self) -> tuple[str, ...]:
        """Where its links lead, in reading order."""
        return tuple(run.link for block in self.blocks for run in runs_of(block) if run.link)


def runs_of(block: Block) -> Iterator[Run]:
    """All runs of a block, in reading order."""
    if isinstance(block, Text):
        yield from block.runs
    elif isinstance(block, Grid):
        for row in block.rows:
            for cell in row:
                yield from cell


@dataclass(frozen=True, slots=True)
class Wording:
    """How links are worded, and where words set in `*asterisks*` lead."""

    terms: Mapping[str, str]
    """Term id → the words of a link to it, where the text gives none of its own."""
    titles: Mapping[str, str]
    """Title of a page or tree → its key."""


def linked(text: str, wording: Wording, *, sentences: bool = False) -> Runs:
    """Marked text as runs: `[[term]]` becomes a link, `*words*` stand out, and lead to the page or tree of that title.

    `sentences`: a link that opens a sentence gets a capital. Figures must have been filled in.
    """
    runs: list[Run] = []
    said = ""
    for span in markup.spans(text):
        if not span.term:
            runs += _emphasized(span.text, wording)
        else:
            own_words = span.text != span.term.replace("-", " ")
            words = span.text if own_words else wording.terms.get(span.term, span.text)
            if sentences and (not said.strip() or said.rstrip().endswith(".")):
                words = words[:1].upper() + words[1:]
            runs.append(Run(words, f"term:{span.term}"))
        said += span.text
    return tuple(runs)


def _emphasized(text: str, wording: Wording) -> list[Run]:
    runs = []
    for at, part in enumerate(_EMPHASIS.split(text)):
        if at % 2:
            link = wording.titles.get(part, "")
            runs.append(Run(part, link, "" if link else "bold"))
        elif part:
            runs.append(Run(part))
    return runs


def words_of(name: str) -> str:
    """A name as it stands within a sentence: `Decode` → `decode`, but `KV cache` and `NVLink` stay."""
    proper = any(map(str.isupper, name[1:])) or not name[1:2].isalpha()
    return name if proper else name[:1].lower() + name[1:]


def paragraphs(body: str, wording: Wording) -> list[Block]:
    """Light Markdown, paragraphs, `- ` bullets and sketches behind `| `, as blocks."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", body.strip()):
        if part.startswith(_SKETCH):
            drawn = "\n".join(line.removeprefix("|").removeprefix(" ") for line in part.splitlines())
            blocks.append(Text((Run(drawn),), indent=2, drawn=True))
            continue
        prose: list[str] = []
        bullets: list[str] = []
        for line in part.splitlines():
            if _BULLET.match(line):
                bullets.append(_BULLET.sub("", line))
            elif bullets:
                bullets[-1] += f" {line.strip()}"
            else:
                prose.append(line.strip())
        if prose:
            blocks.append(Text(linked(" ".join(prose), wording, sentences=True)))
        for at, bullet in enumerate(bullets):
            blocks.append(Text(linked(bullet, wording, sentences=True), "•", 2, "key", close=at > 0 or bool(prose)))
    return blocks


def labelled(label: str, text: str, tone: str = "") -> Text:
    """`Label: text`."""
    return Text((Run(f"{label}: ", tone="key"), Run(text, tone=tone)))


def listing(label: str, entries: Sequence[tuple[str, str]]) -> Text:
    """`Label: a · b · c`, each entry a pair of words and link."""
    runs = [Run(f"{label}: ", tone="key")]
    for at, (words, link) in enumerate(entries):
        runs += [Run(" · ")] * bool(at) + [Run(words, link)]
    return Text(tuple(runs))
