"""Listings of hardware: card, count and memory as reported; what is cut, shared, busy, broken or unknown."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from infratui.catalog.host_names import host_tables
from infratui.catalog.load import Catalog, default_catalog
from infratui.reality.host import read_host
from infratui.reality.host.apply import settle
from infratui.reality.host.reading import HostReading
from infratui.reality.text import UnreadableError

from .samples import (
    AMD_SMI,
    CSV,
    DESCRIBE,
    LIST,
    MIG_TAIL,
    NODES,
    PROCESS_TAIL,
    QUERY,
    ROCM,
    SLURM,
    TOPOLOGY,
    XML,
    nvidia_smi,
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return default_catalog()


def read(text: str, catalog: Catalog) -> HostReading:
    return read_host(text, host_tables(), catalog)


def told(found: HostReading) -> list[tuple[str, str | None, int | None, int | None]]:
    return [(entry.name, entry.accelerator, entry.count, entry.memory_mib) for entry in found.devices]


H200 = ("NVIDIA H200", 0, 143771, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (nvidia_smi(*[H200] * 8), [("NVIDIA H200", "h200-sxm", 8, 143771)]),
        (CSV, [("NVIDIA L4", "l4", 2, 23030)]),
        (QUERY, [("NVIDIA L40S", "l40s", 1, 46068)]),
        (XML, [("NVIDIA L4", "l4", 1, 23034)]),
        (ROCM, [("AMD Instinct MI300X OAM", "mi300x", 1, 196592)]),
        (AMD_SMI, [("0x1586", None, 1, 65536)]),
        ("p5.48xlarge", [("h100-sxm", "h100-sxm", 8, None)]),
        (nvidia_smi(("NVIDIA A100-SXM...", 0, 81920, 0)), [("NVIDIA A100-SXM...", "a100-80gb-sxm", 1, 81920)]),
    ],
)
def test_card_count_and_memory_are_as_reported(text: str, expected: list[object], catalog: Catalog):
    assert told(read(text, catalog)) == expected


def test_the_smallest_card_counts_and_is_named(catalog: Catalog):
    found = read(CSV, catalog)

    assert found.devices[0].memory_mib == 23030
    assert "GPU 1: 4 MiB less than the others" in found.notes[0]


def test_busy_cards_are_counted(catalog: Catalog):
    assert read(CSV, catalog).devices[0].busy == 1
    assert read(nvidia_smi(H200, tail=PROCESS_TAIL), catalog).devices[0].busy == 1


def test_slices_are_no_cards(catalog: Catalog):
    text = nvidia_smi(("NVIDIA A100-SXM4-40GB", 249, 40960, 0), mig="Enabled", tail=MIG_TAIL)

    device = read(text, catalog).devices[0]

    assert [(part.memory_mib, part.count) for part in device.mig or ()] == [(20096, 2)]
    assert isinstance(settle(read(text, catalog), catalog), str)


def test_a_card_of_0_mib_is_a_fault(catalog: Catalog):
    found = read(nvidia_smi(H200, ("NVIDIA H200", 0, 0, 0)), catalog)

    assert found.devices[0].count == 1
    assert "GPU 1: 0 MiB of memory" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "memory"),
    [("NVIDIA H800", 81559), ("NVIDIA A100X", 81920), ("NVIDIA H100 PCIe", 98304), ("NVIDIA GeForce ...", 24268)],
)
def test_an_unknown_card_keeps_its_memory_and_is_no_neighbour(name: str, memory: int, catalog: Catalog):
    device = read(nvidia_smi((name, 0, memory, 0)), catalog).devices[0]

    assert (device.accelerator, device.memory_mib) == (None, memory)


def test_replicas_are_one_card_shared(catalog: Catalog):
    found = read(NODES, catalog)

    shared, reserved = found.devices
    assert (shared.node, shared.count, shared.shared_by, shared.accelerator) == ("worker-1", 2, 4, "h100-sxm")
    assert (reserved.node, reserved.count, reserved.accelerator) == ("worker-2", 4, "l4")
    assert any("1 of 4 not allocatable" in note for note in found.notes)


def test_a_described_node_shows_cards_and_slices(catalog: Catalog):
    device = read(DESCRIBE, catalog).devices[0]

    assert (device.accelerator, device.count, device.memory_mib) == ("a100-40gb-sxm", 2, 40960)
    assert [(part.profile, part.count, part.memory_mib) for part in device.mig or ()] == [("1g.5gb", 7, 4864)]


def test_slurm_counts_cards_and_slices_together(catalog: Catalog):
    found = read(SLURM, catalog)

    assert [(entry.name, entry.count, entry.busy) for entry in found.devices] == [("h100", 4, 2), ("h100", None, 0)]
    assert any("Slurm counts 16: 4 cards and 12 MIG slices" in note for note in found.notes)
    assert any("DRAIN" in note for note in found.notes)


def test_a_short_name_of_two_sizes_is_not_guessed(catalog: Catalog):
    device = read("NodeName=n1 Gres=gpu:a100:4\n", catalog)

    assert device.devices[0].accelerator is None
    assert "40 GB or 80 GB" in device.notes[0]


def test_links_join_the_listing_that_counts_as_many(catalog: Catalog):
    found = read(nvidia_smi(*[H200] * 4) + TOPOLOGY, catalog)

    assert [(link.kind, link.all_to_all) for link in found.links] == [("NV18", True)]
    assert len(found.devices) == 1
    assert "1 network ports" in found.notes
    settled = settle(found, catalog)
    assert not isinstance(settled, str)
    assert (settled.accelerator, settled.gpus, settled.gpus_per_node, settled.link) == ("h200-sxm", 4, 4, "NV18")


def test_several_nodes_in_one_text(catalog: Catalog):
    text = "== alpha ==\n" + nvidia_smi(H200) + "== beta ==\n" + nvidia_smi(H200, H200)

    assert [(entry.node, entry.count) for entry in read(text, catalog).devices] == [("alpha", 1), ("beta", 2)]


def test_a_parallel_shell_puts_the_node_before_each_line(catalog: Catalog):
    text = "".join(f"n{node}: {line}\n" for node in (1, 2) for line in nvidia_smi(H200).splitlines() if line)

    assert [(entry.node, entry.count) for entry in read(text, catalog).devices] == [("n1", 1), ("n2", 1)]


def test_the_list_shows_profiles(catalog: Catalog):
    found = read(LIST, catalog)

    assert [(entry.count, entry.mig is not None) for entry in found.devices] == [(1, True), (1, False)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to read"),
        ("p9.huge", "no instance type"),
        ("hello\nworld\n", "no listing of hardware"),
        (XML.replace("<nvidia_smi_log>", '<!ENTITY a "b"><nvidia_smi_log>', 1), "entities"),
        (XML[: len(XML) // 2], "not whole XML"),
        (NODES[: len(NODES) // 2], "not whole JSON"),
        ('{"items": []}\n', "0 nodes without a GPU"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, words: str, catalog: Catalog):
    with pytest.raises(UnreadableError, match=words) as refusal:
        read(text, catalog)

    assert "\n" not in str(refusal.value)


def test_every_machine_type_names_a_card_of_the_catalog_or_none(catalog: Catalog):
    names = {entry.gpu for entry in host_tables().instances}

    unknown = {
        name
        for name in names
        if read(next(i.type for i in host_tables().instances if i.gpu == name), catalog).devices[0].accelerator is None
    }
    assert unknown <= {"V100-SXM2-16GB"}


def test_without_the_library_this_machine_is_a_sentence(catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    from infratui.reality.host.nvml import of_this_machine

    monkeypatch.setitem(sys.modules, "pynvml", None)

    with pytest.raises(UnreadableError, match=r"infratui\[host\]"):
        of_this_machine(catalog)


def test_the_readers_do_not_load_the_app():
    root = Path(importlib.util.find_spec("infratui.reality").submodule_search_locations[0])  # type: ignore[union-attr, index]

    assert not [path for path in root.rglob("*.py") if "textual" in path.read_text(encoding="utf-8")]
