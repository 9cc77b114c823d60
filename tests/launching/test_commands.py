"""The commands that start a plan: flags that the version has, nothing that the plan does not state, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from infratui.catalog.launch_flags import launch_flags
from infratui.catalog.load import Catalog
from infratui.cli.group import cli
from infratui.engine.case import Case
from infratui.engine.cluster.layout import Layout
from infratui.engine.deployment.judge import NoReplicaError
from infratui.launching.command import LaunchCommand
from infratui.launching.engines import command
from infratui.launching.flags import LaunchError, version_key
from infratui.launching.manifests import script
from infratui.launching.plan import LaunchPlan, launch_plan
from infratui.scenario import Scenario
from tests.launching.command_reader import read_command

FACTS = Catalog()
FLAGS = launch_flags()
DENSE = Scenario(model="llama-3.3-70b", precision="fp8", kv_precision="fp8", users=50, context=32768, gpus=8)
EXPERTS = Scenario(model="deepseek-v3", accelerator="h200-sxm", users=16, context=8192, gpus=8)


def plan(scenario: Scenario) -> LaunchPlan:
    return launch_plan(Case(scenario, FACTS))


def flag_of(made: LaunchCommand, concept: str) -> str | None:
    return next((entry.value for entry in made.arguments if entry.concept == concept), None)


VERSIONS = {
    name: sorted({entry.since for entry in flags.flags} | {flags.newest}, key=version_key)
    for name, flags in FLAGS.items()
}


@pytest.mark.parametrize(("engine", "version"), [(name, each) for name, known in VERSIONS.items() for each in known])
@pytest.mark.parametrize("scenario", [DENSE, EXPERTS.with_(tp=2, dp=4, ep=8)], ids=["dense", "experts"])
def test_every_flag_exists_in_its_version(engine: str, version: str, scenario: Scenario) -> None:
    flags = FLAGS[engine]
    started = said(lambda: command(plan(scenario), flags, version))
    if isinstance(started, str):
        assert started.isprintable()
        return
    for entry in started.arguments:
        assert not entry.flag or any(flag.flag == entry.flag and flag.exists_in(version) for flag in flags.flags), entry


def said(make: Callable[[], LaunchCommand]) -> LaunchCommand | str:
    """The command, or the refusal in words."""
    try:
        return make()
    except LaunchError as refused:
        return str(refused)


def test_flags_that_are_gone_are_not_emitted() -> None:
    flags = FLAGS["vllm"]
    assert flags.of("swap", "0.17.0") == "--swap-space"
    assert flags.of("swap", "0.18.0") is None


def test_the_memory_fraction_is_always_written_since_its_default_moved() -> None:
    made = plan(DENSE)
    for version in ("0.19.0", "0.20.0"):
        assert flag_of(command(made, FLAGS["vllm"], version), "memory-fraction") == "0.9"
    defaults = [
        entry.default
        for version in ("0.19.0", "0.20.0")
        for entry in command(made, FLAGS["vllm"], version).arguments
        if entry.concept == "memory-fraction"
    ]
    assert defaults == [True, False]


def test_experts_of_vllm_have_no_size_of_their_own() -> None:
    made = command(plan(EXPERTS.with_(tp=2, dp=4, ep=8)), FLAGS["vllm"])
    assert (flag_of(made, "tensor-parallel"), flag_of(made, "data-parallel")) == ("2", "4")
    assert flag_of(made, "expert-parallel") == ""


def test_attention_groups_of_sglang_changed_their_flag() -> None:
    made = plan(EXPERTS.with_(tp=2, dp=4, ep=8))
    new, old = command(made, FLAGS["sglang"], "0.5.22"), command(made, FLAGS["sglang"], "0.5.14")
    assert (flag_of(new, "tensor-parallel"), flag_of(new, "attention-data-parallel")) == ("8", "4")
    assert (flag_of(old, "data-parallel"), flag_of(old, "attention-data-parallel-switch")) == ("4", "")


@pytest.mark.parametrize(
    ("changes", "engine", "says"),
    [
        ({"precision": "int4-awq"}, "vllm", "is a checkpoint of its own"),
        ({"kv_precision": "fp32", "users": 2}, "vllm", "has no"),
        ({}, "llama.cpp", "cannot be said; set tp=1"),
        ({"gpus": 1}, "vllm", "would not start"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(changes: dict[str, object], engine: str, says: str) -> None:
    with pytest.raises(LaunchError, match=says) as refused:
        command(plan(DENSE.with_(**changes)), FLAGS[engine])
    assert "\n" not in str(refused.value)


SPREADS = st.sampled_from(
    [
        (DENSE, {}), (DENSE, {"tp": 4, "dp": 2}), (DENSE, {"tp": 4, "pp": 2}), (DENSE, {"gpus": 16, "tp": 8, "pp": 2}),
        (EXPERTS, {"tp": 8, "ep": 8}), (EXPERTS, {"tp": 2, "dp": 4, "ep": 8}), (EXPERTS, {"tp": 1, "dp": 8, "ep": 8}),
        (EXPERTS, {"gpus": 16, "tp": 2, "dp": 8, "ep": 8}),
    ]
)  # fmt: skip
ROUND = {
    "model", "tp", "pp", "dp", "ep", "context", "max_num_seqs", "max_batched_tokens", "utilization", "kv_precision",
}  # fmt: skip


@settings(max_examples=200)
@given(
    spread=SPREADS,
    engine=st.sampled_from(["vllm", "sglang"]),
    users=st.integers(1, 40),
    context=st.sampled_from([4096, 8192, 16384]),
    utilization=st.sampled_from([0.85, 0.9, 0.92]),
    cache=st.sampled_from(["bf16", "fp8"]),
    sequences=st.sampled_from([64, 128, 256]),
    tokens=st.sampled_from([2048, 4096, 8192]),
)
def test_what_is_emitted_reads_back_as_the_same_scenario(
    spread, engine, users, context, utilization, cache, sequences, tokens
) -> None:
    base, layout = spread
    scenario = base.with_(
        engine=engine, users=users, context=context, utilization=utilization, kv_precision=cache,
        max_num_seqs=sequences, max_batched_tokens=tokens, **layout,
    )  # fmt: skip
    try:
        made = plan(scenario)
        started = command(made, FLAGS[engine])
    except LaunchError:
        assume(False)
        return
    chosen = made.layout
    found = read_command(script("sh", made, started), FLAGS[engine])
    expected = scenario.with_(tp=chosen.tp, pp=chosen.pp, dp=chosen.dp, ep=chosen.ep, model=made.model)
    assert {name: found[name] for name in ROUND} == {name: getattr(expected, name) for name in ROUND}
    assert found.get("precision", scenario.precision) == scenario.precision


@pytest.mark.parametrize(
    "text", ["", "vllm", "vllm serve x --no-such-flag 3", "vllm serve 'x", "vllm serve x --max-num-seqs many"]
)
def test_what_is_no_command_is_one_line(text: str) -> None:
    with pytest.raises(LaunchError) as refused:
        read_command(text, FLAGS["vllm"])
    assert "\n" not in str(refused.value)


class TestOnTheCommandLine:
    def run(self, *arguments: str):
        return CliRunner().invoke(cli, ["launch", *arguments])

    def test_prints_a_script_that_can_be_run(self) -> None:
        result = self.run("vllm", "--preset", "production")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("#!/bin/sh\nset -eu\nvllm serve meta-llama/")

    def test_explains_each_argument(self) -> None:
        result = self.run("vllm", "--preset", "production", "--explain")
        assert "GPUs that share every layer" in result.stdout
        assert "(this version's default)" in result.stdout

    def test_json_carries_the_words_and_where_they_come_from(self) -> None:
        found = json.loads(self.run("sglang", "--preset", "frontier-moe", "--json").stdout)
        assert found["schema"] == 1
        assert found["words"][:4] == ["python", "-m", "sglang.launch_server", "--model-path"]
        assert {"concept", "flag", "value", "default", "states", "from"} == set(found["arguments"][0])

    def test_a_version_before_a_flag_says_when_it_came(self) -> None:
        result = self.run("vllm", "--preset", "frontier-moe", "--engine-version", "0.6.0")
        assert result.exit_code == 2
        assert "it came with 0.8.5" in result.stderr


def test_a_shared_cache_is_said_by_each_engine_in_its_own_words_or_not_at_all() -> None:
    asked = {"model": "deepseek-v3", "accelerator": "h200", "gpus": 8, "tp": 8, "dcp": 8, "users": 8}
    flags = {"vllm": "--decode-context-parallel-size", "sglang": "--dcp-size"}
    for engine, flag in flags.items():
        plan = launch_plan(Case(Scenario(engine=engine, **asked), FACTS))
        said = command(plan, launch_flags()[engine])
        assert (flag, "8") in [(argument.flag, argument.value) for argument in said.arguments]
        assert flag not in [
            argument.flag for argument in command(replace(plan, layout=Layout(8)), launch_flags()[engine]).arguments
        ]
    with pytest.raises(LaunchError, match=r"0\.10\.2"):
        command(launch_plan(Case(Scenario(engine="vllm", **asked), FACTS)), launch_flags()["vllm"], "0.9.0")
    with pytest.raises(NoReplicaError, match="does not share out"):
        launch_plan(Case(Scenario(engine="vllm", engine_version="0.9.0", **asked), FACTS))
    with pytest.raises(LaunchError, match="no cache by tokens"):
        command(plan, launch_flags()["tensorrt-llm"])


@pytest.mark.parametrize(("stated", "dcp"), [("--decode-context-parallel-size 8", 8), ("", 1)])
def test_a_command_line_says_whether_its_cache_is_shared_out(stated: str, dcp: int) -> None:
    found = read_command(
        f"vllm serve deepseek-ai/DeepSeek-V3 --tensor-parallel-size 8 {stated}", launch_flags()["vllm"]
    )

    assert found["dcp"] == dcp
