"""Response and drills: who came how fast, by rung and village, and what drills showed."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import FROM_ONE_BAD, PLAIN, Ask, Colour, bars, graph, number, table
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, rows
from dashboards.making.words import Text

REAL, DRILL = "drill = '0'", "drill = '1'"
WEEK = "7d"
P95 = "percentile(after_ms, 95) AS p95"
FIGURES = ("count(after_ms) AS n", "percentile(after_ms, 50) AS p50", P95, "max(after_ms) AS longest")
MS = {
    "p50": (Text("half within", "半数用时"), "ms"),
    "p95": (Text("95 % within", "95% 用时"), "ms"),
    "longest": (Text("longest", "最长"), "ms"),
    "n": (Text("how many", "次数"), "short"),
}
MILESTONES = {
    "ringing": Text("first siren rings", "首户警号"),
    "going": Text("first neighbour going", "首位出发"),
    "accepted": Text("accepted", "受理"),
    "on_scene": Text("on the scene", "到场"),
    "resolved": Text("resolved", "办结"),
}
LIMITS = {
    "ringing": ((0, Colour.GOOD), (5_000, Colour.WARN), (30_000, Colour.BAD)),
    "going": ((0, Colour.GOOD), (60_000, Colour.WARN), (120_000, Colour.BAD)),
    "accepted": ((0, Colour.GOOD), (60_000, Colour.WARN), (300_000, Colour.BAD)),
    "on_scene": ((0, Colour.GOOD), (600_000, Colour.WARN), (1_800_000, Colour.BAD)),
}

REACHED = Row(
    Text("How fast, 7 days", "7 天响应"),
    (
        *(
            number(
                name,
                Text(f"{MILESTONES[name].en}, p95", f"{MILESTONES[name].zh} p95"),
                Text(
                    f"Within what time was it so in 95 of 100: {MILESTONES[name].en}?",
                    f"95% 的警情在多长时间内：{MILESTONES[name].zh}？",
                ),
                now("response", P95, where=(f"milestone = '{name}'", REAL)),
                unit="ms",
                limits=limits,
                lately=WEEK,
                quiet=True,
                nothing=Text("none known", "无已知"),
                width=5,
            )
            for name, limits in LIMITS.items()
        ),
        number(
            "nobody",
            Text("Nobody could come", "无人能来"),
            Text(
                "In how many incidents did every neighbour called say that they cannot come?",
                "有多少起警情所有被呼叫邻居都说去不了？",
            ),
            now("incident", "sum(nobody_can) AS nobody", where=(REAL,)),
            limits=FROM_ONE_BAD,
            lately=WEEK,
        ),
        table(
            "rungs",
            Text("Accepted, by rung", "各级受理用时"),
            Text(
                "How far had incidents climbed when somebody accepted them, and how long had it taken?",
                "受理时已升到哪一级，用了多久？",
            ),
            now("response", *FIGURES, by=("rung",), where=("milestone = 'accepted'", REAL)),
            columns=MS,
            lately=WEEK,
        ),
        table(
            "villages",
            Text("By village", "各村响应"),
            Text("Which village comes late?", "哪个村来得慢？"),
            now("response", *FIGURES, by=("village", "milestone"), where=(REAL,)),
            columns=MS,
            lately=WEEK,
        ),
        graph(
            "trend",
            Text("Trend by day", "逐日趋势"),
            Text("Do neighbours and operators get faster or slower?", "邻里与值班员是变快还是变慢？"),
            Ask(over_time("response", P95, by=("milestone",), where=(REAL,), every="1d"), "$tag_milestone"),
            unit="ms",
        ),
        graph(
            "pages",
            Text("Calls by rung and day", "每日各级呼叫"),
            Text(
                "How often had the town or the county to be called, because nobody below accepted?",
                "因下级无人受理而呼叫乡镇、县的次数？",
            ),
            Ask(over_time("page", "count(incident) AS calls", by=("rung",), every="1d"), "$tag_rung"),
            bars=True,
            stacked=True,
        ),
        bars(
            "climbed",
            Text("Incidents by how far they climbed", "升级分布"),
            Text("How many were accepted at the station, and how many had to climb?", "多少在村站受理，多少升级？"),
            Ask(
                now("response", "count(after_ms) AS n", by=("rung",), where=("milestone = 'accepted'", REAL)),
                "$tag_rung",
            ),
            limits=PLAIN,
            lately=WEEK,
        ),
    ),
)
DRILLS = Row(
    Text("Drills", "演练"),
    (
        table(
            "drills",
            Text("Drills, 30 days", "30 天演练"),
            Text(
                "Which drills were held, and how fast did the neighbours ring and answer?",
                "举行过哪些演练，邻居多快响铃与应答？",
            ),
            rows(
                "incident",
                "village",
                "group",
                "rule",
                "state",
                "called",
                "ringing_after_ms",
                "going_after_ms",
                "accepted_after_ms",
                where=(DRILL,),
            ),
            columns={f"{name}_after_ms": (MILESTONES[name], "ms") for name in ("ringing", "going", "accepted")},
            lately="30d",
            quiet=True,
            nothing=Text("no drill known", "无已知演练"),
            width=16,
        ),
        table(
            "drill-times",
            Text("Drills by milestone", "演练用时"),
            Text("Are drills as fast as the real thing?", "演练与实战是否一样快？"),
            now("response", *FIGURES, by=("milestone",), where=(DRILL,)),
            columns=MS,
            lately="30d",
            quiet=True,
            nothing=Text("no drill known", "无已知演练"),
            width=8,
        ),
    ),
)
BOARD = Board(
    "lianfang-response",
    Text("Response and drills", "响应与演练"),
    Text("Who came how fast, and what drills showed.", "谁来得多快，演练说明了什么。"),
    (REACHED, DRILLS),
    since="7d",
    refresh="1m",
)
