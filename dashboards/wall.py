"""The operations wall: what waits for somebody now."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import (
    FROM_ONE_BAD,
    FROM_ONE_WARN,
    LATELY,
    PLAIN,
    Ask,
    Colour,
    Look,
    Panel,
    bars,
    graph,
    number,
    states,
    table,
)
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, over, rows, total
from dashboards.making.words import Text

REAL = "drill = '0'"
WORST = {
    "0": (Text("well", "正常"), Colour.GOOD),
    "1": (Text("P3 or P4", "P3 或 P4"), Colour.NOTE),
    "2": (Text("P2", "P2"), Colour.WARN),
    "3": (Text("P1", "P1"), Colour.BAD),
}
LEVELS = {
    "0": (Text("normal", "常态"), Colour.GOOD),
    "1": (Text("enhanced", "加强"), Colour.WARN),
    "2": (Text("critical", "战时"), Colour.BAD),
}
AGE_MS = ((0, Colour.GOOD), (60_000, Colour.WARN), (120_000, Colour.BAD))
NEIGHBOUR_MS = ((0, Colour.GOOD), (5_000, Colour.WARN), (30_000, Colour.BAD))
PRIORITY_LIMITS = {1: FROM_ONE_BAD, 2: ((0, Colour.GOOD), (1, Colour.WARN)), 3: ((0, Colour.GOOD), (1, Colour.NOTE))}


def _open(level: int) -> Panel:
    return number(
        f"open-p{level}",
        Text(f"Open P{level}", f"未结 P{level}"),
        Text(
            f"How many incidents of priority {level} are unresolved now? Drills are not counted.",
            f"现有多少起 {level} 级警情未办结？演练不计。",
        ),
        total("desk", f"last(open_p{level}) AS open"),
        limits=PRIORITY_LIMITS.get(level, PRIORITY_LIMITS[3]),
    )


NOW = Row(
    Text("Now", "此刻"),
    (
        *(_open(level) for level in (1, 2, 3, 4)),
        number(
            "unaccepted",
            Text("Nobody accepted", "无人受理"),
            Text("How many incidents wait for an operator to accept them?", "有多少起警情还没有人受理？"),
            total("desk", "last(unaccepted) AS unaccepted"),
            limits=FROM_ONE_WARN,
        ),
        number(
            "hub-speaks",
            Text("Words of the hub", "平台心跳"),
            Text(
                "Does the hub still speak? Its snapshots of the last two minutes: twelve, while all is well. When this "
                "is grey, nothing on this wall is of now.",
                "平台是否还在工作？最近两分钟的快照数，正常为十二。此格灰色时，本屏所有数据都不是此刻的。",
            ),
            over(now("hub", "count(uptime_s) AS snapshots", by=("hub",)), "min(snapshots) AS snapshots"),
            limits=((0, Colour.BAD), (6, Colour.GOOD)),
        ),
        number(
            "oldest-p1",
            Text("Oldest P1 nobody accepted", "最久未受理 P1"),
            Text(
                "How long has the oldest P1 waited to be accepted? 0: none waits.", "最久的 P1 等待受理多久？0 为没有。"
            ),
            total("desk", "last(unaccepted_p1_age_ms) AS age", "max"),
            unit="ms",
            limits=AGE_MS,
        ),
        number(
            "accept-left",
            Text("Next accept clock runs out in", "最近受理时限剩余"),
            Text(
                "How long until the next incident climbs a rung because nobody accepted it? Negative: it is climbing.",
                "最近一起未受理警情还有多久升级？负数表示正在升级。",
            ),
            total("desk", "last(accept_left_ms) AS left", "min"),
            unit="ms",
            limits=((-1e9, Colour.BAD), (30_000, Colour.WARN), (120_000, Colour.GOOD)),
            quiet=True,
            nothing=Text("no clock known to run", "无已知计时"),
            within=(-600_000, 86_400_000),
        ),
        number(
            "calls",
            Text("Sirens called", "正在呼叫"),
            Text("How many premises are being called by siren for open incidents?", "有多少户正因未结警情被警号呼叫？"),
            total("desk", "last(calls) AS calls"),
            limits=FROM_ONE_WARN,
        ),
        number(
            "presses",
            Text("Panic presses, 24 h", "24 小时紧急按钮"),
            Text("How often was a panic button pressed in the last 24 h?", "最近 24 小时按下紧急按钮多少次？"),
            total("desk", "last(presses_24h) AS presses"),
            limits=PLAIN,
        ),
        number(
            "must-look",
            Text("Must look", "必须查看"),
            Text(
                "How many open incidents arrived too late to ring neighbours, and must be looked at by somebody?",
                "有多少起未结警情到得太晚而没有呼叫邻居，必须有人查看？",
            ),
            total("desk", "last(must_look) AS must_look"),
            limits=FROM_ONE_BAD,
        ),
        number(
            "gateways-lost",
            Text("Gateways lost", "失联网关"),
            Text(
                "How many gateways have not been heard within their reporting time?", "有多少网关超过报告时限没有消息？"
            ),
            total("desk", "last(gateways_lost) AS lost"),
            limits=FROM_ONE_WARN,
        ),
    ),
)
OPEN = Row(
    Text("Open incidents", "未结警情"),
    (
        table(
            "open-list",
            Text("What is open", "未结清单"),
            Text(
                "Which incidents are unresolved, since when, how urgent, and how far has each climbed?",
                "哪些警情未办结，何时发生，多紧急，升级到哪一级？",
            ),
            rows(
                "incident",
                "priority",
                "rule",
                "village",
                "group",
                "state",
                "rung",
                "presses",
                "called",
                "must_look",
                "nobody_can",
                "incident",
                where=("open = 1", REAL),
            ),
            lately="7d",
            quiet=True,
            nothing=Text("nothing known to be open", "无已知未结警情"),
            width=16,
            height=9,
        ),
        bars(
            "clocks",
            Text("Accept clocks by area", "各乡镇受理时限"),
            Text("In which area does a clock run out first?", "哪个乡镇的受理时限最先到？"),
            Ask(now("desk", "last(accept_left_ms) AS left", by=("area",)), "$tag_area"),
            unit="ms",
            limits=((-1e9, Colour.BAD), (30_000, Colour.WARN), (120_000, Colour.GOOD)),
            lately=LATELY,
            quiet=True,
            nothing=Text("no clock known to run", "无已知计时"),
            within=(-600_000, 86_400_000),
            height=9,
        ),
        graph(
            "open-over-time",
            Text("Open by priority", "各级未结数"),
            Text("Is the pile of open incidents growing?", "未结警情是否在增加？"),
            Ask(
                over(
                    over_time("desk", *(f"last(open_p{one}) AS p{one}" for one in (1, 2, 3, 4)), by=("area",)),
                    *(f"sum(p{one}) AS P{one}" for one in (1, 2, 3, 4)),
                    every="$__interval",
                ),
                "$col",
            ),
            stacked=True,
        ),
        graph(
            "ages",
            Text("Oldest nobody accepted", "最久未受理"),
            Text("How long did incidents wait to be accepted, by priority?", "各级警情等待受理的最长时间？"),
            Ask(over_time("desk", *(f"max(unaccepted_p{one}_age_ms) AS P{one}" for one in (1, 2))), "$col"),
            unit="ms",
            limits=AGE_MS,
        ),
    ),
)
HELP = Row(
    Text("Help comes", "邻里响应"),
    (
        number(
            "ringing",
            Text("First neighbour rings, p95", "首户警号 p95"),
            Text(
                "How fast does the first neighbour's siren ring, in 95 of 100 calls of 24 h?",
                "24 小时内 95% 的呼叫中，第一户邻居警号多快响起？",
            ),
            now("response", "percentile(after_ms, 95) AS p95", where=("milestone = 'ringing'", REAL)),
            unit="ms",
            limits=NEIGHBOUR_MS,
            lately="24h",
            quiet=True,
            nothing=Text("no call known", "无已知呼叫"),
        ),
        number(
            "going",
            Text("First neighbour going, p95", "首位出发 p95"),
            Text("How long until the first neighbour says that they are going?", "第一位邻居回答“我去”要多久？"),
            now("response", "percentile(after_ms, 95) AS p95", where=("milestone = 'going'", REAL)),
            unit="ms",
            limits=((0, Colour.GOOD), (60_000, Colour.WARN), (120_000, Colour.BAD)),
            lately="24h",
            quiet=True,
            nothing=Text("no call known", "无已知呼叫"),
        ),
        states(
            "level",
            Text("Response level", "等级防控"),
            Text("At which response level does each area stand?", "各乡镇处于哪一级防控？"),
            Ask(over_time("desk", "last(level) AS level", by=("area",)), "$tag_area"),
            words=LEVELS,
            within=(0, 2),
            width=8,
            height=4,
        ),
        states(
            "villages",
            Text("Villages by their worst", "各村最重警情"),
            Text("Which village has what kind of incident open, and since when?", "哪个村有何级警情未结，从何时起？"),
            Ask(over_time("village", "max(worst) AS worst", by=("village",)), "$tag_village"),
            words=WORST,
            within=(0, 3),
            width=8,
        ),
        graph(
            "calls-over-time",
            Text("Sirens called", "警号呼叫"),
            Text("When was who called, and how many at once?", "何时呼叫了多少户？"),
            Ask(over_time("desk", "max(calls) AS calls", by=("area",)), "$tag_area"),
            width=8,
        ),
        graph(
            "presses-over-time",
            Text("Panic presses by hour", "每小时紧急按钮"),
            Text("When are buttons pressed?", "按钮何时被按下？"),
            Ask(over_time("incident", "sum(presses) AS presses", where=("rule = 'panic'", REAL), every="1h"), "$col"),
            bars=True,
            width=8,
        ),
        Panel(
            "map",
            Look.MAP,
            Text("Map", "地图"),
            Text(
                "Where is something open? Each village in the colour of its worst.",
                "哪里有未结警情？各村按最重警情着色。",
            ),
            (Ask(now("village", "last(worst) AS worst", by=("village",))),),
            limits=((0, Colour.GOOD), (1, Colour.NOTE), (2, Colour.WARN), (3, Colour.BAD)),
            lately=LATELY,
            within=(0, 3),
            width=24,
            height=12,
        ),
    ),
)
BOARD = Board(
    "lianfang-wall",
    Text("Operations wall", "值班大屏"),
    Text("What waits for somebody at a control room, now.", "值班室此刻有什么等着处理。"),
    (NOW, OPEN, HELP),
)
