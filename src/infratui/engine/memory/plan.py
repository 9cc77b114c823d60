"""What a GPU has left: requested memory less weights and runtime is KV space; from it what fits, and how much more."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache, partial

from ...value_types import Keyed, dataclass
from ..cluster.abilities import PLAIN_ENGINE, EngineProfile
from ..cluster.hardware import Accelerator
from ..cluster.layout import Layout
from ..figures.derivation import Basis, Derivation, Formula, Ledger, Number, Step, Unit
from ..figures.reason import Reason
from ..model.architecture import Model, Part
from ..model.precision import Precision
from .kv_cache import KvGeometry, Sequences, kv_stages, shared_demand, users_within
from .lengths import TOKENS as MEASURED_TOKENS
from .room import StageRoom, kv_space, room_of
from .runtime import Batch, RuntimeConstants, RuntimeMemory, RuntimeTable, batch_limits, runtime_memory
from .weights import GpuWeights, PartWeights, StageWeights, loaded_weights, with_adapters


@dataclass(frozen=True, slots=True)
class Deployment(Keyed):
    """What is served and how, whatever the hardware."""

    model: Model
    precision: Precision
    kv_precision: Precision
    constants: RuntimeConstants
    utilization: float = 0.9
    """Share of memory as the engine means it (`RuntimeConstants.budget`)."""
    max_batched_tokens: int = 0
    """0: the engine's own default on the accelerator; likewise below."""
    max_num_seqs: int = 0
    windowed: bool = True
    """Windowed layers stop growing; False: the engine pays full length for them."""
    adapters: int = 0
    """Slots for low-rank adapters that are loaded at the same time."""
    adapter_rank: int = 16
    """The highest rank of them."""
    engine: EngineProfile = PLAIN_ENGINE
    """What the engine can do and what it leaves out."""

    def refusal(self, accelerator: Accelerator) -> Reason | None:
        """Why the engine serves nothing of the kind there, however it is laid out; None: it may."""
        return self.engine.refusal(accelerator, self.precision, self.kv_precision)

    def geometry(self, layout: Layout) -> tuple[KvGeometry, ...]:
        """Cache of one GPU in each stage."""
        return kv_stages(
            self.model, self.kv_precision, layout.tp, layout.pp, self.windowed, self.constants.kv, layout.dcp
        )

    def weights(self, layout: Layout) -> GpuWeights:
        # Copies, and sharing out the cache, leave the weights of a GPU as they are.
        found = loaded_weights(
            self.model,
            self.precision,
            Layout(layout.tp, layout.pp, 1, layout.ep),
            shared=self.constants.whole_shared_experts,
            absorbed=self._absorbs(),
            position_bytes=self.constants.position_bytes,
        )
        if not self.adapters:
            return found
        return with_adapters(found, self.model, layout, self.adapters, self.adapter_rank)

    def _absorbs(self) -> bool:
        """Of 16-bit weights some engines keep only another view."""
        when = self.constants.absorbed_copies
        return when == "always" or (when == "quantized" and self.precision.bits_of(Part.ATTENTION) < 16)

    def batch(self, accelerator: Accelerator) -> Batch:
        return batch_limits(self.constants, accelerator, self.max_batched_tokens, self.max_num_seqs)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Memory of the tightest GPU of a layout, in bytes."""

    layout: Layout
    stage: int
    """Pipeline stage of that GPU."""
    visible: int
    requested: int
    """What the engine takes for weights, runtime and cache."""
    weights: StageWeights
    runtime: RuntimeMemory
    runtime_inside: int
    """The part of the runtime that comes out of the requested memory."""
    kv_space: int
    """Room for the cache; 0 where weights and runtime fill the GPU."""
    kv_needed: int
    kv_shared: int
    """Of that: the common prefix, once."""
    kv_per_user: int
    users_per_replica: int
    missing: int
    """Bytes short of what is needed; 0: it fits."""
    tokens_per_user: int
    max_users: int
    """Users of this context that the whole layout holds."""
    max_context: int
    """Longest context, in tokens, that the given users may have; no more than the model is made for."""
    kv_tokens: int
    """Tokens that one replica's cache holds in sequences of this context."""
    concurrency: float
    """Sequences of this context, full, that one replica holds."""
    within_gpu: bool = True
    """What lies outside the requested memory fits beside it."""
    derivation: Derivation | None = None

    @property
    def fits(self) -> bool:
        return self.missing == 0

    @property
    def free(self) -> int:
        """Bytes of the requested memory that nothing needs."""
        return max(0, self.kv_space - self.kv_needed)

    @property
    def used(self) -> int:
        """Bytes of the requested memory that weights, runtime and the needed cache take."""
        return self.weights.total + self.runtime_inside + self.kv_needed


