"""`infratui models`: the models of the catalog, or one of them in full."""

from __future__ import annotations

import click

from .common import Options, echo_json, guarded, plain_table


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the models, or show NAME: a catalog id, an alias, a Hugging Face id or a checkpoint on disk."""
    from ..engine.figures.units import format_count, format_tokens
    from ..engine.memory.kv_cache import kv_geometry
    from ..engine.model.architecture import parameters

    facts = Options().facts()
    models = guarded(lambda: (facts.model(name),) if name else facts.models())
    bf16 = facts.precision("bf16")
    rows = [
        {
            "id": model.id,
            "name": model.name,
            "parameters": parameters(model).total,
            "active_parameters": parameters(model).active,
            "layers": model.layers,
            "max_context": model.max_context,
            "kv_bytes_per_token_bf16": round(kv_geometry(model, bf16).bytes_per_token),
            "released_precision": model.weight_precision,
            "license": model.license,
            "origin": model.origin,
            "source": model.source,
        }
        for model in models
    ]
    if as_json:
        echo_json(rows, "models")
        return
    plain_table(
        ("id", "parameters", "active", "layers", "context", "KV B/token", "released as", "license"),
        [
            (
                model.id + (" *" if model.origin != "built-in" else ""),
                format_count(row["parameters"]),
                format_count(row["active_parameters"]),
                str(model.layers),
                format_tokens(model.max_context),
                f"{row['kv_bytes_per_token_bf16']:,}",
                model.weight_precision,
                model.license,
            )
            for model, row in zip(models, rows, strict=True)
        ],
        right=(1, 2, 3, 4, 5),
    )
