"""What a gateway process begins with: who it is, and what the last one remembered."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.metadata import version

import msgspec
import structlog

from edge.clock import Clock, kernel_boot
from edge.config import Config
from edge.core.gateway import Gateway
from edge.core.io import Memory, Receipted
from edge.core.site import Site
from edge.lane import Identity, LaneBox
from edge.store import Loaded
from protocol.link import Endpoint
from protocol.tls import valid_from

log = structlog.get_logger("lianfang.beginning")


def saved(kept: list[Loaded], name: str) -> int:
    """The greatest number the lanes' disks have under a name; 0 where there is none."""
    found = [one.values[name] for one in kept if name in one.values]
    return max((int(value) for value in found if value.isdigit()), default=0)


def floor_ms(config: Config, kept: list[Loaded]) -> int:
    """The latest wall time that is surely past: as the last process saved it, or when our certificate was made."""
    tls = config.mqtt.tls
    made = valid_from(tls.cert) if tls is not None else None
    return max(saved(kept, "wall_ms"), 0 if made is None else int(made.timestamp() * 1000))


def kboot_before(kept: list[Loaded], kboot: str) -> str:
    """The kernel boot that ended before this one began, as a card has it; empty where none does."""
    for one in kept:
        last = one.values.get("kboot", b"").decode(errors="replace")
        if last:
            return last if last != kboot else one.values.get("kboot_before", b"").decode(errors="replace")
    return ""


def chained(me: Identity, before: str) -> dict[str, bytes]:
    """What the next process has to know of this one."""
    return {"boot": b"%d" % me.boot, "kboot": me.kboot.encode(), "kboot_before": before.encode()}


def boot_after(kept: list[Loaded], now_ms: int) -> int:
    """The number of the process that begins. It rises even past a lost or replaced card: the time leads it, and without
    a clock the latest time that is known to be past. Wall time in ms."""
    return max(saved(kept, "boot") + 1, now_ms // 1000)


def identity(config: Config, kept: list[Loaded], clock: Clock) -> Identity:
    """A new instance."""
    return Identity(
        area=config.site.area,
        gateway=config.site.gateway,
        instance=secrets.token_hex(16),
        boot=boot_after(kept, clock.now().wall_ms),
        kboot=kernel_boot(),
        software=f"lianfang {version('lianfang')}",
        config=config.sha256,
        heartbeat_ms=config.heartbeat_ms,
        profile_ms=config.profile_ms,
    )


def gateway(site: Site, kept: Loaded, me: Identity, clock: Clock, on_unreadable: Callable[[], None]) -> Gateway:
    """The fold with the last process's memory; one that nobody can read (a newer program's) is told, and left."""
    now = clock.now()
    try:
        memory = msgspec.json.decode(kept.values.get("memory", b"{}"), type=Memory)
        return Gateway(site, memory, instance=me.instance, kboot=me.kboot, now=now)
    except (msgspec.DecodeError, ValueError) as cause:
        log.error("the memory of the last process cannot be read; starting without it", why=str(cause))
        on_unreadable()
        return Gateway(site, Memory(), instance=me.instance, kboot=me.kboot, now=now)


def receipted(gateway: Gateway, alarm: LaneBox) -> list[Receipted]:
    """What the last process heard the hub's receipt of, and died before it could remember that: its records are gone
    from the outbox, and only a receipt lets them go."""
    awaited = gateway.memory().awaited.values()
    return [Receipted((seq,), instance) for instance, seq in awaited if (instance, seq) not in alarm.delivery.held]


def endpoint(config: Config) -> Endpoint:
    """The broker; each lane's link has a client id of its own."""
    mqtt = config.mqtt
    return Endpoint(
        host=mqtt.host,
        port=mqtt.port,
        client_id="-",
        tls=mqtt.tls,
        username=mqtt.username,
        password=mqtt.password,
        keepalive_s=max(3, min(10, config.heartbeat_ms // 1000)),
    )