VISIBLE = Formula("visible", "reported - driver", Unit.BYTES, basis=Basis.CALIBRATED, term="vram")
USERS_PER_REPLICA = Formula(
    "users_per_replica", "ceil(users / dp)", Unit.COUNT, basis=Basis.EXACT, term="data-parallelism"
)
TOKENS = Formula("tokens", "max(1, ceil(context * mean_fill))", Unit.TOKENS, basis=Basis.ASSUMED, term="context-window")
KV_NEEDED = Formula("kv_needed", "shared_prefix + users_per_replica * kv_per_user", Unit.BYTES, term="kv-cache")
FREE = Formula("free", "kv_space - kv_needed", Unit.BYTES, term="vram")
MAX_USERS = Formula(
    "max_users", "dp * floor(max(0, kv_space - shared_prefix) / kv_per_user)", Unit.COUNT, term="concurrency"
)

MAX_CONTEXT = Formula(
    "max_context", "floor(max(0, min(limit, tokens_held / mean_fill)))", Unit.TOKENS, term="context-window"
)


def plan_memory(
    deployment: Deployment,
    accelerator: Accelerator,
    layout: Layout,
    load: Sequences,
    table: RuntimeTable,
    *,
    explain: bool = False,
) -> MemoryPlan:
    """Memory of every GPU of `layout` under `load` (users of the whole deployment); the tightest stage decides.

    `explain` keeps the derivation. Data-parallel replicas share the users evenly.
    """
    replica = load.of(math.ceil(load.users / layout.dp))
    visible, batch = table.visible_memory(accelerator), deployment.batch(accelerator)
    runtime, stages = room = room_of(deployment, visible, batch, layout)
    tightest, demand = room.tightest(replica)
    per_replica = min(users_within(stage.space, stage.geometry, replica) for stage in stages)
    if not demand.per_user:
        # Nothing is kept of a text: what the engine runs at once is all that limits users.
        per_replica = batch.max_num_seqs
    concurrency = min(max(0, stage.space) / max(1, stage.geometry.sequence_bytes(load.context)) for stage in stages)
    longest = Ledger(recording=explain)
    plan = MemoryPlan(
        layout=layout,
        stage=tightest.weights.stage,
        visible=visible,
        requested=tightest.requested,
        weights=tightest.weights,
        runtime=runtime,
        runtime_inside=tightest.requested - tightest.space - tightest.weights.total,
        kv_space=max(0, tightest.space),
        kv_needed=demand.total,
        kv_shared=demand.shared,
        kv_per_user=demand.per_user,
        users_per_replica=replica.users,
        missing=max(0, demand.total - tightest.space, tightest.overflow),
        tokens_per_user=replica.tokens,
        max_users=layout.dp * per_replica,
        max_context=_max_context(deployment.model, stages, replica, longest),
        kv_tokens=math.floor(concurrency * load.context),
        concurrency=concurrency,
        within_gpu=tightest.overflow == 0,
    )
    if not explain:
        return plan
    steps = partial(_steps, plan, deployment, accelerator, load, batch, tightest.geometry, longest)
    return replace(plan, derivation=Derivation(f"Memory of one {accelerator.name}, {layout.label}", steps))


def _max_context(model: Model, stages: tuple[StageRoom, ...], load: Sequences, ledger: Ledger) -> int:
    """The longest context for which all users of a replica still fit."""
    held_by_all = math.inf
    for _, geometry, _, space, _ in stages:
        prefix = load.prefix if load.users > 1 else 0
        shared = math.ceil(geometry.token_bytes(prefix))
        held = geometry.longest((space - shared) / load.users)
        # Sequences shorter than the prefix cannot share all of it: then it is the prefix that must shrink.
        tokens = prefix + held if held > 0 else geometry.longest(space) if load.users == 1 else 0
        held_by_all = min(held_by_all, tokens)
    # Where attention keeps a window or a state alone, any length fits: then the model's own limit is what counts.
    tokens_held = held_by_all if math.isfinite(held_by_all) else float(model.max_context)
    note = f"{load.users:,} users of a replica, the tightest stage full"
    found = ledger(MAX_CONTEXT, note=note, limit=model.max_context, tokens_held=tokens_held, mean_fill=load.mean_fill)
    return int(found)


