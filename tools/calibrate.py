"""Refits the speed constants from the measured rows, prints what is left over, and rewrites the data with `--write`.

Each row's error is the logarithm of predicted over measured, in units of 12 %, grows linearly beyond two units (a few
odd rows cannot pull the fit), and counts less where one study brings many alike. Each parameter is held near its prior
by its spread. Then every study is left out in turn: its rows are scored with constants that never saw them.
"""

from __future__ import annotations

import argparse
import datetime
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import fields

from infratui.catalog.built_in import DATA
from infratui.catalog.calibration import Calibration, calibration
from infratui.catalog.load import Catalog
from infratui.catalog.measured import measured_throughput
from infratui.catalog.runtime import runtime_table
from infratui.engine.measured.accuracy import WAYS, Accuracy, Score, families_measured, prepare_rows, score_rows
from infratui.engine.measured.rows import Prepared, predict
from infratui.engine.speed.constants import Constants, Way

from .least_squares import Fit, Problem, fit, one_step

UNIT = math.log(1.12)
KNEE = 2.0
ENOUGH = 12
"""Rows of one study and quantity beyond which each counts less."""
WEIGHTS = {"tpot": 1.0, "ttft": 1.0, "ttft under load": 0.5, "throughput": 0.7, "max throughput": 0.9}
METHOD = (
    "Trust-region least squares on log(predicted / measured), pseudo-Huber beyond 24 %, log-normal priors on every "
    "parameter; rows weighted so that a study with many alike does not rule; bands are leave-one-study-out"
)


def problem_of(rows: Sequence[Prepared], names: Sequence[str], model: Calibration) -> Problem:
    """The least-squares problem of these rows in the logarithms of the parameters."""
    counts = Counter((row.row.study, row.row.quantity, row.model.is_moe) for row in rows)
    weights = []
    for row in rows:
        same = counts[row.row.study, row.row.quantity, row.model.is_moe]
        weights.append(WEIGHTS[row.row.quantity] * math.sqrt(min(1.0, ENOUGH / same)))
    last: tuple[Sequence[float] | None, Constants | None] = (None, None)

    def residual(index: int, x: Sequence[float]) -> float:
        nonlocal last
        if last[0] is not x or last[1] is None:
            last = (x, model.with_values({name: math.exp(value) for name, value in zip(names, x, strict=True)}))
        row = rows[index]
        assert row.row.value is not None
        assert last[1] is not None
        error = math.log(max(predict(row, last[1]), 1e-9) / row.row.value) / UNIT
        robust = math.copysign(math.sqrt(2 * KNEE**2 * (math.sqrt(1 + (error / KNEE) ** 2) - 1)), error)
        return robust * weights[index]

    touches = [[index for index, row in enumerate(rows) if _uses(row, name, model)] for name in names]
    by_name = {parameter.id: parameter for parameter in model.parameters}
    return Problem(
        len(rows),
        residual,
        touches,
        [math.log(by_name[name].prior) for name in names],
        [by_name[name].spread for name in names],
    )


def _uses(row: Prepared, name: str, model: Calibration) -> bool:
    """Whether a parameter can matter to a row."""
    generation, load = row.generation, row.load
    head, _, tail = name.partition(".")
    if row.row.metric == "tpot_ms" and head in ("request", "admission", "bunched", "bunched_varied"):
        return False
    if tail in ("bandwidth", "compute") and any(head == family.id for family in model.families):
        return head == model.constants().family(row.accelerator.arch)
    if tail or name.startswith("early_"):
        return name in {getattr(generation, field.name) for field in fields(generation)}
    joint = load.tp * load.pp * load.group > 1
    if name.endswith("_latency") and name.startswith(("ring", "one_shot")):
        return joint and name.startswith(generation.collectives)
    needed = {
        "exchange_share": load.group > 1,
        "dp_wait": load.group > 1,
        "unpack": load.dense_bits < 16,
        "link_share": joint,
        "pcie_share": joint,
    }
    if name.startswith(("expert", "routing")):
        return row.model.is_moe
    if name.endswith(("_latency", "_growth")):
        return joint
    return needed.get(name, True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.calibrate", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite calibration.yaml and calibration_folds.yaml")
    parser.add_argument("--no-folds", action="store_true", help="skip the fits that leave one study out")
    parser.add_argument("--residuals", action="store_true", help="print every row")
    options = parser.parse_args(arguments)
    model = calibration()
    facts, table = Catalog(), runtime_table()
    names = [parameter.id for parameter in model.parameters]
    usable, left = prepare_rows(measured_throughput(), facts, model.constants(), table)
    rows = [row for row in usable if row.row.fitted]
    problem = problem_of(rows, names, model)
    print(f"{len(rows)} rows fitted, {len(usable) - len(rows)} only scored, {len(left)} left out")
    whole = fit(
        problem,
        [math.log(parameter.value) for parameter in model.parameters],
        refresh=3,
        report=lambda turn, cost: print(f"  round {turn}: cost {cost:.2f}", flush=True),
    )
    print_parameters(model, names, whole)
    constants = model.with_values(_values(names, whole.x))
    if options.residuals:
        print_residuals(usable, constants)
    folds: dict[tuple[Way, str], dict[str, float]] = {}
    if not options.no_folds:
        for study in sorted({row.row.study for row in rows}):
            without = [index for index, row in enumerate(rows) if row.row.study == study]
            part = fit(problem, whole.x, without=without, derivatives=whole.jacobian, refresh=99, rounds=6)
            folds["study", study] = _values(names, part.x)
            print(f"  without {study}: {len(without)} rows", flush=True)
        for cell in sorted({row.cell for row in rows}):
            without = [index for index, row in enumerate(rows) if row.cell == cell]
            folds["cell", cell] = _values(names, one_step(problem, whole, without))
    accuracy = score_rows(
        measured_throughput(),
        facts,
        constants,
        table,
        lambda way, group: model.with_values(folds.get((way, group), _values(names, whole.x))),
    )
    print_scores("left out, the worse way" if folds else "on the rows fitted", accuracy.scores())
    if options.write:
        if not folds:
            parser.error("--write needs the folds: leave --no-folds out")
        write(model, names, whole, folds, accuracy, constants, len(rows))
        print("written: calibration.yaml, calibration_folds.yaml")
    return 0


