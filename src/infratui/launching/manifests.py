"""A server's start as what runs it: shell, compose, Kubernetes kinds, Slurm; as plain values, and as text.

Field names: Kubernetes 1.34 core kinds, leaderworkerset.x-k8s.io/v1, serving.kserve.io/v1alpha2 and nvidia.com/v1beta1
as their published schemas have them.
"""

from __future__ import annotations

from typing import Any

from .command import LaunchCommand
from .flags import LaunchError
from .plan import LaunchPlan

FORMS = ("sh", "compose", "k8s", "lws", "kserve", "dynamo", "slurm")
_IMAGES = {
    "vllm": "vllm/vllm-openai:v{version}",
    "sglang": "lmsysorg/sglang:v{version}",
    "tensorrt-llm": "nvcr.io/nvidia/tensorrt-llm/release:{version}",
    "tgi": "ghcr.io/huggingface/text-generation-inference:{version}",
}
_PORTS = {"vllm": 8000, "sglang": 30000, "tensorrt-llm": 8000, "tgi": 8080, "llama.cpp": 8080, "ollama": 11434}
_LEADER = {"$NODE_RANK": "$(LWS_WORKER_INDEX)", "$MASTER_ADDR": "$(LWS_LEADER_ADDRESS)"}
_CACHE = "/models"
"""Where a container keeps checkpoints, whoever it runs as."""
_START_UP_CHECKS = 180
"""Times ten seconds: a large checkpoint is read in half an hour at most."""

Document = dict[str, Any]


def documents(form: str, plan: LaunchPlan, command: LaunchCommand, *, dra: bool = False) -> tuple[Document, ...]:
    """The YAML documents of a form; none for those that are scripts. Raises LaunchError where a form cannot hold it."""
    if form in ("sh", "slurm"):
        return ()
    if command.engine not in _IMAGES:
        raise LaunchError(f"{command.engine} has no published image that is known here; use sh")
    if form == "compose":
        return (_compose(plan, command),)
    if form == "k8s":
        return _deployment(plan, command, dra)
    if form == "lws":
        return (_leader_worker_set(plan, command),)
    if command.engine != "vllm" and form == "kserve":
        raise LaunchError("an LLMInferenceService starts vLLM; use k8s or lws for another engine")
    return (_inference_service(plan, command),) if form == "kserve" else (_dynamo(plan, command),)


def written(form: str, plan: LaunchPlan, command: LaunchCommand, *, dra: bool = False) -> str:
    """The text of a form: a script, or YAML documents. Raises LaunchError where a form cannot hold it."""
    found = documents(form, plan, command, dra=dra)
    if not found:
        return script(form, plan, command)
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes what is shared twice: a manifest has no anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    return "---\n".join(yaml.dump(each, Dumper=Plain, sort_keys=False, allow_unicode=True) for each in found)


def script(form: str, plan: LaunchPlan, command: LaunchCommand) -> str:
    """The text of `sh` and `slurm`."""
    body = command.shell
    if plan.nodes_per_engine > 1:
        body = body.replace("'$NODE_RANK'", '"$NODE_RANK"').replace("'$MASTER_ADDR'", '"$MASTER_ADDR"')
        body = body.replace("'$MASTER_ADDR:20000'", '"$MASTER_ADDR:20000"')
    files = _here_document(command)
    if form == "sh":
        lines = ["#!/bin/sh", "set -eu", *files]
        if (count := servers(plan, command)) > 1:
            lines.append(f"# servers: {count}")
        if plan.nodes_per_engine > 1:
            lines.append("# On each node: NODE_RANK is 0 on the first, MASTER_ADDR is the first's address.")
        return "\n".join((*lines, body)) + "\n"
    kind = plan.accelerator.split("-")[0]
    head = [
        "#!/bin/bash",
        f"#SBATCH --job-name={plan.name}",
        f"#SBATCH --nodes={plan.nodes_per_engine}",
        *([] if plan.cpu else [f"#SBATCH --gres=gpu:{kind}:{min(plan.gpus_per_engine, plan.gpus_per_node)}"]),
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --exclusive",
        "set -eu",
        *files,
    ]
    if plan.nodes_per_engine == 1:
        return "\n".join((*head, f"srun {body}")) + "\n"
    quoted = body.replace("'", "'\\''").replace('"$NODE_RANK"', '"$SLURM_NODEID"')
    address = 'export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)'
    return "\n".join((*head, address, f"srun bash -c '{quoted}'")) + "\n"


