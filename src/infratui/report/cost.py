"""Buy or rent in words: the summary, and the section as plain text for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..engine.cost.decision import Leaf
from ..engine.figures.units import ByteUnit, format_count, format_usd, significant

if TYPE_CHECKING:
    from ..engine.cost.levers import CostLever
    from ..engine.cost.tornado import Tornado
    from ..engine.deployment.planner import Candidate, DemandPlan
    from ..engine.sections.cost import CostResult, PricedOption


def money(value: float, currency: str = "$") -> str:
    """An amount under the user's currency label; nothing is converted."""
    return labelled(format_usd(value), currency)


def labelled(text: str, currency: str) -> str:
    """Words of the engine, which speaks of dollars, under the user's currency label."""
    if currency == "$":
        return text
    return text.replace("$", currency if len(currency) == 1 else f"{currency} ")


def summary(result: CostResult, bytes_as: ByteUnit = ByteUnit.GB) -> str:
    """The answer in plain sentences, for a ticket or a meeting."""
    sentences = [demand_line(result), sizing_line(result), verdict(result) + "."]
    sentences += [f"{option_line(entry, result)}." for entry in result.options if entry.cost is not None]
    sentences.append(f"{breakeven_line(result)}.")
    if result.api is not None:
        sentences.append(api_line(result) + ".")
    sentences += list(result.notes)
    stale = [entry.option.value for entry in result.options if entry.stale]
    if stale:
        sentences.append(f"Prices are older than 180 days for {', '.join(stale)}.")
    return " ".join(sentences)


def demand_line(result: CostResult) -> str:
    """What users ask for."""
    demand, offered = result.demand, result.offered
    days = "" if demand.days_per_week == 7 else f", {demand.days_per_week:g} days a week"
    return (
        f"{format_count(demand.requests_per_day)} requests/day of {demand.input_tokens:,} + {demand.output_tokens:,} "
        f"tokens within {demand.hours_per_day:g} h{days}: {significant(offered.mean_rate)} requests/s, "
        f"{significant(offered.peak_rate)} at peak ({format_count(offered.output_tokens_per_s)} output tokens/s)."
    )


def replica_line(result: CostResult) -> str:
    """What one replica is, and what it holds."""
    replica = result.replica
    serves = (
        f"{replica.layout.label} in {replica.precision.label} serves {significant(replica.requests_per_s)} requests/s"
    )
    if replica.by_rule or replica.ttft_s is None:
        return f"{serves} by the rule of thumb: {significant(1 / replica.tpot_s)} tokens/s, one user at a time"
    band = f" ±{replica.band_pct:.0f} %" if replica.band_pct is not None else " (no measured data)"
    return (
        f"{serves}{band}: batch {replica.batch:,.0f}, TTFT {replica.ttft_s * 1000:,.0f} ms, TPOT "
        f"{replica.tpot_s * 1000:,.0f} ms, limited by {replica.limited_by}"
    )


def fleet_line(result: CostResult) -> str:
    """How many of them, and how busy they are."""
    fleet = result.fleet
    spare = f", {fleet.spares} of them spare" if fleet.spares else ""
    small = f", {result.small.model.name} among them" if result.small is not None else ""
    return (
        f"{fleet.replicas:,} replica{'' if fleet.replicas == 1 else 's'}{spare}{small} = {fleet.gpus:,} × "
        f"{result.accelerator.name}, {fleet.utilization:.0%} busy while in service"
    )


def sizing_line(result: CostResult) -> str:
    """Replica and fleet in one sentence."""
    return f"One replica, {replica_line(result)}. That takes {fleet_line(result)}."


def verdict(result: CostResult) -> str:
    """What to do, and why."""
    advice = result.decision.advice
    return labelled(f"{advice[:1].upper()}{advice[1:]}: {result.decision.why}", result.scenario.currency)


