"""Exports from the screen: what to write, under which name, and never over a file without asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ... import store
from ...report.export import OFFERS, ExportKind, Offer, file_name, free_path, json_report
from ...report.reasons import error_text
from ...scenario import ScenarioError
from ..widgets.choice import Choice
from ..widgets.picker import Picker
from ..widgets.table import TableView
from .overlays import Prompt

if TYPE_CHECKING:
    from .page import Page


def offer_export(screen: Page) -> None:
    """Let the user choose what to export and where to."""
    offers = {offer.kind.value: offer for offer in OFFERS if offer.kind is not ExportKind.CSV or _tables(screen)}
    choices = [Choice(kind, offer.label, offer.about) for kind, offer in offers.items()]

    def chosen(kind: str | None) -> None:
        if kind == ExportKind.LAUNCH.value:
            screen.call_after_refresh(offer_launch, screen)
        elif kind is not None:
            # The list must be gone from the screen before a picture of it is taken.
            screen.call_after_refresh(_prepare, screen, offers[kind])

    screen.app.push_screen(Picker("Export", choices), chosen)


def offer_launch(screen: Page) -> None:
    """Show what starts the deployment, by engine, version and form."""
    from .launching import LaunchScreen

    screen.app.push_screen(LaunchScreen(screen.session, screen.infra.copy, screen.note))


def _prepare(screen: Page, offer: Offer) -> None:
    try:
        text = content(screen, offer.kind)
    except (ValueError, OSError) as error:
        screen.note(f"nothing to export: {error}", "bad")
        return
    name = file_name(offer, screen.scenario.name, screen.SECTION)
    screen.app.push_screen(Prompt("Write to", str(free_path(Path.cwd(), name)), writer(screen.note, text)))


def writer(tell: Callable[[str, str], None], text: str) -> Callable[[str], str]:
    """What a prompt does with a path: writes the text, and asks once more where a file stands."""
    warned = ""

    def write(typed: str) -> str:
        nonlocal warned
        if not typed:
            return "type a file name"
        path = store.expanded(Path(typed))
        if path.is_dir():
            return f"{path} is a folder; add a file name"
        if path.exists() and warned != typed:
            warned = typed
            return "that file exists: enter again replaces it, another name keeps it"
        try:
            store.write_text(path, text)
        except ScenarioError as error:
            return error_text(error)
        tell(f"written to {path}", "good")
        return ""

    return write


def content(screen: Page, kind: ExportKind) -> str:
    """The text of an export."""
    session = screen.session
    match kind:
        case ExportKind.SCREEN:
            return screen.markdown()
        case ExportKind.REPORT:
            from ...report.full import markdown_report

            return markdown_report(session.evaluation, session.facts.today, screen.bytes_as)
        case ExportKind.JSON:
            return json_report(session.evaluation, session.facts.today) + "\n"
        case ExportKind.CSV:
            return tables_csv(screen)
        case ExportKind.LAUNCH:
            raise ValueError("what starts it has a window of its own")
        case ExportKind.SVG:
            return screen.app.export_screenshot(title=f"infratui: {screen.scenario.name}")


def tables_csv(screen: Page) -> str:
    """The tables of the screen, whole, one below the other with an empty line between."""
    from ...report.tables import table_csv

    return "\n".join(table_csv(replace(view.block, rows=view.rows)) for view in _tables(screen))


def _tables(screen: Page) -> list[TableView]:
    return [table for table in screen.query(TableView) if table.rows]
