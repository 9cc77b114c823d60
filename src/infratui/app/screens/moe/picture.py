"""The routing panel as lines of styled text: a token's scores, or what a batch touches, beside all experts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ....engine.experts.load import experts_touched, load_imbalance
from ....engine.experts.router import RouterResult
from ....engine.experts.routing import RouterGate
from ....engine.figures.units import significant
from ....report.draw import lying
from .frames import BatchFrame, BatchReel, RouterPhase, TokenFrame, TokenReel, letter_of
from .grid import ExpertGrid, expert_grid

Piece = tuple[str, str]
"""Text and style."""
Line = tuple[Piece, ...]

GRID_ROWS = 12
"""Rows that the experts fold to where they can."""
_SCORES = 32
"""Cells of the scores, at least."""
_GAP = 2
_LEAST = 8
"""Rows of scores at least."""
HEAT = "·░▒▓█"
_TIMES = ("0", "<0.5", "≤1.5", "≤3", ">3")
_BATCH_HEADING = " batch, touched  │ even choice"
_UNTOUCHED, _TOUCHED, _CHOSEN, _LIT, _OVER = "$line", "$weights", "bold $key", "bold reverse $key", "bold $bad"


def split(width: int) -> tuple[int, int]:
    """Cells of the scores and of the experts."""
    left = max(_SCORES, min(48, width * 2 // 5)) if width > 80 else _SCORES
    return left, max(8, width - left - _GAP - 1)


def token_rows(reel: TokenReel, width: int) -> int:
    """Rows of the middle part."""
    grid = expert_grid(reel.spec.experts, reel.gpus, split(width)[1], GRID_ROWS)
    return max(len(grid.rows), min(_LEAST, reel.spec.experts))


def token_picture(reel: TokenReel, frame: TokenFrame, width: int) -> tuple[Line, ...]:
    """Text, caption, scores beside experts, the mix, and the load so far."""
    left, room = split(width)
    rows = token_rows(reel, width)
    grid = expert_grid(reel.spec.experts, reel.gpus, room, GRID_ROWS)
    scores = _scores(reel, frame, left, rows)
    experts = _experts(grid, _token_cell(reel, frame))
    load = frame.window.load
    seen = len(frame.window.chosen)
    per_gpu = _per_gpu(load, reel.gpus)
    busy = f", GPU {significant(load_imbalance(per_gpu), 2)}×" if reel.gpus > 1 else ""
    stat = (
        f"{seen} {'token' if seen == 1 else 'tokens'}: {experts_touched(load)} of {len(load)} touched · "
        f"busiest expert {significant(load_imbalance(load), 2)}×{busy} the average"
        if seen
        else "no token yet"
    )
    return (
        _strip(reel.words, frame.place, width),
        _cut((" ", ""), (frame.caption, "bold"), width=width),
        _cut((_score_heading(reel).ljust(left + _GAP), "$muted"), (_heading(reel.gpus), "$muted"), width=width),
        *_beside(scores, experts, left, rows),
        _cut(*_mix(reel, frame), width=width),
        _cut((f" {stat}", "$muted"), width=width),
        _cut(*_legend("tokens on an expert", ("0", "1", "2–3", "4–7", "8+")), width=width),
    )  # fmt: skip


def batch_picture(reel: BatchReel, frame: BatchFrame, width: int) -> tuple[Line, ...]:
    """Caption, touched by batch size beside all experts, and what the load means."""
    router = reel.router
    left, room = split(width)
    grid = expert_grid(router.spec.experts, router.ep, room, GRID_ROWS)
    rows = max(len(grid.rows), len(reel))
    routing = frame.routing
    pairs = frame.tokens * router.spec.top_k
    capacity = _capacity(frame, reel)
    return (
        _cut((f" a batch of {frame.tokens:,}, top-{router.spec.top_k} each: {pairs:,} assignments", ""), width=width),
        _cut((" ", ""), (frame.caption, "bold"), width=width),
        _cut((_BATCH_HEADING.ljust(left + _GAP), "$muted"), (_heading(router.ep), "$muted"), width=width),
        *_beside(_curve(reel, frame, left), _experts(grid, _batch_cell(frame)), left, rows),
        _cut((f" {capacity}", "$bad" if routing.assignments_dropped else "$muted"), width=width),
        _cut((f" {_load_words(frame, router)}", "$muted"), width=width),
        _cut(*_legend("load over the mean", _TIMES), ("! over capacity", "$muted"), width=width),
    )  # fmt: skip


# -- parts of both


def _heading(gpus: int) -> str:
    return f"experts, by the {gpus} GPUs that hold them" if gpus > 1 else "experts"


def _legend(what: str, levels: Sequence[str]) -> list[tuple[str, str]]:
    """The levels in the colours that the heat map has."""
    pieces = [(f" {what}: ", "$muted")]
    for at, (glyph, words) in enumerate(zip(HEAT, levels, strict=True)):
        pieces += [(glyph, _TOUCHED if at else _UNTOUCHED), (f" {words}  ", "$muted")]
    return pieces


def _per_gpu(load: Sequence[int], gpus: int) -> list[int]:
    size = len(load) // gpus
    return [sum(load[gpu * size : (gpu + 1) * size]) for gpu in range(gpus)]


def _cut(*pieces: Piece, width: int) -> Line:
    """Pieces up to a width; what is cut ends in an ellipsis."""
    done: list[Piece] = []
    left = width
    for text, style in pieces:
        if len(text) > left:
            done.append((text[: max(0, left - 1)] + "…", style))
            break
        done.append((text, style))
        left -= len(text)
    return tuple(done)


def _joined(cells: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one style as one piece."""
    done: list[Piece] = []
    for text, style in cells:
        if done and done[-1][1] == style:
            done[-1] = (done[-1][0] + text, style)
        else:
            done.append((text, style))
    return done


