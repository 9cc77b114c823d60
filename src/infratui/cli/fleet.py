"""`infratui fleet`: several models on one pool of servers."""

from __future__ import annotations

import click

from .common import Options, Whole, echo_json, fail, guarded


@click.command()
@click.argument("names", metavar="SCENARIO…", nargs=-1, required=True)
@click.option("--gpu", metavar="NAME", help="Accelerator of the pool; else that of the scenarios.")
@click.option("--gpus-per-node", type=Whole(1, 1024), help="GPUs of one server; else as the catalog has it.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the tables as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(names: tuple[str, ...], gpu: str | None, gpus_per_node: int | None, as_csv: bool, as_json: bool) -> None:
    """Put several scenarios, each a file or a preset, on one pool of servers.

    Says what the pool needs, how whole replicas pack by node, what it costs, and what each model adds. It is bin
    packing of whole replicas, no scheduler.
    """
    from ..engine.deployment.pool import evaluate_pool
    from ..engine.evaluate import Evaluator
    from ..report import pool as words
    from ..report.tables import table_csv
    from ..scenario import ScenarioError
    from ..store import named_scenario
    from .show import emit

    facts = Options().facts()
    evaluate = Evaluator(facts)
    changes: dict[str, object] = {"fleet_basis": "needs"}
    if gpu is not None:
        # A layout that was set by hand belongs to the GPUs that it was set for.
        changes |= {"accelerator": gpu, "gpus_per_node": 0, "tp": 0, "pp": 0, "dp": 0, "ep": 0, "dcp": 0}
    if gpus_per_node is not None:
        changes["gpus_per_node"] = gpus_per_node
    cases = []
    for name in names:
        try:
            cases.append(evaluate(named_scenario(name).with_(**changes)).case)
        except ScenarioError as error:
            fail(str(error))
        except OSError as error:
            fail(f"{name}: {error.strerror}")
    found = guarded(lambda: evaluate_pool(cases))
    currency = cases[0].scenario.currency
    if as_json:
        echo_json(words.data(found))
    elif as_csv:
        click.echo(
            "\n".join(table_csv(table) for table in (words.tenants(found, currency), words.nodes(found))), nl=False
        )
    else:
        emit(words.answer(found, currency), words.page(found, currency))
