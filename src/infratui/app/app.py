"""Everything the user can do from any screen: screens, presets, files, undo, toggles, palette and help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import store
from ..engine.figures.units import ByteUnit
from ..scenario import ScenarioError
from . import settings as preferences
from .keys import KEYS, Where, bindings, screen_bindings
from .palette import set_field, take, things
from .screen.overlays import Prompt, Reading, help_content
from .screens import SCREENS, SEARCH
from .shell import Shell
from .theme import NIGHT, THEMES
from .widgets.choice import Choice
from .widgets.picker import Picker

if TYPE_CHECKING:
    from ..scenario import Scenario


class InfraApp(Shell):
    """infratui on screen."""

    BINDINGS = bindings(Where.APP) + screen_bindings((entry.id, entry.title) for entry in SCREENS)

    # -- screens

    def action_show_screen(self, name: str) -> None:
        """Show a peer screen."""
        self.show_peer(name)

    def _turn(self, by: int) -> None:
        names = [entry.id for entry in self.entries]
        here = self.current_mode if self.current_mode in names else self._came_from or names[0]
        self.action_show_screen(names[(names.index(here) + by) % len(names)])

    def action_next_screen(self) -> None:
        """The next screen."""
        self._turn(1)

    def action_previous_screen(self) -> None:
        """The previous screen."""
        self._turn(-1)

    def action_jump(self) -> None:
        """Choose a screen or a panel of this one; digits work here too."""
        screen = self.page
        panels = screen.panels() if screen else []
        choices = [
            Choice(entry.id, f"{number} {entry.title}", "screen") for number, entry in enumerate(self.entries, 1)
        ]
        choices += [
            Choice(f"#{at}", str(panel.border_title or "Inputs"), "panel of this screen")
            for at, panel in enumerate(panels)
        ]

        def chosen(value: str | None) -> None:
            if value is None or screen is None:
                return
            if value.startswith("#"):
                screen.enter(panels[int(value[1:])])
            else:
                self.action_show_screen(value)

        self.push_screen(Picker("Jump to", choices, self.current_mode), chosen)

    # -- reference and comparison

    def action_reference(self) -> None:
        """Open the reference, or leave it."""
        if self.current_mode == "reference":
            self.step_back()
        else:
            self.step_aside("reference")

    def action_search(self) -> None:
        """Search the reference; within one of its tables, filter that."""
        self.asked_article = SEARCH
        self.step_aside("reference")

    def action_compare(self) -> None:
        """Pin the scenario, or compare with the pinned one."""
        if self.current_mode == "compare":
            self.step_back()
        elif self.session.pinned is None:
            self.session.pinned = self.scenario
            self.note(f"“{self.scenario.name}” is pinned: change inputs, then c compares", "good")
        else:
            self.step_aside("compare")

    def action_drop_pin(self) -> None:
        """Drop the pinned scenario."""
        if self.session.pinned is None:
            self.note("nothing is pinned; c pins the scenario")
            return
        self.session.pinned = None
        if self.current_mode == "compare":
            self.step_back()
        self.call_after_refresh(self.note, "the pinned scenario is dropped; c pins this one", "good")

    def action_swap_pin(self) -> None:
        """Go on with the pinned scenario, and pin the current one."""
        if not self.session.swap_pin() or (pinned := self.session.pinned) is None:
            self.note("nothing is pinned; c pins the scenario")
            return
        self.sync()
        self.note(f"swapped: “{self.scenario.name}” goes on, “{pinned.name}” is pinned", "good")

    # -- presets and files

    def action_presets(self) -> None:
        """Choose a preset."""
        try:
            known = {preset.id: preset for preset in store.presets()}
        except ScenarioError as error:
            self.note(str(error), "bad")
            return
        choices = [Choice(preset.id, preset.title, preset.about, preset.own) for preset in known.values()]
        current = next((preset.id for preset in known.values() if preset.title == self.scenario.name), "")

        def chosen(value: str | None) -> None:
            if value is not None:
                self._load(known[value].path, f"preset “{known[value].title}”: all inputs set")

        self.push_screen(Picker("Presets", choices, current), chosen)

    def _load(self, path: Path, words: str) -> None:
        try:
            self.session.open_file(path)
        except ScenarioError as error:
            self.note(str(error), "bad")
        else:
            self.opened(words)

    def action_preset_back(self) -> None:
        """Back to what was opened last."""
        if self.session.go_back():
            self.note(f"back to “{self.scenario.name}”; u undoes it", "good")
        else:
            self.note("nothing differs from the preset")

    def action_save(self) -> None:
        """Save the scenario under a name or path."""

        def save(text: str) -> str:
            if not text:
                return "type a name, such as my-plan, or a path"
            try:
                path = self.session.save(text)
            except ScenarioError as error:
                return str(error)
            self.sync()
            self.note(f"saved to {path}", "good")
            return ""

        name = "".join(char if char.isalnum() or char in "-_." else "-" for char in self.scenario.name.lower())
        self.push_screen(Prompt("Save the scenario as", name.strip("-") or "plan", save))

    def action_pool(self) -> None:
        """Put this scenario and others on one pool of servers."""
        from .screen.pooling import ask

        ask(self)

    def action_open(self) -> None:
        """Open a saved scenario, or a file by its path."""
        choices = [Choice(str(path), path.stem, str(path.parent)) for path in store.saved_scenarios()]
        choices += [Choice(str(path), name, "a session that was kept") for path, name in store.session_names()]

        def chosen(value: str | None) -> None:
            if value is not None:
                try:
                    path = store.find_scenario(value)
                except ScenarioError as error:
                    self.note(str(error), "bad")
                else:
                    self._load(path, f"opened {path}")

        self.push_screen(Picker("Open a scenario", choices, free="path of a scenario file"), chosen)

    def action_restore(self) -> None:
        """Bring the last session back."""
        if self.session.last is None:
            self.note("no last session is kept")
        else:
            self.session.replace(self.session.last)
            self.note("the last session is back; u undoes it", "good")

    # -- undo

    def _say_changed(self, word: str, changed: tuple[str, ...] | None) -> None:
        if changed is None:
            self.note(f"nothing to {word}")
        else:
            self.note(f"{word}: {', '.join(changed[:4])}{' …' if len(changed) > 4 else ''}")

    def action_undo(self) -> None:
        """Take the last change back."""
        self._say_changed("undo", self.session.undo())

    def action_redo(self) -> None:
        """Make the change again."""
        self._say_changed("redo", self.session.redo())

    # -- toggles

    def _set(self, words: str, **changes: object) -> None:
        self.settings = self.settings.with_(**changes)
        try:
            preferences.keep(self.settings)
        except ScenarioError as error:
            self.note(f"{words}, for this session only: {error}", "bad")
        else:
            self.note(words, "good")

    def action_toggle_estimator(self) -> None:
        """Detailed estimator or rule of thumb."""
        other = "rule-of-thumb" if self.scenario.estimator == "detailed" else "detailed"
        self.change(estimator=other)
        self.note(f"estimator: {other}", "good")

    def action_toggle_bytes(self) -> None:
        """GB or GiB."""
        other = ByteUnit.GIB if self.settings.bytes_as is ByteUnit.GB else ByteUnit.GB
        size = "10⁹" if other is ByteUnit.GB else "2³⁰"
        self._set(f"bytes in {other.value} ({size})", bytes_as=other)

    def action_toggle_motion(self) -> None:
        """Animation on or off."""
        motion = not self.settings.motion
        self._set(f"animation {'on' if motion else 'off'}", motion=motion)

    def action_toggle_ascii(self) -> None:
        """Draw with ASCII only, or not."""
        plain = not self.settings.ascii_only
        self._set("drawing with ASCII only" if plain else "drawing with all glyphs", ascii_only=plain)
        self.redraw()

    def action_next_theme(self) -> None:
        """The next theme."""
        at = THEMES.index(self.theme) if self.theme in THEMES else -1
        name = THEMES[(at + 1) % len(THEMES)]
        self._set(f"theme {name}", theme=name)

    def action_redraw(self) -> None:
        """Send the whole screen again."""
        self.redraw()

    # -- palette and help

    def action_palette(self) -> None:
        """Every action, filtered by typing."""
        screen = self.page
        if screen is None or len(self.screen_stack) > 1:
            return
        focused = screen.focused
        commands: dict[str, Callable[[], object]] = {}
        choices: list[Choice] = []

        def offer(text: str, keys: str, group: str, action: str, target: object) -> None:
            label = str(len(commands))
            commands[label] = lambda: self.run_worker(self.run_action(action, target))  # type: ignore[arg-type]
            choices.append(Choice(label, text, f"{keys:12} {group}"))

        for number, entry in enumerate(self.entries, 1):
            offer(f"Show {entry.title}", str(number), "Screens", f"show_screen('{entry.id}')", self)
        for key in KEYS:
            if not key.palette or (key.where is Where.MOTION and not screen.ANIMATED):
                continue
            if key.where is Where.APP:
                offer(key.text, key.display, key.group, key.action, self)
            elif key.where in (Where.SECTION, Where.MOTION):
                offer(key.text, key.display, key.group, key.action, screen)
            elif focused is not None and key.where is _place(focused):
                offer(key.text, key.display, f"{key.group} · {key.where.value}", key.action, focused)

        offer("Your hardware: paste a listing", "", "Reality", "hardware", self)
        offer("Reconcile: read a start-up log", "", "Reality", "reconcile", self)
        offer("Demand: read a trace, or a server's metrics", "", "Reality", "demand", self)
        offer("Demand: drop what was measured", "", "Reality", "drop_demand", self)
        for choice in things(self):
            commands[choice.value] = lambda word=choice.value: take(self, word)  # type: ignore[misc]
            choices.append(choice)

        def chosen(value: str | None) -> None:
            if value in commands:
                commands[value]()
            elif value:
                set_field(self, value)

        free = "field and its value: users 200, context 16k"
        title = "Commands, and everything by name"
        self.push_screen(Picker(title, choices, free=free, shown=self._preview), chosen)

    def _preview(self, word: str) -> None:
        """A theme under the cursor of the palette is shown at once, and again gone with the cursor."""
        kind, _, name = word.partition(":")
        wanted = name if kind == "theme" else self.settings.theme
        if wanted != self.theme:
            self.theme = wanted if wanted in self.available_themes else NIGHT.name

    # -- reality

    def action_hardware(self) -> None:
        """Read a listing of hardware, and take it into the scenario."""
        from .screens.host.screen import HostScreen

        def taken(found: tuple[Scenario, str] | None) -> None:
            if found is not None:
                self.set_scenario(found[0])
                self.note(f"{found[1]}; u undoes it", "good")

        self.push_screen(HostScreen(lambda: self.scenario, self.facts), taken)

    def action_reconcile(self) -> None:
        """Read a start-up log beside its prediction."""
        from .screens.reconcile.screen import ReconcileScreen

        self.push_screen(ReconcileScreen(self.facts))

    def action_demand(self) -> None:
        """Read a trace or a server's metrics, and take the demand into the scenario."""
        from .screens.demand.screen import DemandScreen

        def taken(found: tuple[Scenario, str] | None) -> None:
            if found is not None:
                self.set_scenario(found[0])
                self.note(f"{found[1]}; u undoes it", "good")

        self.push_screen(DemandScreen(self.session), taken)

    def action_drop_demand(self) -> None:
        """Size for what is typed again."""
        if self.scenario.demand_profile is None:
            self.note("no measured demand is set; everything is as typed")
            return
        self.change(demand_profile=None)
        self.note("typed lengths and peak are in force again; u undoes it", "good")

    def action_help(self) -> None:
        """The keys that work here, then all others."""
        screen = self.page
        if screen is None or len(self.screen_stack) > 1:
            return
        tabs = [(number, entry.title) for number, entry in enumerate(self.entries, 1)]
        about = (type(screen).HELP or "").strip()
        places = {place for place in map(_place, screen.query("*")) if place is not None}
        if screen.ANIMATED:
            places.add(Where.MOTION)
        content = help_content(tabs, _place(screen.focused), places, about=about, width=self.size.width)
        self.push_screen(Reading(f"Help: {self.title_of(screen.SECTION)}", content))

    # -- leaving

    async def action_quit(self) -> None:
        """Quit; the scenario is kept for the next start."""
        refusal = self.session.keep()
        if refusal and not self._leaving:
            self._ask_again(f"press again to quit and lose the scenario: {refusal.replace(str(Path.home()), '~')}")
            return
        self.exit(0)

    def action_help_quit(self) -> None:
        """Ctrl+C: ask once, then leave."""
        if self._leaving:
            self.session.keep()
            self.exit(0)
        else:
            self._ask_again("ctrl+c again quits")

    _leaving = False

    def _ask_again(self, words: str) -> None:
        self._leaving = True
        self.set_timer(3.0, self._stay)
        self.note(words, "key")

    def _stay(self) -> None:
        self._leaving = False


def _place(widget: object) -> Where | None:
    """Where in the key table a widget's own keys stand."""
    return getattr(widget, "PLACE", None)