def _beside(left: Sequence[Line], right: Sequence[Line], width: int, rows: int) -> tuple[Line, ...]:
    lines = []
    for at in range(rows):
        first = left[at] if at < len(left) else ()
        blank = " " * (width + _GAP - sum(len(text) for text, _ in first))
        second = right[at] if at < len(right) else ()
        lines.append((*first, (blank, ""), *second))
    return tuple(lines)


def _experts(grid: ExpertGrid, cell: Callable[[int], Piece]) -> tuple[Line, ...]:
    lines = []
    for row in grid.rows:
        pieces: list[Piece] = []
        for at, block in enumerate(row):
            pieces.append((" " * (at > 0) + block.label, "$muted"))
            for expert in block.experts:
                glyph, style = cell(expert)
                pieces.append((glyph, style))
                if grid.pitch > 1:
                    # The blank between cells takes no style of its own: fewer codes on the wire.
                    pieces.append((" " * (grid.pitch - 1), "" if "reverse" in style else style))
        lines.append(tuple(_joined(pieces)))
    return tuple(lines)


# -- one token


def _strip(words: Sequence[str], place: int, width: int) -> Line:
    """The text around the current word, which stands between arrows."""
    room = width - len(words[place]) - 5
    before = " ".join(words[:place])
    after = " ".join(words[place + 1 :])
    head = min(len(before), max(room * 2 // 5, room - len(after)))
    shown = before if len(before) <= head else "…" + before[len(before) - head + 1 :]
    rest = room - len(shown)
    tail = after if len(after) <= rest else after[: max(0, rest - 1)] + "…"
    return ((f" {shown}", "$muted"), (f" ▸{words[place]}◂ ", "bold $key"), (tail, "$muted"))


def _token_cell(reel: TokenReel, frame: TokenFrame) -> Callable[[int], Piece]:
    load = frame.window.load
    lit = _LIT if frame.phase is RouterPhase.COMPUTE else _CHOSEN
    letters = {expert: letter_of(rank) for rank, expert in enumerate(frame.chosen)}
    kept = set(frame.routing.groups_kept)
    closing = frame.phase is RouterPhase.GROUPS and reel.spec.groups > 1
    size = reel.spec.group_size

    def cell(expert: int) -> Piece:
        if expert in letters:
            return letters[expert], lit
        if closing and expert // size not in kept:
            return " ", _UNTOUCHED
        count = load[expert]
        return HEAT[min(4, count.bit_length())], _TOUCHED if count else _UNTOUCHED

    return cell


def _score_heading(reel: TokenReel) -> str:
    biased = reel.spec.gate is RouterGate.SIGMOID_BIAS and reel.spec.bias_correction
    return " score + bias: who is picked" if biased else " router's score, best first"


def _scores(reel: TokenReel, frame: TokenFrame, width: int, rows: int) -> tuple[Line, ...]:
    if not frame.rise:
        return ()
    routing = frame.routing
    ranked = sorted(range(reel.spec.experts), key=lambda expert: (-routing.choice_scores[expert], expert))
    shown = ranked[:rows]
    if frame.chosen:
        # Groups may close on high scores: whoever is chosen is listed all the same.
        missing = [expert for expert in routing.experts[:rows] if expert not in shown]
        spare = [expert for expert in shown if expert not in routing.experts]
        shown = [expert for expert in shown if expert not in spare[len(spare) - len(missing) :]] + missing
    top = max(routing.choice_scores[ranked[0]], 1e-12)
    digits = len(str(reel.spec.experts - 1))
    bar = width - digits - 17
    kept = set(routing.groups_kept)
    lines = []
    for expert in shown:
        score = routing.choice_scores[expert]
        letter = frame.letter(expert)
        out = frame.phase not in (RouterPhase.RISE, RouterPhase.SCORE) and expert // reel.spec.group_size not in kept
        mark = letter or ("×" if out else " ")
        number = f"{score:6.3f}" if frame.rise == 1 else " " * 6
        weight = ""
        if letter and frame.phase in (RouterPhase.COMPUTE, RouterPhase.MIX):
            weight = f"{routing.weights[routing.experts.index(expert)]:6.1%}"
        tone = "bold $key" if letter else "$muted" if frame.chosen or out else ""
        body = lying(max(0.0, score) / top * frame.rise, bar)
        lines.append(
            (
                (f" {mark} ", tone),
                (f"E{expert:<{digits}} ", "bold" if letter else "$muted"),
                (body.ljust(bar), "$key" if letter else "$weights" if not (frame.chosen or out) else "$line"),
                (f"{number}{weight:>6}", tone),
            )
        )
    return tuple(lines)


def _mix(reel: TokenReel, frame: TokenFrame) -> Line:
    if frame.phase is not RouterPhase.MIX:
        return ((" ", ""),)
    routing = frame.routing
    terms = "+".join(f"{weight:.2f}{letter_of(rank)}" for rank, weight in enumerate(routing.weights[:8]))
    more = f"+ {len(routing.weights) - 8} more" if len(routing.weights) > 8 else ""
    scale = f"{routing.routed_scaling:g} × " if routing.routed_scaling != 1 else ""
    shared = " + shared" if reel.spec.shared_experts else ""
    inside = f"{scale}({terms}{more})" if scale else f"{terms}{more}"
    return ((f" out = {inside}{shared}", "bold"),)


# -- a batch


def _batch_cell(frame: BatchFrame) -> Callable[[int], Piece]:
    load = frame.routing.load
    over = frame.routing.overflow
    mean = sum(load) / len(load)

    def cell(expert: int) -> Piece:
        if over[expert]:
            return "!", _OVER
        times = load[expert] / mean
        level = 0 if not load[expert] else 1 if times < 0.5 else 2 if times <= 1.5 else 3 if times <= 3 else 4
        return HEAT[level], _TOUCHED if level else _UNTOUCHED

    return cell


def _curve(reel: BatchReel, frame: BatchFrame, width: int) -> tuple[Line, ...]:
    """One bar per batch size up to this frame's; a rule where an even choice would end."""
    experts = reel.router.spec.experts
    room = width - 12
    lines: list[Line] = []
    for number, size in enumerate(reel.sizes):
        if number > frame.number:
            lines.append(((f" {size:>5,}", "$muted"),))
            continue
        found = reel.frame(number).routing
        body = lying(found.touched / experts, room).ljust(room)
        at = min(room - 1, round(found.touched_expected / experts * room))
        here = number == frame.number
        lines.append(
            (
                (f" {size:>5,} ", "bold" if here else "$muted"),
                (body[:at], "$weights"),
                ("│", "bold $tight"),
                (body[at + 1 :], "$weights"),
                (f" {found.touched:>3}", "bold" if here else "$muted"),
            )
        )
    return tuple(lines)


def _capacity(frame: BatchFrame, reel: BatchReel) -> str:
    routing, factor = frame.routing, reel.router.capacity_factor
    if routing.capacity is None or factor is None:
        return "no capacity limit: the fullest expert takes all its tokens and sets the pace"
    words = f"capacity {routing.capacity} ({factor:g}×)"
    over = routing.assignments_dropped
    if not over:
        return f"{words}: nothing overflows"
    lost = ""
    if frame.number == len(reel) - 1:
        tokens = routing.tokens_dropped
        lost = f", {tokens:,} {'token loses' if tokens == 1 else 'tokens lose'} an expert"
    return f"{words}: {over:,} of {sum(routing.load):,} overflow{lost}"


def _load_words(frame: BatchFrame, router: RouterResult) -> str:
    base = f"busiest expert {significant(frame.imbalance)}× the average"
    if router.ep == 1:
        return base
    per_gpu = _per_gpu(frame.routing.load, router.ep)
    return f"{base}, busiest GPU {significant(load_imbalance(per_gpu))}×"
