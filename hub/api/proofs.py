"""Nightly proofs: when each gateway last proved that what it says becomes an incident and a notice."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.api.desk import Asking, Hub, answer, seen_areas
from hub.api.paging import Cursor, Limit, page
from hub.api.problems import responses
from hub.api.shapes import page_of
from hub.core.proof import ProofView
from hub.table import Id

router = APIRouter(tags=["proofs"])


@router.get("/proofs", response_model=page_of(ProofView), responses=responses())
async def read_proofs(
    hub: Hub,
    person: Asking,
    area: Id | None = None,
    overdue: Annotated[bool, Query(description="only those that are a fault by now")] = False,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Response:
    """Every gateway with its last whole proof, how long that took stage by stage, and what went wrong since."""
    now_ms = hub.clock.now_ms()
    found = [one for of in seen_areas(hub, person, area) for one in hub.desk.proofs(of, now_ms)]
    wanted = sorted((one for one in found if one.overdue or not overdue), key=_place)
    some, after = page(wanted, _place, limit, cursor)
    return answer({"items": some, "next": after})


def _place(one: ProofView) -> str:
    return f"{one.area}.{one.gateway}"
