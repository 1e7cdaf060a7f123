"""The gateway fleet: which machine in the field will need somebody on a ladder next."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import (
    FROM_ONE_WARN,
    LATELY,
    UP_DOWN,
    YES_NO,
    Ask,
    Colour,
    bars,
    graph,
    number,
    states,
    table,
)
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, rows, total
from dashboards.making.words import Text

BY = ("gateway",)
CLOCKS = {
    "synced": (Text("synced", "已同步"), Colour.GOOD),
    "holdover": (Text("holdover", "守时"), Colour.NOTE),
    "unset": (Text("unset", "未设置"), Colour.BAD),
}
SHARE = ((0, Colour.BAD), (0.95, Colour.WARN), (0.99, Colour.GOOD))
ROOM = ((0, Colour.BAD), (10, Colour.WARN), (20, Colour.GOOD))

THERE = Row(
    Text("Who is there", "在线情况"),
    (
        number(
            "share",
            Text("Online share", "在线率"),
            Text("What share of the gateways of which that is known is heard?", "已知状态的网关中在线的占多少？"),
            total("gateway", "last(up) AS up", "mean", by=BY),
            unit="percentunit",
            limits=SHARE,
        ),
        number(
            "lost",
            Text("Lost", "失联"),
            Text("How many gateways are not heard within their reporting time?", "有多少网关超时无消息？"),
            total("village", "last(gateways_lost) AS lost", by=("village",)),
            limits=FROM_ONE_WARN,
        ),
        number(
            "unknown",
            Text("Not heard yet", "尚未知"),
            Text(
                "Of how many does the hub not know yet, since its start, whether they are there?",
                "平台启动后还有多少网关状态未知？",
            ),
            total("village", "last(gateways_unknown) AS unknown", by=("village",)),
            limits=FROM_ONE_WARN,
        ),
        number(
            "drift",
            Text("Config drift", "配置偏离"),
            Text("How many should run a configuration and do not?", "有多少网关没有运行应运行的配置？"),
            total("gateway", "last(drift) AS drift", by=BY),
            limits=FROM_ONE_WARN,
        ),
        number(
            "second",
            Text("Two under one name", "一号两机"),
            Text("Under how many names do two machines speak?", "有多少网关编号下有两台机器？"),
            total("gateway", "last(second) AS second", by=BY),
            limits=((0, Colour.GOOD), (1, Colour.BAD)),
        ),
        number(
            "waiting",
            Text("Alarm records that wait", "待传报警记录"),
            Text(
                "How many alarm records wait at gateways for the hub's receipt?", "有多少报警记录在网关等待平台回执？"
            ),
            total("gateway", "last(queued_alarm) AS queued", by=BY),
            limits=((0, Colour.GOOD), (20, Colour.WARN), (200, Colour.BAD)),
        ),
        states(
            "up",
            Text("Heard", "在线"),
            Text("When was which gateway lost?", "哪个网关何时失联？"),
            Ask(over_time("gateway", "last(up) AS up", by=BY), "$tag_gateway"),
            words=UP_DOWN,
            within=(0, 1),
        ),
        table(
            "gateways",
            Text("Gateways", "网关"),
            Text(
                "How is each gateway: last birth, clock, software, configuration, what waits?",
                "各网关：启动、时钟、软件、配置和待传数据如何？",
            ),
            now(
                "gateway",
                "last(up) AS up",
                "last(heard_age_ms) AS heard",
                "last(boot) AS boot",
                "last(uptime_s) AS uptime",
                "last(clock) AS clock",
                "last(software) AS software",
                "last(config) AS config",
                "last(queued_alarm) AS alarms_waiting",
                by=("village", "gateway"),
            ),
            columns={
                "heard": (Text("heard before", "上次消息"), "ms"),
                "uptime": (Text("machine up for", "开机时长"), "s"),
            },
            lately=LATELY,
        ),
        bars(
            "restarts",
            Text("Restarts", "重启次数"),
            Text(
                "Which gateway's process started anew, how often? A machine that is up for less long lost power.",
                "哪个网关的程序重启过，多少次？开机时长更短的是断过电。",
            ),
            Ask(now("gateway", "spread(boot) AS restarts", by=BY), "$tag_gateway"),
            limits=((0, Colour.GOOD), (1, Colour.NOTE), (5, Colour.BAD)),
        ),
        bars(
            "uptime",
            Text("Machine up for", "开机时长"),
            Text(
                "For how long has each machine been up: did it lose power, or did its program end?",
                "各机器开机多久：是断电还是程序退出？",
            ),
            Ask(now("gateway", "last(uptime_s) AS uptime", by=BY), "$tag_gateway"),
            unit="s",
            limits=((0, Colour.WARN), (86_400, Colour.GOOD)),
            lately=LATELY,
        ),
        bars(
            "flaps",
            Text("Link flaps", "链路闪断"),
            Text("Whose line comes and goes?", "哪个网关的线路时通时断？"),
            Ask(now("gateway", "spread(connection) AS flaps", by=BY), "$tag_gateway"),
            limits=((0, Colour.GOOD), (5, Colour.WARN), (50, Colour.BAD)),
        ),
        table(
            "links",
            Text("Lost and heard again", "失联与恢复"),
            Text("When was each gateway lost, and for how long?", "各网关何时失联，多久？"),
            rows("link", "village", "gateway", "up", "silent_ms", limit=200),
            columns={"silent_ms": (Text("silent for", "无消息时长"), "ms")},
            lately="7d",
        ),
        graph(
            "backlog",
            Text("Backlog by lane", "各通道积压"),
            Text("What waits at gateways, and does it drain?", "网关积压多少，是否在减少？"),
            Ask(over_time("gateway", "max(queued_alarm) AS alarm", by=BY), "$tag_gateway $col"),
            Ask(over_time("gateway", "max(queued_telemetry) AS telemetry", by=BY), "$tag_gateway $col"),
        ),
    ),
)
MACHINES = Row(
    Text("Machines", "设备状态"),
    (
        states(
            "clock",
            Text("Clock quality", "时钟质量"),
            Text("Whose clock is not synchronised, and since when?", "哪个网关时钟未同步，从何时起？"),
            Ask(over_time("gateway", "last(clock) AS clock", by=BY), "$tag_gateway"),
            words=CLOCKS,
        ),
        states(
            "undervoltage",
            Text("Undervoltage", "欠压"),
            Text("Whose supply is too weak?", "哪个网关供电不足？"),
            Ask(over_time("gateway_health", "max(undervoltage) AS undervoltage", by=BY), "$tag_gateway"),
            words=YES_NO,
            within=(0, 1),
        ),
        graph(
            "temperature",
            Text("Temperature", "温度"),
            Text("Which machine is too hot?", "哪台机器过热？"),
            Ask(over_time("gateway_health", "max(temperature_c) AS temperature", by=BY), "$tag_gateway"),
            unit="celsius",
            limits=((-50, Colour.GOOD), (70, Colour.WARN), (80, Colour.BAD)),
        ),
        graph(
            "disk",
            Text("Room on the card", "存储剩余"),
            Text("Whose card fills up?", "哪张卡快满？"),
            Ask(over_time("gateway_health", "min(disk_free_percent) AS free", by=BY), "$tag_gateway"),
            unit="percent",
            limits=ROOM,
        ),
        bars(
            "wear",
            Text("Card worn", "存储卡磨损"),
            Text("Which card is to be replaced next?", "下一张该换的卡是哪张？"),
            Ask(now("gateway_health", "last(sd_wear_percent) AS wear", by=BY), "$tag_gateway"),
            unit="percent",
            limits=((0, Colour.GOOD), (70, Colour.WARN), (90, Colour.BAD)),
            lately="7d",
        ),
        graph(
            "memory",
            Text("Memory available", "可用内存"),
            Text("Does a process leak?", "是否有内存泄漏？"),
            Ask(over_time("gateway_health", "min(memory_free_percent) AS free", by=BY), "$tag_gateway"),
            unit="percent",
            limits=ROOM,
            width=16,
        ),
        table(
            "software",
            Text("Software and configuration", "软件与配置"),
            Text("Which versions run out there, and who drifts?", "现场运行哪些版本，谁偏离？"),
            now(
                "gateway",
                "last(software) AS software",
                "last(config) AS config",
                "last(drift) AS drift",
                by=("village", "gateway"),
            ),
            lately=LATELY,
            width=24,
        ),
    ),
)
BOARD = Board(
    "lianfang-fleet",
    Text("Gateway fleet", "网关"),
    Text("Which machine in the field needs somebody next.", "现场哪台设备需要先去看。"),
    (THERE, MACHINES),
)
