"""The cluster's picture without a terminal: what is drawn, what is played, and how long each part takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infratui.app.screens.parallelism.frames import Play, TrafficFrame, Words, drawn, frames, strip
from infratui.app.screens.parallelism.picture import Cluster, Picture, gauge
from infratui.catalog.load import Catalog
from infratui.engine.cluster.grid import gpu_grid
from infratui.engine.cluster.layout import Layout
from infratui.engine.sections.parallelism import StageMemory
from infratui.engine.speed.step_parts import StepParts

FACTS = Catalog()
STAGE = StageMemory(0, 79, 50, 20, 10, 100)
DENSE = StepParts(30e-3, 1e-3, 1e-3, 4e-3, 4e-3, 0.0, 1e-3)
PLAYED = Play(Layout(8), DENSE, 16, 0.05, 8)
EXPERTS = StepParts(10e-3, 1e-3, 1e-3, 4e-3, 0.0, 14e-3, 0.0)


def play(
    layout: Layout, parts: StepParts = DENSE, batch: float = 16, model: str = "llama-3.1-405b"
) -> list[TrafficFrame]:
    places = drawn(gpu_grid(FACTS.model(model), layout, 8), layout)
    return list(frames(Play(layout, parts, batch, 0.05, 8, Words("NVSwitch", "InfiniBand", 8)), places))


def acts(frame: TrafficFrame) -> set[str]:
    return {mark.act for mark in frame.marks}


def cluster(layout: Layout, gpus: int = 0, stage: StageMemory = STAGE) -> Cluster:
    places = gpu_grid(FACTS.model("llama-3.1-405b"), layout, 8)
    return Cluster(layout, places, (stage,) * layout.pp, gpus or layout.gpus, 8, "NVSwitch, 450 GB/s", "NDR, 50 GB/s")


def text(picture: Picture, frame: TrafficFrame) -> list[str]:
    return ["".join(piece for piece, _ in picture.line(y, frame)) for y in range(picture.lines)]


class TestFrames:
    def test_the_strip_adds_up_to_the_time_of_a_token(self) -> None:
        found = strip(Play(Layout(8), DENSE, 16, 0.05, 8))
        assert sum(seconds for _, seconds, _ in found) == pytest.approx(0.05)
        assert found[-1][0] == "prompts"

    def test_the_cursor_never_leaves_the_strip_and_ends_at_its_end(self) -> None:
        found = play(Layout(2, 4))
        assert all(0 <= frame.cursor <= 1 for frame in found)
        assert found[-1].cursor == 1

    def test_tensor_parallelism_pulses_twice_and_then_everyone_has_a_token(self) -> None:
        found = play(Layout(8))
        kinds = [next(iter(acts(frame))) for frame in found]
        runs = [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]
        assert runs == ["work", "reduce", "work", "reduce", "done"]
        assert kinds.count("reduce") >= 6

    def test_requests_are_dealt_to_every_replica_before_the_step(self) -> None:
        found = play(Layout(2, 1, 4))
        dealt = [frame for frame in found if "deal" in acts(frame)]
        assert len(dealt) == 4
        assert all(sum(mark.act == "deal" for mark in frame.marks) == 2 for frame in dealt)
        assert "replicas are independent" in dealt[0].caption

    def test_micro_batches_walk_the_stages(self) -> None:
        found = [frame for frame in play(Layout(1, 4)) if "work" in acts(frame)]
        walked = dict.fromkeys(tuple(mark.batch for mark in frame.marks) for frame in found)
        assert list(walked) == [(1, 4, 3, 2), (2, 1, 4, 3), (3, 2, 1, 4), (4, 3, 2, 1)]

    def test_a_bubble_is_a_stage_without_a_micro_batch(self) -> None:
        found = [frame for frame in play(Layout(1, 4), batch=1) if "work" in acts(frame)]
        assert all(sum(mark.act == "idle" for mark in frame.marks) == 3 for frame in found)
        assert "75% bubble" in found[0].caption

    def test_tokens_go_to_experts_and_come_back(self) -> None:
        found = play(Layout(1, 1, 16, 16), EXPERTS, model="deepseek-v3")
        order = [kind for frame in found for kind in acts(frame) if kind in ("out", "back")]
        assert order == sorted(order, key=("out", "back").index)
        out = next(frame for frame in found if "out" in acts(frame))
        assert out.link == "nodes"
        assert "tokens to their 8 experts" in out.caption

    def test_links_light_up_where_the_traffic_goes(self) -> None:
        found = play(Layout(8, 2))
        assert {frame.link for frame in found if "reduce" in acts(frame)} == {"node"}
        assert {frame.link for frame in found if "send" in acts(frame)} == {"nodes"}

    @pytest.mark.parametrize("layout", [Layout(), Layout(8, 2, 4), Layout(1, 126), Layout(2, 1, 4096), Layout(1, 64)])
    def test_a_cycle_is_short_and_every_frame_marks_every_gpu(self, layout: Layout) -> None:
        found = play(layout)
        assert len(found) <= 60
        assert {len(frame.marks) for frame in found} == {min(64, layout.gpus)}

    def test_no_batch_at_all_is_still_a_picture(self) -> None:
        assert play(Layout(1, 2), StepParts(0, 0, 0, 0, 0, 0, 0), batch=0)


class TestMotion:
    @pytest.mark.parametrize("layout", [Layout(8), Layout(1, 4), Layout(2, 1, 4), Layout(4, 2), Layout(8, 2, 4)])
    @pytest.mark.parametrize(("width", "most"), [(76, 12), (110, 16)])
    def test_every_frame_is_another_picture_than_the_one_before(self, layout: Layout, width: int, most: int) -> None:
        picture = Picture(replace(cluster(layout), layers=80, strip=strip(PLAYED)), width, most)
        shown = [text(picture, frame) for frame in play(layout)]
        assert [at for at in range(1, len(shown)) if shown[at] == shown[at - 1]] == []

    def test_one_mark_runs_along_the_links_in_an_all_reduce(self) -> None:
        picture = Picture(cluster(Layout(8)), 110, 16)
        rows = [text(picture, frame)[1] for frame in play(Layout(8)) if "reduce" in acts(frame)]
        assert {row.count("◆") for row in rows} == {1}
        assert len({row.index("◆") for row in rows}) >= 6


class TestPicture:
    @pytest.mark.parametrize("layout", [Layout(8), Layout(8, 2, 4), Layout(1, 1, 64), Layout(2, 2, 16), Layout(1, 64)])
    @pytest.mark.parametrize("width", [60, 76, 79, 110])
    def test_every_gpu_is_drawn_once_and_nothing_is_wider_than_the_panel(self, layout: Layout, width: int) -> None:
        seen = cluster(layout)
        for most in (12, 40):
            picture = Picture(seen, width, most)
            places = [place for row in picture.rows for place in row.places]
            assert places == list(seen.shown)
            for frame in play(layout):
                assert all(len(line) <= width for line in text(picture, frame))

    def test_64_gpus_fit_into_80_by_24(self) -> None:
        assert Picture(cluster(Layout(8, 2, 4)), 76, 12).lines <= 12

    def test_replicas_beyond_64_gpus_are_counted(self) -> None:
        lines = text(Picture(cluster(Layout(2, 1, 100)), 78, 12), play(Layout(2, 1, 100))[0])
        assert "+ 68 more replicas like these, 200 GPUs in all" in lines[-1]

    def test_shard_stage_and_replica_are_named_by_letter_and_number(self) -> None:
        lines = text(Picture(cluster(Layout(8, 2, 2)), 78, 12), play(Layout(8, 2, 2))[0])
        assert "R1S1T7" in "".join(lines)
        assert "R replica, S stage, T shard" in lines[-1]

    def test_gpus_that_are_left_over_are_idle(self) -> None:
        lines = text(Picture(cluster(Layout(2, 1, 3), gpus=7), 78, 12), play(Layout(2, 1, 3))[0])
        assert "".join(lines).count("idle") == 1

    def test_links_are_named_with_their_bandwidth(self) -> None:
        lines = text(Picture(cluster(Layout(8, 2)), 78, 12), play(Layout(8, 2))[0])
        assert "NVSwitch, 450 GB/s" in lines[0]
        assert "NDR, 50 GB/s" in lines[0]

    def test_a_gauge_is_to_scale_and_an_overflow_is_marked(self) -> None:
        assert "".join(piece for piece, _ in gauge(STAGE, 10)) == "█████▓▓░··"
        assert "".join(piece for piece, _ in gauge(StageMemory(0, 9, 150, 20, 10, 100), 10)).endswith("!")
