"""What was measured, as the facts answer it: rows, logs, and constants fitted without one study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.measured.rows import MeasuredRow
    from ..engine.speed.constants import Constants, Way


class Measurements:
    """The part of the catalog that predictions are scored by; read when first asked for."""

    def speed_without(self, way: Way, group: str) -> Constants:
        """Constants of the fit that did not see a study of measurements, or a model on a GPU."""
        from .calibration import fold_constants

        return fold_constants(way, group)

    def measured_throughput(self) -> tuple[MeasuredRow, ...]:
        """The published benchmark rows that the speed model is fitted on and scored by."""
        from .measured import measured_throughput

        return measured_throughput()

    def measured_memory(self) -> tuple[Mapping[str, str], ...]:
        """The start-up logs of serving engines, column by column."""
        from .measured import measured_memory

        return measured_memory()

    def measured_row(self, row: Mapping[str, str], number: int) -> MeasuredRow:
        """A row of a table, with the conventions of its kind of benchmark. Raises CatalogError."""
        from .measured import stated_row

        return stated_row(row, number)
