"""A village: whether its sensors, sirens and gateways would do their part tonight. Never who came home when."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import FROM_ONE_WARN, LATELY, PLAIN, Ask, Colour, bars, graph, number, states, table
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, rows, total
from dashboards.making.words import Text
from dashboards.wall import WORST

BY_VILLAGE = ("village",)
COVERAGE = ((0, Colour.BAD), (50, Colour.WARN), (80, Colour.GOOD))
PROOF_MS = ((0, Colour.GOOD), (86_400_000, Colour.WARN), (90_000_000, Colour.BAD))

SENSORS = Row(
    Text("Sensors", "探测器"),
    (
        number(
            "online",
            Text("Sensors that work", "正常探测器"),
            Text("Of how many zones can the hub judge the sensor now?", "此刻平台能判断多少个防区的探测器？"),
            total("village", "last(zones_online) AS online", by=BY_VILLAGE),
            limits=PLAIN,
        ),
        number(
            "fault",
            Text("Sensors at fault", "故障探测器"),
            Text("How many sensors are faulty?", "有多少探测器故障？"),
            total("village", "last(zones_fault) AS fault", by=BY_VILLAGE),
            limits=FROM_ONE_WARN,
        ),
        number(
            "unknown",
            Text("Sensors unknown", "状态未知探测器"),
            Text(
                "Of how many zones is nothing known: would a break-in there be noticed?",
                "有多少防区状态未知：那里若有入侵能否发现？",
            ),
            total("village", "last(zones_unknown) AS unknown", by=BY_VILLAGE),
            limits=FROM_ONE_WARN,
        ),
        number(
            "lost",
            Text("Gateways lost", "失联网关"),
            Text("How many gateways of the village are not heard?", "本村有多少网关失联？"),
            total("village", "last(gateways_lost) AS lost", by=BY_VILLAGE),
            limits=FROM_ONE_WARN,
        ),
        number(
            "proof-age",
            Text("Oldest proof", "最久未自证"),
            Text(
                "How long ago did the gateway that proved itself longest ago do so? Each does it every night.",
                "最久没有自证的网关上次自证是多久以前？每个网关每晚自证一次。",
            ),
            total("gateway", "last(proof_age_ms) AS age", "max", by=("gateway",)),
            unit="ms",
            limits=PROOF_MS,
        ),
        number(
            "overdue",
            Text("Proofs overdue", "自证超期"),
            Text("How many gateways did not prove themselves within 25 h?", "有多少网关 25 小时内没有自证？"),
            total("gateway", "last(proof_overdue) AS overdue", by=("gateway",)),
            limits=FROM_ONE_WARN,
        ),
        number(
            "calling",
            Text("Sirens called", "正在呼叫"),
            Text("How many members are being called by siren now?", "此刻有多少户正被警号呼叫？"),
            total("group", "last(calling) AS calling", by=("group",)),
            limits=FROM_ONE_WARN,
        ),
        table(
            "groups",
            Text("Zone health by group", "各联防组防区健康"),
            Text("Which group has sensors that are faulty or unknown?", "哪个联防组有故障或未知的探测器？"),
            now(
                "group",
                "last(members) AS members",
                "last(zones) AS zones",
                "last(zones_online) AS online",
                "last(zones_fault) AS fault",
                "last(zones_unknown) AS unknown",
                "last(calling) AS calling",
                by=("village", "group"),
            ),
            lately=LATELY,
        ),
        graph(
            "health-over-time",
            Text("Zone health", "防区健康"),
            Text("Since when are sensors faulty or unknown?", "探测器从何时起故障或未知？"),
            Ask(over_time("village", "last(zones_fault) AS fault", by=BY_VILLAGE), "$tag_village $col"),
            Ask(over_time("village", "last(zones_unknown) AS unknown", by=BY_VILLAGE), "$tag_village $col"),
        ),
        table(
            "told",
            Text("Sensors that fell ill or got well", "探测器状态变化"),
            Text(
                "Which sensor changed its health, and when? Of no sensor what it saw.",
                "哪个探测器的健康状态何时变化？不含其探测内容。",
            ),
            rows("zone_health", "gateway", "zone", "health", limit=200),
            lately="7d",
        ),
        graph(
            "sirens",
            Text("Sirens by group", "各组警号"),
            Text("When was which group called?", "何时呼叫了哪个组？"),
            Ask(over_time("group", "max(calling) AS calling", by=("group",)), "$tag_group"),
        ),
    ),
)
READY = Row(
    Text("Ready", "备勤"),
    (
        table(
            "proofs",
            Text("Last proof of each gateway", "各网关上次自证"),
            Text(
                "When did each gateway last prove that what it says becomes an incident and a notice?",
                "各网关上次证明其报警能成为警情和通知是何时？",
            ),
            now(
                "gateway",
                "last(proof_age_ms) AS proof_age",
                "last(proof_overdue) AS overdue",
                by=("village", "gateway"),
            ),
            columns={
                "proof_age": (Text("age of the proof", "自证距今"), "ms"),
                "overdue": (Text("overdue", "超期"), ""),
            },
            lately=LATELY,
        ),
        bars(
            "coverage",
            Text("Coverage", "入组率"),
            Text(
                "What share of the households is enrolled? A demonstration village has about 80 %.",
                "入组户占比多少？示范村约 80%。",
            ),
            Ask(now("village", "last(coverage_percent) AS coverage", by=BY_VILLAGE), "$tag_village"),
            unit="percent",
            limits=COVERAGE,
            lately=LATELY,
            width=6,
        ),
        table(
            "enrolled",
            Text("Households and groups", "户数与组数"),
            Text(
                "How many households live there, are enrolled, and in how many groups?",
                "共有多少户，入组多少，多少个组？",
            ),
            now(
                "village",
                "last(households) AS households",
                "last(enrolled) AS enrolled",
                "last(groups) AS groups",
                by=BY_VILLAGE,
            ),
            lately=LATELY,
            width=6,
        ),
        states(
            "worst",
            Text("Open by their worst", "最重未结警情"),
            Text("What was open, and when?", "何时有何级警情未结？"),
            Ask(over_time("village", "max(worst) AS worst", by=BY_VILLAGE), "$tag_village"),
            words=WORST,
            within=(0, 3),
        ),
        table(
            "incidents",
            Text("Incidents", "警情"),
            Text("What happened in this village, and how did it end?", "本村发生了什么，结果如何？"),
            rows(
                "incident",
                "village",
                "group",
                "rule",
                "priority",
                "state",
                "disposition",
                "false_cause",
                "resolved_after_ms",
            ),
            columns={"resolved_after_ms": (Text("resolved after", "办结用时"), "ms")},
            lately="7d",
        ),
    ),
)
BOARD = Board(
    "lianfang-village",
    Text("Village", "村级看板"),
    Text(
        "Whether a village's sensors, sirens and gateways would do their part tonight.",
        "一个村的探测器、警号和网关今夜是否可靠。",
    ),
    (SENSORS, READY),
)
