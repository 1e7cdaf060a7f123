"""One MQTT 5 connection, as both ends use it: bounded both ways, and never waiting for ever on a dead peer.

A link lives from `async with Link(...)` until the connection ends; then it is spent, and `keep_linked` makes the next
one after a jittered, capped back-off. Incoming messages wait in a bounded inbox; when that is full the newest is
discarded and counted, which is safe because everything of worth is sent again until the other end has its receipt.
"""

from protocol.link.client import INFLIGHT_MAX
from protocol.link.connection import Link
from protocol.link.endpoint import Endpoint, Incoming, LinkCounts, LinkError, Said, Will
from protocol.link.keep import Backoff, Tries, keep_linked

__all__ = [
    "INFLIGHT_MAX",
    "Backoff",
    "Endpoint",
    "Incoming",
    "Link",
    "LinkCounts",
    "LinkError",
    "Said",
    "Tries",
    "Will",
    "keep_linked",
]
