"""What tables and columns are called in spreadsheets, in English and in Chinese."""

from __future__ import annotations

TABLES = ("area", "station", "gateway", "premises", "group", "zone", "contact")
"""In the order they are read: each refers only to those before it."""

SHEETS = {
    "area": ("areas", "乡镇"),
    "station": ("stations", "村站"),
    "gateway": ("gateways", "网关"),
    "premises": ("premises", "住户"),
    "group": ("groups", "联防组"),
    "zone": ("zones", "防区"),
    "contact": ("contacts", "联系人"),
}
"""The sheet of each table in a workbook, in English and in Chinese."""

_COMMON = {"编号": "id", "乡镇": "area", "名称": "name"}
_CHINESE = {
    "area": {"编号": "id", "镇中心": "town", "县中心": "county", "名称": "name"},
    "station": {**_COMMON, "户数": "households"},
    "gateway": {**_COMMON, "上报时限": "profile_ms"},
    "premises": {**_COMMON, "类型": "kind", "网关": "gateway", "全部上报": "report_every"},
    "group": {
        **_COMMON,
        "村站": "station",
        "成员": "members",
        "相邻组": "adjacent",
        "中心户": "head",
        "人数不限": "any_size",
    },
    "zone": {**_COMMON, "住户": "premises", "网关": "gateway", "类型": "kind"},
    "contact": {**_COMMON, "所属": "of", "姓名": "name", "电话": "phone"},
}


def canonical(table: str, title: str) -> str:
    """The key a column's heading stands for; an unknown one stays as it is, to be told."""
    title = title.strip()
    return _CHINESE[table].get(title, title.lower() if title.isascii() else title)


def chinese(table: str, key: str) -> str:
    """The Chinese heading of a key."""
    return next((title for title, known in _CHINESE[table].items() if known == key), key)


def table_of(sheet: str) -> str | None:
    """The table a workbook's sheet holds, by its name; None for any other."""
    wanted = sheet.strip().lower()
    return next((table for table, names in SHEETS.items() if wanted in (table, *names)), None)
