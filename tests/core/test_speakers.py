"""One gateway restarted, or two under one name: told apart by who speaks after whom."""

from __future__ import annotations

import pytest

from hub.speakers import TAKEOVER_MS, VOICES_MAX, Speakers

A, B, C = "a" * 32, "b" * 32, "c" * 32
PROFILE_MS = 20_000
BOOTS = {A: 10, B: 11, C: 12}


def spoken(words: str, every_ms: int = 6_000, speakers: Speakers | None = None, at_ms: int = 100_000) -> Speakers:
    """Speakers after these words, one each `every_ms`."""
    found = Speakers(PROFILE_MS) if speakers is None else speakers
    for number, name in enumerate(words):
        instance = name * 32
        found.heard(instance, BOOTS[instance], at_ms + number * every_ms)
    return found


def test_before_anybody_is_heard_a_command_is_for_whoever_hears_it() -> None:
    """A hub that has just started must not leave a household silent."""
    assert (Speakers(PROFILE_MS).obeying(), Speakers(PROFILE_MS).rightful) == ((None,), None)


def test_one_process_is_obeyed_alone() -> None:
    """The first that is heard is the rightful one."""
    assert spoken("aaa").obeying() == (A,)


def test_a_restart_is_obeyed_at_once_beside_the_process_before() -> None:
    """Which of the two it is nobody knows yet, and neither may miss a call."""
    one = spoken("aab")
    assert (one.rightful, one.obeying(), one.seconds) == (A, (A, B), ())


def test_a_restart_takes_over_after_one_reporting_time() -> None:
    """The old process never speaks again."""
    one = spoken("aabbbbb")
    assert (one.rightful, one.obeying(), one.seconds) == (B, (B,), ())


@pytest.mark.parametrize("words", ["aabab", "aaba", "abbabb", "aabbabbbbbbb"])
def test_a_late_word_of_the_process_before_makes_no_second(words: str) -> None:
    """A broker or a slow line may bring it after the first of the new one."""
    assert spoken(words).seconds == ()


@pytest.mark.parametrize("words", ["aababa", "aabbabba", "abaaba"])
def test_two_that_speak_in_turn_are_two_gateways(words: str) -> None:
    """The one that was there first is rightful, and it alone is obeyed."""
    one = spoken(words)
    assert (one.rightful, one.seconds, one.obeying(), one.is_second(B)) == (A, (B,), (A,), True)


def test_two_gateways_are_news_once() -> None:
    """Who is what is told when it changes."""
    one = spoken("aabab")
    assert [one.heard(A, 10, 200_000), one.heard(B, 11, 201_000), one.heard(A, 10, 202_000)] == [True, False, False]


def test_a_hub_that_found_both_there_takes_the_one_that_began_first() -> None:
    """After its restart the copy may happen to speak first: the boot number says who began earlier."""
    one = spoken("bababab")
    assert (one.rightful, one.seconds) == (A, (B,))


def test_one_that_was_known_for_long_stays_whatever_boot_the_copy_claims() -> None:
    """A copied card in a machine whose clock is unset has a lower boot, and is the copy all the same."""
    assert (spoken("bbbbbababa").rightful, spoken("bbbbbababa").seconds) == (B, (A,))


def test_a_restart_of_the_rightful_one_beside_a_second_one() -> None:
    """The next process is obeyed at once, the copy never; then it is the rightful one, and the copy still none."""
    one = spoken("aababa")
    spoken("cb", speakers=one, at_ms=140_000)
    assert one.obeying() == (A, C)
    spoken("cbcbcbcb", speakers=one, at_ms=150_000)
    assert (one.rightful, one.seconds, one.obeying()) == (C, (B,), (C,))


def test_a_second_one_takes_over_only_after_long() -> None:
    """While the rightful machine reboots its copy is no heir; where it is gone for good, the copy replaces it."""
    one = spoken("aababa")
    until_ms = 140_000 + TAKEOVER_MS
    for at_ms in range(140_000, until_ms, 6_000):
        one.heard(B, 11, at_ms)
    assert (one.rightful, one.seconds) == (A, (B,))
    assert one.heard(B, 11, until_ms)
    assert (one.rightful, one.seconds, one.obeying()) == (B, (), (B,))


def test_silence_of_all_decides_nothing() -> None:
    """After an hour's outage of the broker the copy speaks first, and is the copy still."""
    one = spoken("aababa")
    spoken("bab", speakers=one, at_ms=4_000_000)
    assert (one.rightful, one.seconds) == (A, (B,))


def test_a_second_one_that_is_gone_is_forgotten() -> None:
    """The copy was switched off: after a while there is one gateway again, and that is news."""
    one = spoken("aababa")
    assert one.heard(A, 10, 130_000 + TAKEOVER_MS)
    assert (one.rightful, one.seconds) == (A, ())


def test_what_was_known_survives_a_restart_of_the_hub() -> None:
    """The copy speaks first after it, and is refused from its first word."""
    began_ms = 9_000_000_000
    one = spoken("bbab", speakers=Speakers(PROFILE_MS, A, (B,), began_ms), at_ms=began_ms)
    assert (one.rightful, one.seconds, one.obeying()) == (A, (B,), (A,))


def test_those_remembered_have_a_bound() -> None:
    """A hundred names are no more than the bound's."""
    one = spoken("a")
    for number in range(100):
        one.heard(f"{number:032x}", number, 200_000 + number)
    assert len(one._others) == VOICES_MAX
