"""Static, dynamic and continuous batching on one time axis: who holds which slot, and what waiting costs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ....engine.figures.units import format_count, format_seconds
from ....engine.speed.batching import BatchingResult, Phase, Segment

LOOK = {
    Phase.PREFILL: ("█", "key"),
    Phase.DECODE: ("━", "good"),
    Phase.HELD: ("▒", "tight"),
    Phase.IDLE: ("·", "line"),
}
"""Phase → glyph and colour variable. A decode starts with the letter of its request."""
_MARGIN = 2


class BatchTimeline(Widget):
    """One block per policy: its figures, then a line per slot. All blocks have the same time axis.

    ```python
    timeline.show(result.batching)
    ```
    """

    DEFAULT_CSS = "BatchTimeline { text-wrap: nowrap; height: auto; width: 1fr; }"

    runs: reactive[tuple[BatchingResult, ...]] = reactive(())

    def show(self, runs: Sequence[BatchingResult]) -> None:
        """Replace the runs."""
        before = self.get_content_height(None, None, 0)
        self.set_reactive(BatchTimeline.runs, tuple(runs))
        self.refresh(layout=before != self.get_content_height(None, None, 0))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return sum(1 + len(run.timeline) for run in self.runs) + 1 if self.runs else 1

    def render(self) -> Content:
        if not self.runs:
            return Content.styled("no batches run: nothing can be predicted for this layout", "$muted")
        end_ms = max(run.end_ms for run in self.runs)
        width = max(10, self.size.width - _MARGIN)
        lines = []
        best = min(self.runs, key=lambda run: run.latency_p95_ms)
        for run in self.runs:
            lines.append(_figures(run, run is best, self.size.width))
            lines += [Content.assemble(" " * _MARGIN, *slot_line(segments, end_ms, width)) for segments in run.timeline]
        axis = f"0 → {format_seconds(end_ms / 1e3)}"
        legend: list[tuple[str, str]] = [(" " * _MARGIN, "")]
        for phase, words in (
            (Phase.PREFILL, "prefill"),
            (Phase.DECODE, "decode"),
            (Phase.HELD, "paused while another prompt is read"),
            (Phase.IDLE, "idle"),
        ):
            glyph, tone = LOOK[phase]
            legend += [(glyph, f"${tone}"), (f" {words}  ", "$muted")]
        legend.append((axis, "$muted"))
        lines.append(Content.assemble(*legend))
        return Content("\n").join(lines)


def _figures(run: BatchingResult, best: bool, width: int) -> Content:
    rest = (
        f"{run.utilisation:>4.0%} busy  latency p95 {format_seconds(run.latency_p95_ms / 1e3)}  "
        f"TTFT p95 {format_seconds(run.ttft_p95_ms / 1e3)}  "
        f"{format_count(round(run.output_tokens_per_s))} tok/s"
    )
    return Content.assemble((f"{run.policy.value:<11}", "bold $key" if best else "bold"), (rest[: width - 11], ""))


def slot_line(segments: Sequence[Segment], end_ms: float, width: int) -> list[tuple[str, str]]:
    """A slot as runs of glyphs: each cell shows what the slot does at its middle."""
    runs: list[tuple[str, str]] = []
    at = 0
    last: Segment | None = None
    for cell in range(width):
        now_ms = (cell + 0.5) / width * end_ms
        while at < len(segments) - 1 and segments[at].end_ms <= now_ms:
            at += 1
        segment = segments[at]
        beyond = now_ms >= segment.end_ms or now_ms < segment.start_ms
        glyph, tone = LOOK[Phase.IDLE if beyond else segment.phase]
        style = f"${tone}"
        if not beyond:
            if _starts(segment, last):
                glyph, style = chr(ord("a") + (segment.request_id or 0) % 26), f"bold ${tone}"
            last = segment
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + glyph, style)
        else:
            runs.append((glyph, style))
    return runs


def _starts(segment: Segment, last: Segment | None) -> bool:
    """The segment is where a request begins to decode, after its prefill."""
    if segment.phase is not Phase.DECODE or segment is last:
        return False
    return last is None or last.request_id != segment.request_id or last.phase is Phase.PREFILL
