"""The TLS files of one end, checked before use: a link with bad ones is refused, never made plain."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from protocol.faults import Fault, Refused

NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: the authority that signed the broker, our certificate chain, and its private key."""

    ca: Path
    cert: Path
    key: Path


def client_context(tls: Tls, now: datetime | None = None, *, timed: bool = True) -> ssl.SSLContext:
    """The context of a client that proves itself and checks the broker's name. Raises Refused with every fault.

    Whoever has no clock (`timed` false) cannot judge from when until when the broker's certificate is good; who signed
    it and whose it is are checked all the same.
    """
    now = datetime.now(UTC) if now is None else now
    faults = [
        *_certificate_faults("tls.ca", tls.ca, now),
        *_certificate_faults("tls.cert", tls.cert, now),
        *_unreadable("tls.key", tls.key),
    ]
    if faults:
        raise Refused(faults)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not timed:
        context.verify_flags |= NO_CHECK_TIME
    try:
        context.load_verify_locations(cafile=str(tls.ca))
    except (ssl.SSLError, OSError) as cause:
        raise Refused([Fault(str(tls.ca), "tls.ca", str(cause), "certificates of the broker's authority")]) from cause
    try:
        context.load_cert_chain(str(tls.cert), str(tls.key), password=_no_password)
    except (ssl.SSLError, OSError) as cause:
        raise Refused([Fault(str(tls.key), "tls.key", str(cause), f"the unencrypted key of {tls.cert}")]) from cause
    return context


def valid_from(path: Path) -> datetime | None:
    """From when a certificate is valid, so that this moment is past; None where there is none to be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found[0].not_valid_before_utc if found else None


def _no_password() -> str:
    """An encrypted key would otherwise ask on the terminal of a gateway that has none."""
    return ""


def _unreadable(key: str, path: Path) -> list[Fault]:
    try:
        path.read_bytes()
    except (OSError, ValueError) as cause:  # ValueError: a name no file can have
        said = getattr(cause, "strerror", None) or str(cause)
        return [Fault(str(path), key, said, "a readable PEM file")]
    return []


def _certificate_faults(key: str, path: Path, now: datetime) -> list[Fault]:
    if faults := _unreadable(key, path):
        return faults
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        return [Fault(str(path), key, "no certificate in it", "a PEM file with certificates")]
    late = [found for found in certificates if found.not_valid_after_utc <= now]
    return [
        Fault(str(path), key, f"expired on {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", "a certificate still valid")
        for found in late
    ]
