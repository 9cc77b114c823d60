"""Typical deployments: what the reference lists per model size, and what is compared with what."""

from __future__ import annotations

from functools import cache

from ..engine.sections.moe import Counterparts
from ..engine.sections.parallelism import TypicalDeployment
from .built_in import DATA
from .trusted import construct
from .yaml_io import read_built_in


@cache
def counterparts() -> Counterparts:
    """What `counterparts.yaml` sets beside a model, read once."""
    return construct(Counterparts, read_built_in(DATA / "counterparts.yaml"))


@cache
def typical_deployments() -> tuple[TypicalDeployment, ...]:
    """The rows of `deployments.yaml`, read once."""
    return tuple(construct(TypicalDeployment, row) for row in read_built_in(DATA / "deployments.yaml"))
