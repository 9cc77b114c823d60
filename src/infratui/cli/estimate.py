"""`infratui estimate`: one deployment per row of a CSV file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from .common import Deployment, fail

TABLE_BYTES = 64_000_000
"""Largest table that is read: hundreds of thousands of rows."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here instead of standard output.")
@click.option("--given-kv", is_flag=True, help="KV tokens from the row's own kv_cache_gib_per_gpu.")
def command(file: Path, output: Path | None, given_kv: bool) -> None:
    """Estimate memory, and speed where a row states its traffic, for every row of FILE (- reads standard input).

    Columns: model_id, weight_format, tp, pp, ep, dp, gpu, gpu_mem_util, max_model_len, kv_dtype, max_num_seqs,
    max_batched_tokens, engine; for speed isl, osl, concurrency (a number or `max throughput`), batching, num_gpus.
    Blank is the default; other columns pass through; est_error says what has no answer.
    """
    from ..report.estimate import estimate_table

    facts = Deployment().facts()
    try:
        text = _text(file)
        target = io.StringIO()
        refused = estimate_table(io.StringIO(text, newline=""), target, str(file), facts, given_kv=given_kv)
        if output is None:
            click.echo(target.getvalue(), nl=False)
        else:
            from ..store import write_text

            write_text(output, target.getvalue())
    except UnicodeDecodeError:
        fail(f"{file}: not UTF-8 text; save the table as UTF-8 CSV")
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}")
    except ValueError as error:
        fail(str(error))
    if refused:
        click.echo(f"{refused} row{'s' if refused > 1 else ''} without a full answer: see est_error", err=True)


def _text(file: Path) -> str:
    """The table's text, size-limited before it is read."""
    if str(file) != "-" and file.exists() and not file.is_file() and not file.is_fifo():
        fail(f"{file}: not a file; name a CSV file, or - for standard input")
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
        raw = stream.read(TABLE_BYTES + 1)
    if len(raw) > TABLE_BYTES:
        fail(f"{file}: larger than {TABLE_BYTES // 10**6} MB; split the table")
    return raw.decode("utf-8-sig")
