"""Child processes that never outlive their parent, and that are ended by their own id alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
STOP_S = 5.0
"""How long a child may take to end by itself after SIGTERM."""


class ChildError(Exception):
    """A child ended that should be running; carries the end of its log."""


@dataclass(slots=True)
class Child:
    """One running program of ours, with its log file."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def stop(self) -> None:
        """Ask it to end, then end it. A child that ended already is left alone."""
        if self.running:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.running:
            self.process.kill()
        await self.process.wait()

    def tail(self, lines: int = 8) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise ChildError if it is not running any more."""
        if not self.running:
            raise ChildError(f"{self.name} ended with status {self.process.returncode}; its log ends:\n{self.tail()}")


async def start(name: str, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start a program in a session of its own (a Ctrl-C at the terminal is the parent's to hand on)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    parent = os.getpid()

    def die_with_parent() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=die_with_parent,
            env={**os.environ, **(env or {})},
        )
    return Child(name, process, log)
