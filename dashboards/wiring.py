"""Modbus and wiring: which board, wire or contact an installer has to go to."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import FROM_ONE_WARN, UP_DOWN, Ask, Colour, bars, graph, number, states, table
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, rows, total
from dashboards.making.words import Text

BY = ("gateway", "device")
NAME = "$tag_gateway $tag_device"
LAST_MINUTES = "5m"
"""Devices are told of each minute."""

BOARDS = Row(
    Text("Boards on the bus", "总线设备"),
    (
        number(
            "answering",
            Text("Boards that answer", "应答设备比例"),
            Text("What share of the Modbus devices answers?", "多少 Modbus 设备有应答？"),
            total("device", "last(online) AS online", "mean", by=BY),
            unit="percentunit",
            limits=((0, Colour.BAD), (0.95, Colour.WARN), (1, Colour.GOOD)),
            lately=LAST_MINUTES,
        ),
        number(
            "slowest",
            Text("Slowest answer", "最慢应答"),
            Text("How slow is the slowest device of late?", "近来最慢的设备多慢？"),
            now("device", "max(latency_ms) AS latency"),
            unit="ms",
            limits=((0, Colour.GOOD), (200, Colour.WARN), (800, Colour.BAD)),
            lately=LAST_MINUTES,
        ),
        number(
            "unknown",
            Text("Unknown zones", "状态未知防区"),
            Text("Of how many zones is nothing known?", "有多少防区状态未知？"),
            total("village", "last(zones_unknown) AS unknown", by=("village",)),
            limits=FROM_ONE_WARN,
        ),
        number(
            "chatter",
            Text("Chattering zones, 7 days", "7 天抖动防区"),
            Text("How many incidents of chattering contacts were there?", "有多少起触点抖动？"),
            now("incident", "count(priority) AS chatter", where=("rule = 'chatter'", "drill = '0'")),
            limits=FROM_ONE_WARN,
            lately="7d",
            quiet=True,
            nothing=Text("none known", "无已知"),
        ),
        states(
            "online",
            Text("Devices", "设备应答"),
            Text("When did which device not answer?", "哪个设备何时无应答？"),
            Ask(over_time("device", "min(online) AS online", by=BY), NAME),
            words=UP_DOWN,
            within=(0, 1),
        ),
        graph(
            "polls",
            Text("Polls", "轮询"),
            Text("How often is each device asked?", "每个设备多久问一次？"),
            Ask(over_time("device", "rate(polls, 1m) AS polls", by=BY, every="5m"), NAME),
            unit="cpm",
        ),
        graph(
            "failures",
            Text("Failures by device", "设备失败"),
            Text("Which device fails, and since when?", "哪个设备失败，从何时起？"),
            Ask(over_time("device", "rate(failures, 1m) AS failures", by=BY, every="5m"), NAME),
            unit="cpm",
            limits=((0, Colour.GOOD), (1, Colour.WARN)),
        ),
        graph(
            "latency",
            Text("Latency", "应答时间"),
            Text("Which device is slow, and does it pull its bus along?", "哪个设备慢，是否拖累同一总线？"),
            Ask(over_time("device", "mean(latency_ms) AS latency", by=BY), NAME),
            unit="ms",
        ),
        bars(
            "breaks",
            Text("Breaks of the bus", "总线中断"),
            Text("Which bus broke, how often?", "哪条总线中断过，多少次？"),
            Ask(now("bus", "spread(breaks) AS breaks", by=("gateway", "bus")), "$tag_gateway $tag_bus"),
            limits=((0, Colour.GOOD), (1, Colour.WARN), (10, Colour.BAD)),
        ),
        table(
            "devices",
            Text("Devices now", "设备现状"),
            Text("How is each device, since its gateway's start?", "自网关启动以来各设备如何？"),
            now(
                "device",
                "last(online) AS online",
                "last(polls) AS polls",
                "last(failures) AS failures",
                "last(latency_ms) AS latency",
                by=("village", "gateway", "device"),
            ),
            columns={"latency": (Text("latency", "应答时间"), "ms")},
            lately=LAST_MINUTES,
            width=16,
        ),
    ),
)
WIRES = Row(
    Text("Wires and contacts", "线路与触点"),
    (
        graph(
            "unknown-over-time",
            Text("Unknown zones by village", "各村未知防区"),
            Text("Since when is nothing known of zones?", "防区从何时起状态未知？"),
            Ask(over_time("village", "max(zones_unknown) AS unknown", by=("village",)), "$tag_village"),
        ),
        table(
            "chattering",
            Text("Chattering contacts", "抖动触点"),
            Text("Where did a contact chatter, and when?", "哪里的触点何时抖动？"),
            rows("incident", "village", "group", "state", "presses", "false_cause", where=("rule = 'chatter'",)),
            lately="7d",
            quiet=True,
            nothing=Text("none known", "无已知"),
        ),
        graph(
            "loops",
            Text("Loops, day by day", "每日回路电阻"),
            Text(
                "Does the resistance of a supervised loop creep: a joint that corrodes, a wire that is tampered with?",
                "受监控回路的电阻是否缓慢变化：接头锈蚀或线路被动过？",
            ),
            Ask(over_time("zone", "mean(loop_mean) AS loop", by=("gateway", "zone"), every="1d"), "$tag_zone"),
            unit="ohm",
        ),
        table(
            "loop-spread",
            Text("Loops, last day", "最近一日回路"),
            Text(
                "What were the least, the mean and the most of each loop in the normal state?",
                "各回路常态下的最小、平均和最大值？",
            ),
            now(
                "zone",
                "last(loop_min) AS loop_min",
                "last(loop_mean) AS loop_mean",
                "last(loop_max) AS loop_max",
                by=("village", "gateway", "zone"),
            ),
            unit="ohm",
            lately="2d",
        ),
    ),
)
BOARD = Board(
    "lianfang-wiring",
    Text("Modbus and wiring", "总线与线路"),
    Text("Which board, wire or contact somebody has to go to.", "哪个模块、线路或触点需要检修。"),
    (BOARDS, WIRES),
    refresh="1m",
)
