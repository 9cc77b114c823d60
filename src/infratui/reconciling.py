"""A log compared with the catalog's prediction, a host profile taken into account: one call for every front end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .hosts import HostProfile, visible_gib

if TYPE_CHECKING:
    from .catalog.load import Catalog
    from .reality.comparison import Reconciliation


def compare(
    text: str, facts: Catalog, *, model: str = "", gpu: str = "", profile: HostProfile | None = None
) -> Reconciliation:
    """The log beside its prediction. Raises ValueError in one line for what is no log or an unknown name."""
    from .catalog.log_lines import log_lines
    from .reality.comparison import reconcile
    from .reality.logs import read_log
    from .reality.prediction import Given

    kinds = log_lines()
    reading = read_log(text, kinds)
    offsets: dict[str, int] = {}
    if profile is not None:
        gpu = gpu or visible_gib(profile) or profile.accelerator
        # What another model's weights took beyond theirs says nothing of this one's.
        same = profile.model == reading.model
        offsets = {term: offset.bytes for term, offset in (profile.offsets or {}).items() if same or term != "weights"}
    found = reconcile(reading, facts, kinds.flags, Given(model, gpu, tuple(facts.model_ids()), offsets))
    return found if profile is None else replace(found, profile=profile.name)
