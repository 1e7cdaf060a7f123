"""Recorders and video: what would be seen of tonight."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import Ask, Colour, Panel, graph, number, states, table
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, rows, total
from dashboards.making.words import Text

OK = {"0": (Text("not well", "异常"), Colour.BAD), "1": (Text("well", "正常"), Colour.GOOD)}
SHARE = ((0, Colour.BAD), (0.9, Colour.WARN), (1, Colour.GOOD))
TOLD = "30d"
"""A recorder's state is told on change; so long is the newest word looked for."""
BY = ("gateway", "zone")
LOST_NOTE = Text(
    " As last told: of a recorder behind a lost gateway nothing newer is known.",
    " 以最近一次报告为准：网关失联后不再有新消息。",
)


def _about(en: str, zh: str) -> Text:
    return Text(en + LOST_NOTE.en, zh + LOST_NOTE.zh)


def _share(key: str, title: Text, about: Text, kind: str) -> Panel:
    return number(
        key, title, about, total("zone", "last(ok) AS ok", "mean", by=BY, where=(f"kind = '{kind}'",)),
        unit="percentunit", limits=SHARE, lately=TOLD,
    )  # fmt: skip


def _states(key: str, title: Text, about: Text, kind: str) -> Panel:
    return states(
        key, title, about,
        Ask(over_time("zone", "last(ok) AS ok", by=BY, where=(f"kind = '{kind}'",), fill="previous"), "$tag_zone"),
        words=OK, within=(0, 1),
    )  # fmt: skip


NOW = Row(
    Text("Now", "此刻"),
    (
        _share(
            "online",
            Text("Recorders online", "录像机在线率"),
            _about("What share of the recorders answers?", "多少录像机有应答？"),
            "nvr_online",
        ),
        _share(
            "channels",
            Text("All channels there", "通道完好率"),
            _about("What share of the recorders has all its channels?", "多少录像机通道齐全？"),
            "nvr_channels",
        ),
        _share(
            "disk",
            Text("Disks well", "硬盘完好率"),
            _about("What share of the recorders has its disks in order?", "多少录像机硬盘正常？"),
            "nvr_disk",
        ),
        _share(
            "tonight",
            Text("Coverage tonight", "今夜录像率"),
            _about(
                "What share of the recorders really records: its newest recording is young enough?",
                "多少录像机确实在录像（最新录像足够新）？",
            ),
            "nvr_recording",
        ),
        number(
            "lost",
            Text("Gateways lost", "失联网关"),
            Text(
                "Behind how many lost gateways might recorders be blind without anybody knowing?",
                "有多少失联网关后面的录像机状态不明？",
            ),
            total("village", "last(gateways_lost) AS lost", by=("village",)),
            limits=((0, Colour.GOOD), (1, Colour.WARN)),
        ),
        number(
            "blind",
            Text("Blind, 7 days", "7 天失明警情"),
            Text("How many incidents of blind recorders were there in seven days?", "七天内有多少起录像机失明警情？"),
            now("incident", "count(priority) AS blind", where=("rule = 'nvr_blind'", "drill = '0'")),
            limits=((0, Colour.GOOD), (1, Colour.WARN)),
            lately="7d",
            quiet=True,
            nothing=Text("none known", "无已知"),
        ),
    ),
)
TIME = Row(
    Text("Over time", "趋势"),
    (
        _states(
            "online-over-time",
            Text("Online", "在线"),
            Text("When did which recorder not answer?", "哪台录像机何时无应答？"),
            "nvr_online",
        ),
        _states(
            "channels-over-time",
            Text("Channels", "通道"),
            Text("When did which recorder miss a channel?", "哪台录像机何时丢通道？"),
            "nvr_channels",
        ),
        _states(
            "disk-over-time",
            Text("Disks", "硬盘"),
            Text("When did which recorder have disk trouble?", "哪台录像机何时硬盘异常？"),
            "nvr_disk",
        ),
        graph(
            "recording-age",
            Text("Age of the newest recording", "最新录像距今"),
            Text("Does each recorder record now, whatever it says of itself?", "不论自报如何，各录像机是否真的在录？"),
            Ask(over_time("zone", "max(value) AS age", by=BY, where=("kind = 'nvr_recording'",)), "$tag_zone"),
            unit="s",
            limits=((0, Colour.GOOD), (600, Colour.WARN), (3_600, Colour.BAD)),
        ),
        table(
            "recorders",
            Text("Recorders", "录像机"),
            _about(
                "How is each recorder, by what it says and by its newest recording?", "各录像机自报状态和最新录像如何？"
            ),
            now("zone", "last(condition) AS condition", "last(ok) AS ok", by=("village", "gateway", "zone", "kind")),
            lately=TOLD,
        ),
        table(
            "incidents",
            Text("Blind recorders", "失明警情"),
            Text("When was which village blind, and for how long?", "哪个村何时失明，多久？"),
            rows(
                "incident",
                "village",
                "group",
                "state",
                "disposition",
                "resolved_after_ms",
                where=("rule = 'nvr_blind'",),
            ),
            columns={"resolved_after_ms": (Text("resolved after", "办结用时"), "ms")},
            lately="30d",
            quiet=True,
            nothing=Text("none known", "无已知"),
        ),
    ),
)
BOARD = Board(
    "lianfang-video",
    Text("Recorders and video", "录像与视频"),
    Text("Whether recorders record, and since when not.", "录像机是否在录像，从何时起没有。"),
    (NOW, TIME),
    since="7d",
    refresh="1m",
)
