"""What every way to act on the desk does alike: look whether the area is there, hand it over, read its texts."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from hub.api.desk import Parts, see
from hub.api.problems import Problem
from hub.core.io import Input
from hub.inbox import Item
from hub.journal import Note
from hub.settings import Person


def known(hub: Parts, person: Person, area: str) -> None:
    """Refuse an area the person may not look at, and one that is in no registry."""
    see(person, area)
    if area not in hub.registry.areas:
        raise Problem(HTTPStatus.NOT_FOUND, f"no area {area}")


async def take(hub: Parts, done: Input, kept: Note | None = None) -> None:
    """Hand what somebody did to the desk, with the text that belongs to it, and wait for its commit.

    Raises NotAllowed, StoreDown and Overloaded.
    """
    if kept is not None:
        hub.erasable.keep(kept)
    await hub.clerk.ask(Item(done, hub.clock.now_ms(), hub.clock.exact_ms(), note=kept))


async def recall(hub: Parts, names: Iterable[str]) -> None:
    """Read the texts kept under these names; without the journal what is known of them is shown."""
    for name in names if hub.clerk.down is None else ():
        await hub.erasable.recall(name)
