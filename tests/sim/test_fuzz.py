"""Bad input at the hub's real ingest: nothing crashes, nothing is written wrongly, and the checkers can tell."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import hub.core.dedup
import hub.core.records
import protocol.codec
from hub.gate import Gate
from hub.ingest import Ingest
from hub.rounds import Rounds
from hub.store.port import Sample
from hub.store.sqlite import SqliteStore
from protocol.codec import Reason
from protocol.link import Incoming
from protocol.topics import Address
from simulators.fuzz.run import fuzz
from simulators.fuzz.stream import VALID_EVERY, Stream

ROOT = Path(__file__).resolve().parents[2]
KEPT_SEEDS = (1, 2, 7)
FRESH_S = 40.0
BREAK_MESSAGES = 2_000


@pytest.mark.parametrize("seed", KEPT_SEEDS)
async def test_kept_seeds_do_no_harm(seed: int, tmp_path: Path) -> None:
    """Ten thousand messages of a kept seed: every check holds, and every reason to refuse occurred."""
    verdict = await fuzz(tmp_path, seed, 10_000)
    assert [] == verdict.wrong
    assert {reason.value for reason in Reason} <= verdict.refused.keys()


async def test_a_fresh_seed_does_no_harm(tmp_path: Path) -> None:
    """As many messages of a new seed as fit in the time; the rest of a million is `lianfang simulate fuzz`."""
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")  # noqa: T201  # shown when it fails
    verdict = await fuzz(tmp_path, seed, 1_000_000, FRESH_S)
    assert [] == verdict.wrong, f"lianfang simulate fuzz --seed {seed} --messages {verdict.messages}"
    assert verdict.committed > 0 and verdict.readings > 0


def test_one_seed_is_one_stream() -> None:
    """The same messages each time, and others of another seed."""

    def digest(seed: int) -> str:
        words = islice(Stream(seed), 3_000)
        return hashlib.sha256(b"".join(repr(word).encode("utf-8", "replace") for word in words)).hexdigest()

    assert digest(5) == digest(5) != digest(6)


def test_true_words_come_at_the_stated_rate() -> None:
    """One message in `VALID_EVERY` is a true gateway's."""
    assert 100 == sum(word.true for word in islice(Stream(3), 100 * VALID_EVERY))


def test_the_command_says_what_it_found() -> None:
    """One JSON object, and exit status 0 when all is well."""
    command = [sys.executable, "-m", "lianfang", "simulate", "fuzz", "--seed", "4", "--messages", "500", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == done.returncode, done.stderr
    figures = json.loads(done.stdout)
    assert (4, 500, "well", []) == tuple(figures[name] for name in ("seed", "messages", "verdict", "wrong"))


def _always_heard(self: Ingest, address: Address, _: Incoming, *__: Any) -> None:
    self.links.heard(address.area, address.gateway, 1, 1)


def _loud(*_: Any) -> Any:
    raise KeyError("a bug of ours")


def _last_reading_lost(write: Callable[..., int]) -> Callable[..., int]:
    def lossy(self: SqliteStore, samples: Sequence[Sample], *more: Any) -> int:
        return write(self, samples[:-1], *more)

    return lossy


BREAKS: dict[str, tuple[Any, str, Any]] = {
    "zones unchecked": (Gate, "_check_zone", lambda *_: None),
    "premises and groups unchecked": (Gate, "_check_event", lambda *_: None),
    "household points kept": (Gate, "_withheld", lambda *_: False),
    "any version read": (protocol.codec, "_check_version", lambda _: None),
    "retained taken for now": (Ingest, "_heard", _always_heard),
    "repeats taken as new": (hub.core.dedup, "take", lambda *_: True),
    "other bytes dropped": (Rounds, "_judged", lambda self, batch, item: item.taken),
    "a birth chokes the ingest": (Gate, "birth_zones", _loud),
    "a record chokes the desk": (hub.core.records, "_mark", _loud),
    "the recorder dies": (SqliteStore, "write", _loud),
    "a reading lost": (SqliteStore, "write", _last_reading_lost(SqliteStore.write)),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_broken_hub_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one check of the real hub taken out, the comparison says so."""
    where, what, instead = BREAKS[name]
    monkeypatch.setattr(where, what, instead)
    verdict = await fuzz(tmp_path, 1, BREAK_MESSAGES)
    assert verdict.wrong
