"""What people read, in Chinese and English: what, where, when, how late, how often, and where to answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.core.incident import Incident
from hub.notify.notice import WATCH, Posting, Sort
from protocol.kinds import Priority

MINUTE_MS = 60_000
LATE_MS = MINUTE_MS
"""From here on a notice says how late it is."""

WHAT = {
    "panic": ("紧急求助", "panic button"),
    "duress": ("胁迫报警", "duress"),
    "silent_holdup": ("无声劫持报警", "silent hold-up"),
    "fire": ("火警", "fire"),
    "gas": ("燃气泄漏", "gas"),
    "water": ("漏水", "water leak"),
    "intrusion": ("入侵报警", "intrusion"),
    "group_intrusion": ("多户入侵报警", "intrusion at several homes"),
    "sabotage": ("疑似破坏", "possible sabotage"),
    "silence": ("疑似断线或干扰", "possible cut or jam"),
    "area_outage": ("片区中断", "area outage"),
    "nvr_blind": ("录像设备失效", "recorder blind"),
    "tamper": ("防拆报警", "tamper"),
    "fault": ("设备故障", "fault"),
    "gateway_lost": ("网关失联", "gateway lost"),
    "proof": ("夜间自检", "nightly proof"),
    "chatter": ("探测器反复误动", "a chattering sensor"),
}
PART = {"journal": ("事件日志", "the journal"), "telemetry": ("遥测存储", "the telemetry store")}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text may say. `who` and `where` are (Chinese, English) words; times hub wall ms; `late_ms` None: unknown.

    `what` is a rule's name, a part of the hub, or a kind of record; `link` where a neighbour answers.
    """

    sort: Sort
    what: str
    where: str = ""
    who: str = ""
    priority: Priority = Priority.P1
    at_ms: int | None = None
    late_ms: int | None = 0
    presses: int = 0
    count: int = 1
    why: str = ""
    conditions: tuple[str, ...] = ()
    link: str = ""


def facts_of(posting: Posting, incident: Incident | None, where: str, who: str, link: str) -> Facts:
    """The facts of a posting, with the incident as it is now."""
    if incident is None:
        what, _, why = posting.why.partition(": ")
        return Facts(posting.sort, what, where, who or why, posting.priority, posting.at_ms, why=why)
    late_ms = None if incident.late_ms is None else max(0, incident.late_ms)
    known = None if late_ms is None and incident.error_ms is None else incident.event_ms
    more = (incident.presses, posting.count, posting.why, tuple(incident.conditions), link)
    return Facts(posting.sort, incident.rule, where, who, incident.priority, known, late_ms, *more)


def written(facts: Facts, language: str, offset_min: int) -> tuple[str, str]:
    """Title and text; `language` is zh, en or zh+en."""
    both = [write(facts, offset_min) for name, write in (("zh", _chinese), ("en", _english)) if name in language]
    return " / ".join(title for title, _ in both), "\n".join(text for _, text in both)


