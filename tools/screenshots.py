"""`python -m tools.screenshots DIR`: every screen as an SVG, rendered from the live app, always the same."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

SIZE = (120, 36)


async def _shoot(folder: Path, mode: str, keys: tuple[str, ...], name: str, size: tuple[int, int]) -> Path:
    from infratui.app.app import InfraApp
    from infratui.app.settings import Settings
    from infratui.store import load_preset

    app = InfraApp(load_preset("production"), settings=Settings(motion=False), start=mode)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        await app.workers.wait_for_complete()
        await pilot.pause()
        path = folder / f"{name}.svg"
        path.write_text(app.export_screenshot(title="infratui"), encoding="utf-8")
        return path


async def shoot_all(folder: Path) -> list[Path]:
    """Render every screen that exists, and what opens over one."""
    from infratui.app.screens import SCREENS

    folder.mkdir(parents=True, exist_ok=True)
    written = [await _shoot(folder, entry.id, (), entry.id, SIZE) for entry in SCREENS]
    first = SCREENS[0].id
    for name, keys in (("math", ("m",)), ("presets", ("p",)), ("help", ("question_mark",)), ("reference", ("r",))):
        written.append(await _shoot(folder, first, keys, name, SIZE))
    written.append(await _shoot(folder, first, (), f"{first}-80x24", (80, 24)))
    written.append(await _film(folder, "parallelism", "grid-moving", 15, (84, 20)))
    written.append(await _film(folder, "moe", "router-moving", 12, (84, 26)))
    return written


async def _film(folder: Path, mode: str, name: str, frames: int, size: tuple[int, int]) -> Path:
    """A moving picture: frames of the live app, stepped by its own key, shown in turn by the SVG itself."""
    from infratui.app.app import InfraApp
    from infratui.app.settings import Settings
    from infratui.store import load_preset

    app = InfraApp(load_preset("production"), settings=Settings(motion=False), start=mode)
    shots: list[str] = []
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            await pilot.pause()
            await app.workers.wait_for_complete()
        if mode == "moe":
            await pilot.press("v")
        for _ in range(frames):
            await pilot.press("full_stop")
            await pilot.pause()
            shots.append(app.export_screenshot(title="infratui"))
    path = folder / f"{name}.svg"
    path.write_text(moving(shots), encoding="utf-8")
    return path


def moving(shots: list[str], seconds: float = 0.25) -> str:
    """SVGs of one size, each shown for `seconds`, over and over."""
    head = re.match(r"<svg[^>]*>", shots[0])
    assert head is not None
    box = re.search(r'viewBox="([^"]*)"', head[0])
    assert box is not None
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}">']
    for at, shot in enumerate(shots):
        times = f"0;{at / len(shots):.4f};{(at + 1) / len(shots):.4f}"
        values = "hidden;visible;hidden"
        if at == 0:
            times, values = f"0;{1 / len(shots):.4f}", "visible;hidden"
        length = f'dur="{seconds * len(shots):g}s" repeatCount="indefinite" calcMode="discrete"'
        animate = f'<animate attributeName="visibility" values="{values}" keyTimes="{times}" {length}/>'
        parts.append(f'<g visibility="{"visible" if at == 0 else "hidden"}">{animate}{shot}</g>')
    return "\n".join((*parts, "</svg>\n"))


def main() -> None:
    """Write the SVGs into the folder that is named."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    # Nothing of the user's may show: settings, presets and facts of their own.
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_STATE_HOME=home)
        for name in ("NO_COLOR", "TEXTUAL_THEME"):
            os.environ.pop(name, None)
        for path in asyncio.run(shoot_all(folder)):
            print(path)


if __name__ == "__main__":
    main()
