"""The hub: whether it takes in what comes, keeps it, and reaches people."""

from __future__ import annotations

from dashboards.making.board import Board, Row
from dashboards.making.panel import FROM_ONE_BAD, FROM_ONE_WARN, LATELY, PLAIN, Ask, Colour, bars, graph, number
from dashboards.making.select import graph as over_time
from dashboards.making.select import now, over, total
from dashboards.making.words import Text

HUB = ("hub",)
COMMIT_MS = ((0, Colour.GOOD), (100, Colour.WARN), (1_000, Colour.BAD))
LANES = {"alarm": Text("alarm lane", "报警通道"), "telemetry": Text("telemetry lane", "遥测通道")}
PRIORITIES = ("P1", "P2", "P3", "P4")

NOW = Row(
    Text("Now", "此刻"),
    (
        number(
            "speaks",
            Text("Words of the hub", "平台心跳"),
            Text(
                "How many snapshots came in two minutes? Twelve, while all is well.",
                "两分钟内来了多少快照？正常为十二。",
            ),
            over(now("hub", "count(uptime_s) AS snapshots", by=HUB), "min(snapshots) AS snapshots"),
            limits=((0, Colour.BAD), (6, Colour.GOOD)),
        ),
        number(
            "uptime",
            Text("Up for", "已运行"),
            Text("Since when does the hub's process run?", "平台进程运行多久？"),
            total("hub", "last(uptime_s) AS uptime", "min", by=HUB),
            unit="s",
            limits=((0, Colour.WARN), (3_600, Colour.GOOD)),
        ),
        *(
            number(
                f"credit-{lane}",
                Text(f"Credit, {words.en}", f"{words.zh}额度"),
                Text(
                    f"How many records may a gateway send before a receipt ({words.en})? 0: the hub can store none.",
                    f"网关在下一回执前可发送多少条（{words.zh}）？0 表示平台无法存储。",
                ),
                total("hub", f"last(credit_{lane}) AS credit", "min", by=HUB),
                limits=((0, Colour.BAD), (1, Colour.GOOD)),
            )
            for lane, words in LANES.items()
        ),
        number(
            "telemetry-age",
            Text("Oldest area's telemetry", "最久无遥测"),
            Text("How long ago was a reading stored, of the area that is worst off?", "最差的乡镇多久前存入过读数？"),
            total("desk", "last(telemetry_age_ms) AS age", "max"),
            unit="ms",
            limits=((0, Colour.GOOD), (180_000, Colour.WARN), (600_000, Colour.BAD)),
        ),
        number(
            "trouble",
            Text("The journal takes nothing since", "日志故障开始于"),
            Text("Since when can the hub commit nothing? 0: it can.", "平台从何时起无法写入？0 表示正常。"),
            total("hub", "max(trouble_since_seconds_journal) AS since", "max", by=HUB),
            limits=FROM_ONE_BAD,
        ),
    ),
)
IN = Row(
    Text("What comes in", "接收"),
    (
        graph(
            "readings",
            Text("Readings stored", "存入读数"),
            Text("How many readings a minute are stored?", "每分钟存入多少读数？"),
            Ask(over_time("hub", "rate(telemetry_points, 1m) AS readings", by=HUB, every="5m"), "$tag_hub"),
            unit="cpm",
        ),
        graph(
            "records",
            Text("Alarm records committed", "提交报警记录"),
            Text("How many alarm records of which priority come in?", "各级报警记录提交多少？"),
            Ask(
                over_time("hub", *(f"rate(records_committed_{one}, 1m) AS {one}" for one in PRIORITIES), every="10m"),
                "$col",
            ),
            unit="cpm",
        ),
        graph(
            "commit",
            Text("Time of a commit, p99", "提交用时 p99"),
            Text("Is the disk fast enough: of the journal, and of the store?", "磁盘够快吗：日志与存储？"),
            Ask(over_time("hub", "max(commit_p99_ms) AS journal", by=HUB), "$tag_hub $col"),
            Ask(over_time("hub", "max(telemetry_commit_p99_ms) AS store", by=HUB), "$tag_hub $col"),
            unit="ms",
            limits=COMMIT_MS,
        ),
        graph(
            "wire",
            Text("From event to commit, p99", "事件到提交 p99"),
            Text("How old is what is committed: do backlogs come in?", "提交时事件已过多久：是否有积压到达？"),
            Ask(over_time("hub", "max(wire_to_commit_p99_ms) AS wire", by=HUB), "$tag_hub"),
            unit="ms",
        ),
        graph(
            "depth",
            Text("What waits in the hub", "平台排队"),
            Text("Does the hub keep up?", "平台是否跟得上？"),
            Ask(
                over_time(
                    "hub",
                    "max(inbox_depth_alarm) AS alarm",
                    "max(inbox_depth_telemetry) AS telemetry",
                    "max(points_waiting) AS own",
                ),
                "$col",
            ),
            limits=((0, Colour.GOOD), (1_000, Colour.WARN)),
        ),
        graph(
            "receipts",
            Text("Receipts sent", "发出回执"),
            Text("Do gateways get their receipts?", "网关是否收到回执？"),
            Ask(
                over_time(
                    "hub", "rate(receipts_alarm, 1m) AS alarm", "rate(receipts_telemetry, 1m) AS telemetry", every="5m"
                ),
                "$col",
            ),
            unit="cpm",
        ),
        graph(
            "lag",
            Text("Lag of the hub's own loop", "平台循环滞后"),
            Text("Is the hub's processor overloaded?", "平台处理器是否过载？"),
            Ask(over_time("hub", "max(lag_ms) AS lag", by=HUB), "$tag_hub"),
            unit="ms",
            limits=COMMIT_MS,
        ),
        graph(
            "missing",
            Text("Records missing", "缺失记录"),
            Text(
                "Are there holes in what gateways numbered that nobody explained yet?",
                "网关编号的记录中有无未解释的缺口？",
            ),
            Ask(
                over_time("hub", "max(records_missing_alarm) AS alarm", "max(records_missing_telemetry) AS telemetry"),
                "$col",
            ),
            limits=FROM_ONE_WARN,
        ),
    ),
)
OUT = Row(
    Text("What goes wrong", "异常"),
    (
        bars(
            "lost",
            Text("Records lost", "丢失记录"),
            Text("How many records of each lane were given up for good?", "各通道有多少记录确认丢失？"),
            Ask(
                now("hub", "spread(records_lost_alarm) AS alarm", "spread(records_lost_telemetry) AS telemetry"), "$col"
            ),
            limits=FROM_ONE_BAD,
        ),
        bars(
            "store",
            Text("Writes the stores refused", "存储失败"),
            Text("How often did the journal, and the telemetry store, take nothing?", "日志与遥测存储各失败多少次？"),
            Ask(now("hub", "spread(commit_failures) AS journal", "spread(telemetry_failures) AS telemetry"), "$col"),
            limits=FROM_ONE_WARN,
        ),
        bars(
            "dropped",
            Text("Dropped for want of room", "因满丢弃"),
            Text(
                "What found no room in the hub: its own points, inputs of a bug of ours?",
                "平台内因满或缺陷丢弃了什么？",
            ),
            Ask(now("hub", "spread(points_dropped) AS points", "spread(inputs_set_aside) AS set_aside"), "$col"),
            limits=FROM_ONE_BAD,
        ),
        bars(
            "channels",
            Text("Notices by channel", "各通道通知"),
            Text("Does every channel still reach people?", "各通知通道是否仍能送达？"),
            Ask(now("channel", "last(notices_sent) AS sent", by=("channel",)), "$tag_channel"),
            limits=PLAIN,
            lately=LATELY,
            quiet=True,
            nothing=Text("no notice known", "无已知通知"),
        ),
        bars(
            "channel-failures",
            Text("Channels that failed", "通道失败"),
            Text("Through which channel did notices fail?", "哪个通道的通知失败？"),
            Ask(now("channel", "last(notices_failed) AS failed", by=("channel",)), "$tag_channel"),
            limits=FROM_ONE_BAD,
            lately=LATELY,
            quiet=True,
            nothing=Text("no failure known", "无已知失败"),
        ),
        graph(
            "refused",
            Text("Messages refused", "拒收消息"),
            Text(
                "Does a gateway say what it may not: a zone that is not in the registry, a private point?",
                "是否有网关发送不允许的内容？",
            ),
            Ask(
                over_time(
                    "hub", "max(refused_unknown_zone) AS unknown_zone", "max(refused_private_point) AS private_point"
                ),
                "$col",
            ),
            quiet=True,
            nothing=Text("none known", "无已知"),
            width=8,
        ),
    ),
)
BOARD = Board(
    "lianfang-hub",
    Text("Hub", "平台"),
    Text("Whether the hub takes in what comes, keeps it, and reaches people.", "平台是否收得进、存得住、叫得到人。"),
    (NOW, IN, OUT),
)