def _steps(
    plan: MemoryPlan,
    deployment: Deployment,
    accelerator: Accelerator,
    load: Sequences,
    batch: Batch,
    geometry: KvGeometry,
    longest: Ledger,
) -> tuple[Step, ...]:
    """How the figures of a plan come about."""
    ledger = Ledger()
    host = deployment.constants.host
    ledger(
        VISIBLE,
        source=accelerator.source,
        note=f"host profile {host.name}" if host.name and host.accelerator == accelerator.id else "",
        reported=accelerator.memory,
        driver=accelerator.memory - plan.visible,
    )
    explain_weights(plan.weights.parts, deployment, ledger)
    runtime_memory(deployment.model, plan.layout, batch, deployment.constants, ledger)
    kv_space(deployment, plan.visible, plan.weights.total, plan.runtime, ledger)
    ledger(USERS_PER_REPLICA, users=load.users, dp=plan.layout.dp)
    tokens: float = load.tokens
    if load.lengths is None:
        ledger(TOKENS, context=load.context, mean_fill=load.mean_fill)
    else:
        note = f"measured: {plan.users_per_replica:,} together exceed that once in a hundred moments"
        tokens = float(ledger(MEASURED_TOKENS, note=note, **load.lengths.quantities(plan.users_per_replica)))  # type: ignore[arg-type]
    explain_sequence(geometry, tokens - load.prefix if plan.kv_shared else tokens, ledger)
    ledger(
        KV_NEEDED,
        shared_prefix=plan.kv_shared,
        users_per_replica=plan.users_per_replica,
        kv_per_user=plan.kv_per_user,
    )
    ledger(FREE, kv_space=plan.kv_space, kv_needed=plan.kv_needed)
    if plan.kv_per_user:
        more = shared_demand(geometry, load.of(plan.users_per_replica))
        ledger(
            MAX_USERS,
            dp=plan.layout.dp,
            kv_space=plan.kv_space,
            shared_prefix=more.shared,
            kv_per_user=more.per_user,
            note="the tightest stage",
        )
    return (*ledger.steps, *longest.steps)


@lru_cache(maxsize=256)
def _formula(symbol: str, expression: str, term: str) -> Formula:
    return Formula(symbol, expression, Unit.BYTES, term=term)


def explain_weights(parts: tuple[PartWeights, ...], deployment: Deployment, ledger: Ledger) -> int:
    """Record each part of the weights and their sum. Returns bytes."""
    sizes: dict[str, Number] = {}
    for entry in parts:
        symbol = f"weights_{entry.part.value}"
        # What is kept twice is another entry of the same part.
        symbol += "_again" if symbol in sizes else ""
        formula = _formula(symbol, "ceil(parameters * bits / 8)", "parameters")
        sizes[formula.symbol] = ledger(
            formula, source=deployment.model.source, parameters=entry.parameters, bits=entry.bits
        )
    return int(_sum("weights", sizes, "parameters", ledger))


def explain_sequence(geometry: KvGeometry, tokens: float, ledger: Ledger) -> int:
    """Record what one sequence of `tokens` keeps in each layer group, and the sum. Returns bytes."""
    sizes: dict[str, Number] = {}
    for entry in geometry.groups:
        note = f"{entry.kind.value} layers"
        if entry.token_bytes and entry.window is None:
            grow = _formula(f"kv_{entry.group}", "layers * bytes_per_token * tokens", "kv-cache")
            sizes[grow.symbol] = ledger(
                grow, layers=entry.layers, bytes_per_token=entry.token_bytes, tokens=tokens, note=note
            )
        elif entry.token_bytes:
            slide = _formula(
                f"kv_{entry.group}", "layers * bytes_per_token * min(tokens, window)", "sliding-window-attention"
            )
            sizes[slide.symbol] = ledger(
                slide,
                layers=entry.layers,
                bytes_per_token=entry.token_bytes,
                tokens=tokens,
                window=entry.window or tokens,
                note=note,
            )
        if entry.state_bytes:
            state = _formula(f"state_{entry.group}", "layers * bytes_per_sequence", "kv-cache")
            sizes[state.symbol] = ledger(
                state, layers=entry.layers, bytes_per_sequence=entry.state_bytes, note="does not grow"
            )
    return math.ceil(_sum("kv_per_user", sizes, "kv-cache", ledger)) if sizes else 0


def _sum(symbol: str, sizes: dict[str, Number], term: str, ledger: Ledger) -> Number:
    formula = _formula(symbol, f"ceil({' + '.join(sizes)})", term)
    step = formula.step(**sizes)  # type: ignore[arg-type]
    ledger.steps.append(step)
    return step.value
