"""`infratui cost` and `infratui plan`: the guide's flows as commands, JSON for scripts, refusals of one line."""

import json

import pytest
from click.testing import CliRunner, Result

from infratui.cli.group import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


class TestCost:
    def test_the_guides_flow_in_two_commands(self) -> None:
        deployment = ("cost", "--model", "70b", "--requests", "50000", "--json")
        whole, eight = (json.loads(run(*deployment, "--hours", hours).stdout) for hours in ("24", "8"))
        monthly = [
            {entry["option"]: entry["usd_per_month"]["median"] for entry in found["options"]}
            for found in (whole, eight)
        ]
        assert monthly[1]["on demand"] == pytest.approx(monthly[0]["on demand"] / 3)
        assert monthly[1]["on demand"] < monthly[1]["reserved 1 year"] < monthly[0]["on demand"]

    def test_compliance_is_said(self) -> None:
        result = run("cost", "--compliance")
        assert "✓ Buy: your data must stay on premises" in result.output
        assert "a month over the cheapest other option" in result.output

    def test_brief_is_one_paragraph(self) -> None:
        result = run("cost", "--brief")
        assert result.output.count("\n") == 1
        assert "Breakevens:" in result.output

    def test_the_math_names_what_is_assumed(self) -> None:
        result = run("cost", "--explain")
        assert "capital per month = " in result.output
        assert "assumed" in result.output
        assert "calibrated ±" in result.output

    @pytest.mark.long
    def test_json_carries_ranges_dates_and_the_path(self) -> None:
        found = json.loads(run("cost", "--requests", "5000000", "--json").stdout)
        assert {"low", "median", "high"} <= set(found["options"][0]["usd_per_month"])
        assert found["options"][0]["price_newest"]
        assert found["decision"]["path"][0]["id"] == "must-stay"
        assert found["tornado"]["swings"]
        assert len(found["levers"]) == 7

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--set", "on_demand_usd=-1"), "on_demand_usd: -1"),
            (("--hours", "25"), "hours_per_day: 25"),
            (("--set", "tpot_ms=1"), "misses the TPOT target"),
            (("--gpu", "h900"), "unknown accelerator"),
        ],
    )
    def test_bad_input_is_one_line(self, arguments: tuple[str, ...], words: str) -> None:
        result = run("cost", *arguments)
        assert result.exit_code == 2
        assert words in result.stderr
        assert result.stderr.count("\n") == 1


class TestPlan:
    ARGUMENTS = ("plan", "--requests", "50000", "--ttft", "1000", "--tpot", "50", "--model", "llama-3.3-70b")

    def test_the_cheapest_plan_is_named_with_its_price(self) -> None:
        result = run(*self.ARGUMENTS)
        assert result.exit_code == 0
        assert "✓ 1 × " in result.output
        assert "Nothing beats these in both cost and speed per user" in result.output

    def test_one_gpu_and_format_can_be_asked_for(self) -> None:
        found = json.loads(run(*self.ARGUMENTS, "--gpu", "h100", "--format", "fp8", "--json").stdout)
        assert [(entry["accelerator"], entry["replica"]["precision"]) for entry in found["candidates"]] == [
            ("h100-sxm", "fp8")
        ]

    def test_a_target_that_nothing_holds_exits_with_one(self) -> None:
        result = run("plan", "--requests", "50000", "--tpot", "1", "--model", "llama-3.3-70b")
        assert result.exit_code == 1
        assert "No plan holds that" in result.output
