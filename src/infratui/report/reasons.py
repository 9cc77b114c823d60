"""Why a layout is taken, why none can be, why nothing serves: the reasons of the engine in words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ..engine.cluster.abilities import Cannot
from ..engine.cluster.legal import Illegal
from ..engine.deployment.judge import NoReplicaError
from ..engine.deployment.reasons import ReasonKind
from ..engine.figures.reason import Reason
from ..engine.figures.units import ByteUnit, counted, format_bytes, significant


def reason_text(reason: Reason | None, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """One reason as a phrase, with the layout that it is said of; empty for none."""
    if reason is None:
        return ""
    if isinstance(reason.kind, Cannot):
        said = _CANNOT[reason.kind].format(name=reason.name, where=reason.where)
    elif isinstance(reason.kind, Illegal):
        said = _illegal(reason, reason.kind)
    elif reason.kind in _MISSED:
        target = _MISSED[reason.kind]
        figures = f"{reason.number('seconds') * 1e3:,.0f} ms of {reason.number('target_s') * 1e3:,.0f} ms"
        return f"{reason.where} misses the {target} target: {figures} even for one user at a time"
    else:
        said = _deployed(reason, bytes_as)
    return f"{reason.where}: {said}" if reason.where and reason.kind not in _NAMES_WHERE else said


def no_layout_text(reason: Reason | None) -> str:
    """Why an accelerator holds nothing, for a cell."""
    if reason is not None and isinstance(reason.kind, Cannot):
        return "refused"
    return "too large for any layout"


def reasons_text(reasons: Iterable[Reason], bytes_as: ByteUnit = ByteUnit.GB, between: str = " · ") -> str:
    """All reasons in a row."""
    return between.join(reason_text(reason, bytes_as) for reason in reasons)


def error_text(error: BaseException, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """An error in a line: in words where it carries a reason."""
    return reason_text(error.reason, bytes_as) if isinstance(error, NoReplicaError) else str(error)


_MISSED: dict[StrEnum, str] = {ReasonKind.MISSES_TPOT: "TPOT", ReasonKind.MISSES_TTFT: "TTFT"}
_NAMES_WHERE: set[StrEnum] = {ReasonKind.NO_LAYOUT, ReasonKind.SLOWER_LADDER, *Cannot}
"""Kinds whose words name the place themselves."""

_CANNOT: dict[Cannot, str] = {
    Cannot.HARDWARE: "{name} does not run on {where}; set engine=vllm",
    Cannot.UNPREDICTED: "{name} is not predicted on {where}; set engine=llama.cpp",
    Cannot.GGUF: "{name} reads GGUF files, not {where}; set precision=q8_0 or q4_k_m, or engine=vllm",
    Cannot.WEIGHTS: "{name} does not read {where} weights; set precision=bf16 or fp8, or engine=vllm",
    Cannot.CACHE: "{name} has no {where} cache; set kv_precision=fp16",
}

_FIXED: dict[StrEnum, str] = {
    ReasonKind.PINNED: "set by hand",
    ReasonKind.ONLY: "the only layout that holds the load",
    ReasonKind.NO_SPEED: "no speed is predicted: the smallest replicas that hold the load",
    ReasonKind.NOTHING_RUNS: "memory is short: nothing runs",
    ReasonKind.NOTHING_HOLDS: "no layout of these GPUs holds the load; nothing runs",
    ReasonKind.BUFFERS: "the engine's own buffers fill the GPU; lower max sequences or batched tokens",
    ReasonKind.NO_ROOM: "no layout leaves room for one user; shorten the context or use fewer bits",
    ReasonKind.RULE_HAS_NO_PLANS: "the rule of thumb has no targets and searches no catalog; set estimator=detailed",
    ReasonKind.RULE_HAS_NO_SPEED: "the rule of thumb predicts no tokens/s to follow; set estimator=detailed",
    ReasonKind.NO_PROMPTS: "there are no prompts to compute apart; set input_tokens or pools=",
    ReasonKind.POOLS_AND_CASCADE: "a cascade is two fleets, pools are two more; set cascade_pct=0 or pools=",
    ReasonKind.NOT_APART: "not simulated for prompts and answers on pools of their own",
    ReasonKind.NO_PRICE: "no published price",
    ReasonKind.NO_OPTION_PRICE: "no price for an option that is allowed here",
    ReasonKind.ONE_GPU: "one GPU holds a replica",
    ReasonKind.SAME_COST: "costs the same",
}


def _deployed(reason: Reason, bytes_as: ByteUnit) -> str:  # noqa: C901, PLR0911, PLR0912 – one phrase per kind
    if (fixed := _FIXED.get(reason.kind)) is not None:
        return fixed
    number = reason.number
    match reason.kind:
        case ReasonKind.FASTEST:
            return f"no layout is faster, of {number('layouts'):,.0f} predicted"
        case ReasonKind.FEWER_PER_REPLICA:
            gain = "as fast as" if number("gain") < 0.005 else f"within {number('gain'):.0%} of"
            return (
                f"{gain} {reason.name}, and a lost GPU stops {counted(number('group'), 'GPU')} instead of "
                f"{number('other'):,.0f}"
            )
        case ReasonKind.MISSES:
            latency = f"TTFT {number('ttft_s') * 1e3:,.0f} ms, TPOT {number('tpot_s') * 1e3:,.1f} ms"
            return f"no layout holds the targets: {latency}"
        case ReasonKind.REPLICAS:
            return f"{number('replicas'):,.0f} copies share the users, and need nothing of each other"
        case ReasonKind.IDLE:
            idle = number("idle")
            return f"{idle:,.0f} of {number('gpus'):,.0f} GPUs stay{'s' if idle == 1 else ''} idle"
        case ReasonKind.SHORT:
            return f"memory short by {format_bytes(int(number('missing')), bytes_as)} per GPU"
        case ReasonKind.TAKES_MORE:
            return f"{reason.name} takes {counted(number('needed'), 'GPU')}; there are {number('gpus'):,.0f}"
        case ReasonKind.NO_MATCH:
            return f"no layout of {counted(number('gpus'), 'GPU')} matches what is set"
        case ReasonKind.TOO_MANY:
            return f"more than {number('most'):,.0f} of them would be needed"
        case ReasonKind.NO_LAYOUT:
            return f"no layout of {reason.name} holds the load on {reason.where}"
        case ReasonKind.POOLS:
            return f"prompts are computed apart, by {number('replicas'):,.0f} × {reason.name}"
        case ReasonKind.RULE_HAS_NO_CACHE:
            return f"the rule of thumb has no arithmetic for the cache of {reason.name}; set estimator=detailed"
        case ReasonKind.NO_POOLS:
            return f"this version of {reason.name} has no pools of their own for prompts and answers; set pools="
        case ReasonKind.GIVEN_GPUS:
            return f"{counted(number('gpus'), 'GPU')} {_do_not_hold(number('gpus'))} it"
        case ReasonKind.SHARED_GPUS:
            held = f"{number('gpus'):,.0f} {_do_not_hold(number('gpus'))} {reason.name}"
            return f"{held}, so both get the {number('most'):,.0f} that do"
        case ReasonKind.ONE_NODE:
            return f"a copy needs {counted(number('gpus'), 'GPU')} of one node"
        case ReasonKind.STAGES:
            return f"a copy needs TP{number('tp'):.0f} in the node, {number('pp'):,.0f} stages across"
        case ReasonKind.SPREAD:
            spread = f"experts spread over {number('gpus'):,.0f} GPUs"
            return f"{spread}; each keeps the cache of its own users, nothing is stored twice"
        case ReasonKind.SLOWER_LADDER:
            slower = f", though TPOT grows to {number('tpot_s') * 1e3:,.1f} ms" if reason.has("tpot_s") else ""
            return f"{reason.name}: {number('gain'):.0%} more tokens/s than the rule's {reason.where}{slower}"
        case ReasonKind.COSTS_MORE:
            return _runner_up(reason)
        case _:
            return reason.name


def _do_not_hold(gpus: float) -> str:
    return f"do{'es' if gpus == 1 else ''} not hold"


def _runner_up(reason: Reason) -> str:
    """What a plan has against it: `costs 1.31×: 1.2× the price per GPU-hour, 0.9× the requests per GPU`."""
    number = reason.number
    if not reason.has("share"):
        return "costs more"
    said = []
    if reason.has("price"):
        said.append(f"{significant(number('price'), 2)}× the price per GPU-hour")
    said.append(f"{significant(number('speed'), 2)}× the requests per GPU")
    if reason.has("busy"):
        said.append(f"only {number('busy'):.0%} busy")
    if reason.name:
        said.append(f"no better price than {reason.name}")
    return f"costs {significant(number('share'), 3)}×: {', '.join(said)}"


_FILLED_IN: dict[Illegal, str] = {
    Illegal.CONTEXT_SHAPE: "DCP{dcp} does not divide TP{tp}",
    Illegal.CONTEXT_CACHE: "DCP{dcp}: only full and latent caches are shared out by tokens; {name} has others",
    Illegal.CONTEXT_COPIES: "DCP{dcp} does not divide the copies of each cached token that TP{tp} holds: {copies}",
    Illegal.CONTEXT_ENGINE: "DCP{dcp}: this engine and version do not share out this kind of cache",
    Illegal.ENGINE_TENSOR: "{name} deals out whole layers and cuts none; set tp=1 and ep=1",
    Illegal.ENGINE_STAGES: "{name} has no pipeline stages; set pp=1",
    Illegal.ENGINE_NODES: "{name} keeps a copy in one server of {node}; this takes {gpus} GPUs",
}


def _illegal(reason: Reason, kind: Illegal) -> str:  # noqa: PLR0911 – one phrase per kind
    """`TP3 does not divide 64 attention heads`."""
    if kind in _FILLED_IN:
        return _FILLED_IN[kind].format(name=reason.name, **{key: round(value) for key, value in reason.numbers})

    def whole(key: str) -> str:
        return f"{reason.number(key):,.0f}"

    match kind:
        case Illegal.HEADS:
            return f"TP{whole('tp')} does not divide {whole('heads')} attention heads"
        case Illegal.KV_HEADS:
            return f"TP{whole('tp')} and {whole('heads')} KV heads: neither divides the other"
        case Illegal.WIDTH:
            return f"TP{whole('tp')} does not divide the {reason.name} {whole('width')}"
        case Illegal.BLOCK:
            width, tp = reason.number("width"), reason.number("tp")
            cut = f"{reason.name} {whole('width')} / TP{whole('tp')} = {width // tp:,.0f}"
            return f"{cut} cuts through a quantization block of {whole('block')}"
        case Illegal.NO_EXPERTS:
            return f"EP{whole('ep')}: the model has no experts"
        case Illegal.EXPERT_RANKS:
            return f"EP{whole('ep')} needs {whole('ep')} GPUs per stage; TP × DP gives {whole('ranks')}"
        case Illegal.EXPERT_SHAPE:
            return f"EP{whole('ep')} does not fit into TP{whole('tp')} × DP{whole('dp')}"
        case Illegal.EXPERTS:
            return f"EP{whole('ep')} does not divide {whole('experts')} experts"
        case Illegal.STAGES:
            return f"PP{whole('pp')} leaves stages without layers: the model has {whole('layers')}"
        case Illegal.NODES:
            return f"TP{whole('tp')} groups do not pack nodes of {whole('gpus')} GPUs without crossing them"
        case _:
            return reason.name
