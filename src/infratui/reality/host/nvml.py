"""This machine's own cards, asked through NVML where its Python library is installed."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from ...engine.facts import Facts
from ..text import UnreadableError, clean
from .reading import Card, HostReading, Listing, Slice

_ELSE = "pipe a listing in instead: nvidia-smi | infratui host -"


def of_this_machine(facts: Facts) -> HostReading:
    """The cards of this machine. Raises UnreadableError in one line where they cannot be asked."""
    from . import assembled

    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        raise UnreadableError(
            f"this machine's cards are asked through NVML, which needs pip install 'infratui[host]'; or {_ELSE}"
        ) from None
    try:
        nvml.nvmlInit()
    except Exception as error:  # The library's own exceptions share no base that a fake of it would have.
        raise UnreadableError(
            f"NVML does not answer ({clean(str(error))[:80]}): no NVIDIA driver here; {_ELSE}"
        ) from None
    try:
        cards = tuple(_card(nvml, at) for at in range(nvml.nvmlDeviceGetCount()))
    except Exception as error:
        raise UnreadableError(f"NVML stopped answering ({clean(str(error))[:80]}); {_ELSE}") from None
    finally:
        nvml.nvmlShutdown()
    if not cards:
        raise UnreadableError(f"NVML lists no card here; {_ELSE}")
    return assembled([Listing("nvml", cards)], facts)


def _card(nvml: Any, at: int) -> Card:
    handle = nvml.nvmlDeviceGetHandleByIndex(at)
    name = nvml.nvmlDeviceGetName(handle)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    slices: tuple[Slice, ...] | None = None
    busy = None
    with contextlib.suppress(nvml.NVMLError):
        if nvml.nvmlDeviceGetMigMode(handle)[0]:
            slices = ()
    with contextlib.suppress(nvml.NVMLError):
        busy = int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    total = int(memory.total) // 1048576
    return Card(
        clean(name if isinstance(name, str) else name.decode("utf-8", "replace")),
        total or None,
        at,
        int(memory.used) // 1048576,
        busy,
        mig=slices,
        fault="" if total else "0 MiB of memory: a fault",
    )
