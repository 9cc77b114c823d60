"""Names of others on the way to the terminal: nothing in them is a command to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infratui import store

MARK = "zQx"
HOSTILE = {
    "title": f"\x1b]0;{MARK}\x07",
    "clipboard": f"\x1b]52;c;{MARK}\x1b\\",
    "colour": f"\x1b[41m{MARK}",
    "c1": f"\x9b41m{MARK}\x9d0;{MARK}\x9c",
    "bell": f"{MARK}\a\b\r\v",
    "bidi": f"\u202e{MARK}\u2066\u200f",
    "markup": f"[bold red]{MARK}[/]",
}
CASES = [
    pytest.param(name, id=kind, marks=() if kind == "title" else pytest.mark.long) for kind, name in HOSTILE.items()
]
OWN = re.compile(rb"\x1b(?:\[[0-9;?>=<]*[ -/]*[@-~]|\]22;[a-z-]*\x07|\]52;c;[A-Za-z0-9+/=]*\x07)")
"""What the app itself sends: control sequences, the shape of the pointer, and the clipboard in base64."""
BIDI = tuple(chr(code).encode() for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F))


def foreign(raw: bytes) -> list[bytes]:
    """Control characters in a recorded stream that are none of the app's own."""
    rest = OWN.sub(b"", raw)
    found = re.findall(rb"[\x00-\x07\x08\x0b\x0c\x0e-\x1f\x7f].{0,20}|\xc2[\x80-\x9f].{0,20}", rest)
    found += [mark for mark in BIDI if mark in rest]
    # A name that is inside one of the app's sequences would have to be in what was taken out.
    return found + [sequence for sequence in OWN.findall(raw) if MARK.encode() in sequence]


@pytest.mark.parametrize("name", CASES)
def test_folders_and_models(open_terminal, tmp_path: Path, name: str) -> None:
    folder = tmp_path / f"m{name.replace('/', '')}"
    folder.mkdir()
    config = {"architectures": [f"Llama{name}"], "model_type": f"llama{name}", "_name_or_path": name, "hidden_size": 64}
    (folder / "config.json").write_text(json.dumps(config))
    terminal = open_terminal(columns=140, lines=40)
    terminal.until("? help")
    terminal.until("hold")
    terminal.send("k" * 60 + "\r")
    terminal.settle()
    terminal.send(b"\x1b[200~" + str(folder).encode() + b"\x1b[201~\r")
    terminal.settle()
    terminal.send("\x1b")
    terminal.settle()
    terminal.send("q")
    terminal.wait()
    assert foreign(terminal.raw) == []


@pytest.mark.parametrize("name", CASES)
def test_files_of_the_user(open_terminal, tmp_path: Path, name: str) -> None:
    quoted = json.dumps(name)
    (store.config_directory() / "catalog").mkdir(parents=True)
    (store.config_directory() / "catalog" / "mine.yaml").write_text(
        f"accelerators:\n  - id: mine\n    name: {quoted}\n    memory: 80\n    {quoted}: 1\n"
    )
    (store.config_directory() / "presets").mkdir()
    (store.config_directory() / "presets" / "own.yaml").write_text(f"name: {quoted}\nabout: {quoted}\n")
    store.scenario_directory().mkdir()
    (store.scenario_directory() / f"s{name.replace('/', '')}.yaml").write_text(f"name: {quoted}\ncurrency: {quoted}\n")
    terminal = open_terminal(columns=140, lines=40)
    terminal.until("? help")
    terminal.until("hold")
    terminal.settle()
    for keys in ("p", f"{MARK}\r", "o", "\r", "y", "s", "\x1b", "3", "r", "c", "\x1b", "1"):
        terminal.send(keys)
        terminal.settle()
    terminal.signal(15)
    terminal.wait()
    assert foreign(terminal.raw) == []


@pytest.mark.parametrize("name", CASES)
def test_a_name_on_the_command_line(open_terminal, name: str) -> None:
    terminal = open_terminal("--set", f"name={name}", columns=140, lines=40)
    terminal.until(lambda: terminal.exit_code is not None or "? help" in terminal.text)
    if terminal.exit_code is None:
        terminal.send("3y")
        terminal.settle()
        terminal.send("q")
        terminal.wait()
    assert foreign(terminal.raw) == []
