"""Topics are made and taken apart by the same rules, and nothing else passes for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.ids import is_id
from protocol.topics import DOWN, UP, Address, Channel, filters, hub_topic, owner_topic, parse, topic

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).filter(lambda text: text not in ("hub", "owner"))


@given(IDS, IDS, st.sampled_from(Channel))
def test_topic_comes_back_as_its_parts(area: str, gateway: str, channel: Channel) -> None:
    """Making and taking apart are each other's reverse."""
    assert parse(topic(area, gateway, channel)) == Address(area, gateway, channel)


@given(st.text(max_size=80))
def test_any_text_is_a_topic_of_ours_or_none(text: str) -> None:
    """Only what we would make ourselves is taken."""
    address = parse(text)
    assert address is None or topic(*address) == text


NOT_OURS = (
    "", "/", "lf/1", "lf/1/350102/gw-01", "lf/1/350102/gw-01/", "lf/1/350102/gw-01/alarm/x", "lf/2/350102/gw-01/alarm",
    "LF/1/350102/gw-01/alarm", "lf/1/350102/gw-01/Alarm", "lf/1/350102/gw-01/siren", "lf/1//gw-01/alarm",
    "lf/1/+/gw-01/alarm", "lf/1/350102/#/alarm", "lf/1/350102/gw_01/alarm", "lf/1/-a/gw-01/alarm",
    "lf/1/350102/gw-01\n/alarm", "lf/1/350102/gw-01/alarm\n", "lf/1/350102/" + "g" * 64 + "/alarm",
    "/lf/1/350102/gw-01/alarm", "$share/x/lf/1/350102/gw-01/alarm", "lf/1/镇/gw-01/alarm",
    "lf/1/hub/gw-01/alarm", "lf/1/350102/owner/alarm", hub_topic("hub-a"), owner_topic("350102"),
)  # fmt: skip


@pytest.mark.parametrize("text", NOT_OURS)
def test_other_topics_are_none_of_a_gateway(text: str) -> None:
    """Wrong roots, depths, names and the reserved ones are refused."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("area", "gateway"), [("hub", "gw-01"), ("350102", "owner"), ("350102", "gw/01"), ("+", "gw-01")]
)
def test_topic_for_a_bad_name_is_a_bug_of_ours(area: str, gateway: str) -> None:
    """Nothing is published under a reserved or impossible name."""
    with pytest.raises(AssertionError):
        topic(area, gateway, Channel.ALARM)


def test_hub_may_not_be_called_owner() -> None:
    """Its session would be taken for the owner of an area."""
    with pytest.raises(AssertionError):
        hub_topic("owner")


def test_every_channel_has_one_direction() -> None:
    """What goes up does not come down."""
    assert sorted((*UP, *DOWN)) == sorted(Channel)


def test_filters_are_one_level_of_wildcard_a_channel() -> None:
    """A hub subscribes to one area or to all, and never to another's commands."""
    assert filters((Channel.ALARM, Channel.REPLY), "350102") == ["lf/1/350102/+/alarm", "lf/1/350102/+/reply"]
    assert filters((Channel.BIRTH,)) == ["lf/1/+/+/birth"]


@pytest.mark.parametrize("text", ["a", "0", "h03-panic", "a" * 63, "9-"])
def test_id_allows_small_letters_digits_and_dashes(text: str) -> None:
    """These may name something of ours."""
    assert is_id(text)


@pytest.mark.parametrize(
    "text", ["", "-a", "A", "a_b", "a b", "a.b", "a" * 64, "a\n", "\na", "十", "٣", "a/b", "#", "+"]
)
def test_id_refuses_the_rest(text: str) -> None:
    """These may not, the trailing newline and foreign digits among them."""
    assert not is_id(text)
