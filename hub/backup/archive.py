"""The file of a backup: a gzipped tar with the manifest first. Nothing is ever extracted by a name it brings along."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from hub.backup.manifest import MANIFEST, MANIFEST_BYTES_MAX, Manifest, Member, faults, read
from protocol.faults import Fault, Refused

CHUNK_BYTES = 1024 * 1024
LEVEL = 1
"""Of gzip: a hub at work needs its processor for alarms."""
UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, manifest: Manifest, parts: Mapping[str, Path]) -> None:
    """Write the file, for its owner alone, and sync it. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=LEVEL, format=tarfile.PAX_FORMAT) as tar:
            text = path.with_name("manifest")
            text.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
            for name, source in {MANIFEST: text, **parts}.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = source.stat().st_size, 0o600, manifest.at_ms // 1000
                with source.open("rb") as data:
                    tar.addfile(info, data)
        file.flush()
        os.fsync(file.fileno())


def check(path: Path) -> Manifest:
    """Read the whole file without writing anything. Raises Refused with everything that is not as its manifest says."""
    where = path.name
    with _read(path) as tar:
        first = tar.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > MANIFEST_BYTES_MAX:
            raise Refused([Fault(where, "the file", "no manifest in front", "a file made by lianfang backup")])
        manifest = read(_data(tar, first).read(), where)
        sums = {part.name: part.sha256 for part in manifest.parts}
        members, other = [], []
        for info in tar:
            if info.name == MANIFEST and info.offset == first.offset:
                continue
            members.append(Member(info.name, info.size, info.isreg()))
            if info.isreg() and info.name in sums:
                found = hashlib.file_digest(_data(tar, info), "sha256").hexdigest()
                if found != sums[info.name]:
                    text = f"SHA-256 {found[:16]}…"
                    other.append(Fault(where, info.name, text, f"{sums[info.name][:16]}…, by its manifest"))
    if wrong := [*faults(manifest, members, where), *other]:
        raise Refused(wrong)
    return manifest


def text(path: Path, name: str) -> bytes:
    """One small part of a file that was checked. Raises Refused."""
    with _read(path) as tar:
        return _data(tar, tar.getmember(name)).read(MANIFEST_BYTES_MAX)


def unpack(path: Path, to: Mapping[str, Path]) -> None:
    """Write parts of a file that was checked to new files, synced, for their owner alone. Raises Refused."""
    with _read(path) as tar:
        for info in tar:
            if (target := to.get(info.name)) is None:
                continue
            data = _data(tar, info)
            with _written(target):
                handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                while chunk := data.read(CHUNK_BYTES):
                    with _written(target):
                        file.write(chunk)
                with _written(target):
                    file.flush()
                    os.fsync(file.fileno())


@contextlib.contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        raise Refused([Fault(str(target), "the file", str(cause.strerror), "a folder that takes it")]) from cause


@contextlib.contextmanager
def _read(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:gz") as tar:
            yield tar
    except Refused:
        raise
    except UNREADABLE as cause:
        said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise Refused([Fault(path.name, "the file", said, "a whole file made by lianfang backup")]) from cause


def _data(tar: tarfile.TarFile, info: tarfile.TarInfo) -> io.BufferedReader:
    found = tar.extractfile(info)
    assert isinstance(found, io.BufferedReader), "a regular file has data"
    return found
