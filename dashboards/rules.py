"""What the hub cannot say of itself: that it is silent, that readings come late or not at all, that proofs are old."""

from __future__ import annotations

from dashboards.making.rule import Rule
from dashboards.making.select import everywhere
from dashboards.making.words import Text

MINUTE_S = 60
RULES = (
    Rule(
        "lianfang-hub-silent",
        Text("The hub is silent", "平台无心跳"),
        Text(
            "The hub's own measures come no more: it is down, cut off, or its store takes nothing.",
            "平台自身的测量数据不再到达：平台停机、断网或存储无法写入。",
        ),
        everywhere("hub", "count(uptime_s) AS snapshots", by=("hub",)),
        window_s=3 * MINUTE_S,
        below=6,
        lasts="1m",
        silence_fires=True,
    ),
    Rule(
        "lianfang-ingest-lag",
        Text("Readings come late", "遥测滞后"),
        Text("No reading of an area was stored for five minutes.", "某乡镇五分钟没有存入读数。"),
        everywhere("desk", "last(telemetry_age_ms) AS age", by=("area",)),
        window_s=5 * MINUTE_S,
        above=300_000,
    ),
    Rule(
        "lianfang-no-telemetry",
        Text("No telemetry from an area", "乡镇无遥测"),
        Text(
            "No reading of an area was stored for twenty minutes, or since the hub's start.",
            "某乡镇二十分钟（或自平台启动以来）没有存入读数。",
        ),
        everywhere("desk", "last(telemetry_silent_ms) AS silent", by=("area",)),
        window_s=5 * MINUTE_S,
        above=1_200_000,
        silence_fires=True,
    ),
    Rule(
        "lianfang-proof-too-old",
        Text("A gateway did not prove itself", "网关未自证"),
        Text(
            "Gateways of an area did not prove for 25 h that what they say becomes an incident and a notice.",
            "某乡镇有网关 25 小时未证明其报警能成为警情和通知。",
        ),
        everywhere("desk", "last(proofs_overdue) AS overdue", by=("area",)),
        window_s=5 * MINUTE_S,
        above=0,
        lasts="5m",
    ),
)
