"""The engine's own prediction with exactly the settings of a log, term by term."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace

from ..engine.cluster.hardware import Accelerator
from ..engine.cluster.layout import Layout
from ..engine.facts import Facts, UnknownFactError
from ..engine.figures.units import GIB
from ..engine.memory.kv_cache import CacheKind, KvGeometry, Sequences
from ..engine.memory.plan import Deployment, MemoryPlan, plan_memory
from ..engine.memory.runtime import NEWEST, Batch, RuntimeConstants, UnknownEngineError, batch_limits
from ..engine.memory.startup import CacheMode, predict_startup
from ..engine.memory.weights import StageWeights, draft_bytes
from ..engine.model.architecture import Model, Part
from ..value_types import dataclass
from .logs.lines import LogFigure
from .logs.reading import LogReading
from .naming import Identity, by_architecture, find_cache, find_model, find_precision, plausible

_SIZE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?) ?GiB", re.IGNORECASE)
_NEAR = 0.03
"""A card whose visible memory is as near as this to what the log adds up to may be the one that it ran on."""


@dataclass(frozen=True, slots=True)
class Visible:
    """Memory that the engine saw on one GPU."""

    bytes: int
    basis: str
    """`log`: printed; `gpu`: of the card that was named; `profile`: of the host profile; `like`: of a card of that
    size; `solved`: what the log's own figures add up to."""
    card: str = ""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the engine expects of the log's settings. Bytes are of one GPU; None: it cannot say."""

    identity: Identity | None
    constants: RuntimeConstants | None
    visible: Visible | None
    batch: Batch | None
    assumed_batch: Batch | None
    """What would have been assumed without the log."""
    weights: int | None = None
    activation: int | None = None
    assumed_activation: int | None = None
    non_torch: int | None = None
    graphs: int | None = None
    requested: int | None = None
    kv_space: int | None = None
    kv_tokens: int | None = None
    concurrency: float | None = None
    bytes_per_token: float | None = None
    """Of one GPU, where every token costs the same."""
    layers: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """What a person knows beyond the log."""

    model: str = ""
    gpu: str = ""
    """A card, or its visible memory as `15.92 GiB`."""
    model_ids: tuple[str, ...] = ()
    """Models that a size may stand for."""
    offsets: Mapping[str, int] = field(default_factory=dict)
    """ComparedTerm → bytes that this host was seen to take beyond the prediction."""


def predict(reading: LogReading, facts: Facts, given: Given) -> Predicted:
    """The prediction for a log. What the catalog does not know stays None."""
    constants = _constants(reading, facts)
    identity = identify(reading, facts, given)
    layout = layout_of(reading)
    measured = reading.largest("weights")
    if identity is None:
        visible = _visible(reading, facts, given, constants, round(measured.value) if measured else 0, 0, 0)
        return Predicted(None, constants, visible, None, None)
    deployment = Deployment(
        _loaded(identity.model, reading.engine),
        identity.precision,
        identity.kv_precision,
        constants or facts.runtime().of("vllm", NEWEST),
        reading.settings.utilization or (constants.utilization if constants else 0.9),
        reading.settings.max_batched_tokens or 0,
        reading.settings.max_num_seqs or 0,
    )
    stages = deployment.weights(layout).stages
    fullest = max(range(len(stages)), key=lambda at: stages[at].total)
    geometry = deployment.geometry(layout)[fullest]
    weights = _on_gpu(stages[fullest], reading.engine) + _own_draft(identity, reading, layout)
    known = Predicted(
        identity,
        constants,
        None,
        None,
        None,
        weights=weights,
        bytes_per_token=geometry.growing if _even(geometry) else None,
        layers=sum(entry.layers for entry in geometry.groups if entry.kind is not CacheKind.NONE),
    )
    if reading.engine == "llama.cpp" or constants is None:
        return _llama(known, reading, geometry)
    return _planned(known, deployment, layout, reading, facts, given, fullest)


def identify(reading: LogReading, facts: Facts, given: Given) -> Identity | None:
    """The log's model and formats. A name that does not tell is tried by architecture and size."""
    settings = reading.settings
    measured = reading.largest("weights")
    model = find_model(given.model or reading.model, facts)
    by_size = False
    if model is None and not reading.model and measured is not None and not given.model:
        size = round(measured.value)
        model = by_architecture(reading.architecture, size, settings.tp or 1, facts, given.model_ids)
        by_size = model is not None
    if model is None:
        return None
    precision = find_precision(
        given.model or reading.model, settings.quantization or "", settings.dtype or "", model, facts
    )
    return Identity(model, precision, find_cache(settings.kv_dtype or "", facts), by_size)


