"""A hub without its tasks: receipts and holds, what a connection says and hears, holes that are closed, birth."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.clock import HubClock
from hub.core.desk import Desk
from hub.core.effects import Changed, Page, StoodDown
from hub.core.load import Flooded
from hub.core.trials import Drilled
from hub.defaults import load_defaults
from hub.effects import Effects
from hub.intake import Intake
from hub.metrics import Metrics
from hub.receipting import Receipting
from hub.registry import load
from hub.rounds import Done, Rounds
from hub.workings import Workings
from protocol.codec import decode
from protocol.messages import HubSession, Receipt, Session
from protocol.ranges import Ranges
from protocol.records import Lane
from tests.support.centre import write_config

NOW_MS = 1_700_000_000_000
GATEWAY = ("town", "gw-1")


class Nobody:
    """Whom nothing has to be told."""

    def changed(self, effect: Changed, done: Done) -> None: ...

    def page(self, page: Page, done: Done) -> None: ...

    def stood_down(self, over: StoodDown, done: Done) -> None: ...

    def flooded(self, flood: Flooded) -> None: ...

    def drilled(self, drill: Drilled) -> None: ...

    def committed(self, done: Done) -> None: ...


class Hub:
    """The workings on a desk of their own, with a clock that stands."""

    def __init__(self, folder: Path) -> None:
        write_config(folder)
        registry, defaults, metrics = load(folder / "registry.toml").registry, load_defaults(), Metrics()
        desk = Desk(registry, defaults)
        clock = HubClock(NOW_MS, lambda: NOW_MS, lambda: 0, lambda: 0.0)
        self.credit = defaults.credit
        self.rounds, self.intake = Rounds(desk, clock, metrics), Intake(metrics)
        self.receipting = Receipting("hub-1", self.rounds, self.intake, clock, defaults.credit, metrics)
        effects = Effects(Nobody(), self.receipting, metrics, "hub-key", Ed25519PrivateKey.generate())
        own = ("hub-1", "5" * 32)
        self.inside = Workings(*own, desk, registry, clock, self.rounds, self.intake, self.receipting, effects, metrics)

    def receipts(self, lane: Lane) -> list[Receipt]:
        """What waits to be published, decoded."""
        out = self.inside.downlink.outgoing[lane]
        found = []
        while (said := out.take()) is not None:
            found.append(decode(said.data, Receipt))
        return found


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def test_a_gateway_is_held_while_the_journal_is_down_and_released_by_the_next_commit(hub: Hub) -> None:
    """No credit while nothing can be committed; whoever was held hears of it without asking."""
    hub.rounds.down = "disk full"
    hub.receipting.alarm(*GATEWAY)
    held = hub.receipts(Lane.ALARM)
    hub.rounds.down = None
    hub.receipting.release()
    hub.receipting.release()
    assert ([0], [hub.credit.alarm]) == ([one.credit for one in held], [one.credit for one in hub.receipts(Lane.ALARM)])


def test_telemetry_is_receipted_once_the_store_says_what_it_has(hub: Hub) -> None:
    """A gateway is due once however often it sent; a store that cannot say means hold, until it can."""
    for _ in range(3):
        hub.receipting.telemetry(*GATEWAY, ["1" * 32])
    assert (GATEWAY, None) == (hub.receipting.telemetry_due(), hub.receipting.telemetry_due())
    hub.receipting.settled(*GATEWAY, None)
    hub.receipting.release_telemetry()
    assert GATEWAY == hub.receipting.telemetry_due()
    hub.receipting.settled(*GATEWAY, {"1" * 32: Ranges([(1, 4)])})
    (told,) = hub.receipts(Lane.TELEMETRY)
    assert ({"1" * 32: [(1, 4)]}, hub.credit.telemetry) == (
        {name: [(a, b) for a, b in spans] for name, spans in told.committed.items()},
        told.credit,
    )


def test_only_the_alarm_connection_speaks_for_the_hub(hub: Hub) -> None:
    """It says that the hub is there, the broker that it is not; the telemetry connection has neither to say."""
    downlink = hub.inside.downlink
    will = downlink.will(Lane.ALARM)
    assert will is not None
    said = [decode(one.data, HubSession).online for one in downlink.greeting(Lane.ALARM)]
    assert ([True], False, [], None) == (
        said,
        decode(will.data, HubSession).online,
        list(downlink.greeting(Lane.TELEMETRY)),
        downlink.will(Lane.TELEMETRY),
    )
    assert set(downlink.filters(Lane.ALARM)).isdisjoint(downlink.filters(Lane.TELEMETRY))


def test_a_connection_that_is_down_says_why_until_it_serves(hub: Hub) -> None:
    """Each lane for itself."""
    downlink = hub.inside.downlink
    downlink.failed(Lane.ALARM, "connection refused", 2.0)
    downlink.begin(Lane.TELEMETRY, "localhost:1883")
    assert {"alarm": "connection refused", "telemetry": None} == downlink.state


def test_of_each_gateway_only_the_newest_session_waits_to_be_judged(hub: Hub) -> None:
    """However slow the store is: gateways in turn, each with what it said last."""
    closer = hub.inside.closer
    first, last = (Session(1, "1" * 32, 1, connection, True) for connection in (1, 2))
    closer.beat(*GATEWAY, first)
    closer.beat("town", "gw-2", first)
    closer.beat(*GATEWAY, last)
    assert [(*GATEWAY, last), ("town", "gw-2", first), None] == [closer.due() for _ in range(3)]
