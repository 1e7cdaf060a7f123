"""Who this gateway says it is: its birth once a connection, its session while it lasts and as the broker's Will."""

from __future__ import annotations

from collections.abc import Callable

from edge.clock import Clock
from edge.lane import Identity, LaneBox
from protocol.messages import VERSION, Birth, Session, ZoneBorn


class Presence:
    """`connection` counts the alarm lane's attempts to connect; a session of an older one is ignored by the hub."""

    def __init__(
        self, me: Identity, clock: Clock, lanes: tuple[LaneBox, LaneBox], zones: Callable[[], list[ZoneBorn]]
    ) -> None:
        self._me, self._clock, self._lanes, self._zones = me, clock, lanes, zones
        self.connection = 0
        self.beat = 0
        self._boot = me.boot
        self._told_boot = me.boot

    def lead(self, boot: int) -> None:
        """Another process of this gateway has a higher boot number than the card knew: speak with this one from now on,
        or be taken for one that is over."""
        self._boot = max(self._boot, boot)

    def reborn(self) -> bool:
        """Whether the birth that was told last is of a boot number left behind."""
        return self._told_boot != self._boot

    def birth(self) -> Birth:
        """The gateway and its zones, as far as they may be told."""
        me = self._me
        self._told_boot = self._boot
        return Birth(
            v=VERSION,
            instance=me.instance,
            boot=self._boot,
            kboot=me.kboot,
            software=me.software,
            config=me.config,
            heartbeat_ms=me.heartbeat_ms,
            profile_ms=me.profile_ms,
            at=self._clock.now(),
            zones=self._zones(),
        )

    def session(self, *, online: bool) -> Session:
        """The heartbeat; offline it is the goodbye, and the Will."""
        return Session(
            VERSION,
            self._me.instance,
            self._boot,
            self.connection,
            online,
            beat=self.beat,
            at=self._clock.now() if online else None,
            queued={box.lane: len(box.delivery) for box in self._lanes} if online else {},
        )