def layout_of(reading: LogReading) -> Layout:
    """The layout of one replica, as the log states it."""
    settings = reading.settings
    tp, pp = settings.tp or 1, settings.pp or 1
    dcp = settings.dcp or 1
    return Layout(min(tp, 1024), min(pp, 64), dcp=dcp if tp % dcp == 0 else 1)


def _constants(reading: LogReading, facts: Facts) -> RuntimeConstants | None:
    first, last = reading.version_range
    version = reading.engine_version or last or first or NEWEST
    try:
        return facts.runtime().of(reading.engine, version)
    except UnknownEngineError:
        return None


def _loaded(model: Model, engine: str) -> Model:
    """What is in the file: for llama.cpp towers for pixels and sound are a file of their own."""
    if engine != "llama.cpp":
        return model
    return replace(model, extras=tuple(extra for extra in model.extras if extra.stored_as is not Part.EXTRA))


def _on_gpu(stage: StageWeights, engine: str) -> int:
    """Weights on the GPU: llama.cpp leaves the embedding in host memory."""
    return stage.total - (stage.of(Part.EMBEDDING) if engine == "llama.cpp" and stage.of(Part.HEAD) else 0)


def _own_draft(identity: Identity, reading: LogReading, layout: Layout) -> int:
    """The model's own prediction layers, where they draft and no other model does."""
    settings = reading.settings
    if not settings.draft_tokens or settings.draft_model is not None:
        return 0
    return draft_bytes(identity.model, layout.tp)


def _even(geometry: KvGeometry) -> bool:
    return bool(geometry.growing) and not geometry.windows and not geometry.state


def _llama(known: Predicted, reading: LogReading, geometry: KvGeometry) -> Predicted:
    """llama.cpp allocates the whole context at once, and the state of every sequence."""
    tokens = reading.settings.max_model_len
    if not tokens:
        return known
    sequences = reading.settings.max_num_seqs or 1
    # State rows are 32 bit throughout.
    state = sum(entry.layers * (entry.state_bytes + _conv_bytes(entry.draft_bytes)) for entry in geometry.groups)
    return replace(known, kv_space=round(geometry.token_bytes(tokens)) + sequences * state, kv_tokens=tokens)


def _conv_bytes(row: int) -> int:
    """What three rows of a convolution take more in 32 bit than in 16."""
    return 3 * row


def _planned(
    known: Predicted,
    deployment: Deployment,
    layout: Layout,
    reading: LogReading,
    facts: Facts,
    given: Given,
    stage: int,
) -> Predicted:
    constants, identity = deployment.constants, known.identity
    assert identity is not None
    measured = reading.largest("weights")
    weights = known.weights or 0
    if measured is not None and plausible(measured.value, weights):
        weights = round(measured.value)
    # What the card is follows from what it held: once with a middling card, then with the one that it shows.
    middling = _card(48 * GIB)
    first = _plan(deployment, layout, middling, reading, facts)
    inside = first.runtime.activation + first.runtime.non_torch
    visible = _visible(reading, facts, given, constants, weights, inside, first.runtime.graphs, known.bytes_per_token)
    if visible is None:
        batch = batch_limits(constants, middling, deployment.max_batched_tokens, deployment.max_num_seqs)
        return replace(
            known,
            batch=batch,
            activation=first.runtime.activation,
            non_torch=first.runtime.non_torch,
            graphs=0 if reading.settings.eager else first.runtime.graphs,
        )
    card = _known_card(visible, facts)
    plan = _plan(deployment, layout, card, reading, facts)
    batch = deployment.batch(card)
    assumed = batch_limits(constants, card)
    without = replace(deployment, max_batched_tokens=0, max_num_seqs=0)
    usual = _plan(without, layout, card, reading, facts)
    graphs = 0 if reading.settings.eager else plan.runtime.graphs
    space = plan.kv_space
    if reading.settings.eager and constants.graphs_reserved:
        space += plan.runtime.graphs
    if constants.budget == "free" and (before := reading.smallest("available_before")):
        # What is free is printed: no weights and no runtime need be guessed.
        space = int(before.value * deployment.utilization)
    extra = {term: given.offsets.get(term, 0) for term in ("weights", "activation", "non_torch", "graphs")}
    if constants.budget == "total":
        space -= sum(size for term, size in extra.items() if term != "graphs" or constants.graphs_reserved)
        space = max(0, space)
    tokens, concurrency = _tokens(deployment, layout, stage, space, batch, reading)
    return replace(
        known,
        visible=visible,
        batch=batch,
        assumed_batch=assumed,
        weights=(known.weights or 0) + extra["weights"],
        activation=plan.runtime.activation + extra["activation"],
        assumed_activation=usual.runtime.activation + extra["activation"],
        non_torch=plan.runtime.non_torch + extra["non_torch"],
        graphs=max(0, graphs + extra["graphs"]),
        requested=plan.requested,
        kv_space=space,
        kv_tokens=tokens,
        concurrency=concurrency,
    )


