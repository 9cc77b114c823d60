"""How the scenario's fields are named and listed on screen: labels and choices from the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..engine.figures.units import ByteUnit, format_count, format_gigabytes
from ..inputs import Kind
from ..report.input_groups import PER
from ..report.inputs import NAMED, input_text, value_text
from ..report.names import short_name
from ..scenario import INPUTS, choices
from .widgets.choice import Choice

if TYPE_CHECKING:
    from ..catalog.load import Catalog


LISTED = frozenset({"node_link", "lab_format"})
"""Fields whose choices come from a table of the catalog."""


class FieldBook:
    """Texts and lists of the fields, from one catalog, which is opened when a list or a name is asked for."""

    def __init__(
        self,
        facts: Callable[[], Catalog],
        ready: Callable[[], bool] = lambda: True,
        currency: Callable[[], str] = lambda: "$",
    ) -> None:
        """`ready`: whether names may be looked up. Until then ids stand for them, so that the first frame can go.

        `currency` stands before amounts.
        """
        self._currency = currency
        self._open = facts
        self._ready = ready
        self._choices: dict[str, tuple[Choice, ...]] = {}

    @property
    def _facts(self) -> Catalog:
        return self._open()

    def shown(self, field: str, value: object) -> str:
        """A value as the row shows it, with its unit."""
        spec = INPUTS[field]
        if value == "" and spec.zero:
            return spec.zero
        if (spec.kind in NAMED or field in LISTED) and not (self._ready() and self._is_at_hand(spec.kind, value)):
            return str(value)
        if field in LISTED:
            return next((choice.label for choice in self.choices(field) if choice.value == value), str(value))
        if spec.kind is Kind.ACCELERATOR:
            with suppress(ValueError):
                return short_name(self._facts.accelerator(str(value)))
        if spec.kind in NAMED:
            return input_text(field, value, self._facts)
        return value_text(field, value, self._currency()) + PER.get(field, "")

    def _is_at_hand(self, kind: Kind, value: object) -> bool:
        """The name is told without reading a checkpoint from disk."""
        # Whoever asks has the catalog; the first frame has not.
        from ..catalog.known_models import STORED

        model = kind is Kind.MODEL or str(value).endswith(STORED)
        return not model or self._facts.at_hand(str(value))

    def typed(self, field: str, value: object) -> str:
        """A value as a person would type it."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

    def values(self, field: str) -> Sequence[str]:
        """The values that arrows walk, in the catalog's order. Reads no model for it."""
        if field == "model":
            return self._facts.model_ids()
        if INPUTS[field].kind is Kind.ACCELERATOR:
            return [entry.id for entry in self._facts.accelerators()]
        return [choice.value for choice in self.choices(field)]

    def choices(self, field: str) -> tuple[Choice, ...]:
        """The values of a list field as a list to choose from; models and accelerators that most offer come first."""
        if field not in self._choices:
            self._choices[field] = tuple(self._listed(field))
        return self._choices[field]

    def _listed(self, field: str) -> Sequence[Choice]:
        if options := choices(field):
            return [Choice(option, option) for option in options]
        facts = self._facts
        if field == "node_link":
            return [
                Choice(link.id, link.name, f"{link.bandwidth / 1e9:,.0f} GB/s per direction" if link.bandwidth else "")
                for link in facts.links()
                if link.type in ("infiniband", "ethernet", "efa") or "between" in link.scope
            ]
        if field == "lab_format":
            return [
                Choice(entry.id, entry.label, f"{entry.effective_bits:.6g} bits  {entry.notes}")
                for entry in facts.formats()
            ]
        match INPUTS[field].kind:
            case Kind.MODEL:
                return self._models(field)
            case Kind.PRECISION:
                return [
                    Choice(entry.id, entry.label, f"{entry.bits:g} bits  {entry.notes}")
                    for entry in facts.precisions()
                    if entry.for_weights
                ]
            case Kind.KV_PRECISION:
                return [
                    Choice(entry.id, entry.label, f"{entry.bits:g} bits  {entry.notes}")
                    for entry in facts.precisions()
                    if entry.for_kv
                ]
            case Kind.ACCELERATOR:
                return [
                    Choice(
                        entry.id,
                        entry.name,
                        f"{format_gigabytes(entry.memory, ByteUnit.GIB):>6} GiB {entry.memory_type}  {entry.vendor}",
                        entry.origin != "built-in",
                    )
                    for entry in sorted(facts.accelerators(), key=lambda entry: -len(facts.prices(entry.id)))
                ]
        return []

    def _models(self, field: str) -> list[Choice]:
        from ..engine.model.architecture import parameters

        found = []
        for model in self._facts.models():
            if (field == "dense_model" and model.is_moe) or (field == "moe_model" and not model.is_moe):
                continue
            count = parameters(model)
            active = f", {format_count(count.active)} active" if model.is_moe else ""
            detail = f"{format_count(count.total)}{active}"
            found.append(Choice(model.id, model.name, detail, model.origin != "built-in"))
        return sorted(found, key=lambda choice: -self._offers(choice.value))

    def _offers(self, model_id: str) -> int:
        """Providers that serve a model."""
        listed = self._facts.api_prices(model_id)
        return len(listed.prices) if listed else 0
