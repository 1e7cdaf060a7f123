"""Alarm management: what ISA-18.2 asks of an alarm system, against its limits."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import FROM_ONE_WARN, PLAIN, Ask, Colour, Panel, bars, graph, number, states, table
from dashboards.making.select import graph as over_time
from dashboards.making.select import most, now, rows, total
from dashboards.making.words import Text

REAL = "drill = '0'"
WEEK = "7d"
LOAD = ((0, Colour.GOOD), (1, Colour.NOTE), (2, Colour.WARN), (10, Colour.BAD))
"""Incidents in 10 min to one operator: about 1 is acceptable, 2 can be managed, above 10 is a flood."""
FLOODED = {"0": (Text("no flood", "无洪泛"), Colour.GOOD), "1": (Text("flood", "洪泛"), Colour.BAD)}


def _share_of(level: int, most_percent: tuple[tuple[float, Colour], ...]) -> Panel:
    return number(
        f"day-p{level}", Text(f"P{level} in 24 h", f"24 小时 P{level}"),
        Text(
            f"How many incidents of priority {level} were raised in 24 h? Of all about 5 in 100 should be the most "
            "urgent, 15 the next, 80 the rest.",
            f"24 小时内 {level} 级警情多少起？合理比例约为最急 5%、次急 15%、其余 80%。",
        ),
        total("desk", f"last(raised_24h_p{level}) AS raised"), limits=most_percent,
    )  # fmt: skip


LOADS = Row(
    Text("Load on an operator", "值班负荷"),
    (
        number(
            "mean-load",
            Text("Mean in 10 min", "每 10 分钟平均"),
            Text(
                "How many incidents come to an area's operator in 10 min, on average? About 1 is acceptable.",
                "每 10 分钟平均多少起到一个值班员？约 1 起可接受。",
            ),
            now("desk", "mean(raised_10min) AS load"),
            limits=LOAD,
            lately=WEEK,
        ),
        number(
            "peak-load",
            Text("Most in 10 min", "10 分钟最多"),
            Text("How many were the most in 10 min?", "10 分钟内最多多少起？"),
            now("desk", "max(raised_10min) AS load"),
            limits=LOAD,
            lately=WEEK,
        ),
        number(
            "flood-share",
            Text("Time in flood", "洪泛时间占比"),
            Text(
                "What share of the time was a flood: above 10 in 10 min, until below 5? Under 1 % is the aim.",
                "洪泛（10 分钟超过 10 起，至低于 5 起）占时间多少？目标低于 1%。",
            ),
            now("desk", "mean(flood) AS flood"),
            unit="percentunit",
            limits=((0, Colour.GOOD), (0.01, Colour.BAD)),
            lately=WEEK,
        ),
        number(
            "stale",
            Text("Stale", "滞留"),
            Text("How many incidents are open for over 24 h?", "有多少起超过 24 小时未办结？"),
            total("desk", "last(stale) AS stale"),
            limits=FROM_ONE_WARN,
        ),
        *(_share_of(level, PLAIN) for level in (1, 2, 3, 4)),
        graph(
            "load",
            Text("Incidents in 10 min", "每 10 分钟警情"),
            Text("When did more come than somebody can handle?", "何时来得超过处理能力？"),
            Ask(over_time("desk", "max(raised_10min) AS raised", by=("area",)), "$tag_area"),
            limits=LOAD,
            width=16,
        ),
        states(
            "floods",
            Text("Floods", "洪泛"),
            Text("When was an area flooded?", "哪个乡镇何时洪泛？"),
            Ask(over_time("desk", "max(flood) AS flood", by=("area",)), "$tag_area"),
            words=FLOODED,
            within=(0, 1),
            width=8,
        ),
    ),
)
WHAT = Row(
    Text("What it is made of", "构成"),
    (
        bars(
            "rules",
            Text("By rule, 7 days", "7 天各类警情"),
            Text("What kinds of incidents make the load?", "负荷由哪些警情构成？"),
            Ask(now("incident", "count(priority) AS n", by=("rule",), where=(REAL,)), "$tag_rule"),
            limits=PLAIN,
            lately=WEEK,
        ),
        table(
            "top-ten",
            Text("Top ten, 7 days", "7 天前十"),
            Text(
                "Which kind at which village makes most of the load: where is repair worth most?",
                "哪村哪类警情最多：先修哪里最值？",
            ),
            most(
                now("incident", "count(priority) AS n", by=("village", "rule"), where=(REAL,)),
                "n",
                ("village", "rule"),
                10,
            ),
            lately=WEEK,
            width=8,
        ),
        bars(
            "dispositions",
            Text("How they ended, 7 days", "7 天结果"),
            Text("How many were genuine?", "多少是真实警情？"),
            Ask(now("resolution", "count(after_ms) AS n", by=("disposition",), where=(REAL,)), "$tag_disposition"),
            limits=PLAIN,
            lately=WEEK,
        ),
        bars(
            "false-causes",
            Text("Causes of false alarms, 7 days", "7 天误报原因"),
            Text("What makes false alarms, and so what is to be done about it?", "误报因何而起，该治理什么？"),
            Ask(
                now(
                    "resolution",
                    "count(after_ms) AS n",
                    by=("false_cause",),
                    where=("disposition = 'false_alarm'", REAL),
                ),
                "$tag_false_cause",
            ),
            limits=PLAIN,
            lately=WEEK,
            quiet=True,
            nothing=Text("none known", "无已知"),
        ),
        graph(
            "by-day",
            Text("By priority and day", "每日各级警情"),
            Text("Does the load grow from day to day, and of what urgency?", "负荷是否逐日增长，哪一级？"),
            *(
                Ask(
                    over_time(
                        "incident", "count(presses) AS n", where=(f"priority = {level}", REAL), every="1d", fill="0"
                    ),
                    f"P{level}",
                )
                for level in (1, 2, 3, 4)
            ),
            bars=True,
            stacked=True,
            width=16,
        ),
        table(
            "stale-list",
            Text("Longest open", "滞留清单"),
            Text("What is open, and for how long: the oldest is at the end?", "哪些未办结，多久？最旧的在末尾。"),
            rows("incident", "village", "rule", "priority", "state", "incident", where=("open = 1", REAL), limit=500),
            lately="30d",
            quiet=True,
            nothing=Text("nothing known to be open", "无已知未结警情"),
            width=24,
        ),
    ),
)
BOARD = Board(
    "lianfang-alarms",
    Text("Alarm management", "报警管理"),
    Text("The load on operators against the figures of ISA-18.2.", "值班负荷对照 ISA-18.2 指标。"),
    (LOADS, WHAT),
    since="7d",
    refresh="1m",
)
