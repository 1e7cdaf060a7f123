"""The page behind a link: a member who was called says whether they come. No script, no names, Chinese and English.

Nobody has to sign in: the ticket in the address is the right to answer. Whatever is not a good ticket gets one and the
same answer, so that guessing teaches nothing.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.api import acting
from hub.api.desk import Hub, Parts
from hub.clerk import Overloaded
from hub.core.acts import Answer, Answered, How
from hub.core.answers import turn
from hub.core.incident import UNRESOLVED, Incident
from hub.core.io import NotAllowed
from hub.rounds import StoreDown
from hub.tickets import PATH, TURNS_MAX, Ticket

router = APIRouter(include_in_schema=False)
FORM_MAX = 256
WORDS = {
    Answer.GOING: "我去 · I am going",
    Answer.ON_SCENE: "我已到场 · I am there",
    Answer.CANNOT: "我去不了 · I cannot come",
}
CALLS = {
    "panic": "邻居按下了紧急按钮 · A neighbour pressed the panic button",
    "fire": "邻居家火警 · Fire at a neighbour's",
    "gas": "邻居家燃气报警 · Gas at a neighbour's",
    "intrusion": "邻居家有人闯入 · Break-in at a neighbour's",
    "group_intrusion": "邻居家有人闯入 · Break-ins at neighbours'",
}
CALL = "邻居需要帮助 · A neighbour needs help"
BAD = "链接无效或已过期。 · This link is not valid, or has expired."
OFTEN = "请稍后再试。 · Too often: try again later."
USED = "此链接已用过，如需更改请致电村站。 · This link has been used. To change your answer, phone the station."
OVER = "警情已结束，谢谢。 · It is over. Thank you."
LATER = "暂时无法记录，请再按一次或致电村站。 · It could not be taken just now: press again, or phone the station."
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}
PAGE = """<!DOCTYPE html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>联防 Lianfang</title>
<style>body{{font:18px sans-serif;margin:16px;max-width:30em}}button{{font:20px sans-serif;width:100%;padding:16px;\
margin:8px 0}}</style></head>
<body>{body}</body></html>
"""


@router.get(PATH + "{ticket}")
async def ask(hub: Hub, request: Request, ticket: str) -> Response:
    """What is asked, and the buttons to answer with; changes nothing, whoever looks at it."""
    found = hub.tickets.read(ticket)
    incident = None if found is None else hub.desk.incident(found.area, found.incident)
    if found is None or incident is None:
        return _bad(hub, request)
    return _shown(hub, found, incident)


@router.post(PATH + "{ticket}")
async def take(hub: Hub, request: Request, ticket: str) -> Response:
    """Take the answer, once; then show it, with a new ticket to say more."""
    found = hub.tickets.read(ticket)
    incident = None if found is None else hub.desk.incident(found.area, found.incident)
    if found is None or incident is None:
        return _bad(hub, request)
    answer = await _said(request)
    if answer is None:
        return _shown(hub, found, incident, HTTPStatus.UNPROCESSABLE_ENTITY)
    item = Answered(found.area, found.incident, found.premises, answer, How.LINK, turn=found.turn)
    try:
        await acting.take(hub, item)
    except NotAllowed:
        return _shown(hub, found, hub.desk.incident(found.area, found.incident) or incident, HTTPStatus.CONFLICT)
    except (StoreDown, Overloaded):
        return _page(f"<p>{LATER}</p>{_form()}", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})
    now = hub.desk.incident(found.area, found.incident) or incident
    next_one = hub.tickets.issue(now, found.premises)
    return _page("", HTTPStatus.SEE_OTHER, {"Location": next_one})


async def _said(request: Request) -> Answer | None:
    """The answer in a form; None for anything else."""
    read = b""
    async for part in request.stream():
        read += part
        if len(read) > FORM_MAX:
            return None
    given = parse_qs(read.decode(errors="replace"), max_num_fields=4).get("answer", [""])
    return Answer(given[0]) if given[0] in Answer._value2member_map_ else None


def _shown(hub: Parts, ticket: Ticket, incident: Incident, status: HTTPStatus = HTTPStatus.OK) -> Response:
    said = incident.answers.get(ticket.premises)
    mine = f"<p>已记录 · Your answer: <b>{WORDS[said.answer]}</b></p>" if said is not None else ""
    if incident.state not in UNRESOLVED:
        return _page(f"<p>{OVER}</p>{mine}", HTTPStatus.OK if status is HTTPStatus.OK else HTTPStatus.CONFLICT)
    if ticket.turn != turn(incident, ticket.premises) or ticket.turn >= TURNS_MAX:
        return _page(f"{mine}<p>{USED}</p>", HTTPStatus.GONE)
    minutes = max(0, hub.clock.now_ms() - incident.event_ms) // 60_000
    drill = "<p><b>演练 · DRILL</b></p>" if incident.drill else ""
    where = escape(", ".join(incident.premises))
    body = (
        f"{drill}<h2>{CALLS.get(incident.rule, CALL)}</h2><p>户 · Household: <b>{where}</b> "
        f"({minutes} 分钟前 · min ago)</p>{mine}<p>{escape(ticket.premises)}: 您能去吗？ · Can you come?</p>{_form()}"
    )
    return _page(body, status)


def _form() -> str:
    buttons = (f'<button name="answer" value="{answer}">{words}</button>' for answer, words in WORDS.items())
    return f'<form method="post">{"".join(buttons)}</form>'


def _bad(hub: Parts, request: Request) -> Response:
    """The same for what was forged, has expired, or never was."""
    address = request.client.host if request.client is not None else ""
    if hub.throttle.wrong(address, hub.clock.mono_ms()):
        return _page(f"<p>{OFTEN}</p>", HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "60"})
    return _page(f"<p>{BAD}</p>", HTTPStatus.NOT_FOUND)


def _page(body: str, status: HTTPStatus, more: dict[str, str] | None = None) -> Response:
    text = PAGE.format(body=body)
    return Response(text, status, {**HEADERS, **(more or {})}, "text/html; charset=utf-8")