def _chinese(facts: Facts, offset_min: int) -> tuple[str, str]:
    what = WHAT.get(facts.what, (facts.what, ""))[0]
    place = f"{facts.where}{f'（{facts.who}）' if facts.who else ''}"
    when = _clock(facts.at_ms, offset_min)
    if facts.sort is Sort.TEST:
        return "【联防】测试", "【联防】这是一条测试通知，无需处理。"
    if facts.sort is Sort.STAND_DOWN:
        return f"【联防】解除：{what}", f"【联防】解除：{place}的{what}已结束，谢谢，无需再前往。"
    if facts.sort in (Sort.TROUBLE, Sort.TROUBLE_OVER):
        if facts.what.startswith(WATCH):
            over = facts.sort is Sort.TROUBLE_OVER
            return ("【联防】监测恢复", f"【联防】监测恢复：{facts.what}") if over else (
                "【联防】监测告警", f"【联防】监测告警（{when}）：{facts.why}"
            )  # fmt: skip
        part = PART.get(facts.what, (facts.what, ""))[0]
        if facts.sort is Sort.TROUBLE_OVER:
            return f"【联防】中心{part}恢复", f"【联防】中心{part}已恢复正常。"
        return f"【联防】中心{part}故障", f"【联防】中心{part}自{when}起无法写入，请立即处理：{facts.why}"
    if facts.sort is Sort.WAITING:
        return "【联防】报警未入库", f"【联防】P1 {what}，{place}，{when or '时间不详'}，中心无法写入，请直接处置。"
    said = [f"【联防】P{facts.priority:d} {what}", place, when or "时间不详"]
    if facts.late_ms is not None and facts.late_ms >= LATE_MS:
        said.append(f"迟到{_span(facts.late_ms, '秒', '分钟', '小时')}")
    if facts.presses > 1:
        said.append(f"共{facts.presses}次")
    if facts.count > 1:
        said.append(f"合并{facts.count}条通知")
    if facts.why.startswith("not accepted"):
        said.append("尚无人受理")
    if "cancelled" in facts.conditions:
        said.append("现场已取消，仍需查看")
    return f"{said[0]} {facts.where}", "，".join(said) + (f"。回复：{facts.link}" if facts.link else "。")


def _english(facts: Facts, offset_min: int) -> tuple[str, str]:
    what = WHAT.get(facts.what, ("", facts.what))[1]
    place = f"{facts.where}{f' ({facts.who})' if facts.who else ''}"
    when = _clock(facts.at_ms, offset_min)
    if facts.sort is Sort.TEST:
        return "[Lianfang] test", "[Lianfang] This is a test. Nothing needs to be done."
    if facts.sort is Sort.STAND_DOWN:
        return f"[Lianfang] stand down: {what}", f"[Lianfang] Stand down: {what} at {place} is over. Thank you."
    if facts.sort in (Sort.TROUBLE, Sort.TROUBLE_OVER):
        if facts.what.startswith(WATCH):
            if facts.sort is Sort.TROUBLE_OVER:
                return "[Lianfang] watch: over", f"[Lianfang] Over: {facts.what}"
            return "[Lianfang] watch", f"[Lianfang] Since {when}: {facts.why}"
        part = PART.get(facts.what, ("", facts.what))[1]
        if facts.sort is Sort.TROUBLE_OVER:
            return f"[Lianfang] hub: {part} is well", f"[Lianfang] The hub can write {part} again."
        return f"[Lianfang] hub: {part}", f"[Lianfang] The hub cannot write {part} since {when}: {facts.why}"
    if facts.sort is Sort.WAITING:
        text = f"[Lianfang] P1 {what} at {place}, {when or 'time unknown'}: the hub cannot write. Act on this."
        return "[Lianfang] an alarm waits", text
    said = [f"[Lianfang] P{facts.priority:d} {what}", place, when or "time unknown"]
    if facts.late_ms is not None and facts.late_ms >= LATE_MS:
        said.append(f"late by {_span(facts.late_ms, ' s', ' min', ' h')}")
    if facts.presses > 1:
        said.append(f"{facts.presses} times")
    if facts.count > 1:
        said.append(f"{facts.count} pages in one")
    if facts.why.startswith("not accepted"):
        said.append("nobody has accepted it")
    if "cancelled" in facts.conditions:
        said.append("cancelled there, please look")
    return f"{said[0]} {facts.where}", ", ".join(said) + (f". Answer: {facts.link}" if facts.link else ".")


def _clock(at_ms: int | None, offset_min: int) -> str:
    if at_ms is None:
        return ""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(minutes=offset_min):%m-%d %H:%M}"


def _span(ms: int, seconds: str, minutes: str, hours: str) -> str:
    if ms < MINUTE_MS:
        return f"{ms // 1000}{seconds}"
    return f"{ms // MINUTE_MS}{minutes}" if ms < 120 * MINUTE_MS else f"{ms // (60 * MINUTE_MS)}{hours}"
