"""Links by which a member answers without a name or a token of their own: signed, for one incident and one member.

A ticket says area, incident, member, turn and expiry, with an HMAC under a key made from the hub's own. It acts once
because the desk takes only the turn that is next, and takes it in the journal: nothing else has to be remembered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.answers import turn
from hub.core.incident import UNRESOLVED, Incident
from protocol.ids import is_id

PATH = "/a/"
AT = "~"
"""Between area and id of a member of another area: a slash would end the address."""
TURNS_MAX = 20
"""Answers by link of one member in one incident; after that the station's phone is the way."""
MAC_BYTES = 16
TICKET_MAX = 280
"""Characters of a ticket; anything longer is none."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may answer what, and until when (hub wall ms, in whole seconds); `turn` as the desk counts it."""

    area: str
    incident: str
    premises: str
    turn: int
    expires_ms: int


class Tickets:
    """Makes links and reads them. `public_url` is where members reach this hub; without one there are no links.

    `incident` gives the incident of an (area, id), `now_ms` the hub's wall ms; a ticket is good for `good_ms`.
    """

    def __init__(
        self,
        private: Ed25519PrivateKey,
        public_url: str | None,
        good_ms: int,
        incident: Callable[[str, str], Incident | None],
        now_ms: Callable[[], int],
    ) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"lf/1/answer-link")
        self._key = derived.derive(private.private_bytes_raw())
        self._url = None if public_url is None else public_url.rstrip("/")
        self._good_ms, self._incident, self._now_ms = good_ms, incident, now_ms

    def link(self, area: str, incident: str, premises: str) -> str | None:
        """The link for a message to a member who is called for an incident; None where there is none to give: no
        address outside, nothing to answer, or too many answers."""
        found = self._incident(area, incident)
        if self._url is None or found is None or found.silent or found.state not in UNRESOLVED:
            return None
        if premises in found.premises:
            return None  # its people call for help, and are not asked to come
        return f"{self._url}{PATH}{self.issue(found, premises)}" if turn(found, premises) < TURNS_MAX else None

    def issue(self, incident: Incident, premises: str) -> str:
        """The text of the ticket for a member's next answer."""
        expires_s = (self._now_ms() + self._good_ms) // 1000
        member = premises.replace("/", AT)
        body = ".".join((incident.area, incident.id, member, str(turn(incident, premises)), str(expires_s)))
        return f"{body}.{self._mac(body)}"

    def read(self, text: str) -> Ticket | None:
        """The ticket of this text; None for whatever this hub did not sign, and for what has expired."""
        body, _, mac = text.rpartition(".")
        if len(text) > TICKET_MAX or not text.isascii() or not hmac.compare_digest(mac, self._mac(body)):
            return None
        area, incident, member, number, expires_s = body.split(".")
        premises = member.replace(AT, "/")
        assert all(map(is_id, (area, incident, *premises.split("/")))), "only ids were signed"
        ticket = Ticket(area, incident, premises, int(number), int(expires_s) * 1000)
        return ticket if self._now_ms() < ticket.expires_ms else None

    def _mac(self, body: str) -> str:
        digest = hmac.new(self._key, body.encode(), hashlib.sha256).digest()[:MAC_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
