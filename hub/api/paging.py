"""Pages of a list: a cursor names the last item shown, so that what came or went since shifts nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Query

from hub.api.problems import Problem
from protocol.faults import Fault, shown

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=1_000, description="items at most")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before")]


def page(items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str | None) -> tuple[list[T], str | None]:
    """Up to `limit` items whose key (in the order of the items) is after the cursor, and the next cursor."""
    after = opened(cursor) if cursor else ""
    rest = [item for item in items if key(item) > after]
    some = rest[:limit]
    return some, closed(key(some[-1])) if len(rest) > limit else None


def places(
    areas: Iterable[str], ids: Callable[[str], Iterable[str]], limit: int, cursor: str | None
) -> tuple[list[tuple[str, str]], str | None]:
    """A page of what is in areas, by (area, id): only the areas it is of are looked at. `ids` are those of one area."""
    after, _, last = opened(cursor).partition(".") if cursor else ("", "", "")
    found: list[tuple[str, str]] = []
    for area in sorted(area for area in areas if area >= after):
        found += ((area, one) for one in sorted(ids(area)) if area > after or one > last)
        if len(found) > limit:
            return found[:limit], closed(".".join(found[limit - 1]))
    return found, None


def closed(key: str) -> str:
    """A cursor for this key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def opened(cursor: str) -> str:
    """The key in a cursor. Raises Problem."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as cause:
        fault = Fault("query", "cursor", shown(cursor), "`next` of the page before")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "1 fault(s) in the request", [fault]) from cause
