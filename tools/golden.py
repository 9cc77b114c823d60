"""Writes `tests/golden/predictions.csv`: predictions for a fixed set of deployments, for reviewers to see."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from infratui.catalog.load import Catalog
from infratui.engine.evaluate import Evaluator
from infratui.engine.facts import Facts
from infratui.report.sections import outcome, section
from infratui.scenario import Scenario

PATH = Path(__file__).parent.parent / "tests" / "golden" / "predictions.csv"
MODELS = (
    "llama-3.1-8b", "gemma-3-27b", "qwen3-32b", "llama-3.3-70b",
    "qwen3-30b-a3b", "mixtral-8x7b", "gpt-oss-120b", "deepseek-v3",
)  # fmt: skip
GPUS = ("l40s", "a100-80gb", "h100", "b200", "mi300x")
LOADS: tuple[dict[str, int | str], ...] = (
    {"gpus": 1, "users": 4, "context": 4096},
    {"gpus": 8, "users": 1, "context": 8192, "precision": "fp16"},
    {"gpus": 8, "users": 32, "context": 8192},
    {"gpus": 8, "users": 64, "context": 4096, "tp": 8},
    {"gpus": 8, "users": 16, "context": 32_768, "tp": 4, "pp": 2},
)
"""GPUs, users and layout; what is not stated is the default."""
FIGURES = {
    "memory_bytes": ("vram", "Memory of one replica"),
    "free_bytes_per_gpu": ("vram", "Free per GPU"),
    "ttft_s": ("parallelism", "Time to first token"),
    "tpot_s": ("parallelism", "Time per output token"),
    "tokens_per_s": ("parallelism", "Output of one replica"),
    "usd_per_mtok": ("cost", "Cost per 1M tokens"),
}
"""Column → the section and the figure that it leads with."""
INPUTS = ("model", "accelerator", "gpus", "precision", "tp", "pp", "users", "context")


def scenarios() -> Iterator[Scenario]:
    """Every deployment, in the order of the file."""
    for model, gpu, load in product(MODELS, GPUS, LOADS):
        yield Scenario(model=model, accelerator=gpu).with_(**load)


def rows(facts: Facts) -> Iterator[dict[str, str]]:
    """Inputs and figures; a figure that has no answer is empty. Bytes are whole, other figures to four digits."""
    evaluator = Evaluator(facts)
    for scenario in scenarios():
        evaluation = evaluator(scenario)
        told = {
            (entry.section, entry.name): entry.value
            for name in dict.fromkeys(name for name, _ in FIGURES.values())
            for entry in outcome(evaluation, section(name)).headlines()
        }
        values = {column: told.get(key) for column, key in FIGURES.items()}
        yield {name: str(getattr(scenario, name)) for name in INPUTS} | {
            column: "" if value is None else str(value) if "bytes" in column else f"{value:.4g}"
            for column, value in values.items()
        }


def text(facts: Facts) -> str:
    """The whole file."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*INPUTS, *FIGURES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(facts))
    return stream.getvalue()


def main() -> None:
    """Rewrite the file."""
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(text(Catalog()), "utf-8")


if __name__ == "__main__":
    main()
