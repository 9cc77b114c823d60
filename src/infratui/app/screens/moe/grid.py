"""Where every expert stands on screen: all of them, folded to the room there is, grouped by the GPU that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ....value_types import dataclass


@dataclass(frozen=True, slots=True)
class ExpertBlock:
    """Experts of one GPU, or some of them, beside each other."""

    label: str
    """Padded, with the blank behind it; blank in all rows of a GPU but its first."""
    experts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExpertGrid:
    """Rows of blocks, one cell between them."""

    rows: tuple[tuple[ExpertBlock, ...], ...]
    pitch: int
    """Cells per expert: 2 leaves a blank behind each."""

    @property
    def experts(self) -> tuple[int, ...]:
        """All experts, in reading order."""
        return tuple(expert for row in self.rows for block in row for expert in block.experts)

    @property
    def width(self) -> int:
        """Cells of the widest row."""
        return max(
            sum(len(block.label) + len(block.experts) * self.pitch + 1 for block in row) - 1 for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class _Fold:
    label: int
    pitch: int
    per_row: int
    across: int
    rows: int


@lru_cache(maxsize=64)
def expert_grid(experts: int, gpus: int, width: int, height: int) -> ExpertGrid:
    """Fold `experts`, in blocks of consecutive ones over `gpus` GPUs, to `width` cells and about `height` rows.

    Within the height, wide cells win, then long labels, then few rows; where nothing stays within it, few rows.
    """
    folds = list(_folds(experts, gpus, width))
    fitting = [fold for fold in folds if fold.rows <= height]
    if fitting:
        best = min(fitting, key=lambda fold: (-fold.pitch, -fold.label, fold.rows, -fold.per_row))
    elif (packed := _packed(experts, gpus, width)) is not None:
        return packed
    else:
        best = min(folds, key=lambda fold: (fold.rows, fold.label))
    return _grid(experts, gpus, best)


def _folds(experts: int, gpus: int, width: int) -> Iterator[_Fold]:
    per_gpu = experts // gpus
    labels = (len(f"GPU {gpus - 1} "), len(f"{gpus - 1} ")) if gpus > 1 else (0,)
    for label in labels:
        for pitch in (2, 1):
            for per_row in range(1, per_gpu + 1):
                # Even rows read best: whole parts of a GPU, or steps of eight where there is only one.
                if per_gpu % per_row and (gpus > 1 or per_row % 8):
                    continue
                across = min(gpus, (width + 1) // (label + per_row * pitch + 1))
                if not across:
                    continue
                bands = -(-gpus // across)
                yield _Fold(label, pitch, per_row, -(-gpus // bands), bands * -(-per_gpu // per_row))


def _grid(experts: int, gpus: int, fold: _Fold) -> ExpertGrid:
    per_gpu = experts // gpus
    rows = []
    for first in range(0, gpus, fold.across):
        for start in range(0, per_gpu, fold.per_row):
            end = min(per_gpu, start + fold.per_row)
            rows.append(
                tuple(
                    ExpertBlock(
                        _label(gpu, fold.label, start), tuple(range(gpu * per_gpu + start, gpu * per_gpu + end))
                    )
                    for gpu in range(first, min(gpus, first + fold.across))
                )
            )
    return ExpertGrid(tuple(rows), fold.pitch)


def _label(gpu: int, width: int, start: int) -> str:
    if not width:
        return ""
    text = f"GPU {gpu}" if width > 4 and width > len(str(gpu)) + 4 else str(gpu)
    return (f"{text} " if not start else "").rjust(width)


def _packed(experts: int, gpus: int, width: int) -> ExpertGrid | None:
    """Whole GPUs behind each other, with the first one's number before each row."""
    per_gpu = experts // gpus
    label = len(f"{gpus - 1} ")
    across = (width - label + 1) // (per_gpu + 1)
    if across < 2:
        return None
    rows = []
    for first in range(0, gpus, across):
        here = range(first, min(gpus, first + across))
        rows.append(
            tuple(
                ExpertBlock(
                    f"{gpu} ".rjust(label) if gpu == first else "", tuple(range(gpu * per_gpu, (gpu + 1) * per_gpu))
                )
                for gpu in here
            )
        )
    return ExpertGrid(tuple(rows), 1)
