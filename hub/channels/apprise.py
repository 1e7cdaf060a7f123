"""The outside world through the apprise library: chats, mail, and the SMS services it knows.

It answers only yes or no, so a no is *try later*; it blocks, so it runs in a thread of its own with a time limit.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from hub.notify.notice import Channel, Notice, Outcome, Refused, Sent, Sort, TryLater, Withheld
from hub.notify.table import ChannelTable
from protocol import faults

PHONE = "{phone}"
STUCK_MAX = 16
"""Threads that may hang at once in a service that never answers; beyond them nothing more is begun."""


class Config(ChannelTable):
    """`urls_file` has one apprise URL a line (they hold secrets: mode 0600). With {phone} in them each person is sent
    to; without it they are a room, told once."""

    kind: Literal["apprise"]
    urls_file: Path

    @property
    def rooms(self) -> bool:
        """As its URLs are; a file that cannot be read is refused when opened."""
        return not any(PHONE in url for url in _lines(self.urls_file))

    @property
    def place(self) -> str:
        """Its services by their schemes."""
        return ", ".join(sorted({urlsplit(url).scheme for url in _lines(self.urls_file)})) or "nowhere"

    def opened(self) -> Channel:
        """The channel. Raises Refused for a URL that apprise does not know."""
        apprise = _library()
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs URLs, which are secrets and phones
        urls = _lines(self.urls_file)
        wrong = [
            faults.Fault(
                self.urls_file.name, f"line {at}", f"a URL of {urlsplit(url).scheme or 'no scheme'}", "a URL of apprise"
            )
            for at, url in enumerate(urls, 1)
            if apprise.Apprise.instantiate(_filled(url, "+8613800000000"), suppress_exceptions=True) is None
        ]
        if not urls:
            wrong = [faults.Fault(self.urls_file.name, "file", "no URL", "an apprise URL a line")]
        if len({PHONE in url for url in urls}) > 1:
            wrong.append(
                faults.Fault(self.urls_file.name, "file", "URLs with and without {phone}", "a channel for each")
            )
        if wrong:
            raise faults.Refused(wrong)
        return _Apprise(urls, self.timeout_s)


class _Apprise:
    """`blocks` is what runs in the thread: true when every service took it, None for a drill."""

    def __init__(self, urls: list[str], timeout_s: float) -> None:
        self._urls = urls
        self._timeout_s = timeout_s
        self._stuck = 0

    async def send(self, notice: Notice) -> Outcome:
        """Yes is sent, no is later, None is a drill."""
        if self._stuck >= STUCK_MAX:
            return TryLater(None, f"{STUCK_MAX} calls hang in it")
        if not notice.phone and any(PHONE in url for url in self._urls):
            return Refused("no phone to send to")
        try:
            async with asyncio.timeout(self._timeout_s):
                took = await self._in_thread(lambda: self._blocks(notice))
        except TimeoutError:
            return TryLater(None, f"no answer within {self._timeout_s:g} s")
        if took is None:
            return Withheld()
        return Sent() if took else TryLater(None, "apprise says no, and not why")

    async def close(self) -> None:
        """Threads that hang are daemons: they end with the process."""

    def _blocks(self, notice: Notice) -> bool | None:
        import apprise

        service = apprise.Apprise()
        for url in self._urls:
            service.add(_filled(url, notice.phone))
        if notice.drill:
            return None
        kind = apprise.NotifyType.SUCCESS if notice.sort in CALM else apprise.NotifyType.FAILURE
        return bool(service.notify(body=notice.text, title=notice.title, notify_type=kind, body_format="text"))

    async def _in_thread(self, work: Callable[[], bool | None]) -> bool | None:
        """A thread that may hang without holding up the end of the hub, as those of a pool would."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool | None] = loop.create_future()

        def told(result: bool | Exception | None) -> None:
            self._stuck -= 1
            if answer.done():
                return
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def run() -> None:
            result: bool | Exception | None
            try:
                result = work()
            except Exception as cause:
                result = cause
            _call(loop, told, result)

        self._stuck += 1
        threading.Thread(target=run, name="apprise", daemon=True).start()
        return await answer


CALM = (Sort.STAND_DOWN, Sort.TROUBLE_OVER, Sort.TEST)


def _library() -> Any:
    """A second of loading that only a hub with such a channel pays. What its plugins import and Python frowns upon is
    no matter of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise.instantiate("json://127.0.0.1")
    return apprise


def _call(loop: asyncio.AbstractEventLoop, told: Callable[..., Any], result: object) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(told, result)


def _filled(url: str, phone: str) -> str:
    return url.replace(PHONE, quote(phone, safe=""))


def _lines(path: Path) -> list[str]:
    """The URLs; none of a file that cannot be read, which `hub.settings` names."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
