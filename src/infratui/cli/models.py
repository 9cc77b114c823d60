"""`infratui models`: the models of the catalog, one of them in full, or those that given GPUs hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..value_types import dataclass
from .common import Options, deployment_options, echo_json, fail, guarded, plain_table

if TYPE_CHECKING:
    from ..engine.model.architecture import Model
    from ..scenario import Scenario

LEVELS = ("permissive", "terms", "research")


@dataclass(frozen=True)
class Wanted:
    """Which models are asked about."""

    size: str | None
    family: str | None
    openness: str | None
    min_context: str | None

    def chosen(self, models: Sequence[Model]) -> list[Model]:
        """The models that pass every filter. Raises ValueError in one line."""
        from ..engine.figures.units import QuantityError, parse_tokens

        low, high = _sizes(self.size)
        try:
            reach = parse_tokens(self.min_context) if self.min_context else 0
        except QuantityError as error:
            raise ValueError(f"--min-context: {error}") from None
        tests: list[Callable[[Model], bool]] = [
            lambda model: low <= _size(model) <= high,
            lambda model: model.max_context >= reach,
        ]
        if self.family:
            name = self.family.casefold()
            tests.append(lambda model: name in f"{model.family} {model.id} {model.name}".casefold())
        if self.openness:
            from ..catalog.licenses import as_open_as

            level = self.openness
            tests.append(lambda model: as_open_as(model.license, level))
        return [model for model in models if all(test(model) for test in tests)]


def _size(model: Model) -> int:
    from ..engine.model.architecture import parameters

    return parameters(model).total


def _sizes(text: str | None) -> tuple[float, float]:
    """`7B..80B`, `..80B` or `7B..` as numbers of parameters. Raises ValueError."""
    from ..engine.figures.units import QuantityError, parse_number

    if not text:
        return 0.0, float("inf")
    first, dots, last = text.partition("..")
    try:
        low = parse_number(first) if first.strip() else 0.0
        high = parse_number(last) if last.strip() else float("inf")
    except QuantityError as error:
        raise ValueError(f"--size: {error}") from None
    if not dots or low > high:
        raise ValueError(f"--size {text[:40]!r}: write a range of parameters, such as 7B..80B")
    return low, high


@click.command()
@click.argument("name", required=False)
@click.option("--users", type=int, help="Users at the same moment.")
@click.option("--context", metavar="TOKENS", help="Tokens that each may use: 32K.")
@click.option("--size", metavar="LOW..HIGH", help="Only models of so many parameters: 7B..80B.")
@click.option("--family", metavar="WORD", help="Only models with this word in family or name.")
@click.option("--openness", type=click.Choice(LEVELS), help="Only models at least as open.")
@click.option("--min-context", metavar="TOKENS", help="Only models with at least this context window.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@deployment_options
def command(
    deployment: Options, name: str | None, users: int | None, context: str | None, as_csv: bool, as_json: bool,
    **filters: Any,
) -> None:  # fmt: skip
    """List the models, or show NAME: a catalog id, an alias, a Hugging Face id or a checkpoint on disk.

    With --gpu, --gpus, --users, --context, a preset or a scenario: which models those GPUs hold for that load, each as
    released or else in the widest format that fits; what holds comes first. Exit code 1: none does.
    """
    from ..settings_text import parse_value

    facts = deployment.facts()
    named = name or deployment.model
    wanted = Wanted(**filters)
    models = guarded(lambda: [facts.model(named)] if named else wanted.chosen(facts.models()))
    if not models:
        fail("no model passes these filters; widen --size, --family, --openness or --min-context")
    asked = users is not None or context is not None or any(flag != "--model" for flag in deployment.given)
    if asked:
        changes: dict[str, object] = {} if users is None else {"users": users}
        if context is not None:
            changes["context"] = guarded(lambda: parse_value("context", context))
        scenario = deployment.scenario()
        _held(deployment, guarded(lambda: scenario.with_(**changes)), models, as_csv, as_json)
        return
    if as_csv:
        fail("--csv goes with hardware; add --gpu and --gpus")
    _list(deployment, models, as_json)


def _held(deployment: Options, scenario: Scenario, models: Sequence[Model], as_csv: bool, as_json: bool) -> None:
    """Which of the models the scenario's GPUs hold."""
    from ..engine.case import Case, in_force
    from ..engine.deployment.which_models import which_models
    from ..report import which_models as words
    from ..report.tables import table_csv
    from .progress import followed
    from .show import emit

    case = Case(in_force(scenario, deployment.facts()), deployment.facts())
    rows = guarded(lambda: list(followed(which_models(case, models), len(models), "models")))
    if as_json:
        echo_json(words.data(rows, case))
    elif as_csv:
        click.echo(table_csv(words.table(rows, case)), nl=False)
    else:
        emit(words.answer(rows, case), (words.table(rows, case),))
    if not any(row.best for row in rows):
        sys.exit(1)


def _list(deployment: Options, models: Sequence[Model], as_json: bool) -> None:
    from ..engine.figures.units import format_count, format_tokens
    from ..engine.memory.kv_cache import kv_geometry
    from ..engine.model.architecture import parameters

    bf16 = deployment.facts().precision("bf16")
    rows: list[dict[str, Any]] = [
        {
            "id": model.id,
            "name": model.name,
            "parameters": parameters(model).total,
            "active_parameters": parameters(model).active,
            "layers": model.layers,
            "max_context": model.max_context,
            "kv_bytes_per_token_bf16": round(kv_geometry(model, bf16).growing),
            "kv_windows_bf16": [
                {"tokens": window, "bytes_per_token": round(size)} for window, size in kv_geometry(model, bf16).windows
            ],
            "released_precision": model.weight_precision,
            "license": model.license,
            "origin": model.origin,
            "source": model.source,
        }
        for model in models
    ]
    if as_json:
        echo_json(rows, "models")
        return
    plain_table(
        ("id", "parameters", "active", "layers", "context", "KV B/token", "released as", "license"),
        [
            (
                model.id + (" *" if model.origin != "built-in" else ""),
                format_count(row["parameters"]),
                format_count(row["active_parameters"]),
                str(model.layers),
                format_tokens(model.max_context),
                _growth(row),
                model.weight_precision,
                model.license,
            )
            for model, row in zip(models, rows, strict=True)
        ],
        right=(1, 2, 3, 4, 5),
    )


def _growth(row: dict[str, Any]) -> str:
    """Cache per token of a long context, and the windows beyond which other layers keep nothing more."""
    windows = ", ".join(f"{entry['tokens']:,}" for entry in row["kv_windows_bf16"])
    return f"{row['kv_bytes_per_token_bf16']:,}" + (f" + window {windows}" if windows else "")
