"""What a backup refuses to be made of, and what a restore refuses to take; in each case nothing is changed."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.backup import archive, restore
from hub.backup.manifest import CONFIG, JOURNAL, Manifest, read
from hub.backup.restore import restore_into, restore_to
from hub.backup.take import take
from hub.core.heard import Linked
from hub.journal import Draft, Journal, Note
from hub.orders import make_key
from hub.past import verify
from hub.settings_file import load
from hub.store.sqlite import SqliteStore
from protocol import lock
from protocol.faults import Refused
from tests.support.centre import write_config

NOW_MS = 1_800_000_000_000


def lived(folder: Path) -> Path:
    """The configuration of a hub that ran: ten entries, a note, telemetry, a key."""
    config = write_config(folder)
    settings = load(config)
    settings.hub.data_dir.mkdir()
    with Journal(settings.journal_url, config="c" * 64, rules="1") as journal:
        note = (Note("town", "i-1", "the gate was open"),)
        journal.append(
            [Draft("town", n, Linked("town", "gw-1", n % 2 == 0, n), note if n == 3 else ()) for n in range(10)]
        )
    SqliteStore(settings.hub.data_dir / "telemetry.db").close()
    make_key(settings.key_path)
    return config


def backed_up(folder: Path) -> tuple[Path, Path]:
    """(configuration, backup)."""
    config, out = lived(folder / "hub"), folder / "b.lfb"
    take(config, load(config), out, with_telemetry=True, now_ms=NOW_MS)
    return config, out


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by its bytes."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def keys(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {fault.key for fault in refused.value.faults}


def repacked(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same backup with other members."""
    with tarfile.open(file) as tar:
        members = {one.name: data.read() for one in tar if (data := tar.extractfile(one))}
    change(members)
    out = file.with_name("changed.lfb")
    with tarfile.open(out, "w:gz") as tar:
        for name, member in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(member)
            tar.addfile(info, io.BytesIO(member))
    return out


def test_a_backup_restored_is_the_hub_it_was(tmp_path: Path) -> None:
    """Entries, notes and key are the same bytes, secrets are for their owner, and the configuration is led there."""
    config, out = backed_up(tmp_path)
    done = restore_into(out, tmp_path / "again")
    settings = load(done.config)
    assert tmp_path / "again" / "data" == settings.hub.data_dir
    assert verify(load(config).journal_url) == verify(settings.journal_url)
    with Journal(settings.journal_url, config="c" * 64, rules="1") as journal:
        assert ["the gate was open"] == list(journal.notes("i-1").values())
    assert load(config).key_path.read_bytes() == settings.key_path.read_bytes()
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (out, settings.key_path, done.put[JOURNAL])}


def test_it_goes_back_to_where_its_configuration_names(tmp_path: Path) -> None:
    """What is the same is left, what is lost is put back, and nothing else is touched."""
    config, out = backed_up(tmp_path)
    data = config.parent / "data"
    before = verify(load(config).journal_url)
    for path in data.iterdir():
        path.unlink()
    done = restore_to(out, config)
    assert {config, config.parent / "registry.toml"} == set(done.same)
    assert {"journal.db", "telemetry.db", "hub.key", "lock"} == {path.name for path in data.iterdir()}
    assert before == verify(load(config).journal_url)


def test_what_is_there_is_refused_or_kept_aside(tmp_path: Path) -> None:
    """Without --replace every file in the way is named and none changed; with it the old ones can still be opened."""
    config, out = backed_up(tmp_path)
    with Journal(load(config).journal_url, config="c" * 64, rules="1") as journal:
        journal.append([Draft("town", 99, Linked("town", "gw-1", True, 99))])
    before = tree(config.parent)
    with pytest.raises(Refused) as refused:
        restore_to(out, config)
    assert {"file"} == keys(refused)
    named = {Path(fault.value.removesuffix(", which is there")).name for fault in refused.value.faults}
    assert {"journal.db", "journal.db-mark", "telemetry.db"} == {
        name for name in named if name[-4:] not in ("-wal", "-shm")
    }
    assert before == {name: data for name, data in tree(config.parent).items() if name != "data/lock"}
    done = restore_to(out, config, replace=True, data_only=True)
    kept = verify(f"sqlite:///{done.aside[load(config).hub.data_dir / 'journal.db']}")
    now = verify(load(config).journal_url)
    assert isinstance(kept, list)
    assert isinstance(now, list)
    assert (11, 10) == (kept[0].area_n, now[0].area_n)


def test_a_folder_with_a_hub_at_work_is_refused(tmp_path: Path) -> None:
    """While a hub holds the folder nothing is put there, not even with --replace."""
    config, out = backed_up(tmp_path)
    held = lock.take(config.parent / "data")
    assert held is not None
    with pytest.raises(Refused, match="on which a hub runs"):
        restore_to(out, config, replace=True)
    held.release()
    restore_to(out, config, replace=True)


def _byte(members: dict[str, bytes]) -> None:
    members[CONFIG] = members[CONFIG].replace(b"hub-1", b"hub-2")


