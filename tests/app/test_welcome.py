"""The three lines of a first start: shown, dismissed by escape, and never again."""

from __future__ import annotations

from infratui.app import settings as preferences
from infratui.app.app import InfraApp
from infratui.app.widgets.welcome import LINES, Welcome


def _start(catalog) -> InfraApp:
    return InfraApp(facts=catalog, settings=preferences.load())


class TestFirstStart:
    async def test_it_greets_once(self, shared_catalog, shown) -> None:
        app = _start(shared_catalog)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "all keys for what is focused" in shown(app)
            await pilot.press("escape")
            await pilot.pause()
            assert not app.screen.query(Welcome)
        again = _start(shared_catalog)
        async with again.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert not again.screen.query(Welcome)

    async def test_it_stays_until_it_is_dismissed(self, shared_catalog) -> None:
        for _ in range(2):
            app = _start(shared_catalog)
            async with app.run_test(size=(80, 24)) as pilot:
                await pilot.press("down", "right", "B")
                await pilot.pause()
                assert app.screen.query(Welcome)

    def test_its_lines_fit_eighty_columns(self) -> None:
        assert len(LINES) == 3
        for line in LINES:
            assert sum(len(keys) + len(text) + 3 for keys, text in line) <= 78
