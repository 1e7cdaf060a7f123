"""`lianfang journal`: what it proves, and that it names what was changed, cut off, or differs."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from hub import checkpoint
from hub.core.desk import Desk
from hub.defaults import load_defaults
from hub.journal_command import app
from hub.past import Past
from hub.rebuild import checkpoint as checkpoint_of
from hub.rebuild import rebuild
from hub.registry import load
from hub.settings_file import load as load_settings
from protocol.faults import Refused
from simulators.broker import Broker
from tests.support.centre import Running, gateway, running
from tests.support.desk import DeskAtWork
from tests.support.past import kept as past


def lianfang(*words: str, token: str = "") -> Result:
    """`lianfang journal WORDS`."""
    return CliRunner().invoke(app, words, env={"LIANFANG_TOKEN": token})


@pytest.fixture
async def worked(broker: Broker, tmp_path: Path) -> AsyncIterator[Running]:
    """A hub with two incidents, one of them accepted with a note, answered, and an order."""
    async with running(tmp_path, broker) as hub:
        async with gateway(broker) as gw:
            await gw.press()
            last = await gw.press("h2-panic")
            await gw.receipted(last.seq)
        incident = hub.parts.desk.incidents()[0].id
        async with hub.api("susi") as client:
            for path, body in (
                (f"incidents/town/{incident}/accept", None),
                (f"incidents/town/{incident}/note", {"text": "the gate was open"}),
                (f"incidents/town/{incident}/answer", {"premises": "h3", "answer": "going"}),
                ("premises/town/h1/orders", {"action": "refresh", "reason": "a look"}),
            ):
                assert 200 == (await client.post(f"/api/v1/{path}", json=body)).status_code
        yield hub


def kept(folder: Path) -> Path:
    """A checkpoint of the whole journal, where the hub keeps it."""
    desk = Desk(load(folder / "registry.toml").registry, load_defaults())
    with contextlib.closing(Past(f"sqlite:///{folder / 'data' / 'journal.db'}")) as past:
        made = checkpoint_of(desk, rebuild(desk, past))
    path = folder / "data" / checkpoint.NAME
    checkpoint.write(path, made)
    return path


def changed(folder: Path, statement: str) -> None:
    """Somebody has the file in hand."""
    with contextlib.closing(sqlite3.connect(folder / "data" / "journal.db")) as file:
        file.executescript(f"DROP TRIGGER entry_no_update; {statement}")


async def test_a_replay_agrees_with_the_checkpoint_and_the_running_hub(worked: Running) -> None:
    """Incidents, answers, notes and orders: the journal alone gives what both say."""
    kept(worked.folder)
    config = str(worked.folder / "hub.toml")
    found = await asyncio.to_thread(lianfang, "replay", config, "--api", worked.url, token="token of olga")
    assert 0 == found.exit_code, found.output
    assert f"compared with: the checkpoint, the hub at {worked.url}" in found.output
    assert "no difference" in found.output
    refused = await asyncio.to_thread(lianfang, "replay", config, "--api", worked.url, token="nobody's")
    assert (2, True) == (refused.exit_code, "nobody has this token" in refused.output), refused.output


async def test_a_hub_that_shows_something_else_is_found(worked: Running) -> None:
    """Whatever its memory says that the journal does not: named with both values, and the exit says so."""
    tables = worked.parts.desk._tables.incidents
    incident = worked.parts.desk.incidents()[0]
    tables._base["town", incident.id] = replace(incident, presses=99)
    config = str(worked.folder / "hub.toml")
    found = await asyncio.to_thread(lianfang, "replay", config, "--api", worked.url, token="token of olga")
    assert 1 == found.exit_code, found.output
    line = f"differs: incident town/{incident.id}: presses: by the journal {incident.presses}, the hub shows 99"
    assert line in found.output.splitlines()


async def test_a_checkpoint_that_says_something_else_is_found(worked: Running) -> None:
    """Table, key and both values."""
    path = kept(worked.folder)
    made = checkpoint.read(path)
    assert made is not None
    other = made.desk.replace(b'"accepted"', b'"reported"', 1)
    checkpoint.write(path, replace(made, desk=other))
    found = await asyncio.to_thread(lianfang, "replay", str(worked.folder / "hub.toml"))
    assert 1 == found.exit_code, found.output
    assert 'state: by the journal "accepted", it says "reported"' in found.output


async def test_entries_of_other_rules_and_entries_not_taken_are_named(worked: Running) -> None:
    """What was made under older rules is said and judged as today; an entry the desk cannot take is a difference."""
    changed(
        worked.folder, "UPDATE entry SET rules = '0' WHERE n = 1; UPDATE entry SET body = '{}' WHERE kind = 'moved'"
    )
    found = await asyncio.to_thread(lianfang, "replay", str(worked.folder / "hub.toml"))
    assert 1 == found.exit_code
    assert "made under rules 0" in found.output
    assert "differs: the chain is broken: entry 1" in found.output
    assert "(moved, area town): left out:" in found.output


async def test_the_ends_of_the_chains_prove_later_that_all_is_there(worked: Running, tmp_path: Path) -> None:
    """The lines of two days hold; what was cut off, and what was written anew with a good chain, does not."""
    config, anchor = str(worked.folder / "hub.toml"), tmp_path / "anchors.txt"
    first = await asyncio.to_thread(lianfang, "head", config)
    async with worked.api("susi") as client:
        body = {"action": "silence", "reason": "again"}
        await client.post("/api/v1/premises/town/h2/orders", json=body)
    second = await asyncio.to_thread(lianfang, "head", config)
    assert (0, 0, True) == (first.exit_code, second.exit_code, first.output != second.output)
    anchor.write_text(f"# kept in the safe\n{first.output}\n{second.output}", encoding="utf-8")
    good = await asyncio.to_thread(lianfang, "verify", config, "--anchor", str(anchor))
    assert (0, True) == (good.exit_code, "2 lines of anchors.txt hold" in good.output), good.output
    worked.hub.stop()
    area, number, digest = second.output.split()
    other = digest.replace(digest[0], "0" if digest[0] != "0" else "1")
    anchor.write_text(f"{area} {number} {other}\n{area} {int(number) + 7} {digest}\n", encoding="utf-8")
    bad = await asyncio.to_thread(lianfang, "verify", config, "--anchor", str(anchor))
    assert 1 == bad.exit_code
    assert f"not as it was written down: town: entry {number} is {digest}, not {other}" in bad.output
    assert f"not as it was written down: town: entry {int(number) + 7} is not there" in bad.output


def test_a_file_of_anchors_is_refused_by_its_lines(tmp_path: Path) -> None:
    """All at once, by number, with what a line looks like."""
    (tmp_path / "registry.toml").write_text("", encoding="utf-8")
    config, anchor = tmp_path / "hub.toml", tmp_path / "anchors.txt"
    config.write_text('[hub]\nid = "h"\ndata_dir = "data"\nregistry = "registry.toml"\n', encoding="utf-8")
    anchor.write_text(f"town 1 {'a' * 64}\ntown x {'a' * 64}\ntown 2 {'z' * 64}\nTown 2\n", encoding="utf-8")
    found = lianfang("verify", str(config), "--anchor", str(anchor))
    assert 2 == found.exit_code
    assert all(f"line {number}" in found.output for number in (2, 3, 4))
    assert "line 1" not in found.output
    anchor.write_text("# nothing\n", encoding="utf-8")
    assert 2 == lianfang("verify", str(config), "--anchor", str(anchor)).exit_code


def test_a_journal_is_read_without_the_secrets_of_channels(tmp_path: Path) -> None:
    """A backup leaves them out: what it holds is verified all the same, and only a hub that runs needs them."""
    channel = '[[channel]]\nname = "sms"\nkind = "webhook"\nurl = "https://sms.example"\nsecret_file = "sms.secret"'
    work = DeskAtWork()
    work.press("h01", 0)
    config = past(tmp_path, work, more=channel)
    found = lianfang("verify", str(config))
    assert (0, True) == (found.exit_code, "whole: 1 entries" in found.output), found.output
    with pytest.raises(Refused, match=r"channel\[0\].secret_file"):
        load_settings(config)
