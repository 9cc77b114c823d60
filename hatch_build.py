"""Compiles the built-in YAML into the package when a wheel is built or the checkout is installed."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledData(BuildHookInterface):
    """Adds `catalog/compiled/*.json`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Parse what has changed."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from infratui.catalog.compiled import compile_all

        compile_all()
        build_data["artifacts"].append("src/infratui/catalog/compiled/*.json")