def option_line(entry: PricedOption, result: CostResult) -> str:
    """One option with its range."""
    currency = result.scenario.currency
    if entry.cost is None:
        return f"{entry.option.value}: {entry.words}"
    text = f"{entry.option.value} {money(entry.cost.monthly, currency)} a month"
    if entry.low is not None and entry.high is not None and entry.high > entry.low * 1.01:
        text += f" ({money(entry.low, currency)} to {money(entry.high, currency)})"
    if entry.cost.per_mtok is not None:
        text += f", {money(entry.cost.per_mtok, currency)}/1M tokens"
    return text[:1].upper() + text[1:]


def breakeven_line(result: CostResult) -> str:
    """The three breakevens in words."""
    hours = [f"{entry.words} ({entry.name.removeprefix('on demand = reserved ')})" for entry in result.hours]
    return "Breakevens: " + "; ".join((*hours, result.month.words, result.requests.words))


def api_line(result: CostResult) -> str:
    """What the same tokens cost at an API."""
    api, currency = result.api, result.scenario.currency
    if api is None:
        return "No published API price for this model"
    if api.own:
        return f"At your own API price the same tokens cost {money(api.monthly, currency)} a month"
    return (
        f"{len(api.providers)} providers ask {money(api.low, currency)} to {money(api.high, currency)} per 1M tokens "
        f"of this mix, {money(api.monthly, currency)} a month at the median ({api.date})"
    )


def text(result: CostResult, levers: Sequence[CostLever] = (), tornado: Tornado | None = None) -> str:
    """The whole section as plain text."""
    currency = result.scenario.currency
    lines = [
        f"{result.replica.model.name} on {result.accelerator.name}",
        "",
        demand_line(result),
        f"Replica: {replica_line(result)}.",
        f"Fleet: {fleet_line(result)}.",
        "",
        f"→ {verdict(result)}.",
        "",
        *_table(
            ("option", "month", "low", "high", f"{result.scenario.term_years:g} years", "per 1M tokens", "price"),
            list(_option_rows(result)),
        ),
        "",
        breakeven_line(result) + ".",
        *_spread(result),
        "",
        "Decision:",
        *(
            f"  {'yes' if fork.answer else 'no ':3}  {fork.question}  [{labelled(fork.fact, currency)}]"
            for fork in result.decision.path
        ),
    ]
    if levers:
        lines += ["", "Levers:"]
        lines += [
            f"  [{'x' if entry.on else ' '}] {entry.note.label}: {labelled(entry.words, currency)}" for entry in levers
        ]
    if tornado is not None:
        lines += [
            "",
            f"What moves it most ({tornado.leader} against {tornado.runner_up}):",
            *_swings(tornado, currency),
        ]
    lines += ["", *(f"Note: {note}" for note in result.notes)]
    return "\n".join(lines).rstrip()


def _lever_line(lever: CostLever, currency: str) -> str:
    return f"  [{'x' if lever.on else ' '}] {lever.note.label}: {labelled(lever.words, currency)}"


def _option_rows(result: CostResult) -> Iterator[tuple[str, ...]]:
    currency, years = result.scenario.currency, result.scenario.term_years
    chosen = result.decision.option
    for entry in result.options:
        mark = "● " if entry.option is chosen else "  "
        if entry.cost is None or entry.low is None or entry.high is None:
            yield (mark + entry.option.value, "–", "–", "–", "–", "–", entry.words)
            continue
        per_mtok = "–" if entry.cost.per_mtok is None else money(entry.cost.per_mtok, currency)
        yield (
            mark + entry.option.value,
            money(entry.cost.monthly, currency),
            money(entry.low, currency),
            money(entry.high, currency),
            money(entry.cost.monthly * 12 * years, currency),
            per_mtok,
            f"{entry.words}; {entry.barred}" if entry.barred else entry.words,
        )
    api = result.api
    if api is not None:
        mark = "● " if result.decision.leaf is Leaf.API else "  "
        source = "your own price" if api.own else f"{len(api.providers)} providers, {api.date}"
        yield (
            f"{mark}API",
            money(api.monthly, currency),
            money(api.monthly_low, currency),
            money(api.monthly_high, currency),
            money(api.monthly * 12 * years, currency),
            money(api.median, currency),
            source,
        )