def _evil(members: dict[str, bytes]) -> None:
    members["../../etc/cron.d/x"] = b"evil"


def _listed_evil(members: dict[str, bytes]) -> None:
    found = json.loads(members["manifest.json"])
    found["parts"].append({"name": "/etc/passwd", "bytes": 4, "sha256": "0" * 64})
    members |= {"/etc/passwd": b"evil", "manifest.json": json.dumps(found).encode()}


def _newer(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b'"format": 1', b'"format": 2')


def _missing(members: dict[str, bytes]) -> None:
    del members["data/hub.key"]


def _stated(members: dict[str, bytes]) -> None:
    found = json.loads(members["manifest.json"])
    found["heads"][0]["entries"] += 1
    members["manifest.json"] = json.dumps(found).encode()


WRONG: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a changed byte": (_byte, "SHA-256"),
    "a member nobody listed": (_evil, "a part of no backup"),
    "a path that leads out": (_listed_evil, "a part '/etc/passwd'"),
    "a newer format": (_newer, "format: found 2; allowed: 1"),
    "a missing part": (_missing, "data/hub.key: found nothing"),
    "chains that end elsewhere": (_stated, "chain of town: found 10 entries"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_is_not_what_it_says_changes_nothing(what: str, tmp_path: Path) -> None:
    """It is refused in words, and not even a folder is made."""
    _, out = backed_up(tmp_path)
    change, words = WRONG[what]
    changed = repacked(out, change)
    with pytest.raises(Refused) as refused:
        restore_into(changed, tmp_path / "again")
    assert words in str(refused.value)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_changes_nothing(share: float, tmp_path: Path) -> None:
    """Also of a backup that was copied in part nothing is put anywhere."""
    _, out = backed_up(tmp_path)
    data = out.read_bytes()
    out.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Refused):
        restore_into(out, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def _version(db: sqlite3.Connection) -> None:
    db.execute("UPDATE alembic_version SET version_num = '9999'")


def _tampered(db: sqlite3.Connection) -> None:
    db.executescript("DROP TRIGGER entry_no_update; UPDATE entry SET at_ms = at_ms + 1 WHERE n = 4;")


@pytest.mark.parametrize(("change", "words"), [(_version, "version 9999"), (_tampered, "entry 4 (area town, 4)")])
def test_a_journal_that_is_not_whole_makes_no_backup(
    change: Callable[[sqlite3.Connection], None], words: str, tmp_path: Path
) -> None:
    """The copy is looked through before it is called a backup; what was begun is taken away again."""
    config = lived(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "journal.db")) as db, db:
        change(db)
    before = set(tmp_path.iterdir())
    with pytest.raises(Refused) as refused:
        take(config, load(config), tmp_path / "b.lfb", with_telemetry=True, now_ms=NOW_MS)
    assert words in str(refused.value)
    assert before == set(tmp_path.iterdir())


def test_no_backup_is_overwritten_and_none_made_of_half_a_hub(tmp_path: Path) -> None:
    """A name that is taken and every part that is missing are told at once."""
    config, out = backed_up(tmp_path)
    before = out.read_bytes()
    for name in ("hub.key", "telemetry.db"):
        (config.parent / "data" / name).unlink()
    with pytest.raises(Refused) as refused:
        take(config, load(config), out, with_telemetry=True, now_ms=NOW_MS)
    assert {"data/hub.key", "data/telemetry.db", "--out"} == {fault.where for fault in refused.value.faults}
    assert before == out.read_bytes()


def test_a_postgresql_journal_is_sent_to_its_own_means(tmp_path: Path) -> None:
    """The refusal names what to use."""
    config = lived(tmp_path)
    settings = load(config, ["journal.url='postgresql://db/lianfang'"])
    with pytest.raises(Refused, match="pg_basebackup"):
        take(config, settings, tmp_path / "b.lfb", with_telemetry=True, now_ms=NOW_MS)


def test_without_telemetry_a_backup_is_small_and_enough(tmp_path: Path) -> None:
    """A hub comes back from it with an empty telemetry store."""
    config, out = lived(tmp_path / "hub"), tmp_path / "b.lfb"
    made = take(config, load(config), out, with_telemetry=False, now_ms=NOW_MS)
    assert "data/telemetry.db" not in {part.name for part in made.parts}
    assert "data/telemetry.db" not in restore_into(out, tmp_path / "again").put


def test_a_restore_that_fails_half_way_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last rename fails: everything that was put aside is back in its place."""
    config, out = backed_up(tmp_path)
    before = tree(config.parent)

    def fails(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr(restore, "sync", fails)
    with pytest.raises(Refused, match="Input/output error"):
        restore_to(out, config, replace=True)
    assert before == {name: data for name, data in tree(config.parent).items() if name != "data/lock"}


def test_a_manifest_reads_back(tmp_path: Path) -> None:
    """What is packed in front is what was made."""
    _, out = backed_up(tmp_path)
    found = read(archive.text(out, "manifest.json"), out.name)
    assert isinstance(found, Manifest)
    assert archive.check(out) == found
