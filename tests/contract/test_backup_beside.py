"""What a backup holds beside journal and telemetry: site files, the registry's states, notices, channels' secrets."""

from __future__ import annotations

import contextlib
import sqlite3
import zipfile
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from hub.backup import folders
from hub.backup.command import backup
from hub.backup.manifest import HISTORY, SITES
from hub.backup.restore import restore_into, restore_to
from hub.backup.secret_files import secret_files
from hub.backup.take import take
from hub.core.effects import Page, Rung
from hub.core.heard import Linked
from hub.core.registry import Registry
from hub.journal import Draft, Journal
from hub.notify.notice import Posting, Sort, State
from hub.notify.outbox import NAME, Outbox
from hub.registry import load as load_registry
from hub.registry.diff import between
from hub.registry.history import FOLDER, History
from hub.settings import Settings
from hub.settings_file import load, of_text
from protocol.faults import Refused
from protocol.kinds import Priority
from tests.contract.test_backup_files import NOW_MS, lived, tree

CHANNEL = """
[[channel]]
kind = "webhook"
name = "sms"
url = "https://sms.example/send"
secret_file = "sms.secret"

[channel.report]
secret_file = "report.secret"
"""


def read(config: Path) -> Settings:
    """A configuration, though files it names are not there."""
    return of_text(config.read_bytes(), config.parent, config.name)


def posting(name: str, state: State) -> Posting:
    """A page to somebody, as it stands."""
    words = ("town", "i-1", Sort.PAGE, "station", "sms", "st-a", "st", Priority.P1, "raised", NOW_MS, NOW_MS)
    return Posting(name, *words, state=state)


def used(folder: Path) -> Path:
    """The configuration of a hub with a channel, a site file, two states of its registry, and notices."""
    config = lived(folder)
    config.write_text(config.read_text(encoding="utf-8") + CHANNEL, encoding="utf-8")
    for name in ("sms.secret", "report.secret"):
        (folder / name).write_text(f"a long {name} of the hub", encoding="utf-8")
    settings = load(config)
    site = settings.sites / "town" / "gw-1.toml"
    site.parent.mkdir(parents=True)
    site.write_text('[gateway]\nid = "gw-1"\n', encoding="utf-8")
    registry = load_registry(settings.hub.registry).registry
    history = History(settings.hub.data_dir / FOLDER)
    for _ in range(2):
        history.keep(registry, between(Registry(), registry), by="wang", source="x", at_ms=NOW_MS)
    outbox = Outbox(settings.hub.data_dir / NAME)
    outbox.keep(posting("waits", State.WAITING))
    outbox.keep(posting("told", State.SENT))
    outbox.close()
    page = Page("town", "i-1", Rung.STATION, "raised")
    with Journal(settings.journal_url, config="c" * 64, rules="1") as journal:
        journal.append([Draft("town", NOW_MS, Linked("town", "gw-1", True, NOW_MS), (), (page,))])
    return config


