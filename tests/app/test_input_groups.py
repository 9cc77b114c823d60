"""Inputs stand in groups; what is seldom set is folded, shows where it differs, and is reached by name."""

from __future__ import annotations

from collections import Counter

import pytest

from infratui.app.screen.inputs import Inputs
from infratui.app.screens import SCREENS
from infratui.app.widgets.group_head import GroupHead
from infratui.app.widgets.value_row import LABEL, ValueRow
from infratui.report.input_groups import GROUPS, brief, groups
from infratui.scenario import INPUTS, Scenario

FIELDS = {field for group in GROUPS for field in (*group.fields, *group.folded)}


def shown_rows(app) -> list[str]:
    return [row.field for row in app.screen.query_one(Inputs).query(ValueRow) if row.display]


def head(app, title: str) -> GroupHead:
    return next(found for found in app.screen.query(GroupHead) if found.group.title == title)


class TestGroups:
    def test_a_field_stands_in_one_group(self) -> None:
        counted = Counter(field for group in GROUPS for field in (*group.fields, *group.folded))
        assert set(counted.values()) == {1}
        assert set(counted) <= set(INPUTS)

    @pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.id)
    def test_every_input_of_a_screen_stands_in_a_group(self, entry) -> None:
        fields = entry.make().FIELDS
        found = [field for group in groups(fields) for field in (*group.fields, *group.folded)]
        assert sorted(found) == sorted(fields)
        assert fields[0] in groups(fields)[0].fields

    def test_a_row_has_room_for_every_label_and_a_number(self) -> None:
        assert max(len(brief(field)) for field in FIELDS) <= LABEL + 3


class TestFolding:
    async def test_what_is_as_usual_is_folded_and_opens(self, make_app) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            assert "engine" not in shown_rows(pilot.app)
            serving = head(pilot.app, "Serving")
            assert serving.summary == "vLLM"
            serving.focus()
            await pilot.press("enter")
            await pilot.pause()
            assert {"engine", "adapters"} <= set(shown_rows(pilot.app))
            await pilot.press("enter")
            await pilot.pause()
            assert "engine" not in shown_rows(pilot.app)

    async def test_what_differs_from_its_default_is_shown(self, make_app) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            pilot.app.change(utilization=0.8)
            await pilot.pause()
            await pilot.pause()
            assert "utilization" in shown_rows(pilot.app)
            pilot.app.change(utilization=Scenario().utilization)
            await pilot.pause()
            assert "utilization" not in shown_rows(pilot.app)

    async def test_a_row_does_not_fold_while_it_has_the_keys(self, make_app) -> None:
        async with make_app(Scenario(adapters=1)).run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            pilot.app.screen.go_to("adapters")
            await pilot.pause()
            await pilot.press("left")
            await pilot.pause()
            assert pilot.app.scenario.adapters == 0
            assert pilot.app.screen.focused.field == "adapters"
            await pilot.press("up")
            await pilot.pause()
            await pilot.pause()
            assert "adapters" not in shown_rows(pilot.app)

    async def test_the_palette_goes_to_a_folded_field(self, make_app) -> None:
        async with make_app().run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("colon", *"engine", "up", "enter")
            await pilot.pause()
            await pilot.pause()
            assert isinstance(pilot.app.screen.focused, ValueRow)
            assert pilot.app.screen.focused.field == "engine"
