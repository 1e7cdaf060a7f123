"""What each gateway should run: composed from the installer's file and the registry, published, and compared with what
the gateway says it runs.

Composing takes milliseconds a gateway and is done one by one in a thread; a county's worth waits its turn.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import structlog

from hub.clock import HubClock
from hub.core.composing import compose
from hub.core.registry import Key, Registry, of_area
from hub.links import Links
from hub.metrics import Metrics
from hub.outgoing import Outgoing
from hub.toml import toml_of
from protocol.codec import encode
from protocol.faults import Fault, Refused
from protocol.messages import VERSION, Config, Outcome, Reply
from protocol.topics import Channel, topic

BASE_MAX = 200 * 1024
"""Bytes of an installer's file; what is made of it must fit into one message."""
ORDER = "config-"
"""How a reply's `order` begins that answers a configuration; what follows is the beginning of its digest."""
ROOM_S = 0.2
HEAD = "# Made by the hub from the installer's file, with the groups as the registry has them.\n"


class SiteState(StrEnum):
    """What became of a gateway's desired configuration.

    none: there is no installer's file here · unfit: nothing can be made of it · waiting: published, no answer yet ·
    stored: the gateway took it and starts anew · runs: it runs it · refused: it does not take it ·
    drifts: it took it, and runs something else
    """

    NONE = "none"
    UNFIT = "unfit"
    WAITING = "waiting"
    STORED = "stored"
    RUNS = "runs"
    REFUSED = "refused"
    DRIFTS = "drifts"


@dataclass(slots=True)
class Desired:
    """One gateway's: the digest and when it was published (hub wall ms), what the gateway answered, and the rest."""

    digest: str = ""
    published_ms: int | None = None
    outcome: Outcome | None = None
    answered_by: str = ""
    faults: list[Fault] = field(default_factory=list)
    unfit: list[Fault] = field(default_factory=list)
    differences: tuple[str, ...] = ()


