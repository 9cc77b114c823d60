"""A policy in words: each limit with its figure, interval and verdict; as a strip, a table, and what CI reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..checking import CheckedFile, CheckedPolicy, worst_code
from ..engine.figures.units import counted, significant
from ..engine.policy import AT_LEAST, FigureOf, JudgedLimit, LimitVerdict
from ..plain_text import printable
from ..policy import Policy
from .draw import BETWEEN, cut, length, wrapped
from .money import money
from .reasons import reason_text
from .show import Answer, Block, Cell, Column, Line, Row, Says, Span, Table

if TYPE_CHECKING:
    from ..launching.flags import LaunchFlag

MARKS = {LimitVerdict.HOLDS: "✓", LimitVerdict.BROKEN: "✗", LimitVerdict.CANNOT_TELL: "?"}
TONES = {LimitVerdict.HOLDS: "good", LimitVerdict.BROKEN: "bad", LimitVerdict.CANNOT_TELL: "tight"}
_AT_PEAK = ("ttft_ms_p95", "tpot_ms")
_INDENT: Span = ("  ", "")
_CODES = {0: "holds", 1: "broken", 2: "unreadable", 3: "cannot tell"}
_COLUMNS = (
    Column("", "left"),
    Column("limit", "left"),
    Column("asked", "left"),
    Column("predicted"),
    Column("interval", keep=1),
    Column("of", "left", keep=2),
)


def label(limit: JudgedLimit) -> str:
    """What the limit is of."""
    return Policy.FIELDS[limit.limit_id].spec.label


def _amount(limit_id: str, value: float, currency: str) -> str:
    """A figure in the unit of a limit."""
    match limit_id:
        case "fits" | "headroom_pct":
            return f"{significant(value, 3)} % free" if value >= 0 else f"{significant(-value, 3)} % short"
        case "survive_gpus":
            return f"{max(0, value):,.0f} GPU{'' if round(value) == 1 else 's'} lost"
        case "ttft_ms_p95" | "tpot_ms":
            return f"{significant(value, 3)} ms"
        case "usd_per_month":
            return f"{money(value, currency)} a month"
        case "usd_per_mtok":
            return f"{money(value, currency)}/1M tokens"
        case "prices_max_age_days":
            return f"{value:,.0f} day{'' if round(value) == 1 else 's'} old"
    return f"{value:,.0f} flags known"


def asked(limit: JudgedLimit, currency: str) -> str:
    """`at most 500 ms`, `at least 2 GPUs lost`, `it fits`."""
    if isinstance(limit.limit, str):
        return printable(limit.limit, 60)
    if limit.limit_id == "fits":
        return "it fits"
    word = "at least" if limit.limit_id in AT_LEAST else "at most"
    return f"{word} {_amount(limit.limit_id, limit.limit, currency)}"


def figure(limit: JudgedLimit, currency: str) -> str:
    """The predicted figure, or a word for why there is none."""
    if limit.value is not None:
        if limit.limit_id == "survive_gpus" and limit.value < 0:
            return "too few already"
        return _amount(limit.limit_id, limit.value, currency)
    return {FigureOf.OVERLOADED: "beyond the peak", FigureOf.OWN_PRICE: "your own price"}.get(limit.basis, "–")


def interval(limit: JudgedLimit, currency: str) -> str:
    """`46.6 – 91.3 ms`; a dash where none is published."""
    if limit.low is None or limit.high is None:
        return "–"
    low, high = (_amount(limit.limit_id, end, currency) for end in (limit.low, limit.high))
    if low == high:
        return low
    head, _, unit = low.partition(" ")
    same = bool(unit) and high.endswith(f" {unit}") and limit.limit_id != "usd_per_mtok"
    return f"{head if same else low} – {high}"


def of(limit: JudgedLimit, checked: CheckedPolicy) -> str:
    """Whose figure it is, or why there is none."""
    match limit.basis:
        case FigureOf.LAYOUT:
            where = " at the peak" if limit.limit_id in _AT_PEAK else ""
            return f"{limit.subject}{where}"
        case FigureOf.FLEET:
            return limit.subject
        case FigureOf.OWN_PRICE:
            return f"{limit.subject}: a price of your own has no age"
        case FigureOf.OVERLOADED:
            return f"{limit.subject}: more arrives at the peak than is completed"
        case FigureOf.FLAGS:
            return _flags(limit, checked)
    return printable(reason_text(limit.reason) or limit.subject, 300)


def _flags(limit: JudgedLimit, checked: CheckedPolicy) -> str:
    found = checked.flags
    if found is None:
        return limit.subject
    said = [found.refusal] if found.refusal else []
    said += [_missing(entry) for entry in found.missing]
    said += [f"{', '.join(found.unknown)}: in no table of flags read here"] if found.unknown else []
    return f"{limit.subject}: {printable('; '.join(said), 300)}" if said else limit.subject


def _missing(entry: LaunchFlag) -> str:
    return f"{entry.flag} is gone since {entry.gone}" if entry.gone else f"{entry.flag} came with {entry.since}"


def sentence(limit: JudgedLimit, checked: CheckedPolicy) -> str:
    """`TTFT p95: broken; 62.1 ms (46.6 – 91.3 ms), at most 50 ms; TP8 at the peak`."""
    currency = checked.currency
    found = figure(limit, currency)
    around = interval(limit, currency)
    parts = [found if around in ("–", found) else f"{found} ({around})"] if found != "–" else []
    parts.append(asked(limit, currency))
    parts = [", ".join(parts), of(limit, checked)]
    return f"{label(limit)}: {limit.verdict}; {'; '.join(part for part in parts if part)}"


def short(limit: JudgedLimit, checked: CheckedPolicy) -> str:
    """`TTFT p95 at peak 62.1 ms, at most 50 ms`; where it cannot be told, with the interval around it."""
    found = figure(limit, checked.currency)
    wanted = asked(limit, checked.currency)
    name = f"{label(limit)} at peak" if limit.limit_id in _AT_PEAK else label(limit)
    if found == "–":
        return f"{name} {wanted}"
    around = interval(limit, checked.currency)
    spread = f" ({around})" if limit.verdict is LimitVerdict.CANNOT_TELL and around not in ("–", found) else ""
    return f"{name} {found}{spread}, {wanted}"


def headline(checked: CheckedPolicy, *, brief: bool = False) -> str:
    """`2 of 6 limits broken, 1 cannot be told`; in brief without the word that its place says."""
    count = len(checked.limits)
    broken, open_ = (len(checked.those(verdict)) for verdict in (LimitVerdict.BROKEN, LimitVerdict.CANNOT_TELL))
    each = f"{count}" if brief else counted(count, "limit")
    told = [f"{broken} of {each} broken"] if broken else []
    told += [f"{open_} cannot be told" if broken else f"{open_} of {each} cannot be told"] if open_ else []
    return ", ".join(told) or (f"all {count} limits hold" if count > 1 else "its limit holds")


def strip(checked: CheckedPolicy, width: int, *, brief: bool = False) -> tuple[Line, ...]:
    """Lines for every screen: the verdict, then the limits that do not hold; the worst first, each of them whole.

    `brief`, where there is little room: one line, as much of it as fits.
    """
    verdict = checked.verdict
    head = f"Policy {MARKS[verdict]} {headline(checked, brief=True)}"
    lines: list[Line] = [((head, f"bold {TONES[verdict]}"),)]
    for kind in (LimitVerdict.BROKEN, LimitVerdict.CANNOT_TELL):
        for limit in checked.those(kind):
            said: Line = ((f"{MARKS[kind]} ", TONES[kind]), (short(limit, checked), ""))
            first = len(lines) == 1 and len(lines[0]) == 1
            joined: Line = (*lines[-1], (": " if first else BETWEEN, "muted"), *said)
            if brief or length(joined) <= width:
                lines[-1] = joined
            else:
                lines += wrapped((_INDENT, *said), width)
    return tuple(line if length(line) <= width else (*cut(line, width - 1), ("…", "muted")) for line in lines)


def table(checked: CheckedPolicy, id: str = "policy", title: str = "Policy") -> Table:
    """Every limit."""
    currency = checked.currency
    rows = tuple(
        Row(
            limit.limit_id,
            (
                Cell(f"{MARKS[limit.verdict]} {limit.verdict}", TONES[limit.verdict]),
                Cell(label(limit)),
                Cell(asked(limit, currency)),
                Cell(figure(limit, currency), rank=limit.value),
                Cell(interval(limit, currency), "muted"),
                Cell(of(limit, checked), "muted"),
            ),
        )
        for limit in checked.limits
    )
    return Table(id, title, _COLUMNS, rows)


# -- files, as `infratui check` prints them


def answer(found: CheckedFile) -> Answer:
    """What a file leads with."""
    if found.checked is None:
        return Answer(f"{found.path}: unreadable", "", "bad", (Says("", found.error),))
    verdict = found.checked.verdict
    return Answer(f"{found.path}: {headline(found.checked)}", found.name, TONES[verdict])


def page(found: CheckedFile) -> tuple[Block, ...]:
    """Every limit of a file."""
    return () if found.checked is None else (table(found.checked, title=""),)


def markdown(files: Sequence[CheckedFile]) -> str:
    """A table per file, as a job summary or a comment shows it."""
    from . import printed
    from .markdown import escaped

    parts = []
    for found in files:
        if found.checked is None:
            parts.append(f"### {escaped(found.path)}: unreadable\n\n{escaped(found.error)}")
            continue
        verdict = found.checked.verdict
        head = f"### {MARKS[verdict]} {escaped(found.path)}: {escaped(headline(found.checked))}"
        parts.append(f"{head}\n\n{printed.markdown_block(table(found.checked, title=''))}")
    return "\n\n".join(parts) + "\n"


def github(files: Sequence[CheckedFile]) -> str:
    """Workflow commands: an error for what is broken or unreadable, a warning for what cannot be told."""
    lines = []
    for found in files:
        if found.checked is None:
            lines.append(_command("error", found.path, found.line, "infratui: unreadable", found.error))
            continue
        for limit in found.checked.limits:
            kind = {LimitVerdict.BROKEN: "error", LimitVerdict.CANNOT_TELL: "warning"}.get(limit.verdict)
            if kind is not None:
                at = found.lines.get(limit.limit_id, found.line)
                title = f"policy.{limit.limit_id} {limit.verdict}"
                lines.append(_command(kind, found.path, at, title, sentence(limit, found.checked)))
        lines.append(f"{found.path}: {headline(found.checked)}")
    return "\n".join(lines) + "\n"


def _command(kind: str, path: str, line: int, title: str, message: str) -> str:
    """A workflow command; what would end a property or the line is escaped as the runner's toolkit does it."""

    def data(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def value(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    return f"::{kind} file={value(path)},line={line},title={value(title)}::{data(message)}"


def junit(files: Sequence[CheckedFile]) -> str:
    """JUnit XML: a suite per file, a case per limit; a failure is broken, an error unreadable or not to be told."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="infratui check")
    for found in files:
        suite = ET.SubElement(root, "testsuite", name=_xml(found.path))
        if found.checked is None:
            case = ET.SubElement(suite, "testcase", classname=_xml(found.path), name="readable", time="0")
            ET.SubElement(case, "error", message=_xml(found.error), type="unreadable")
        else:
            for limit in found.checked.limits:
                case = ET.SubElement(suite, "testcase", classname=_xml(found.path), name=limit.limit_id, time="0")
                said = _xml(sentence(limit, found.checked))
                if limit.verdict is not LimitVerdict.HOLDS:
                    tag = "failure" if limit.verdict is LimitVerdict.BROKEN else "error"
                    where = f"{found.path}:{found.lines.get(limit.limit_id, found.line)}"
                    ET.SubElement(case, tag, message=said, type=limit.verdict.value).text = _xml(where)
                else:
                    ET.SubElement(case, "system-out").text = said
        _counted(suite)
    _counted(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counted(element: Any) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        element.set(name, str(sum(1 for _ in element.iter(tag))))


def _xml(text: str) -> str:
    """Only characters that XML may hold."""
    return printable(text, 2000)


def data(files: Sequence[CheckedFile], on: str) -> dict[str, Any]:
    """The same as plain values; keys are part of the schema."""
    code = worst_code(tuple(found.exit_code for found in files))
    return {"on": on, "verdict": _CODES[code], "files": [_file(found) for found in files]}


def _file(found: CheckedFile) -> dict[str, Any]:
    head: dict[str, Any] = {"file": found.path, "verdict": _CODES[found.exit_code], "line": found.line}
    if found.checked is None:
        return {**head, "error": found.error}
    return {**head, "scenario": found.name, "limits": limits_data(found.checked, found.lines)}


def limits_data(checked: CheckedPolicy, lines: Mapping[str, int] = MappingProxyType({})) -> list[dict[str, Any]]:
    """Every limit with figure, interval and verdict."""
    return [
        {
            "limit": limit.limit_id,
            "verdict": limit.verdict.value,
            "asked": True if limit.limit_id == "fits" else limit.limit,
            "value": limit.value,
            "low": limit.low,
            "high": limit.high,
            "of": of(limit, checked),
            "line": lines.get(limit.limit_id),
            "words": sentence(limit, checked),
        }
        for limit in checked.limits
    ]
