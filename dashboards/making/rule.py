"""What an alert rule is, and the file Grafana provisions rules and their contact point from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting as models
from grafana_foundation_sdk.models import dashboard

from dashboards.making.influxql import SOURCE_UID, InfluxQuery
from dashboards.making.words import Language, Text

FOLDER_UID, FOLDER = "lianfang", Text("Lianfang", "联防")
GROUP, EVERY_S = "lianfang-watch", 60
RECEIVER, RECEIVER_UID = "lianfang-hub", "lianfang-hub"
EXPRESSION = "__expr__"
ITSELF = dashboard.DataSourceRef(EXPRESSION, EXPRESSION)
HUB_URL = "$LIANFANG_HUB_URL/api/v1/alerts"
TOKEN = "$__file{/etc/grafana/lianfang-hub-token}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule: the newest value of each series of `query` over `window_s` is `above` or `below` a limit for
    `lasts`. `silence_fires`: no answer at all fires too. `summary` is what the hub tells people."""

    uid: str
    title: Text
    summary: Text
    query: str
    window_s: int
    above: float | None = None
    below: float | None = None
    lasts: str = "2m"
    silence_fires: bool = False


def rule_of(rule: Rule, language: Language) -> models.Rule:
    """As the SDK has it: the query, its newest value, the limit."""
    asked = alerting.Query("A").datasource_uid(SOURCE_UID).model(InfluxQuery(rule.query))
    limit = rule.above if rule.above is not None else rule.below
    assert limit is not None, rule.uid
    kind: Any = "gt" if rule.above is not None else "lt"
    over = expr.ExprTypeThresholdConditionsEvaluator().params([limit]).type(kind)
    conditions: list[Any] = [expr.ExprTypeThresholdConditions().evaluator(over)]
    return (
        alerting.Rule(rule.title.of(language))
        .uid(rule.uid)
        .folder_uid(FOLDER_UID)
        .rule_group(GROUP)
        .condition("C")
        .with_query(asked.relative_time_range(models.RelativeTimeRange(rule.window_s, 0)))
        .with_query(_expression("B", expr.TypeReduce().ref_id("B").expression("A").reducer("last").datasource(ITSELF)))
        .with_query(
            _expression("C", expr.TypeThreshold().ref_id("C").expression("B").conditions(conditions).datasource(ITSELF))
        )
        .for_val(rule.lasts)
        .no_data_state("Alerting" if rule.silence_fires else "OK")
        .exec_err_state("Alerting")
        .labels({"lianfang": rule.uid.removeprefix("lianfang-")})
        .annotations({"summary": rule.summary.of(language)})
        .notification_settings(alerting.NotificationSettings().receiver(RECEIVER))
        .build()
    )


def provisioned(rules: tuple[Rule, ...], language: Language) -> str:
    """The file for provisioning/alerting: rules and the contact point. Grafana puts its environment into every text but
    a query's (there `$timeFilter` stays), so a `$` elsewhere is doubled. The folder is that of the boards' file."""
    made = [json.loads(json.dumps(rule_of(rule, language), cls=JSONEncoder)) for rule in rules]
    kept = ("uid", "title", "condition", "data", "noDataState", "execErrState", "for", "annotations", "labels")
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER.of(Language.EN),
        "interval": f"{EVERY_S}s",
        "rules": [
            {name: one[name] if name == "data" else _literal(one[name]) for name in kept}
            | {"notification_settings": {"receiver": RECEIVER}}
            for one in made
        ],
    }
    contact = {"orgId": 1, "name": RECEIVER, "receivers": [webhook(HUB_URL, TOKEN)]}
    text = json.dumps(
        {"apiVersion": 1, "groups": [group], "contactPoints": [contact]}, indent=1, ensure_ascii=False, sort_keys=True
    )
    return text + "\n"


def webhook(url: str, token: str) -> dict[str, Any]:
    """The contact point: the hub's own endpoint for alerts."""
    settings = {
        "url": url,
        "httpMethod": "POST",
        "authorization_scheme": "Bearer",
        "authorization_credentials": token,
    }
    return {"uid": RECEIVER_UID, "type": "webhook", "settings": settings, "disableResolveMessage": False}


def _expression(ref: str, model: Any) -> alerting.Query:
    return alerting.Query(ref).datasource_uid(EXPRESSION).model(model)


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_literal(one) for one in value]
    return {name: _literal(one) for name, one in value.items()} if isinstance(value, dict) else value
