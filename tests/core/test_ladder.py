"""The neighbours' ladder: nobody says "going", so the head household is called again, then the adjacent groups."""

from __future__ import annotations

from hub.core.acts import Answer, Answered, Disposition, How, Move, Stage
from hub.core.effects import Effect, Page, Rung
from hub.core.plan import Level, Levelled
from protocol.kinds import Kind
from protocol.messages import Action
from tests.support.desk import AREA, MIN, START_MS, DeskAtWork, H, S, called, everyone, sends


def heads(effects: list[Effect]) -> list[tuple[str, ...]]:
    """Whom alone of a group pages are for."""
    return [effect.premises for effect in effects if isinstance(effect, Page) and effect.premises]


def pressed(where: str = "h03") -> DeskAtWork:
    """A press, and every siren order answered at once."""
    village = DeskAtWork()
    for order in sends(village.press(where, 0), Action.SIREN):
        village.reply(order)
    return village


def answer(village: DeskAtWork, premises: str, what: Answer) -> list[Effect]:
    """A member answers by a link."""
    return village.take(Answered(AREA, village.only().id, premises, what, How.PHONE, "op-1"))


def test_nobody_goes_so_the_head_is_called_again_and_then_the_adjacent_groups() -> None:
    """At 60 s the head household alone, by siren and by name; 60 s later every member of the adjacent group."""
    village = pressed()
    assert [] == sends(village.wait(MIN - 1), Action.SIREN)
    effects = village.wait(MIN)
    assert ({"h01"}, [("h01",)]) == (called(effects), heads(effects))
    for order in sends(effects, Action.SIREN):
        village.reply(order)
    assert [] == sends(village.wait(2 * MIN - 1), Action.SIREN)
    assert everyone("west") == called(village.wait(2 * MIN))
    assert "the adjacent groups are called" in village.only().calling


def test_whoever_goes_ends_it() -> None:
    """One "going", by answer or by a responder's stamp, and nobody else is called; not so a "cannot"."""
    going, stamped, cannot = pressed(), pressed(), pressed()
    answer(going, "h04", Answer.GOING)
    stamped.move(stamped.only(), Move.RESPOND, stage=Stage.EN_ROUTE)
    answer(cannot, "h04", Answer.CANNOT)
    for village, expected in ((going, set()), (stamped, set()), (cannot, {"h01", *everyone("west")})):
        for _ in range(2):
            assert called(village.wait(H)) == expected
            expected = set()


def test_an_operator_who_accepts_is_not_at_the_door() -> None:
    """The neighbours' ladder goes on after an accept, and ends with whoever is sent, with silence and with the end."""
    for moves, expected in (
        ([(Move.ACCEPT, {})], {"h01", *everyone("west")}),
        ([(Move.ACCEPT, {}), (Move.ASSIGN, {"to": "patrol-1"})], set()),
        ([(Move.ACCEPT, {}), (Move.SILENCE, {})], set()),
        ([(Move.ACCEPT, {}), (Move.RESOLVE, {"disposition": Disposition.TEST})], set()),
    ):
        village = pressed()
        village.now = 30 * S
        for move, more in moves:
            village.move(village.only(), move, **more)
        assert called(village.wait(H)) == expected


def nobody_can() -> DeskAtWork:
    """A press, and 20 s later all nine neighbours have said that they cannot come."""
    village = pressed()
    for member in sorted(everyone("east") - {"h03"}):
        village.now = 20 * S
        answer(village, member, Answer.CANNOT)
    return village


def test_when_all_have_said_that_they_cannot_the_adjacent_groups_are_called_at_once() -> None:
    """The head said so too and is not called again; the incident says why the adjacent groups are."""
    village = nobody_can()
    effects = village.wait(20 * S)
    assert ([], everyone("west")) == (heads(effects), called(effects))
    words = "none of the neighbours called can come: the adjacent groups are called"
    assert words in village.only().calling
    for order in sends(effects, Action.SIREN):
        village.reply(order)
    assert set() == called(village.wait(H))


def test_when_nobody_anywhere_can_come_the_town_is_told_at_once() -> None:
    """The adjacent group cannot either: the next rung hears so now, not when the time to accept is over."""
    village = nobody_can()
    village.wait(20 * S)
    effects = [one for member in sorted(everyone("west")) for one in answer(village, member, Answer.CANNOT)]
    pages = [effect for effect in effects if isinstance(effect, Page) and effect.rung is Rung.TOWN]
    assert ["none of the neighbours called can come: h03 pressed the panic button"] == [page.why for page in pages]
    assert Rung.TOWN is village.only().rung


def test_a_head_who_pressed_is_not_called_to_itself() -> None:
    """The head household is where help is needed: it says so, and the adjacent groups follow in their time."""
    village = pressed("h01")
    assert [] == sends(village.wait(MIN), Action.SIREN)
    assert "no head household to call" in [line.what for line in village.only().history]
    assert everyone("west") == called(village.wait(2 * MIN))


def test_a_response_level_shortens_the_wait() -> None:
    """At critical the head is called after 15 s, the adjacent groups 15 s later."""
    village = DeskAtWork()
    village.take(Levelled(AREA, Level.CRITICAL, "sup-1", "a feast", until_ms=START_MS + H), 0)
    for order in sends(village.press("h03", 0), Action.SIREN):
        village.reply(order)
    assert [("h01",)] == heads(village.wait(15 * S))
    assert everyone("west") <= called(village.wait(30 * S))


def test_where_nobody_was_called_nobody_is_called_again() -> None:
    """Duress is silent, and a press of an hour ago rings nobody: neither has a ladder."""
    silent, late = DeskAtWork(), DeskAtWork()
    silent.happen(Kind.DURESS, "h05-duress", 0)
    late.press("h03", 0, H)
    for village in (silent, late):
        assert set() == called(village.wait(3 * H)) and heads(village.effects) == []


def test_all_who_were_called_by_the_ladder_are_stood_down() -> None:
    """Head and adjacent groups hear the end like everybody else."""
    village = pressed()
    village.wait(4 * MIN)
    village.move(village.only(), Move.ACCEPT)
    effects = village.move(village.only(), Move.RESOLVE, disposition=Disposition.GENUINE)
    told = {member for order in sends(effects, Action.STAND_DOWN) for member in order.premises}
    assert everyone("east", "west") == told
