"""What the terminal shows of a village: incidents, calls and answers, gateways, ingest rate, what happened last."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hub.clock import utc
from simulators.demo.watch import ANSWERED

STORY_MAX = 8
INCIDENTS_MAX = 8
COLOURS = {1: "bold white on red", 2: "bold red", 3: "yellow", 4: "dim"}
OUTCOMES = {"done": "rings", "joined": "rings", "refused": "refused", "failed": "no answer"}


@dataclass
class Board:
    """Everything shown; whoever learns something new writes it here."""

    title: str
    api: str
    token: str
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateways: list[dict[str, Any]] = field(default_factory=list)
    zones: list[dict[str, Any]] = field(default_factory=list)
    latencies: dict[str, float | None] = field(default_factory=dict)
    alarms_per_s: float = 0.0
    readings_per_s: float = 0.0
    story: deque[str] = field(default_factory=lambda: deque(maxlen=STORY_MAX))
    echo: Callable[[str], None] | None = None
    """Where each line of the story goes too, when there is no screen."""

    def tell(self, at_ms: int, what: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{utc(at_ms)[11:19]} {what}")
        if self.echo is not None:
            self.echo(self.story[-1])

    def render(self) -> RenderableType:
        """The whole screen."""
        return Group(
            Text(self.title, style="bold"),
            Panel(_incidents(self), title="incidents", title_align="left"),
            Panel(_calls(self), title="who is being called", title_align="left"),
            Panel(_gateways(self), title="gateways", title_align="left"),
            Panel("\n".join(self.story) or "nothing has happened yet", title="what happens", title_align="left"),
            Text(f"ingest {self.alarms_per_s:.1f} alarm records/s, {self.readings_per_s:.1f} readings/s"),
            Text(f"API    {self.api}/api/v1/incidents   live {self.api}/api/v1/live"),
            Text(f"token  {self.token}   (Authorization: Bearer ...)   Ctrl-C ends everything"),
        )


def _newest(board: Board) -> list[dict[str, Any]]:
    ordered = sorted(board.incidents.values(), key=lambda view: int(view["raised_ms"]), reverse=True)
    return ordered[:INCIDENTS_MAX]


def _incidents(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("", "rule", "group", "households", "state", "commit", "why"):
        table.add_column(name, no_wrap=name != "why", overflow="ellipsis")
    for view in _newest(board):
        latency_ms = board.latencies.get(str(view["id"]))
        priority = int(view["priority"])
        table.add_row(
            Text(f"P{priority}", style=COLOURS[priority]),
            view["rule"],
            view.get("group") or "",
            ", ".join(view["premises"]),
            view["state"],
            "" if latency_ms is None else f"{latency_ms:.0f} ms",
            view["why"],
        )
    return table


def _calls(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("incident", "called", "answers", "on the way"):
        table.add_column(name, overflow="fold")
    for view in _newest(board):
        calls: Mapping[str, Mapping[str, Any]] = view.get("calls", {})
        if not calls:
            continue
        rung = sum(call.get("outcome") in ANSWERED for call in calls.values())
        said = ", ".join(f"{name} {_answer(call)}" for name, call in sorted(calls.items()))
        going = [who for who, said in view.get("answers", {}).items() if said["answer"] != "cannot"]
        coming = ", ".join(dict.fromkeys([*going, *view.get("responders", {})])) or "nobody yet"
        table.add_row(f"{view['rule']} {', '.join(view['premises'])}", f"{rung} of {len(calls)}", said, coming)
    return table


def _answer(call: Mapping[str, Any]) -> str:
    return OUTCOMES.get(call.get("outcome") or "", "...")


def _gateways(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("gateway", "link", "last heard", "zones seen", "clock", "waiting (alarm, telemetry)"):
        table.add_column(name)
    now_s = time.time()
    for gateway in board.gateways:
        online = bool(gateway["online"])
        queued = gateway.get("queued", {})
        heard_ms = gateway["heard_ms"]
        table.add_row(
            gateway["id"],
            Text("online", style="green") if online else Text("LOST", style="bold red"),
            "never" if heard_ms is None else f"{max(0.0, now_s - heard_ms / 1000):.1f} s ago",
            _seen([zone for zone in board.zones if zone["gateway"] == gateway["id"]]),
            str(gateway.get("clock") or ""),
            f"{queued.get('alarm', 0)}, {queued.get('telemetry', 0)}",
        )
    return table


def _seen(zones: Sequence[Mapping[str, Any]]) -> Text:
    """How many zones can be judged; the others are unknown, or in fault, and named as far as there is room."""
    blind = [str(zone["id"]) for zone in zones if zone["health"] != "online"]
    text = f"{len(zones) - len(blind)} of {len(zones)}"
    if not blind:
        return Text(text, style="green")
    return Text(f"{text}: not {', '.join(blind[:3])}{' ...' if len(blind) > 3 else ''}", style="bold yellow")
