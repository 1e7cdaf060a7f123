"""Telling systemd that we are up and alive (sd_notify); without systemd every word is silence."""

from __future__ import annotations

import asyncio
import os
import socket


class Watchdog:
    """`period_s` is how often to call `alive`, or None where nobody watches."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        usec = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
        self.period_s = usec / 3e6 if self._address and usec else None

    def ready(self) -> None:
        """The gateway watches its zones now."""
        self._say("READY=1")

    def alive(self) -> None:
        """The fold is not stuck."""
        self._say("WATCHDOG=1")

    async def run(self) -> None:
        """Say that the loop which runs the fold is alive, until cancelled; nothing where nobody watches."""
        while self.period_s is not None:
            await asyncio.sleep(self.period_s)
            self.alive()

    def stopping(self) -> None:
        """We were asked to end."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as voice:
            try:
                voice.sendto(words.encode(), address)
            except OSError:
                return  # a watchdog that cannot be reached restarts us soon enough
