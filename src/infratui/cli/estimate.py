"""`infratui estimate`: one deployment per row of a CSV file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from .common import Options, fail

TABLE_BYTES = 32_000_000
"""Largest table that is read: hundreds of thousands of rows."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here instead of standard output.")
@click.option("--given-kv", is_flag=True, help="KV tokens from the row's own kv_cache_gib_per_gpu.")
def command(file: Path, output: Path | None, given_kv: bool) -> None:
    """Estimate memory, and speed where a row states its traffic, for every row of FILE (- reads standard input).

    Columns: model_id, weight_format, tp, pp, ep, dp, gpu, gpu_mem_util, max_model_len, kv_dtype, max_num_seqs,
    max_batched_tokens, engine; for speed isl, osl, concurrency (a number or `max throughput`), batching, num_gpus.
    concurrency may be `N requests at once`. Blank is the default; other columns pass through, formulas as text.
    Each speed has a _low and a _high that hold 80 of 100 measurements. est_error says why a row has no answer, est_note
    what is missing of one and how names were read; the last line on standard error how many rows have no answer.
    """
    from ..report.estimate import estimate_table

    facts = Options().facts()
    try:
        source = io.TextIOWrapper(_content(file), encoding="utf-8-sig", newline="")
        target = io.StringIO()
        rows, refused = estimate_table(source, target, str(file), facts, given_kv=given_kv)
        if output is None:
            click.echo(target.getvalue(), nl=False)
        else:
            from ..store import write_text

            write_text(output, target.getvalue())
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}")
    except ValueError as error:
        fail(str(error))
    if refused:
        click.echo(f"infratui: {refused:,} of {rows:,} rows without an answer; est_error says why", err=True)


def _content(file: Path) -> io.BytesIO:
    """The table's bytes, size-limited before they are read."""
    if str(file) != "-" and file.exists() and not file.is_file() and not file.is_fifo():
        fail(f"{file}: not a file; name a CSV file, or - for standard input")
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
        raw = stream.read(TABLE_BYTES + 1)
    if len(raw) > TABLE_BYTES:
        fail(f"{file}: larger than {TABLE_BYTES // 10**6} MB; split the table")
    return io.BytesIO(raw)
