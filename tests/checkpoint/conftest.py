"""A checkpoint folder from a configuration, in one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MakeFolder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> MakeFolder:
    """Write `config.json` (and, where given, `hf_quant_config.json`) into a folder of the given name."""

    def make(config: dict[str, Any] | str, quant: dict[str, Any] | None = None, name: str = "some-model") -> Path:
        made = tmp_path / name
        made.mkdir(exist_ok=True)
        text = config if isinstance(config, str) else json.dumps(config)
        (made / "config.json").write_text(text, encoding="utf-8")
        if quant is not None:
            (made / "hf_quant_config.json").write_text(json.dumps(quant), encoding="utf-8")
        return made

    return make