def _plan(deployment: Deployment, layout: Layout, card: Accelerator, reading: LogReading, facts: Facts) -> MemoryPlan:
    length = reading.settings.max_model_len or deployment.model.max_context
    return plan_memory(deployment, card, layout, Sequences(1, max(1, length)), facts.runtime())


def _tokens(
    deployment: Deployment, layout: Layout, stage: int, space: int, batch: Batch, reading: LogReading
) -> tuple[int | None, float | None]:
    """What the engine would print of `space`."""
    constants, settings = deployment.constants, reading.settings
    geometry = deployment.geometry(layout)[stage]
    length = settings.max_model_len or deployment.model.max_context
    if reading.engine != "vllm":
        if geometry.windows or not geometry.growing:
            return None, None
        block = settings.block_tokens or constants.block_tokens
        return int(space / (geometry.growing * block)) * block, None
    mode: CacheMode = constants.hybrid_cache
    if settings.prefix_caching is not None:
        mode = "align" if settings.prefix_caching else "none"
    own_draft = bool(settings.draft_tokens and settings.draft_model is None)
    lines = predict_startup(
        geometry,
        space,
        length,
        batch.max_batched_tokens,
        block_tokens=settings.block_tokens or constants.block_tokens,
        printed_by_groups=constants.prints_groups,
        cache_mode=mode,
        draft_tokens=settings.draft_tokens or 0,
        draft_layers=1 if own_draft else 0,
    )
    return lines.kv_tokens, lines.concurrency


def _card(visible: int) -> Accelerator:
    """A card of which all memory is visible."""
    return Accelerator("as-seen", "as seen", "", "", "", visible, visible / 1e9, None)


def _known_card(visible: Visible, facts: Facts) -> Accelerator:
    """The card as the log saw it: its generation decides what the engine sets by itself."""
    if not visible.card:
        return _card(visible.bytes)
    found = facts.accelerator(visible.card)
    return replace(_card(visible.bytes), arch=found.arch)


def _visible(
    reading: LogReading,
    facts: Facts,
    given: Given,
    constants: RuntimeConstants | None,
    weights: int,
    inside: int,
    graphs: int,
    per_token: float | None = None,
) -> Visible | None:
    printed = reading.smallest("visible")
    if printed is not None and printed.value > 0:
        return Visible(
            round(printed.value),
            "log",
            _named(given.gpu, facts) if given.gpu and not _SIZE.fullmatch(given.gpu.strip()) else "",
        )
    if stated := _SIZE.fullmatch(given.gpu.strip()):
        return Visible(round(float(stated[1]) * GIB), "gpu")
    if given.gpu:
        card = _named(given.gpu, facts)
        return Visible(facts.runtime().visible_memory(facts.accelerator(card)), "gpu", card)
    before = min(reading.firsts("available_before"), key=lambda figure: figure.value, default=None)
    if before is not None and constants is not None and constants.budget == "static":
        return Visible(round(before.value), "log")
    space = kv_figure(reading, per_token)
    share = reading.settings.utilization or (constants.utilization if constants else None)
    if space is None or constants is None or constants.budget != "total" or not share or not weights:
        return None
    estimated = reading.last("graphs_estimated")
    if constants.graphs_reserved:
        inside += round(estimated.value) if estimated else graphs
    total = (weights + space.value + inside) / share
    cards = [card for card in facts.accelerators() if card.vendor == reading.vendor]
    if not cards:
        return Visible(round(total), "solved")
    near = min(cards, key=lambda card: abs(facts.runtime().visible_memory(card) / total - 1))
    size = facts.runtime().visible_memory(near)
    if abs(size / total - 1) <= _NEAR:
        return Visible(size, "like", near.id)
    return Visible(round(total), "solved")


def kv_figure(reading: LogReading, per_token: float | None) -> LogFigure | None:
    """Room for the cache on the rank that has least; where only tokens are printed, what they take."""
    if reading.engine == "tensorrt-llm":
        return reading.last("kv_space")
    found = reading.smallest("kv_space")
    tokens = reading.smallest("kv_tokens")
    if found is None and tokens is not None and per_token:
        return replace(tokens, term="kv_space", value=tokens.value * per_token)
    return found


def _named(name: str, facts: Facts) -> str:
    try:
        return facts.accelerator(name).id
    except UnknownFactError as error:
        raise ValueError(f"--gpu: {error}") from None
