"""The start of a deployment in words: each argument with the input that it comes from, and what was left to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.figures.units import counted
from ..launching.manifests import servers
from .show import Answer, Block, Cell, Column, Prose, Row, Says, Table

if TYPE_CHECKING:
    from ..launching.command import Argument, LaunchCommand
    from ..launching.plan import LaunchPlan

_COLUMNS = (
    Column("argument", "left", flex=True),
    Column("states", "left"),
    Column("from", "left", keep=1),
)
_STATES = {
    "model": ("the checkpoint to serve", "Model"),
    "tensor-parallel": ("GPUs that share every layer", "the chosen layout (TP)"),
    "pipeline-parallel": ("stages that hold a share of the layers each", "the chosen layout (PP)"),
    "data-parallel": ("replicas in one server", "the chosen layout (DP)"),
    "attention-data-parallel": ("groups that attend to their own requests", "the chosen layout (DP)"),
    "attention-data-parallel-switch": ("the count above is of attention groups", "the chosen layout (DP)"),
    "expert-parallel": ("experts are spread whole over the ranks", "the chosen layout (EP)"),
    "context": ("tokens of the longest request", "Context"),
    "memory-fraction": ("share of GPU memory that the engine may take", "GPU memory the engine may take"),
    "max-sequences": ("requests in a batch", "Max sequences"),
    "batched-tokens": ("tokens of a step", "Batched tokens"),
    "kv-dtype": ("type of the KV cache", "KV cache"),
    "kv-dtype-k": ("type of the cached keys", "KV cache"),
    "kv-dtype-v": ("type of the cached values", "KV cache"),
    "dtype": ("the 16-bit type that is computed with", "Weights"),
    "quantization": ("weights are made FP8 at the start", "Weights"),
    "full-length-windows": ("window layers keep the whole context", "Cache of window layers"),
    "prefix-caching": ("prompts that begin alike are computed once", "Prompt already cached, Common prompt tokens"),
    "nodes": ("machines of one server", "the chosen layout"),
    "node-rank": ("which of them this is", "the shell"),
    "master": ("address of the first", "the shell"),
    "gpus-per-node": ("GPUs of one machine", "GPUs per node"),
    "gpu-layers": ("layers on the GPU: all, or none where there is none", "GPU"),
    "logical-batch": ("tokens that are taken up at once", "Batched tokens"),
    "longest-prompt": ("tokens of the longest prompt", "Context"),
    "port": ("where it listens", "always"),
    "split-mode": ("layers are dealt to the GPUs", "the chosen layout (PP)"),
    "flash-attention": ("a quantized cache needs it", "KV cache"),
    "config": ("what has no flag", "the file beside it"),
    "backend": ("the engine's own runtime", "always"),
    "metrics": ("figures for a monitor; off unless stated", "always"),
}
_DEFAULT = " (this version's default)"
_REMARKS = {
    "draft": "Speculative decoding is in the plan, and no draft model is named: add the engine's own flag for it.",
    "windows": "This engine keeps windows only; the plan holds the whole context in window layers too.",
    "gguf": "A GGUF file of these weights is taken to lie beside the command; name your own.",
    "pooling": (
        "It writes no text: say so to the engine (vLLM --runner pooling, SGLang --is-embedding, llama.cpp --embedding)."
    ),
    "mpi": "Several machines: start it under mpirun or srun, one process per GPU.",
}


FORMS = {
    "sh": ("shell script", "sh"),
    "compose": ("compose file", "yaml"),
    "k8s": ("Kubernetes Deployment", "yaml"),
    "lws": ("LeaderWorkerSet", "yaml"),
    "kserve": ("KServe LLMInferenceService", "yaml"),
    "dynamo": ("Dynamo graph", "yaml"),
    "slurm": ("Slurm job", "sbatch"),
}
"""Form → its name, and how its file ends."""


def file_name(plan: LaunchPlan, command: LaunchCommand, form: str) -> str:
    """The proposed name: `infratui-production-vllm.sh`."""
    kind = "" if form in ("sh", "slurm") else f"-{form}"
    return f"infratui-{plan.name}-{command.engine.replace('.', '')}{kind}.{FORMS[form][1]}"


def answer(plan: LaunchPlan, command: LaunchCommand) -> Answer:
    """What is started, how often, and on how many GPUs."""
    count = servers(plan, command)
    each = plan.layout.gpus // count
    where = f" over {plan.nodes_per_engine} nodes" if plan.nodes_per_engine > 1 else ""
    figure = f"{counted(count, 'server')} of {counted(each, 'GPU')}{where}"
    return Answer(figure, f"{plan.layout.label} · {command.engine} {command.version}", "good", (Says("", plan.model),))


def page(plan: LaunchPlan, command: LaunchCommand, text: str) -> tuple[Block, ...]:
    """The command, each argument explained, what could not be said."""
    remarks = tuple(Says("!", said, "", "tight") for said in remarks_of(command))
    written = tuple(Says("", line) for line in text.rstrip("\n").split("\n"))
    blocks: list[Block] = [Prose("command", "To start it", written), arguments(command)]
    return (*blocks, Prose("remarks", "Left to say", remarks)) if remarks else tuple(blocks)


def remarks_of(command: LaunchCommand) -> tuple[str, ...]:
    """What the plan states and the engine cannot, or takes from elsewhere."""
    return tuple(_REMARKS[kind] for kind in command.remarks)


def arguments(command: LaunchCommand) -> Table:
    """Each argument with what it states and the input that it comes from."""
    rows = tuple(_row(at, entry) for at, entry in enumerate(command.arguments))
    return Table("arguments", "Arguments", _COLUMNS, rows)


def explained(command: LaunchCommand) -> Prose:
    """The same for a narrow place: wrapped, not cut."""
    said = []
    for entry in command.arguments:
        states, source = _STATES[entry.concept]
        said.append(Says(" ".join(entry.words), f"{states}; from {source}{_DEFAULT if entry.default else ''}"))
    return Prose("explained", "", tuple(said))


def _row(at: int, entry: Argument) -> Row:
    states, source = _STATES[entry.concept]
    default = _DEFAULT if entry.default else ""
    return Row(str(at), (Cell(" ".join(entry.words)), Cell(states), Cell(f"{source}{default}", "muted")))


def data(plan: LaunchPlan, command: LaunchCommand, text: str) -> dict[str, Any]:
    """The same as plain values; keys are part of the schema."""
    return {
        "engine": command.engine,
        "engine_version": command.version,
        "model": plan.model,
        "layout": plan.layout.label,
        "servers": servers(plan, command),
        "gpus": plan.layout.gpus,
        "nodes_per_server": plan.nodes_per_engine,
        "words": command.words,
        "arguments": [
            {"concept": entry.concept, "flag": entry.flag, "value": entry.value, "default": entry.default}
            | dict(zip(("states", "from"), _STATES[entry.concept], strict=True))
            for entry in command.arguments
        ],
        "environment": command.environment,
        "config": command.config,
        "remarks": remarks_of(command),
        "text": text,
    }
