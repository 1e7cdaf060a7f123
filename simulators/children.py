"""Child processes that never outlive their parent, and that are ended by their own id alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    """A loopback TCP port that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


class Server:
    """A server on 127.0.0.1 as a child of ours, started on entering, stopped by its own pid on leaving. `folder` keeps
    what is its own, and its log; `port` is chosen at the first start (0) or given, and kept.

    A subclass says by what it is started and when it answers, and which error tells that it does not.
    """

    error: type[Exception] = ChildError
    start_s_max = 10.0

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name, self.port = name, port
        self._folder = folder.absolute()
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The child's pid while it runs."""
        return self._child.process.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start and wait until it answers. Raises its error with the end of its log."""
        assert self.pid is None, "already running"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        self._child = child = await start(self.name, self._command(), self._folder / f"{self.name}.log")
        try:
            async with asyncio.timeout(self.start_s_max):
                while not await self._answers():
                    if not child.running:
                        raise self.error(f"{self.name} ended with {child.process.returncode}: {child.tail()}")
                    await asyncio.sleep(0.01)
        except TimeoutError as cause:
            await child.kill()
            raise self.error(f"{self.name} took over {self.start_s_max} s to answer: {child.tail()}") from cause

    async def stop(self) -> None:
        """End it politely, by force when that takes long."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL: it says no goodbye and saves nothing."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Start again on the same port, after stopping it if it still runs."""
        await self.stop()
        await self.start()

    def _command(self) -> list[str]:
        raise NotImplementedError

    async def _answers(self) -> bool:
        raise NotImplementedError


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
