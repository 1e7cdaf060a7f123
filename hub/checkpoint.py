"""A checkpoint: the desk as it stood after one entry of its journal, so that a start folds only what came since.

It is a short cut and no truth: it names its entry by hash, and the rules and configuration it was folded under; when
any of these is another, or the file cannot be read, it is left aside and the whole journal is folded.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TypeAlias

import msgspec

from hub.chain import Broken, Head

FORM = 1
NAME = "checkpoint"
"""Its file, in the folder of the hub's data."""
Identity: TypeAlias = tuple[str, str, str, int]
"""(area, gateway, instance, seq) of a record."""


class Checkpoint(msgspec.Struct, frozen=True):
    """After entry `n`: the desk's snapshot, the end of each chain, and what the newest records looked like.

    `refused` and `left_out` count the entries a fold meets with so, `last_ms` is when the newest was taken (hub wall).
    """

    form: int
    config: str
    rules: str
    n: int
    hash: bytes
    last_ms: int
    refused: int
    left_out: int
    broken: Broken | None
    heads: list[Head]
    digests: list[tuple[Identity, bytes]]
    desk: bytes


def pack(made: Checkpoint) -> bytes:
    """The bytes of a checkpoint."""
    return zlib.compress(msgspec.msgpack.encode(made), 1)


def unpack(data: bytes) -> Checkpoint:
    """The checkpoint of these bytes. Raises ValueError for what is none."""
    try:
        return msgspec.msgpack.decode(zlib.decompress(data), type=Checkpoint)
    except (zlib.error, msgspec.MsgspecError) as cause:
        raise ValueError(f"no checkpoint: {cause}") from cause


def read(path: Path) -> Checkpoint | None:
    """The checkpoint at `path`; None where there is none. Raises OSError, and ValueError for what is no checkpoint."""
    try:
        return unpack(path.read_bytes())
    except FileNotFoundError:
        return None


def write(path: Path, made: Checkpoint) -> None:
    """Put it in place of the one before, whole or not at all. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(pack(made))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def unfit(made: Checkpoint, config: str, rules: str, hash_there: bytes | None) -> str:
    """Why it may not stand for the beginning of a journal, in words; "" when it may.

    `hash_there` is that of the journal's entry of the same number, None where it has none.
    """
    if made.form != FORM:
        return f"it has form {made.form}, and this hub reads {FORM}"
    if (made.config, made.rules) != (config, rules):
        return "it was folded under other rules, limits or another registry"
    if hash_there != made.hash:
        return f"entry {made.n} of the journal is another"
    return ""