def _here_document(command: LaunchCommand) -> list[str]:
    if not command.config:
        return []
    if command.engine == "ollama":
        lines = [f"{key} {value}" for key, value in command.config.items()]
        return ["cat > Modelfile <<'END'", *lines, "END"]
    lines = []
    for key, value in command.config.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {inner}" for name, inner in value.items())]
        else:
            lines.append(f"{key}: {str(value).lower()}")
    return ["cat > config.yaml <<'END'", *lines, "END"]


def _image(command: LaunchCommand) -> str:
    return _IMAGES[command.engine].format(version=command.version)


def _words(command: LaunchCommand) -> list[str]:
    """What a container runs; addresses of other nodes as a group's environment names them."""
    return [_LEADER.get(word, word.replace("$MASTER_ADDR", _LEADER["$MASTER_ADDR"])) for word in command.words]


def _refuse_config(command: LaunchCommand) -> None:
    if command.config:
        raise LaunchError(f"{command.engine} takes {', '.join(command.config)} from a file only; use sh or slurm")


def _compose(plan: LaunchPlan, command: LaunchCommand) -> Document:
    _refuse_config(command)
    if plan.nodes_per_engine > 1:
        raise LaunchError("compose starts one machine; use slurm or lws for several nodes")
    devices = {"driver": "nvidia", "count": plan.gpus_per_engine, "capabilities": ["gpu"]}
    port = _PORTS[command.engine]
    service = {
        "image": _image(command),
        "entrypoint": _words(command),
        "ports": [f"{port}:{port}"],
        "ipc": "host",
        "environment": {"HF_HOME": _CACHE},
        "volumes": [f"model-cache:{_CACHE}"],
        "deploy": {"resources": {"reservations": {"devices": [devices]}}},
    }
    return {"services": {plan.name: service}, "volumes": {"model-cache": {}}}


def _container(plan: LaunchPlan, command: LaunchCommand, name: str, dra: bool = False) -> Document:
    port = _PORTS[command.engine]
    gpus = min(plan.gpus_per_engine, plan.gpus_per_node)
    resource = "amd.com/gpu" if plan.accelerator.startswith("mi") else "nvidia.com/gpu"
    resources: Document = {"limits": {resource: str(gpus)}}
    if dra:
        resources = {"claims": [{"name": "gpus"}]}
    return {
        "name": name,
        "image": _image(command),
        "command": _words(command),
        "env": [{"name": "HF_HOME", "value": _CACHE}],
        "ports": [{"containerPort": port, "name": "http"}],
        "resources": resources,
        "startupProbe": {
            "httpGet": {"path": "/health", "port": "http"},
            "periodSeconds": 10,
            "failureThreshold": _START_UP_CHECKS,
        },
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
        "volumeMounts": [
            {"name": "shm", "mountPath": "/dev/shm"},
            {"name": "model-cache", "mountPath": _CACHE},
        ],
    }


def _pod(plan: LaunchPlan, command: LaunchCommand, name: str = "server", dra: bool = False) -> Document:
    found: Document = {
        "containers": [_container(plan, command, name, dra)],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "volumes": [
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Gi"}},
            {"name": "model-cache", "persistentVolumeClaim": {"claimName": "model-cache"}},
        ],
    }
    if dra:
        found["resourceClaims"] = [{"name": "gpus", "resourceClaimTemplateName": plan.name}]
    return found


def _deployment(plan: LaunchPlan, command: LaunchCommand, dra: bool) -> tuple[Document, ...]:
    _refuse_config(command)
    if plan.nodes_per_engine > 1:
        raise LaunchError(f"a Deployment's pod stays on one node and this needs {plan.nodes_per_engine}; use lws")
    labels = {"app": plan.name}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": plan.name, "labels": labels},
        "spec": {
            "replicas": servers(plan, command),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(plan, command, dra=dra)},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": plan.name},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    if not dra:
        return deployment, service
    request = {"name": "gpus", "exactly": {"deviceClassName": "gpu.nvidia.com", "count": plan.gpus_per_engine}}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": plan.name},
        "spec": {"spec": {"devices": {"requests": [request]}}},
    }
    return claim, deployment, service


