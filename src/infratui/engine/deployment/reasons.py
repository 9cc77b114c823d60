"""What a deployment's reasons are about: why this layout, why none, what keeps a batch from growing."""

from __future__ import annotations

from enum import StrEnum


class ReasonKind(StrEnum):
    """What a reason is about."""

    PINNED = "pinned"
    """The user set it."""
    ONLY = "only"
    """No other layout holds the load."""
    FASTEST = "fastest"
    """The best prediction of so many layouts."""
    FEWER_PER_REPLICA = "fewer per replica"
    """Nearly as fast as the fastest, and a lost GPU stops fewer users."""
    NO_SPEED = "no speed"
    """Nothing is predicted: the smallest replicas."""
    MISSES = "misses"
    """No layout holds the latency targets."""
    REPLICAS = "replicas"
    IDLE = "idle"
    SHORT = "memory short"
    """In bytes per GPU."""
    NOTHING_HOLDS = "nothing holds the load"
    NOTHING_RUNS = "nothing runs"
    """The layout that is shown is short of memory."""
    REFUSED = "refused"
    """An error, whose words are the name."""
    TAKES_MORE = "more GPUs than there are"
    NO_MATCH = "no layout as set"
    BUFFERS = "the engine's buffers fill the GPU"
    TOO_MANY = "more GPUs than are searched"
    NO_ROOM = "no room for one user"
    MISSES_TPOT = "TPOT target missed"
    """Even with one user at a time."""
    MISSES_TTFT = "TTFT target missed"
    NO_LAYOUT = "no layout holds the load"
    """Of the model that is named."""
    RULE_HAS_NO_PLANS = "the rule of thumb has no targets to search for"
    RULE_HAS_NO_SPEED = "the rule of thumb predicts no speed"
    RULE_HAS_NO_CACHE = "the rule of thumb knows no such cache"
    """Of the model that is named."""
    NO_PRICE = "no published price"
    NO_OPTION_PRICE = "no price for an allowed option"
    POOLS = "prompts are computed apart"
    """By so many replicas of the layout that is named."""
    NO_POOLS = "the engine has no pools"
    """The one that is named."""
    NO_PROMPTS = "no prompts to compute apart"
    POOLS_AND_CASCADE = "pools beside a cascade"
    NOT_APART = "not answered for pools"
    GIVEN_GPUS = "so many GPUs do not hold it"
    SHARED_GPUS = "both get what the larger needs"
    """The model that is named does not fit the scenario's GPUs."""

    # The ladder
    ONE_GPU = "one GPU"
    ONE_NODE = "one node"
    STAGES = "stages across nodes"
    SPREAD = "experts spread"
    SLOWER_LADDER = "the ladder is slower"
    """Than the layout that is named; what it loses, and by which TPOT."""

    # A runner-up against the best plan
    SAME_COST = "costs the same"
    COSTS_MORE = "costs more"


class Limit(StrEnum):
    """What keeps the batch of a replica from growing."""

    MEMORY = "memory"
    SEQUENCES = "the engine's sequence limit"
    TPOT = "the TPOT target"
    TTFT = "the TTFT target"
    TARGETS = "the targets"
    CHOICE = "the choice of a smaller batch"
    ONE_AT_A_TIME = "the rule of thumb: one user at a time"
