"""Child processes end with their parent and by their own id."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from simulators.children import ChildError, start
from tests.support.wait import until

FOREVER = "import time\nwhile True: time.sleep(60)"


async def test_a_child_stops_when_asked(tmp_path: Path) -> None:
    """SIGTERM is enough for a program that listens."""
    child = await start("listener", [sys.executable, "-c", FOREVER], tmp_path / "log")
    await child.stop()
    assert -signal.SIGTERM == child.process.returncode


async def test_a_child_that_died_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    """What the child last said is in the error."""
    child = await start("short", [sys.executable, "-c", "raise SystemExit('no such line')"], tmp_path / "log")
    await child.process.wait()
    with pytest.raises(ChildError, match=r"short ended with status 1(.|\n)*no such line"):
        child.check()


async def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even a parent that is killed outright leaves nothing behind."""
    code = (
        "import asyncio, pathlib, sys, time\n"
        "from simulators.children import start\n"
        f"child = asyncio.run(start('inner', [sys.executable, '-c', {FOREVER!r}], pathlib.Path(sys.argv[1])))\n"
        "pathlib.Path(sys.argv[2]).write_text(str(child.process.pid))\n"
        "pathlib.Path(sys.argv[2]).rename(sys.argv[3])\n"
        "time.sleep(600)\n"
    )
    ready = tmp_path / "pid"
    argv = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "inner.log"), str(tmp_path / "new"), str(ready)]
    parent = await start("outer", argv, tmp_path / "outer.log")
    await until(ready.exists)
    inner = int(ready.read_text())
    assert alive(inner)
    await parent.kill()
    await until(lambda: not alive(inner))


def alive(pid: int) -> bool:
    """Whether a process runs under this id (a zombie does not run)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
