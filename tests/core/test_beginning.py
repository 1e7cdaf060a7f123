"""A gateway's process begins after all that came before it, whatever is left of card and clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.beginning import chained, floor_ms, identity, kboot_before
from edge.clock import Clock, built_ms
from edge.config import Config
from edge.lane import Identity
from edge.store import Loaded
from protocol.records import ClockQuality
from protocol.tls import Tls

DAY_MS = 86_400_000
NOTHING = [Loaded(), Loaded()]


def certificate(folder: Path, since: datetime) -> Path:
    """A client's certificate, valid from then on."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since + timedelta(days=3_650)).sign(
        key, None
    )
    path = folder / "gw.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def config(cert: Path | None = None) -> Config:
    """As much of a configuration as a beginning asks for."""
    tls = Tls(Path("ca.pem"), cert, Path("key.pem")) if cert is not None else None
    site = SimpleNamespace(area="hengjie", gateway="gw-1")
    found = SimpleNamespace(
        site=site, mqtt=SimpleNamespace(tls=tls), sha256="c" * 64, heartbeat_ms=30_000, profile_ms=90_000
    )
    return cast(Config, found)


def in_1970(floor: int) -> Clock:
    """The clock of a machine without a battery."""
    return Clock(floor, wall_ns=lambda: 5_000_000_000, error_ms=lambda: None)


def begun(kept: list[Loaded], floor: int = 0) -> Identity:
    """Who begins, on that card."""
    return identity(config(), kept, in_1970(floor))


def test_the_floor_is_the_latest_of_card_certificate_and_build(tmp_path: Path) -> None:
    """Each of the three is the floor where it is the latest; the build is the clock's own."""
    certified = datetime(2031, 5, 6, tzinfo=UTC)
    cert, at_ms = certificate(tmp_path, certified), int(certified.timestamp() * 1000)
    card = [Loaded(values={"wall_ms": b"%d" % (at_ms + DAY_MS)}), Loaded(values={"wall_ms": b"7"})]
    assert [at_ms, at_ms + DAY_MS, at_ms + DAY_MS, 0] == [
        floor_ms(config(cert), NOTHING),
        floor_ms(config(cert), card),
        floor_ms(config(), card),
        floor_ms(config(), NOTHING),
    ]
    now = in_1970(floor_ms(config(), NOTHING)).now()
    assert (True, ClockQuality.UNSET) == (now.wall_ms >= built_ms(), now.quality)


def test_a_certificate_that_cannot_be_read_is_no_floor(tmp_path: Path) -> None:
    """Whoever reads the configuration says so; here it merely says nothing of the time."""
    (tmp_path / "gw.pem").write_text("nothing")
    assert [0, 0] == [floor_ms(config(tmp_path / name), NOTHING) for name in ("gw.pem", "gone.pem")]


def test_an_unreadable_card_and_no_clock_do_not_begin_at_boot_1() -> None:
    """What is surely past leads the number, as the time does where it is known."""
    assert begun(NOTHING).boot == built_ms() // 1000
    assert begun(NOTHING, built_ms() + DAY_MS).boot == (built_ms() + DAY_MS) // 1000


def test_two_starts_without_a_clock_have_rising_numbers() -> None:
    """The card leads where the clock does not; a clock that stepped back between them changes nothing."""
    first = begun([Loaded(values={"boot": b"2500000000"}), Loaded()])
    second = begun([Loaded(), Loaded(values={"boot": b"%d" % first.boot})])
    assert (2_500_000_001, 2_500_000_002) == (first.boot, second.boot)


def test_the_card_tells_which_kernel_boot_came_before() -> None:
    """Over any number of processes of one kernel boot; a card that knows none says none."""

    def kept(me: Identity, before: str) -> list[Loaded]:
        return [Loaded(values=chained(me, before)), Loaded()]

    def named(kboot: str) -> Any:
        return Identity("hengjie", "gw-1", "1" * 32, 7, kboot, "", "c" * 64, 30_000, 90_000)

    first = kept(named("k1"), kboot_before(NOTHING, "k1"))
    second = kept(named("k2"), kboot_before(first, "k2"))
    again = kept(named("k2"), kboot_before(second, "k2"))
    assert ["", "k1", "k1", "k2"] == [
        kboot_before(NOTHING, "k1"),
        kboot_before(first, "k2"),
        kboot_before(second, "k2"),
        kboot_before(again, "k3"),
    ]