def _spread(result: CostResult) -> list[str]:
    currency = result.scenario.currency
    best = result.best
    if best is None or result.per_user is None:
        return []
    request = "" if result.per_request is None else f"{money(result.per_request, currency)} per request, "
    user = f"{money(result.per_user, currency)} a month per concurrent user ({best.option.value})"
    return [f"That is {request}{user}."]


def swing_words(at: float, tornado: Tornado, currency: str = "$") -> str:
    """Who leads at one end of a swing, and by how much a month."""
    return f"{tornado.leader if at > 0 else tornado.runner_up} by {money(abs(at), currency)}"


def _swings(tornado: Tornado, currency: str) -> list[str]:
    lines = []
    for swing in tornado.swings:
        lever = swing.lever
        flip = "" if swing.flips_at is None else f"; flips at {significant(swing.flips_at)}"
        ends = (
            f"{significant(lever.low)} → {swing_words(swing.at_low, tornado, currency)}, "
            f"{significant(lever.high)} → {swing_words(swing.at_high, tornado, currency)}"
        )
        lines.append(f"  {lever.label} {significant(lever.now)}: {ends}{flip}")
    if tornado.idle:
        lines.append(f"  No effect: {', '.join(tornado.idle)}")
    return lines


def plan_text(plan: DemandPlan, shown: int = 12) -> str:
    """The planner's answer as plain text."""
    scenario = plan.scenario
    targets = [f"TTFT {scenario.ttft_ms:g} ms"] if scenario.ttft_ms else []
    targets += [f"TPOT {scenario.tpot_ms:g} ms"] if scenario.tpot_ms else []
    head = (
        f"{format_count(scenario.requests_per_day)} requests/day of {scenario.input_tokens:,} + "
        f"{scenario.output_tokens:,} tokens, {' and '.join(targets) or 'no latency target'}"
    )
    if plan.best is None:
        reasons = dict.fromkeys(entry.reason for entry in plan.refused)
        return "\n".join((head, "No plan holds that:", *(f"  {reason}" for reason in list(reasons)[:shown])))
    best = plan.best
    lines = [
        head,
        f"→ {best.label}: {money(best.monthly, scenario.currency)} a month, {best.option.value} ({best.price})",
        f"  TTFT {(best.replica.ttft_s or 0) * 1000:,.0f} ms, TPOT {best.replica.tpot_s * 1000:,.0f} ms at batch "
        f"{best.replica.batch:,.0f}, {best.busy:.0%} busy; limited by {best.replica.limited_by}",
        "",
        *_table(
            ("plan", "month", "per 1M tokens", "tokens/s·user", "paid", "against it"),
            [_candidate_row(entry, scenario.currency) for entry in plan.candidates[:shown]],
        ),
        "",
        "Nothing beats these in both cost and speed per user:",
        *_table(
            ("plan", "month", "per 1M tokens", "tokens/s·user", "paid", "batch"),
            [(*_candidate_row(entry, scenario.currency)[:5], f"{entry.replica.batch:,.0f}") for entry in plan.pareto],
        ),
    ]
    if any(entry.replica.band_pct is None for entry in (*plan.candidates[:shown], *plan.pareto)):
        lines.append("?: no measured data for this kind of model on this accelerator.")
    refused = dict.fromkeys(f"{entry.accelerator.name}: {entry.reason}" for entry in plan.refused)
    if refused:
        lines += ["", f"Refused, {len(refused)} in all, such as:", *(f"  {reason}" for reason in list(refused)[:5])]
    return "\n".join(lines)


def _candidate_row(entry: Candidate, currency: str) -> tuple[str, ...]:
    per_mtok = "–" if entry.usd_per_mtok is None else money(entry.usd_per_mtok, currency)
    unproven = "" if entry.replica.band_pct is not None else " ?"
    return (
        entry.label,
        money(entry.monthly, currency),
        per_mtok,
        f"{entry.tokens_per_s_per_user:,.0f}{unproven}",
        entry.option.value,
        entry.loses or "cheapest",
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text; the first and the last to the left, numbers between them to the right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    left = {0, len(head) - 1}
    return [
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
