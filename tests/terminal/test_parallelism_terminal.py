"""The Parallelism screen end to end: a decode step played and stepped in a real terminal."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.long
def test_stepping_the_animation(open_terminal: Callable[..., object]) -> None:
    terminal = open_terminal(
        "--screen", "parallelism", "--no-motion", "--model", "llama-3.1-405b", "--gpus", "16",
        "--set", "precision=fp16", "--set", "users=10", columns=120, lines=40,
    )  # fmt: skip
    terminal.until("micro-batches walk 2 stages")  # type: ignore[attr-defined]
    for words in (
        "TP8 all-reduce after attention",
        "hidden states go to the next stage",
        "every sequence has its next token",
    ):
        for _ in range(30):
            if words in terminal.text:  # type: ignore[attr-defined]
                break
            terminal.send(".")  # type: ignore[attr-defined]
            terminal.settle()  # type: ignore[attr-defined]
        assert words in terminal.text  # type: ignore[attr-defined]
    terminal.send("q")  # type: ignore[attr-defined]
    assert terminal.wait() == 0  # type: ignore[attr-defined]
