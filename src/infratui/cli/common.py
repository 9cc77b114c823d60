"""What every command shares: the deployment options, output, and errors of one line."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ..value_types import dataclass

if TYPE_CHECKING:
    from ..catalog.load import Catalog
    from ..report.show import Answer, Block
    from ..scenario import Scenario

F = TypeVar("F", bound=Callable[..., Any])


def fail(message: str, code: int = 2) -> NoReturn:
    """One line to standard error, then the exit code."""
    line = " ".join("".join(char if char.isprintable() else " " for char in message).split())
    click.echo(f"infratui: {line}", err=True)
    sys.exit(code)


class Whole(click.IntRange):
    """A whole number in the digits 0 to 9: Python also reads those of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_ascii(self, value, param, ctx), param, ctx)


class Number(click.types.FloatParamType):
    """A number in the digits 0 to 9."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_ascii(self, value, param, ctx), param, ctx)


def _ascii(kind: click.ParamType[Any], value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
    if isinstance(value, str) and not value.isascii():
        kind.fail(f"{value!r} is not a number in the digits 0 to 9.", param, ctx)
    return value


@dataclass(frozen=True)
class Options:
    """Where the scenario comes from: a preset or a file, then single settings."""

    preset: str | None = None
    file: Path | None = None
    settings: tuple[str, ...] = ()
    model: str | None = None
    gpu: str | None = None
    gpus: int | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were used."""
        pairs = {
            "--preset": self.preset,
            "--scenario": self.file,
            "--set": self.settings,
            "--model": self.model,
            "--gpu": self.gpu,
            "--gpus": self.gpus,
        }
        return tuple(name for name, value in pairs.items() if value)

    def facts(self) -> Catalog:
        """The catalog with the user's own entries. Ends the program on a broken user file."""
        return self._facts

    @cached_property
    def _facts(self) -> Catalog:
        from ..catalog.errors import CatalogError
        from ..catalog.load import default_catalog

        try:
            return default_catalog().check()
        except CatalogError as error:
            fail(str(error))

    def scenario(self) -> Scenario:
        """The scenario that the options describe. Ends the program in one line where they do not."""
        from ..scenario import Scenario, ScenarioError
        from ..settings_text import assign
        from ..store import load_preset, load_scenario

        try:
            if self.preset and self.file:
                fail("give --preset or --scenario, not both")
            scenario = Scenario()
            if self.preset:
                scenario = load_preset(self.preset)
            elif self.file:
                scenario = load_scenario(self.file)
            named = {"model": self.model, "accelerator": self.gpu, "gpus": self.gpus}
            scenario = scenario.with_(**{key: value for key, value in named.items() if value is not None})
            if self.model:
                # A model is as it was released, a checkpoint as it is stored; `--set precision=…` still asks what if.
                scenario = scenario.with_(precision="", **self._declared_cache())
            loaded, scenario = scenario, assign(scenario, self.settings)
            self.check_names(scenario, loaded)
            self._tell_reading(scenario)
            return scenario
        except ScenarioError as error:
            fail(str(error))
        except OSError as error:
            fail(f"{self.file}: {error.strerror}")

    def _declared_cache(self) -> dict[str, object]:
        """What a checkpoint says of its cache: engines take that where nothing else is set (`auto`)."""
        try:
            declared = self.facts().model(self.model or "").cache_precision
        except (ValueError, OSError):
            # Said where every name is checked.
            return {}
        return {"kv_precision": declared} if declared else {}

    def _tell_reading(self, scenario: Scenario) -> None:
        """Say what a name was taken for that is not the catalog's own."""
        facts = self.facts()
        model = facts.model(scenario.model)
        if not facts.names(scenario.model, model):
            from ..plain_text import printable

            weights = "" if scenario.precision else f", weights in {facts.precision(model.weight_precision).label}"
            click.echo(f"infratui: {printable(scenario.model, 80)} is read as {model.id}{weights}", err=True)

    def check_names(self, scenario: Scenario, loaded: Scenario | None = None) -> None:
        """Names that every section needs, while it is known which were `loaded` from the file. Raises ScenarioError."""
        check_names(scenario, self.facts(), self.file, loaded)