def states(path: Path) -> dict[str, State]:
    """Every posting by its state."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT id, state, body FROM posting").fetchall()
    found = {name: msgspec.json.decode(body, type=Posting).state for name, _, body in rows}
    assert found == {name: State(state) for name, state, _ in rows}
    return found


def backed_up(folder: Path, *, with_secrets: bool = False) -> tuple[Path, Path]:
    """(configuration, backup)."""
    config, out = used(folder / "hub"), folder / "b.lfb"
    take(config, load(config), out, with_telemetry=True, with_secrets=with_secrets, now_ms=NOW_MS)
    return config, out


def test_sites_and_history_come_back(tmp_path: Path) -> None:
    """Every site file and every state of the registry is the same to the byte, and the states can be loaded."""
    config, out = backed_up(tmp_path)
    done = restore_into(out, tmp_path / "again")
    before, after = load(config), read(done.config)
    for one, other in (
        (before.sites, after.sites),
        (before.hub.data_dir / FOLDER, after.hub.data_dir / FOLDER),
    ):
        assert tree(one) == tree(other) != {}
    history = History(after.hub.data_dir / FOLDER)
    assert [1, 2] == [state.n for state in history.states()]
    assert history.registry(2).registry.premises


def test_nobody_is_told_a_second_time(tmp_path: Path) -> None:
    """What waited to leave when the backup was made is withdrawn, what was sent stays so, and no page waits for a
    start; the chain is the same."""
    config, out = backed_up(tmp_path)
    done = restore_into(out, tmp_path / "again")
    settings = read(done.config)
    assert {"waits": State.WITHDRAWN, "told": State.SENT} == states(settings.hub.data_dir / NAME)
    assert {"waits": State.WAITING, "told": State.SENT} == states(load(config).hub.data_dir / NAME)
    with (
        Journal(settings.journal_url, config="c" * 64, rules="1") as after,
        Journal(load(config).journal_url, config="c" * 64, rules="1") as before,
    ):
        assert (0, 1) == (len(after.pages(0)), len(before.pages(0)))
        assert before.heads == after.heads


@pytest.mark.parametrize("with_secrets", [True, False])
def test_secrets_of_channels_are_there_only_when_asked_for(with_secrets: bool, tmp_path: Path) -> None:
    """Asked for they come back where the configuration names them, its own and the reports'; else they are left out."""
    config, out = backed_up(tmp_path, with_secrets=with_secrets)
    done = restore_into(out, tmp_path / "again")
    parts = {name for name in done.put if name.startswith("channels/")}
    assert ({"channels/sms.secret_file", "channels/sms.report.secret_file"} if with_secrets else set()) == parts
    if with_secrets:
        restored = secret_files(read(done.config))["channels/sms.secret_file"]
        assert restored.is_relative_to(tmp_path / "again")
        assert (b"a long sms.secret of the hub", 0o600) == (restored.read_bytes(), restored.stat().st_mode & 0o777)
    for name in ("sms.secret", "report.secret"):
        (config.parent / name).unlink()
    put = restore_to(out, config, replace=True).put
    assert with_secrets is ("channels/sms.secret_file" in put) is (config.parent / "sms.secret").exists()


def test_the_command_says_what_it_leaves_out(tmp_path: Path) -> None:
    """By name: whoever reads it can keep those files apart, or ask for them."""
    config = used(tmp_path / "hub")
    app = typer.Typer()
    app.command()(backup)
    said = CliRunner().invoke(app, ["--config", str(config), "--out", str(tmp_path / "a.lfb")])
    assert 0 == said.exit_code, said.output
    assert "Left out, keep them apart" in said.output and "sms.secret" in said.output
    more = ["--config", str(config), "--out", str(tmp_path / "b.lfb"), "--with-channel-secrets"]
    assert "in the clear: channels/sms.secret_file" in CliRunner().invoke(app, more).output


@pytest.mark.parametrize("name, member", [(SITES, "../gw.toml"), (SITES, "town/x.sh"), (HISTORY, "/etc/000001.json")])
def test_a_pack_with_a_strange_name_is_refused(name: str, member: str, tmp_path: Path) -> None:
    """Nothing is written by a name that no hub makes."""
    pack = tmp_path / "pack"
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(Refused):
        folders.expand(name, pack, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_state_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    """The registry of a state whose line is not there yet counts for nothing, and a temporary file for no state."""
    folder = tmp_path / FOLDER
    (folder / ".new-x").mkdir(parents=True)
    for name in ("000001.json", "000001.zip", "000002.zip", ".new-x/000003.json"):
        (folder / name).write_bytes(b"{}")
    folders.pack(HISTORY, folder, tmp_path / "pack")
    folders.expand(HISTORY, tmp_path / "pack", tmp_path / "out")
    assert {"000001.json", "000001.zip"} == tree(tmp_path / "out").keys()
