"""Logs: JSON lines whoever speaks, and a log that cannot be written loses lines, never the gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SPEAK = """
import logging, structlog, threading
from protocol.logs import set_up
set_up("info", "the gateway")
structlog.get_logger("x").info("ours", zone="h01-door")
logging.getLogger("asyncio").error("theirs %s", 7)
thread = threading.Thread(target=lambda: 1 / 0, name="outbox")
thread.start()
thread.join()
for number in range(2_000):
    structlog.get_logger("x").info("more", number=number)
print("alive")
raise OSError("last words")
"""


def spoken(stderr: Path) -> subprocess.CompletedProcess[str]:
    with stderr.open("w") as stream:
        return subprocess.run(
            [sys.executable, "-c", SPEAK], stdout=subprocess.PIPE, stderr=stream, text=True, check=False
        )


def test_every_line_is_an_object(tmp_path: Path) -> None:
    """Ours, a library's, a thread's death and the last words: level, time and event, on one line each."""
    spoken(tmp_path / "log")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert all({"level", "timestamp", "event"} <= line.keys() for line in lines)
    assert [line["event"] for line in lines[:3]] == ["ours", "theirs 7", "a thread ended by an error"]
    assert (lines[-1]["event"], "last words" in lines[-1]["exception"]) == ("the gateway ends by an error", True)


def test_full_disk_under_the_log_ends_nothing() -> None:
    """Standard error on a full disk: the program goes on to its end."""
    assert spoken(Path("/dev/full")).stdout == "alive\n"
