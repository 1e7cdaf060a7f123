"""Tickets to answer by: whose they are, how long they are good, and how often somebody may be wrong about them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.acts import Answer, Answered, How
from hub.throttle import ADDRESSES_MAX, EVERY_MS, WRONG_MAX, Throttle
from hub.tickets import TURNS_MAX, Tickets
from protocol.kinds import Kind
from tests.support.desk import AREA, START_MS, DeskAtWork

GOOD_MS = 3_600_000


class Signed:
    """A village in which h03 pressed, and tickets whose clock is the village's."""

    def __init__(self, private: Ed25519PrivateKey | None = None) -> None:
        self.village = DeskAtWork()
        self.village.press("h03", 0)
        self.private = private or Ed25519PrivateKey.generate()
        self.tickets = Tickets(self.private, "https://help.example/", GOOD_MS, self.village.desk.incident, self.now_ms)

    def now_ms(self) -> int:
        return START_MS + self.village.now

    def text(self, premises: str = "h05") -> str:
        return self.tickets.issue(self.village.only(), premises)


def test_a_ticket_says_what_it_is_for() -> None:
    """Who, what and which turn, and until when."""
    signed = Signed()
    found = signed.tickets.read(signed.text())
    assert found is not None
    incident = signed.village.only().id
    assert (AREA, incident, "h05", 0) == (found.area, found.incident, found.premises, found.turn)
    assert START_MS + GOOD_MS == found.expires_ms


def test_a_ticket_expires() -> None:
    """It is good for so long, and not a moment longer."""
    signed = Signed()
    text = signed.text()
    signed.village.now = GOOD_MS - 1
    assert signed.tickets.read(text) is not None
    signed.village.now = GOOD_MS
    assert signed.tickets.read(text) is None


def test_every_character_is_signed() -> None:
    """Whatever is changed, taken away or added, it is none; nor is that of another hub's key."""
    signed = Signed()
    text = signed.text()
    for at, was in enumerate(text):
        for now in {"a", "0", ".", "-", "é", ""} - {was}:
            assert signed.tickets.read(text[:at] + now + text[at + 1 :]) is None, (at, now)
    assert signed.tickets.read(text + "=") is None
    assert Signed().tickets.read(text) is None
    assert Signed(signed.private).tickets.read(text) is not None


def test_a_ticket_fits_a_text_message() -> None:
    """Its link is short enough to stand in one with the words."""
    signed = Signed()
    link = signed.tickets.link(AREA, signed.village.only().id, "h05")
    assert link is not None
    assert len(link) < 120


def test_after_many_answers_there_are_no_more_links() -> None:
    """The phone is the way then."""
    signed = Signed()
    incident = signed.village.only().id
    for number in range(TURNS_MAX):
        assert signed.tickets.link(AREA, incident, "h05") is not None
        signed.village.take(Answered(AREA, incident, "h05", Answer.GOING, How.LINK, turn=number))
    assert signed.tickets.link(AREA, incident, "h05") is None


def test_what_is_silent_has_no_link() -> None:
    """Nobody is called for it."""
    signed = Signed()
    signed.village.happen(Kind.DURESS, "h04", 1_000)
    silent = next(one for one in signed.village.desk.incidents() if one.silent)
    assert signed.tickets.link(AREA, silent.id, "h05") is None


def test_an_address_may_be_wrong_so_often_and_then_now_and_again() -> None:
    """Each by itself; it runs off with time."""
    throttle = Throttle()
    assert [False] * WRONG_MAX + [True] * 3 == [throttle.wrong("a", 0) for _ in range(WRONG_MAX + 3)]
    assert not throttle.wrong("b", 0)
    assert throttle.wrong("a", EVERY_MS - 1)
    assert [False, True] == [throttle.wrong("a", EVERY_MS), throttle.wrong("a", EVERY_MS)]


def test_so_many_addresses_are_remembered() -> None:
    """The one that was wrong longest ago is forgotten."""
    throttle = Throttle()
    for _ in range(WRONG_MAX):
        throttle.wrong("first", 0)
    for number in range(ADDRESSES_MAX):
        throttle.wrong(f"other-{number}", 0)
    assert ADDRESSES_MAX == len(throttle._full)
    assert not throttle.wrong("first", 0)
