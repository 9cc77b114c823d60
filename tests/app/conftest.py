"""The app without a terminal, and what it shows as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infratui import store
from infratui.app.app import InfraApp
from infratui.app.settings import Settings
from infratui.catalog.load import Catalog, default_catalog
from infratui.scenario import Scenario


@pytest.fixture(scope="session")
def shared_catalog() -> Catalog:
    """One catalog for all tests: reading it is most of a start."""
    return default_catalog()


@pytest.fixture
def make_app(shared_catalog: Catalog) -> Callable[..., InfraApp]:
    """An app on a preset, or on the scenario that is given."""

    def make(scenario: Scenario | str | None = "production", **settings: object) -> InfraApp:
        wanted = store.load_preset(scenario) if isinstance(scenario, str) else scenario
        return InfraApp(wanted, facts=shared_catalog, settings=Settings(**settings))  # type: ignore[arg-type]

    return make


@pytest.fixture
def shown() -> Callable[[InfraApp], str]:
    """What is on screen, line by line."""

    def text(app: InfraApp) -> str:
        return "\n".join(strip.text for strip in app.screen._compositor.render_strips())

    return text
