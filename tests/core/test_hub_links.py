"""Which gateways are heard, by the hub's monotonic clock alone."""

from __future__ import annotations

from hub.core.heard import Linked
from hub.core.registry import GatewayEntry, Registry
from hub.core.views import GatewayView
from hub.links import Links
from protocol.messages import Session

KEY = ("a", "gw")
PROFILE_MS = 20_000


def links(at_ms: int = 0, told: bool | None = None) -> Links:
    found = Links(Registry(gateways={KEY: GatewayEntry("gw", "a", PROFILE_MS)}), at_ms)
    heard_ms = 5 if told is not None else None
    found.recall([GatewayView("a", "gw", PROFILE_MS, told, heard_ms, heard_ms)])
    return found


def test_a_gateway_gets_one_reporting_time_after_the_hub_s_start() -> None:
    """Not heard at all, it is lost when its reporting time has passed since the start, and told once."""
    one = links(at_ms=1_000, told=True)
    assert [] == one.lost(1_000 + PROFILE_MS - 1, 99)
    assert [Linked("a", "gw", False, 5)] == one.lost(1_000 + PROFILE_MS, 99)
    assert [] == one.lost(1_000 + 9 * PROFILE_MS, 99)


def test_silence_counts_from_the_last_word() -> None:
    """Each word starts the reporting time anew."""
    one = links()
    one.heard("a", "gw", 15_000, 115_000)
    assert [] == one.lost(34_999, 134_999)
    assert [Linked("a", "gw", False, 115_000)] == one.lost(35_000, 135_000)


def test_hearing_is_news_once() -> None:
    """The first word, and the first after a loss, are told; those between are not."""
    one = links()
    assert Linked("a", "gw", True, 100) == one.heard("a", "gw", 0, 100)
    assert None is one.heard("a", "gw", 1, 101)
    one.lost(PROFILE_MS + 1, 20_101)
    assert Linked("a", "gw", True, 101) == one.heard("a", "gw", 50_000, 50_100)


def test_a_gateway_the_desk_has_as_up_is_not_told_again() -> None:
    """After a restart of the hub a gateway that goes on speaking makes no news."""
    assert None is links(told=True).heard("a", "gw", 0, 100)


def test_an_older_pair_of_boot_and_connection_is_ignored() -> None:
    """Sessions are ordered by boot, then connection; an equal one is taken (the Will of the same connection)."""
    one = links()

    def said(boot: int, connection: int, online: bool = True) -> bool:
        return one.session("a", "gw", Session(1, "1" * 32, boot, connection, online))

    assert [True, False, False, True, True] == [said(2, 5), said(2, 4), said(1, 9), said(2, 5, False), said(3, 1)]


def test_the_count_tells_lost_from_never_heard() -> None:
    """Unknown is neither online nor lost."""
    one = links()
    assert (0, 0) == (one.online(), one.count_lost())
    one.heard("a", "gw", 0, 0)
    assert (1, 0) == (one.online(), one.count_lost())
    one.lost(PROFILE_MS, 0)
    assert (0, 1) == (one.online(), one.count_lost())
