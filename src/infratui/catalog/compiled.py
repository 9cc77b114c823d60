"""Files that ship with the package, as JSON: their YAML is parsed when the package is built, not at every start.

Each result lies beside the code, under the name of its file and the hash of its text. Where none is there, or the text
has changed since, the YAML itself is read.
"""

from __future__ import annotations

import json
from importlib.util import source_hash
from pathlib import Path
from typing import Any

from .built_in import DATA, PRESETS

FOLDER = Path(__file__).parent / "compiled"
MISSING = object()
"""No result for this text."""


def content(path: Path) -> Any:
    """What a built-in file holds, or MISSING where that is not compiled."""
    try:
        digest, _, data = _place(path).read_bytes().partition(b"\n")
        if digest != _digest(path.read_bytes()):
            return MISSING
    except (OSError, ValueError):
        return MISSING
    return json.loads(data)


def compile_all(folder: Path = FOLDER) -> int:
    """Parse every built-in YAML file into `folder`; the number of files."""
    from .yaml_io import BUILT_IN_BYTES, read

    made = 0
    for path in sorted((*DATA.rglob("*.yaml"), *PRESETS.glob("*.yaml"))):
        target = folder / _place(path).name
        data = json.dumps(read(path, limit=BUILT_IN_BYTES), ensure_ascii=False)
        text = _digest(path.read_bytes()) + b"\n" + data.encode()
        if not target.is_file() or target.read_bytes() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        made += 1
    return made


def _place(path: Path) -> Path:
    """Where the result of a built-in file lies. Raises ValueError for any other file."""
    parts = ("presets", path.name) if path.parent == PRESETS else path.relative_to(DATA).parts
    return FOLDER / f"{'-'.join(parts)}.json"


def _digest(text: bytes) -> bytes:
    # As Python does for what it compiles. `hashlib` takes 4 MiB and 4 ms of every start.
    return source_hash(text).hex().encode()


if __name__ == "__main__":
    compile_all()
