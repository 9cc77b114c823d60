"""Typical deployments: what the reference lists per model size."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from ..engine.parallelism import TypicalDeployment
from .schema import build
from .yaml_io import read_built_in


@cache
def typical_deployments() -> tuple[TypicalDeployment, ...]:
    """The rows of `deployments.yaml`, read once."""
    with as_file(files(__package__).joinpath("deployments.yaml")) as path:
        return tuple(build(TypicalDeployment, row) for row in read_built_in(path))
