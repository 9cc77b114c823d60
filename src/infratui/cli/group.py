"""The root command: opens the app, or hands over to a command that is imported on demand."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..report.sections import SECTIONS
from . import at_a_terminal, streams
from .common import Options, deployment_options, fail

_LISTS = {
    "bits": "one value in every number format",
    "estimate": "one deployment per row of a CSV file",
    "accuracy": "the engine's error against measured data",
    "fleet": "several models on one pool of servers",
    "train": "memory of training a model or adapters, by ZeRO stage",
    "compare": "two scenarios side by side",
    "check": "a scenario held against its policy, for CI",
    "reconcile": "a serving engine's start-up log beside the prediction",
    "demand": "what a trace or a server's metrics ask for, into a scenario",
    "bench": "a benchmark of a server beside the prediction",
    "launch": "the command or manifest that starts it",
    "host": "what hardware is there, from any listing of it",
    "reference": "terms and pages",
    "models": "the models of the catalog",
    "gpus": "the accelerators of the catalog",
    "presets": "the presets, built in and yours",
    "fields": "every scenario field, its default and range",
}
COMMANDS = {entry.command: entry.about for entry in SECTIONS} | _LISTS
"""Command → one line. The module of the same name holds the command; a section needs none of its own."""


DEFECT = 70
"""Exit code of what nobody expected."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they run."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; whatever goes wrong is said in one line: arguments and standard output, code 2; a defect, code 70."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        streams.adapt()
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "infratui"
            if isinstance(error, click.NoSuchOption) and (field := _input_meant(error)):
                fail(f"{error.option_name} is an input: --set {field}=…; `infratui fields` lists them")
            fail(f"{error.format_message().rstrip('.')}; `{command} --help` shows how")
        except click.ClickException as error:
            fail(error.format_message())
        except click.Abort:
            sys.exit(128 + signal.SIGINT)
        except OSError as error:
            streams.drop()
            if error.errno == errno.EPIPE:
                sys.exit(1)
            fail(f"standard output cannot be written: {error.strerror or error}; choose another file or disk")
        except Exception as error:
            from ..mishaps import unforeseen

            doing = _command(args)
            fail(f"{doing} failed unexpectedly: {unforeseen(error, doing)}", DEFECT)
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in _LISTS and importlib.util.find_spec(f"{__package__}.{cmd_name}") is None:
            from .section import section_command

            plain: click.Command = section_command(cmd_name, f"{COMMANDS[cmd_name].capitalize()}.")
            return plain
        module = importlib.import_module(f"infratui.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def _input_meant(error: click.NoSuchOption) -> str:
    """The field of a scenario that was written as an option, where the command has `--set`; else empty."""
    from ..scenario import Scenario

    takes = error.ctx is not None and any("--set" in option.opts for option in error.ctx.command.params)
    field = error.option_name.lstrip("-").replace("-", "_")
    return field if takes and field in Scenario.FIELDS else ""


def _command(args: Sequence[str] | None) -> str:
    """What was asked for, in a word."""
    return next((argument for argument in args or () if argument in COMMANDS), "the report")


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="infratui")
@click.option("--plain", is_flag=True, help="Print the report instead of opening the app.")
@click.option(
    "--mouse", is_flag=True, help="Let the app have the mouse (the terminal's own selection then needs shift)."
)
@click.option("--no-motion", is_flag=True, help="No animation.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
@click.option("--screen", type=click.Choice([entry.id for entry in SECTIONS]), help="Start here.")
@deployment_options
@click.pass_context
def cli(
    ctx: click.Context,
    plain: bool,
    mouse: bool,
    no_motion: bool,
    ascii_only: bool,
    screen: str | None,
    deployment: Options,
) -> None:
    """LLM inference infrastructure, sized in your terminal.

    Without a command the app opens; where standard input or output is no terminal, the report is printed.
    """
    if ctx.invoked_subcommand is not None:
        if deployment.given:
            fail(f"put the options behind the command: infratui {ctx.invoked_subcommand} {deployment.given[0]} …")
        return
    if plain or not at_a_terminal():
        from ..report.full import plain_report

        click.echo(plain_report(deployment.scenario(), deployment.facts()))
        return
    from ..app import run

    scenario = deployment.scenario() if deployment.given else None
    sys.exit(run(scenario, mouse=mouse, motion=not no_motion, ascii_only=ascii_only, screen=screen))
