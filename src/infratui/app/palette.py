"""What the palette knows besides actions: models, GPUs, presets, terms, themes, and fields that are set by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import store
from ..inputs import Kind
from ..policy import PREFIX, Policy
from ..scenario import INPUTS, ScenarioError, field_of
from ..settings_text import parse_value
from .screen.section import SectionScreen
from .theme import THEMES
from .widgets.choice import Choice

if TYPE_CHECKING:
    from .app import InfraApp

_LISTED = ("model", "accelerator", "precision", "kv_precision")
"""Fields whose every value stands in the palette."""


def things(app: InfraApp) -> list[Choice]:
    """Everything with a name, after the actions; a value is `kind:id`."""
    book = app.session.fields
    found = [
        Choice(f"{field}:{choice.value}", choice.label, f"{INPUTS[field].label:12} {choice.detail}", choice.own)
        for field in _LISTED
        for choice in book.choices(field)
    ]
    found += [Choice(f"preset:{preset.id}", preset.title, f"Preset       {preset.about}") for preset in store.presets()]
    found += [Choice(f"theme:{name}", name, "Theme") for name in THEMES]
    limits = {name: _limit(app, name, getattr(app.scenario.policy, name)) for name in Policy.FIELDS}
    found += [
        Choice(f"limit:{name}", f"Policy: {Policy.FIELDS[name].spec.label}", f"Limit        {value}")
        for name, value in limits.items()
    ]
    terms = app.library.terms.values()
    return found + [Choice(f"term:{entry.id}", entry.name, f"Term         {entry.short}") for entry in terms]


def take(app: InfraApp, word: str) -> None:
    """Take one of the things."""
    kind, _, name = word.partition(":")
    match kind:
        case "preset":
            preset = next(entry for entry in store.presets() if entry.id == name)
            app.session.open(store.load_scenario(preset.path))
            app.note(f"{preset.title} opened; u undoes it", "good")
        case "theme":
            app.settings = app.settings.with_(theme=name)
        case "term":
            app.open_term(name)
        case "limit":
            _ask(app, name)
        case _:
            _change(app, kind, name)


def _ask(app: InfraApp, name: str) -> None:
    """Type a limit of the policy; an empty line takes it away."""
    from .screen.overlays import Prompt

    entry, field = Policy.FIELDS[name], f"{PREFIX}{name}"
    now = getattr(app.scenario.policy, name)

    def take_it(text: str) -> str:
        try:
            app.session.change(**{field: parse_value(field, text) if text else entry.default})
        except ScenarioError as error:
            return str(error)
        app.note(f"{_told(app, field, getattr(app.scenario.policy, name))}; u undoes it", "good")
        return ""

    unit = f", {entry.spec.unit}" if entry.spec.unit else ""
    title = f"Policy: {entry.spec.label}{unit} ({entry.spec.help})"
    app.push_screen(Prompt(title[:66], app.session.fields.typed(field, now) if now else "", take_it))


def _limit(app: InfraApp, name: str, value: object) -> str:
    unit = Policy.FIELDS[name].spec.unit
    return f"{app.session.fields.typed(name, value)} {unit}".rstrip() if value else "none"


def set_field(app: InfraApp, text: str) -> None:
    """`users 200`: set a field that is named by its label or id, or by how either begins; `users` goes to its row."""
    head, _, value = text.strip().partition(" ")
    field, rest = _field(head), value
    if field is None:
        # Labels of two words: `input tokens 500`.
        head, _, rest = text.strip().rpartition(" ")
        field = _field(head)
    if (alone := _field(text)) is not None and isinstance(app.page, SectionScreen) and app.page.go_to(alone):
        return
    if field is None or not rest.strip():
        app.note(f"{text[:40]!r}: write a field and its value, such as users 200", "bad")
        return
    _change(app, field, rest.strip())


def _field(name: str) -> str | None:
    name = name.casefold().replace("-", " ").replace("_", " ").strip()
    if not name:
        return None
    known = {field: (spec.label.casefold(), field.replace("_", " ")) for field, spec in INPUTS.items()}
    limits = {f"{PREFIX}{limit}": (f"{PREFIX}{limit.replace('_', ' ')}",) for limit in Policy.FIELDS}
    exact = next((field for field, names in (known | limits).items() if name in names), None)
    return exact or next((field for field, names in known.items() if any(n.startswith(name) for n in names)), None)


def _change(app: InfraApp, field: str, text: str) -> None:
    try:
        value = parse_value(field, text)
        if field in INPUTS and INPUTS[field].kind in (Kind.MODEL, Kind.ACCELERATOR, Kind.PRECISION, Kind.KV_PRECISION):
            app.session.check_name(field, str(value))
        app.session.change(**{field: value})
    except (ScenarioError, ValueError, OSError) as error:
        app.note(str(error), "bad")
        return
    app.note(f"{_told(app, field, value)}; u undoes it", "good")


def _told(app: InfraApp, field: str, value: object) -> str:
    entry = field_of(field)
    if field in INPUTS or entry is None:
        return f"{INPUTS[field].label}: {app.session.fields.shown(field, value)}"
    return f"Policy, {entry.spec.label}: {_limit(app, field[len(PREFIX) :], value)}"
