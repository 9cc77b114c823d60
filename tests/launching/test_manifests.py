"""Every manifest passes the schema of its kind, with nothing that the kind does not know."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from infratui.catalog.launch_flags import launch_flags
from infratui.catalog.load import Catalog
from infratui.engine.case import Case
from infratui.launching.engines import command
from infratui.launching.flags import LaunchError
from infratui.launching.manifests import documents, script
from infratui.launching.plan import launch_plan
from infratui.scenario import Scenario

FACTS = Catalog()
FLAGS = launch_flags()
KINDS = json.loads((Path(__file__).parent / "kinds.json").read_text(encoding="utf-8"))
"""Custom kinds: the fields that are emitted, as the published definitions have them; anything else is refused."""

PLANS = {
    "one node": Scenario(model="llama-3.3-70b", precision="fp8", kv_precision="fp8", context=32768, gpus=8),
    "replicas": Scenario(model="llama-3.1-8b", users=64, context=8192, gpus=4, tp=1, dp=4),
    "experts": Scenario(model="deepseek-v3", accelerator="h200-sxm", users=16, context=8192, gpus=8, tp=2, dp=4, ep=8),
    "two nodes": Scenario(model="llama-3.1-405b", users=4, context=8192, gpus=16, tp=8, pp=2),
    "amd": Scenario(model="llama-3.3-70b", accelerator="mi300x", users=8, context=8192, gpus=2, tp=2),
}


def made(name: str, form: str, engine: str = "vllm", *, dra: bool = False):
    plan = launch_plan(Case(PLANS[name].with_(engine=engine), FACTS))
    return documents(form, plan, command(plan, FLAGS[engine]), dra=dra)


@pytest.mark.parametrize("dra", [False, True], ids=["resources", "claims"])
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize("name", ["one node", "replicas", "experts", "amd"])
def test_deployments_are_valid_kubernetes(name: str, engine: str, dra: bool) -> None:
    for document in made(name, "k8s", engine, dra=dra):
        kubernetes_validate.validate(document, "1.34", strict=True)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize("name", PLANS)
def test_worker_sets_are_valid(name: str, engine: str) -> None:
    (document,) = made(name, "lws", engine)
    jsonschema.validate(document, KINDS["LeaderWorkerSet"])
    for template in ("leaderTemplate", "workerTemplate"):
        if pod := document["spec"]["leaderWorkerTemplate"].get(template):
            kubernetes_validate.validate(as_pod(pod["spec"]), "1.34", strict=True)


@pytest.mark.parametrize("name", ["one node", "replicas", "experts"])
@pytest.mark.parametrize(("form", "kind"), [("kserve", "LLMInferenceService"), ("dynamo", "DynamoGraphDeployment")])
def test_services_of_others_are_valid(name: str, form: str, kind: str) -> None:
    (document,) = made(name, form)
    jsonschema.validate(document, KINDS[kind])


@pytest.mark.parametrize("name", ["one node", "replicas", "experts"])
def test_compose_is_valid(name: str) -> None:
    (document,) = made(name, "compose")
    jsonschema.validate(document, KINDS["compose"])


def test_a_planted_slip_is_caught() -> None:
    (document,) = made("two nodes", "lws")
    document["spec"]["leaderWorkerTemplate"]["sizes"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, KINDS["LeaderWorkerSet"])


@pytest.mark.parametrize("form", ["k8s", "compose", "dynamo"])
def test_several_nodes_are_refused_where_one_is_all_there_is(form: str) -> None:
    with pytest.raises(LaunchError, match="lws"):
        made("two nodes", form)


def test_a_job_of_several_nodes_names_its_first() -> None:
    plan = launch_plan(Case(PLANS["two nodes"], FACTS))
    text = script("slurm", plan, command(plan, FLAGS["vllm"]))
    assert "#SBATCH --nodes=2" in text
    assert "#SBATCH --gres=gpu:h100:8" in text
    assert '--node-rank "$SLURM_NODEID"' in text


def as_pod(spec: dict) -> dict:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
