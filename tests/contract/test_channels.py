"""Every channel of the folder, tried over real sockets on loopback: what the far end does is told as a value."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hub import channels
from hub.channels import KINDS, AnyChannel
from hub.notify.notice import Channel, Notice, Outcome, Refused, Sent, Sort, TryLater, Withheld
from hub.notify.table import ChannelTable
from protocol import faults
from protocol.kinds import Priority
from tests.support.outside import SECRET, Answer, FarEnd, far_end, secrets_in, signed

NOTICE = Notice(
    id="n1-1",
    to="h1-a",
    sort=Sort.PAGE,
    priority=Priority.P1,
    title='求助 "h1"',
    text='【联防】P1 紧急求助，"h1" {phone} \\ ，请回复',
    phone="+8613800000001",
    name="Ann",
)
TABLES = {
    "webhook": {"url": "{url}/send", "secret_file": "sms.secret"},
    "apprise": {"urls_file": "apprise.urls"},
}
"""What leads each kind to the far end; a channel that is not here is a channel without its test."""


@pytest.fixture
def far() -> Iterator[FarEnd]:
    """A far end."""
    with far_end() as found:
        yield found


def table(kind: str, folder: Path, at: str, **more: Any) -> ChannelTable:
    secrets_in(folder)
    (folder / "apprise.urls").write_text(f"json{at.removeprefix('http')}/send?:to={{phone}}\n", encoding="utf-8")
    given = {key: value.replace("{url}", at) for key, value in TABLES[kind].items()}
    found: ChannelTable = TypeAdapter(AnyChannel).validate_python({"name": "x", "kind": kind, **given, **more})
    return found.based(folder)


@contextlib.asynccontextmanager
async def opened(kind: str, folder: Path, url: str, **more: Any) -> AsyncIterator[Channel]:
    channel = table(kind, folder, url, **more).opened()
    try:
        yield channel
    finally:
        await channel.close()


async def said(kind: str, folder: Path, url: str, **more: Any) -> Outcome:
    async with opened(kind, folder, url, **more) as channel:
        return await channel.send(NOTICE)


def test_the_folder_is_the_registry() -> None:
    """Every file is a kind by its name, and is tried here."""
    files = {path.stem for path in Path(channels.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(KINDS) == set(TABLES)
    assert {kind: KINDS[kind].model_fields["kind"].annotation.__args__ for kind in KINDS} == {  # type: ignore[union-attr]
        kind: (kind,) for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_taken_is_sent(kind: str, far: FarEnd, tmp_path: Path) -> None:
    """A far end that says yes has the words as they were, quotes, braces and all."""
    assert isinstance(await said(kind, tmp_path, far.url), Sent)
    (got,) = far.got
    assert NOTICE.text in (got.body.get("text"), got.body.get("message"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sort", Sort)
async def test_no_drill_leaves(kind: str, sort: Sort, far: FarEnd, tmp_path: Path) -> None:
    """Whatever it says, the far end hears nothing of it; and of the real one after it alone."""
    async with opened(kind, tmp_path, far.url) as channel:
        assert Withheld() == await channel.send(replace(NOTICE, sort=sort, drill=True))
        assert isinstance(await channel.send(replace(NOTICE, sort=sort, text="the real one")), Sent)
    (got,) = far.got
    assert "the real one" in (got.body.get("text"), got.body.get("message"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(hangs=True)])
async def test_what_fails_or_hangs_is_tried_later(kind: str, answer: Answer, far: FarEnd, tmp_path: Path) -> None:
    """No answer and a server's trouble are values, within the time limit, and name neither phone nor secret."""
    far.always = answer
    outcome = await said(kind, tmp_path, far.url, timeout_s=0.3)
    assert isinstance(outcome, TryLater)
    assert not [word for word in (NOTICE.phone, "13800000001", NOTICE.name, SECRET) if word in outcome.why]


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_is_tried_later(kind: str, tmp_path: Path) -> None:
    """A port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert isinstance(await said(kind, tmp_path, url), TryLater)


@pytest.mark.parametrize("kind", KINDS)
async def test_many_at_once_wait_for_nobody(kind: str, far: FarEnd, tmp_path: Path) -> None:
    """While one hangs, others are taken."""
    hangs = replace(NOTICE, id="hangs", text="hangs")
    far.judge = lambda got: Answer(hangs=True) if "hangs" in got.raw.decode() else None
    async with opened(kind, tmp_path, far.url, timeout_s=5) as channel:
        slow = asyncio.create_task(channel.send(hangs))
        outcomes = await asyncio.gather(*(channel.send(replace(NOTICE, id=f"n{at}")) for at in range(5)))
        assert [Sent] * 5 == [type(one) for one in outcomes]
        assert not slow.done()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


def test_nothing_personal_in_a_representation() -> None:
    """A notice that gets into a log shows neither name, phone nor words."""
    shown = repr(NOTICE)
    assert not [word for word in (NOTICE.phone, NOTICE.name, NOTICE.text, NOTICE.title) if word in shown]


# The webhook.


async def test_a_webhook_is_signed_and_says_a_repeat_is_one(far: FarEnd, tmp_path: Path) -> None:
    """The signature covers time and body; the same notice again has the same key."""
    async with opened("webhook", tmp_path, far.url) as channel:
        await channel.send(NOTICE)
        await channel.send(NOTICE)
    for got in far.got:
        assert signed(SECRET, got.headers["x-lianfang-timestamp"], got.raw) == got.headers["x-lianfang-signature"]
    assert ["n1-1", "n1-1"] == [got.headers["idempotency-key"] for got in far.got]


@pytest.mark.parametrize(
    "answer, outcome",
    [
        (Answer(429, headers={"Retry-After": "17"}), TryLater(17.0, "HTTP 429")),
        (Answer(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), TryLater(0.0, "HTTP 503")),
        (Answer(503, headers={"Retry-After": "soon"}), TryLater(None, "HTTP 503")),
        (Answer(400), Refused("HTTP 400")),
        (Answer(302, headers={"Location": "http://127.0.0.1/"}), Refused("HTTP 302")),
        (Answer(200, b'{"code": 0, "data": {"msgid": 77}}'), Sent("77")),
        (Answer(200, b'{"code": 4005}'), Refused("it answers code 4005")),
        (Answer(200, b"not JSON"), Refused("it answers code nothing")),
        (Answer(200, b"[" * 50_000), Refused("it answers code nothing")),
    ],
)
async def test_what_a_gateway_answers(answer: Answer, outcome: Outcome, far: FarEnd, tmp_path: Path) -> None:
    """Statuses, Retry-After, and the codes that gateways put into a 200."""
    far.always = answer
    assert outcome == await said("webhook", tmp_path, far.url, answer_code="code", answer_id="data.msgid")


async def test_a_body_is_of_ones_own_words(far: FarEnd, tmp_path: Path) -> None:
    """Words are filled in wherever they stand, everything else stays as it is."""
    body = {"tel": ["{phone}"], "p": {"who": "{name}!", "n": 3, "on": True}, "sn": "{id}"}
    assert isinstance(await said("webhook", tmp_path, far.url, body=body), Sent)
    assert {"tel": [NOTICE.phone], "p": {"who": "Ann!", "n": 3, "on": True}, "sn": "n1-1"} == far.got[0].body


@pytest.mark.parametrize(
    "more, key",
    [
        ({"url": "http://sms.example/send"}, "url"),
        ({"url": "ftp://127.0.0.1/send"}, "url"),
        ({"body": {"to": "{fone}"}}, "body"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"retries": 3}, "retries"),
    ],
)
def test_a_table_that_cannot_be_is_refused(more: dict[str, Any], key: str, tmp_path: Path) -> None:
    """A plain URL beyond this machine, words nobody knows, values and keys that are none."""
    with pytest.raises(ValidationError) as refused:
        table("webhook", tmp_path, "http://127.0.0.1:1", **more)
    assert {key} == {error["loc"][1] for error in refused.value.errors()}


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    """A secret one could guess opens no channel."""
    made = table("webhook", tmp_path, "http://127.0.0.1:1")
    (tmp_path / "sms.secret").write_text("short\n", encoding="utf-8")
    with pytest.raises(faults.Refused, match="16 or more"):
        made.opened()


# Apprise.


def test_urls_apprise_does_not_know_are_refused_without_showing_them(tmp_path: Path) -> None:
    """Each by its line and scheme: the rest of a URL is a secret."""
    made = table("apprise", tmp_path, "http://127.0.0.1:1")
    (tmp_path / "apprise.urls").write_text("# ours\nnosuch://token-of-ours@x\nno url at all\n", encoding="utf-8")
    with pytest.raises(faults.Refused) as refused:
        made.opened()
    assert ["line 1", "line 2"] == [fault.key for fault in refused.value.faults]
    assert "token-of-ours" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_rooms_are_told_from_persons(kind: str, tmp_path: Path) -> None:
    """What asks for nobody's phone is a room."""
    person = table(kind, tmp_path, "http://127.0.0.1:1")
    assert not person.rooms
    (tmp_path / "apprise.urls").write_text("json://127.0.0.1:1/\n", encoding="utf-8")
    room = table("webhook", tmp_path, "http://127.0.0.1:1", body={"text": "{text}"}) if kind == "webhook" else person
    assert room.rooms


async def test_calls_that_hang_for_ever_are_bounded(far: FarEnd, tmp_path: Path) -> None:
    """Beyond as many as may hang nothing more is begun, and the loop goes on."""
    from hub.channels.apprise import STUCK_MAX

    far.always = Answer(hangs=True)
    async with opened("apprise", tmp_path, far.url, timeout_s=0.2) as channel:
        outcomes = await asyncio.gather(*(channel.send(NOTICE) for _ in range(STUCK_MAX)))
        assert {"no answer within 0.2 s"} == {one.why for one in outcomes if isinstance(one, TryLater)}
        last = await channel.send(NOTICE)
        assert TryLater(None, f"{STUCK_MAX} calls hang in it") == last
    gc.collect()