def check_names(scenario: Scenario, facts: Catalog, file: Path | None, loaded: Scenario | None) -> None:
    """Names that every section needs. Raises ScenarioError, with the line of those that were loaded from the file."""
    from ..scenario import INPUTS, ScenarioError
    from ..store import place_of

    lookups: dict[str, Callable[[str], object]] = {
        "model": facts.model,
        "precision": facts.precision,
        "kv_precision": facts.precision,
        "accelerator": facts.accelerator,
        "node_link": facts.link,
    }
    for field, look_up in lookups.items():
        if not getattr(scenario, field) and INPUTS[field].zero:
            continue
        try:
            look_up(getattr(scenario, field))
        except (ValueError, OSError) as error:
            written = file is not None and loaded is not None and getattr(loaded, field) == getattr(scenario, field)
            place = place_of(file, field) if file and written else ""
            raise ScenarioError(f"{place}: {field}: {error}" if place else f"{field}: {error}") from None


def deployment_options(function: F) -> F:
    """`--preset --scenario --set --model --gpu --gpus`, gathered into one `deployment` argument."""

    def gather(*args: Any, **kwargs: Any) -> Any:
        keys = ("preset", "file", "settings", "model", "gpu", "gpus")
        deployment = Options(**{key: kwargs.pop(key) for key in keys})
        return function(*args, deployment=deployment, **kwargs)

    gather.__name__ = function.__name__
    gather.__doc__ = function.__doc__
    options = (
        click.option("--gpus", type=Whole(1, 16_384), help="How many."),
        click.option("--gpu", metavar="NAME", help="Accelerator, leniently: h100, 'H200 SXM', mi300x."),
        click.option(
            "--model", metavar="NAME|PATH", help="Catalog id, alias, Hugging Face id, or a checkpoint on disk."
        ),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any scenario field."),
        click.option("--scenario", "file", type=click.Path(path_type=Path), help="A scenario file."),
        click.option("--preset", metavar="NAME", help="A preset: starter, team, production, enterprise …"),
    )
    decorated: Any = gather
    decorated.__click_params__ = getattr(function, "__click_params__", [])
    for option in options:
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def output_options(function: F) -> F:
    """`--json` and `--explain`."""
    function = click.option("--explain", is_flag=True, help="Show the math.")(function)
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def echo_json(value: object, rows: str = "rows") -> None:
    """Print a result as JSON, its schema first, with units in the key names; a list stands under `rows`."""
    from ..report.as_json import SCHEMA, dumps, plain

    found = plain(value)
    click.echo(dumps({"schema": SCHEMA, **(found if isinstance(found, dict) else {rows: found})}))


def line_width() -> int:
    """Columns of the terminal; the usual ones where the output goes elsewhere."""
    if sys.stdout.isatty():
        import shutil

        return shutil.get_terminal_size().columns
    from ..report.printed import WIDTH

    return WIDTH


def echo_page(answer: Answer, page: Iterable[Block]) -> None:
    """The answer, then its panels: as wide as the terminal, in the usual width where it is none."""
    from ..report import printed

    width = line_width()
    lines = list(printed.answer_lines(answer, width))
    for block in page:
        lines += printed.block_lines(block, width)
    printed.write(lines)


def guarded(action: Callable[[], Any]) -> Any:
    """Run the engine; its refusals become one line and exit code 2."""
    try:
        return action()
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC):
            raise
        from ..report.reasons import error_text

        fail(error_text(error))


def plain_table(head: tuple[str, ...], rows: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> None:
    """Print a table of text: columns as wide as their content, numbers to the right."""
    printable = [tuple("".join(c for c in cell if c.isprintable()) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in (head, *printable)) for column in range(len(head))]
    for row in (head, *printable):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())
