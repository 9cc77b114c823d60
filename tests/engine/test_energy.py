"""Energy per million tokens by hand, and where it is not known; caches that wait outside the GPU."""

from __future__ import annotations

import pytest

from infratui.engine.evaluate import evaluate
from infratui.store import load_preset


def test_energy_by_hand_and_co2_of_the_grid(catalog) -> None:
    found = evaluate(load_preset("production"), catalog).cost
    assert found.energy is not None
    power_kw = found.fleet.gpus * 700 * 1.82 / 1000
    kwh = power_kw * 0.75 * 1.3 * 24 * 30.4375
    per_mtok = kwh / found.offered.tokens_per_month * 1e6
    assert found.energy.kwh == pytest.approx(per_mtok, rel=0.001)
    assert found.energy.co2_g == pytest.approx(per_mtok * 473, rel=0.001)
    assert any(entry.title.startswith("Energy") for entry in found.derivations)


def test_no_demand_has_no_energy_per_token(catalog) -> None:
    assert evaluate(load_preset("production").with_(requests_per_day=0), catalog).cost.energy is None


def test_caches_wait_in_host_memory_and_on_disk(catalog) -> None:
    found = evaluate(load_preset("production"), catalog).vram
    host, disk = found.tiers
    per_gpu = found.kv_bytes_per_user / 8
    assert host.users == pytest.approx(host.capacity / per_gpu, abs=1)
    assert host.restore_s == pytest.approx(per_gpu / host.bandwidth, rel=0.01)
    assert disk.users > host.users
    assert disk.restore_s > host.restore_s
    longer = evaluate(load_preset("production").with_(context=65536), catalog).vram.tiers[0]
    assert (longer.users, longer.restore_s) < (host.users, longer.restore_s * 2)
    assert longer.restore_s > host.restore_s
