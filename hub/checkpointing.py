"""Checkpoints of a hub that runs: made by a process of its own, which folds the journal as a start would.

The desk's own state is never held still for it, and what a start will read has been folded from the disk once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from hub.checkpoint import NAME, read, write
from hub.core.defaults import Defaults
from hub.core.desk import Desk, config_digest
from hub.core.registry import Registry
from hub.defaults import load_defaults
from hub.journal import Journal
from hub.past import Past
from hub.rebuild import Formerly, checkpoint, rebuild
from hub.registry import load as load_registry
from hub.registry.history import FOLDER, History
from hub.settings import Settings
from protocol.faults import Refused

EVERY_ENTRIES = 10_000
"""A start folds about so many entries at most; more than this share of the processor is not worth it."""
LOOK_S = 15.0
NICE = 15


class Task(msgspec.Struct, frozen=True):
    """What the process is told on its standard input: a URL may hold a password, which arguments would show."""

    url: str
    registry: str
    defaults: str | None
    config: str
    out: str


def task_of(settings: Settings, config: str) -> Task:
    """What is to be made for a hub that runs under the configuration of this digest."""
    hub, defaults = settings.hub, settings.hub.defaults
    out = str(hub.data_dir / NAME)
    return Task(settings.journal_url, str(hub.registry), None if defaults is None else str(defaults), config, out)


class Checkpointing:
    """Has a checkpoint made whenever enough was written since the last."""

    def __init__(self, task: Callable[[], Task], journal: Journal, done: int, every: int = EVERY_ENTRIES) -> None:
        self._task, self._journal, self._done, self._every = task, journal, done, every
        self._log = structlog.get_logger("hub.checkpoint")

    async def run(self) -> None:
        """Look now and then, for ever. A checkpoint that cannot be made is said, and tried again later."""
        while True:
            if (n := self._journal.n) >= self._done + self._every:
                why = await _made(self._task())
                self._done = n
                if why:
                    self._log.warning("no checkpoint: the next start folds more of the journal", n=n, why=why)
            await asyncio.sleep(LOOK_S)


async def _made(task: Task) -> str:
    """Run the process to its end; why it failed, in words. It ends with this task."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "hub.checkpointing"]
    # asyncio's own subprocess hangs when it is cancelled as it starts (Python 3.11)
    process = subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe)  # noqa: ASYNC220
    try:
        _, said = await asyncio.to_thread(process.communicate, msgspec.json.encode(task))
    finally:
        process.kill()
    return "" if process.returncode == 0 else said.decode(errors="replace").strip()[-500:]


def make(task: Task) -> int:
    """Fold the journal and write the checkpoint; after which entry it stands.

    Raises ValueError, OSError, JournalError and Refused.
    """
    defaults = load_defaults(Path(task.defaults) if task.defaults else None)
    out = Path(task.out)
    formerly = History(out.parent / FOLDER).formerly(defaults)
    desk = Desk(_in_force(task, defaults, formerly), defaults)
    try:
        before = read(out)
    except ValueError:
        before = None  # it is written anew
    with contextlib.closing(Past(task.url)) as past:
        found = rebuild(desk, past, before, formerly)
    write(out, checkpoint(desk, found))
    return found.n


def _in_force(task: Task, defaults: Defaults, formerly: Formerly) -> Registry:
    """The registry the hub judges by: its file, or the history where the file is another already."""
    try:
        registry = load_registry(Path(task.registry)).registry
        if config_digest(registry.digest, defaults) == task.config:
            return registry
    except Refused:
        pass  # a bad file is the hub's matter, which goes on with the one before
    if (kept := formerly(task.config)) is None:
        raise ValueError("registry or limits were changed since the hub started")
    return kept


def main() -> None:
    """Make the checkpoint that the standard input asks for."""
    os.nice(NICE)
    try:
        make(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))
    except Exception as cause:
        sys.exit(f"{type(cause).__name__}: {cause}")


if __name__ == "__main__":
    main()