def _values(names: Sequence[str], x: Sequence[float]) -> dict[str, float]:
    return {name: float(f"{math.exp(value):.5g}") for name, value in zip(names, x, strict=True)}


def print_parameters(model: Calibration, names: Sequence[str], answer: Fit) -> None:
    """Prior, value and how many spreads the rows moved each."""
    print(f"{'parameter':<28}{'prior':>12}{'value':>12}{'moved':>8}")
    for parameter, value in zip(model.parameters, answer.x, strict=True):
        moved = (value - math.log(parameter.prior)) / parameter.spread
        print(f"{parameter.id:<28}{parameter.prior:>12.4g}{math.exp(value):>12.4g}{moved:>+8.1f}")
    print(f"{len(names)} parameters, of which the rows decide {answer.effective:.1f}")


def print_residuals(rows: Sequence[Prepared], constants: Constants) -> None:
    """Every row, the worst first."""
    errors = [(predict(row, constants), row) for row in rows]
    errors.sort(key=lambda entry: -abs(math.log(entry[0] / (entry[1].row.value or 1))))
    for predicted, row in errors:
        measured = row.row.value or 1
        print(
            f"{row.row.id:<16}{row.row.quantity:<16}{row.model.id:<22}{row.accelerator.id:<14}"
            f"{row.row.layout.label:<12}{measured:>12.5g}{predicted:>12.5g}{100 * (predicted / measured - 1):>+8.1f} %"
        )


def print_scores(title: str, scores: Sequence[Score]) -> None:
    """The table of `infratui accuracy`."""
    print(f"{title}: mean / median absolute error, bias, 90th percentile; rule of thumb; plain roofline")
    for score in scores:
        errors = score.errors
        both = " ".join(f"{way} {score.ways[way].mean_ape:.1f}" for way in WAYS)
        print(
            f"{score.quantity:<18}{score.group:<7}n = {score.n:<5}{errors.mean_ape:>6.1f} /{errors.median_ape:>5.1f}"
            f"{errors.bias:>+7.1f}{errors.p90_ape:>7.1f}{score.rule_of_thumb.mean_ape:>8.0f}{score.roofline.mean_ape:>6.0f}"
            f"   {both}"
        )


def write(
    model: Calibration,
    names: Sequence[str],
    whole: Fit,
    folds: dict[tuple[Way, str], dict[str, float]],
    accuracy: Accuracy,
    constants: Constants,
    rows: int,
) -> None:
    """Put values, bands and folds into the catalog; everything else in the files stays as it is."""
    values = _values(names, whole.x)
    path = DATA / "calibration.yaml"
    text = path.read_text("utf-8")
    for name, value in values.items():
        text = re.sub(rf"(\{{id: {re.escape(name)}, value: )[^,]+", rf"\g<1>{value:.5g}", text)
    text = re.sub(r"^date: .*$", f'date: "{datetime.date.today()}"', text, flags=re.M)
    text = re.sub(r"^method: .*$", f"method: {METHOD!r}".replace("'", '"'), text, flags=re.M)
    text = re.sub(r"^rows_fitted: .*$", f"rows_fitted: {rows}", text, flags=re.M)
    text = re.sub(r"^effective_parameters: .*$", f"effective_parameters: {whole.effective:.1f}", text, flags=re.M)
    path.write_text(text[: text.index("bands:")] + _bands(accuracy, constants), "utf-8")
    folds_path = DATA / "calibration_folds.yaml"
    header = folds_path.read_text("utf-8").split("folds:")[0]
    lines = ["folds:"]
    for (way, group), parts in folds.items():
        changed = {name: value for name, value in parts.items() if abs(value / values[name] - 1) > 5e-4}
        inner = ", ".join(f"{name}: {value:.5g}" for name, value in changed.items())
        lines.append(f"  - way: {way}\n    group: {group}\n    values: {{{inner}}}")
    folds_path.write_text(header + "\n".join(lines) + "\n", "utf-8")


def _bands(accuracy: Accuracy, constants: Constants) -> str:
    measured = families_measured(accuracy, constants)
    studies: dict[tuple[str, str], int] = defaultdict(int)
    lines = ["bands:"]
    for score in accuracy.scores():
        studies[score.quantity, score.group] = score.studies
        families = ", ".join(measured[score.quantity, score.group])
        errors = score.errors
        low, high = accuracy.interval(score.quantity, score.group)
        lines.append(
            f"  - {{quantity: {score.quantity}, kind: {score.group}, n: {score.n}, sources: {score.studies}, "
            f"mean_ape: {errors.mean_ape:.1f}, median_ape: {errors.median_ape:.1f}, bias: {errors.bias:.1f}, "
            f"p90_ape: {errors.p90_ape:.1f}, low: {low:.3f}, high: {high:.3f}, families: [{families}]}}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
