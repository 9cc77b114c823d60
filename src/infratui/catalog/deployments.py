"""Typical deployments: what the reference lists per model size."""

from __future__ import annotations

from functools import cache

from ..engine.sections.parallelism import TypicalDeployment
from .built_in import DATA
from .schema import build
from .yaml_io import read_built_in


@cache
def typical_deployments() -> tuple[TypicalDeployment, ...]:
    """The rows of `deployments.yaml`, read once."""
    return tuple(build(TypicalDeployment, row) for row in read_built_in(DATA / "deployments.yaml"))