class Sites:
    """Desired configurations of all gateways that have an installer's file in `folder`, as AREA/GATEWAY.toml."""

    def __init__(
        self, folder: Path, registry: Registry, links: Links, outgoing: Outgoing, clock: HubClock, metrics: Metrics
    ) -> None:
        self.folder = folder
        self._registry = registry
        self._left: set[Key] = set()
        self._links = links
        self._outgoing = outgoing
        self._clock = clock
        self._metrics = metrics
        self._known: dict[Key, Desired] = {}
        self._due: dict[Key, None] = {}
        self._at: dict[str, dict[str, list[str]]] = {}
        self._news = asyncio.Event()
        self._log = structlog.get_logger("hub.sites")
        for key in self._based():
            self.wanted(*key)

    def based(self, areas: Iterable[str]) -> list[Key]:
        """Gateways of these areas that have an installer's file here. Blocks; any thread may call."""
        return [(area, path.stem) for area in areas for path in sorted((self.folder / area).glob("*.toml"))]

    def under(self, registry: Registry, based: Iterable[Key], gone: Iterable[Key]) -> None:
        """Another registry is in force: every gateway of those `based` is told its groups anew, and one that is `gone`
        that it has none."""
        self._registry, self._at = registry, {}
        self._left = {key for key in (*self._left, *gone) if key not in registry.gateways}
        for key in self._left:
            self._known.pop(key, None)
        for key in based:
            if key in registry.gateways or key in self._left:
                self.wanted(*key)

    def wanted(self, area: str, gateway: str) -> None:
        """Compose and publish this one's, in its turn."""
        self._due[area, gateway] = None
        self._news.set()

    def born(self, area: str, gateway: str) -> None:
        """A gateway said what it runs: what it should run is said again where that is something else."""
        known = self._known.get((area, gateway))
        if known is not None and known.outcome is not Outcome.REFUSED:
            birth = self._links.known[area, gateway].birth
            if birth is not None and birth.config != known.digest:
                self.wanted(area, gateway)

    def answered(self, area: str, gateway: str, reply: Reply) -> None:
        """A gateway took a configuration, or said why not."""
        known = self._known.get((area, gateway))
        if known is None or not known.digest.startswith(reply.order.removeprefix(ORDER)):
            return
        for result in reply.results:
            known.outcome, known.answered_by = result.outcome, reply.instance
            known.faults = list(reply.faults)
            if result.outcome is Outcome.REFUSED and not reply.faults:
                known.faults = [Fault("config", "gateway", result.reason, "a configuration it takes")]

    def of(self, area: str, gateway: str) -> Desired:
        """What is known of one gateway's."""
        return self._known.get((area, gateway), Desired())

    def state(self, area: str, gateway: str) -> SiteState:
        """What became of it."""
        known = self._known.get((area, gateway))
        if known is None:
            return SiteState.NONE
        if known.unfit:
            return SiteState.UNFIT
        birth = self._links.known[area, gateway].birth
        if birth is not None and known.digest and birth.config == known.digest:
            return SiteState.RUNS
        if known.outcome is Outcome.REFUSED:
            return SiteState.REFUSED
        if known.outcome is None or birth is None:
            return SiteState.WAITING
        return SiteState.STORED if birth.instance == known.answered_by else SiteState.DRIFTS

    def count(self) -> None:
        """Tell the metrics how many gateways are in each state."""
        counts = Counter(self.state(*key) for key in self._known)
        counts[SiteState.NONE] = len(self._registry.gateways) - len(self._known)
        for state in SiteState:
            self._metrics.site_configs.labels(state.value).set(counts[state])

    def put_base(self, area: str, gateway: str, text: str) -> Desired:
        """Take an installer's file over, if a configuration can be made of it. Raises Refused, OSError."""
        made = self._compose((area, gateway), text.encode())
        if made.unfit:
            raise Refused(made.unfit)
        path = self._base(area, gateway)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        return made

    async def run(self) -> None:
        """Compose and publish what is wanted, one by one, for ever."""
        while True:
            if not self._due:
                self._news.clear()
                await self._news.wait()
            key = next(iter(self._due))
            del self._due[key]
            try:
                await self._one(key)
            except Exception:  # one gateway's file must not keep the others from theirs
                self._log.exception("no configuration could be made", area=key[0], gateway=key[1])

    async def _one(self, key: Key) -> None:
        left = key not in self._links.known
        if left and key not in self._left:
            self._log.warning("an installer's file of no gateway of the registry", area=key[0], gateway=key[1])
            return
        text: list[str] = []
        made = await asyncio.to_thread(self._compose, key, None, text.append)
        before = self._known.get(key)
        if before is not None and before.digest == made.digest and not made.unfit:
            before.differences, before.unfit, made = made.differences, [], before
        if left:
            self._left.discard(key)
        else:
            self._known[key] = made
        if made.unfit:
            self._log.warning("no configuration can be made", area=key[0], gateway=key[1], why=str(made.unfit[0]))
            return
        await self._publish(key, made, text[0])

    async def _publish(self, key: Key, made: Desired, text: str) -> None:
        known = self._links.known.get(key)
        instance = known.speakers.rightful if known is not None and known.speakers.seconds else None
        data = encode(Config(VERSION, made.digest, text, instance))
        where = topic(*key, Channel.CONFIG)
        while not self._outgoing.config(where, data):  # noqa: ASYNC110  # it empties at the broker's pace
            await asyncio.sleep(ROOM_S)
        if made.published_ms is None:
            self._log.info("configuration published", area=key[0], gateway=key[1], sha256=made.digest)
        made.published_ms = self._clock.now_ms()

    def _compose(self, key: Key, data: bytes | None = None, text: Callable[[str], None] | None = None) -> Desired:
        """Read the installer's file, and put the registry's groups into it. Blocks; any thread may call."""
        where = f"{key[1]}.toml"
        try:
            if data is None:
                data = self._base(*key).read_bytes()
            if len(data) > BASE_MAX:
                return Desired(unfit=[Fault(where, "file", f"{len(data)} bytes", f"at most {BASE_MAX} bytes")])
            base = tomllib.loads(data.decode())
        except OSError as cause:
            return Desired(unfit=[Fault(where, "file", cause.strerror or str(cause), "a readable TOML file")])
        except (ValueError, RecursionError) as cause:
            return Desired(unfit=[Fault(where, "file", str(cause)[:200], "TOML in UTF-8")])
        left = key in self._left  # who left the registry rings for nobody but its own premises
        registry, here = (Registry(), []) if left else (self._registry, self._premises_at(*key))
        made = compose(base, registry, *key, here, where)
        if isinstance(made, list):
            return Desired(unfit=made)
        written = data.decode() if made.site == base else HEAD + toml_of(made.site)
        if len(written.encode()) > BASE_MAX:
            return Desired(unfit=[Fault(where, "file", f"{len(written)} with its groups", f"at most {BASE_MAX} bytes")])
        if text is not None:
            text(written)
        return Desired(hashlib.sha256(written.encode()).hexdigest(), differences=made.differences)

    def _premises_at(self, area: str, gateway: str) -> list[str]:
        """The premises the registry has at a gateway; an area is looked through once."""
        known = self._at
        if area not in known:
            found: dict[str, list[str]] = {}
            for premises in of_area(self._registry.premises, area).values():
                found.setdefault(premises.gateway, []).append(premises.id)
            known[area] = found
        return known[area].get(gateway, [])

    def _base(self, area: str, gateway: str) -> Path:
        return self.folder / area / f"{gateway}.toml"

    def _based(self) -> Iterator[Key]:
        for area, gateway in self.based(self._registry.areas):
            if (area, gateway) in self._registry.gateways:
                yield area, gateway
            else:
                self._log.warning("an installer's file of no gateway of the registry", area=area, gateway=gateway)