def servers(plan: LaunchPlan, command: LaunchCommand) -> int:
    """Servers to start: one where the command runs all replicas side by side."""
    return command.servers(plan.layout.dp, plan.ranks_together)


def _leader_worker_set(plan: LaunchPlan, command: LaunchCommand) -> Document:
    _refuse_config(command)
    pod = _pod(plan, command)
    template: Document = {
        "size": plan.nodes_per_engine,
        "restartPolicy": "RecreateGroupOnPodRestart",
        "workerTemplate": {"spec": pod},
    }
    if plan.nodes_per_engine > 1 and command.engine == "vllm":
        # Workers of vLLM serve no requests: they have no address to be asked at.
        worker = _pod(plan, command)
        container = worker["containers"][0]
        container["command"] = [*container["command"], "--headless"]
        for probe in ("startupProbe", "readinessProbe", "ports"):
            del container[probe]
        template = {**template, "leaderTemplate": {"spec": pod}, "workerTemplate": {"spec": worker}}
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": plan.name},
        "spec": {"replicas": servers(plan, command), "leaderWorkerTemplate": template},
    }


def _inference_service(plan: LaunchPlan, command: LaunchCommand) -> Document:
    layout = plan.layout
    parallelism: Document = {"tensor": layout.tp}
    if layout.pp > 1:
        parallelism["pipeline"] = layout.pp
    if plan.ranks_together > 1:
        parallelism |= {"data": plan.ranks_together, "dataLocal": plan.gpus_per_node // layout.tp, "expert": True}
    stated = {"model", "tensor-parallel", "pipeline-parallel", "data-parallel", "expert-parallel"}
    extra = [word for entry in command.arguments if entry.concept not in stated for word in entry.words]
    if plan.nodes_per_engine > 1 and plan.ranks_together == 1:
        raise LaunchError("an LLMInferenceService spreads data parallelism over nodes, not one replica; use lws")
    container = {
        "name": "main",
        "image": _image(command),
        "env": [{"name": "VLLM_ADDITIONAL_ARGS", "value": " ".join(extra)}],
        "resources": {"limits": {"nvidia.com/gpu": str(min(plan.gpus_per_engine, plan.gpus_per_node))}},
    }
    spec: Document = {
        "model": {"uri": f"hf://{plan.model}", "name": plan.model},
        "replicas": plan.engines,
        "parallelism": parallelism,
        "template": {"containers": [container]},
        "router": {"gateway": {}, "route": {}, "scheduler": {}},
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": plan.name},
        "spec": spec,
    }


_DYNAMO = {"vllm": "vllm", "sglang": "sglang", "tensorrt-llm": "trtllm"}


def _dynamo(plan: LaunchPlan, command: LaunchCommand) -> Document:
    _refuse_config(command)
    if command.engine not in _DYNAMO:
        raise LaunchError(f"Dynamo starts {', '.join(_DYNAMO)}, not {command.engine}; use k8s")
    if plan.nodes_per_engine > 1:
        raise LaunchError(f"a worker over {plan.nodes_per_engine} nodes is not written as a Dynamo graph here; use lws")
    words = [word for entry in command.arguments for word in entry.words if word]
    if command.engine == "vllm" and not any(entry.flag for entry in command.arguments[:1]):
        words = ["--model", *words]
    pod = _pod(plan, command, "main")
    container = pod["containers"][0]
    container["command"] = ["python3", "-m", f"dynamo.{_DYNAMO[command.engine]}", *words]
    for name in ("image", "ports", "startupProbe", "readinessProbe"):
        container.pop(name)
    worker = {
        "name": "worker",
        "type": "worker",
        "replicas": servers(plan, command),
        "sharedMemorySize": "16Gi",
        "podTemplate": {"spec": pod},
    }
    frontend = {"name": "frontend", "type": "frontend", "replicas": 1}
    return {
        "apiVersion": "nvidia.com/v1beta1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": plan.name},
        "spec": {"backendFramework": _DYNAMO[command.engine], "components": [frontend, worker]},
    }
