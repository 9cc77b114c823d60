"""The traffic that a plan serves: requests of one shape, how many at a time, and drafts that a step may verify."""

from __future__ import annotations

from ...value_types import dataclass
from ..figures.derivation import Basis, Formula, Unit
from ..memory.lengths import Lengths

_MAX_TOKENS = 1 << 25
_MAX_REQUESTS = 10_000_000
TOKENS_PER_STEP = Formula(
    "tokens_per_step",
    "(1 - acceptance ** (drafts + 1)) / (1 - acceptance)",
    Unit.RATIO,
    basis=Basis.DERIVED,
    term="speculative-decoding",
)


class SpeedError(ValueError):
    """A plan or workload without an answer: what, and what would be right."""


@dataclass(frozen=True, slots=True)
class Speculation:
    """Drafts that one step verifies. The acceptance rate is measured by the user, never assumed."""

    acceptance: float
    """Share of drafted tokens that the model accepts, each given that those before it were: 0 to 1."""
    drafts: int = 3
    draft_share: float = 0.05
    """Cost of one drafted token as a share of a decode step (assumed; 0.02 to 0.1 for draft heads)."""

    def __post_init__(self) -> None:
        if not 0 <= self.acceptance <= 1:
            raise SpeedError(f"acceptance rate = {self.acceptance}: must lie between 0 and 1")
        if self.drafts < 1 or not self.draft_share >= 0:
            raise SpeedError(f"draft tokens = {self.drafts}, cost {self.draft_share}: at least 1 token, cost 0 or more")

    @property
    def tokens_per_step(self) -> float:
        """Expected tokens that one verified step yields."""
        if self.acceptance >= 1:
            return self.drafts + 1.0
        return float(TOKENS_PER_STEP(acceptance=self.acceptance, drafts=self.drafts))


@dataclass(frozen=True, slots=True)
class Shape:
    """How requests differ around the means of a workload, as measured."""

    whole: Lengths
    """Prompt and answer of the requests in flight."""
    decoding: float
    """Tokens that they hold in the mean while they decode."""
    unevenness: float = 1.0
    """Mean square of the prompts over the square of their mean: 1 for equal ones."""
    answers_cv: float = 0.0
    """Coefficient of variation of the answers."""
    prompts: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    """Prompts over their mean, and the share of requests that have such a one."""
    answers: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    """Likewise of answers."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one shape, or measured ones around it. Token counts are means."""

    input_tokens: float
    output_tokens: float
    concurrency: float | None = None
    """Requests in flight over all replicas; None: all queued at once, the batch as large as memory allows."""
    static: bool = False
    """One batch, prefilled together and decoded without newcomers."""
    prefix_hit: float = 0.0
    """Share of the input found in the prefix cache."""
    lockstep: float | None = None
    """Share of requests that arrive together: 1 for equal requests in a closed loop, which stay in step; None: as
    closed-loop runs of the engine show."""
    varied: bool = False
    """In a closed loop, lengths are drawn around their means: requests that start together do not end together."""
    requests: int | None = None
    """Length of an offline run; None: long enough that its end does not count."""
    max_num_seqs: int | None = None
    max_batched_tokens: int = 8192
    """Prompts are computed in chunks of this many tokens."""
    poll_steps: int = 1
    """Decode steps between two looks for new requests (SGLang's `--scheduler-recv-interval`, 1 unless it is set). A
    prompt's step is followed by a look at once, and then by that many decode steps (`SchedulerRecvSkipper`): looks are
    as far apart however busy the engine is, and an arrival waits for half of it in the mean."""
    speculation: Speculation | None = None
    shape: Shape | None = None
    """None: all requests are alike."""

    def __post_init__(self) -> None:
        for name, value, low in (("input tokens", self.input_tokens, 0), ("output tokens", self.output_tokens, 1)):
            if not low <= value <= _MAX_TOKENS:
                raise SpeedError(f"{name} = {value:g}: must be {low} to {_MAX_TOKENS:,}")
        if self.concurrency is not None and not 1 <= self.concurrency <= _MAX_REQUESTS:
            raise SpeedError(f"concurrency = {self.concurrency:g}: must be 1 to {_MAX_REQUESTS:,}")
        if not 0 <= self.prefix_hit <= 1:
            raise SpeedError(f"prefix hits = {self.prefix_hit}: a share between 0 and 1")
        counts = self.max_batched_tokens, self.poll_steps, 1 if self.max_num_seqs is None else self.max_num_seqs
        if min(counts) < 1:
            raise SpeedError("batched tokens, sequences per step and steps between polls must be at least 1")
        if self.static and self.concurrency is None:
            raise SpeedError("a static batch needs its size: give a concurrency")

    @property
    def context(self) -> float:
        """Tokens that a sequence holds on average while it decodes."""
        if self.shape is not None:
            return self.shape.decoding
        return self.input_tokens + self.output_tokens / 2

    @property
    def whole(self) -> float:
        """Tokens of prompt and answer, in the mean over the requests in flight."""
        return self.input_tokens + self.output_tokens if self.shape is None else self.shape.whole.mean

    @property
    def single(self) -> float:
        """Tokens that room is kept for where one request runs alone."""
        return self.input_tokens + self.output_tokens if self.shape is None else self.shape.whole.each(1)


def prompt_work(workload: Workload) -> tuple[float, float]:
    """Tokens of a prompt that must be computed, at least one, and the mean context each attends over.

    Most tokens are in the longer prompts, where each attends to more: by the mean square over the square of the mean.
    """
    tokens = max(1.0, workload.input_tokens * (1 - workload.prefix_hit))
    cached = max(0.0, workload.input_tokens - tokens)
    context = cached + tokens / 2
    return tokens, context if workload.shape is None else context * workload.shape.unevenness
