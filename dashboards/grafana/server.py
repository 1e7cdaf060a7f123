"""The few things that are asked of a Grafana, through grafana-client; what it answers when it does not is said."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, TokenAuth

from dashboards.making.influxql import SOURCE_UID
from dashboards.making.rule import FOLDER_UID, RECEIVER_UID

TIMEOUT_S = 30.0
NOT_FOUND = 404


class GrafanaFailed(Exception):
    """Grafana could not be reached, or refused; says where and why."""


class Grafana:
    """One server and organization, by a service account's token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._api = GrafanaApi.from_url(self._url, TokenAuth(token), timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.client.s.close()

    def has_source(self) -> bool:
        """Whether the data source that every query names is there."""
        return self._found(lambda: self._api.datasource.get_datasource_by_uid(SOURCE_UID)) is not None

    def folder(self, title: str) -> None:
        """The folder of the boards, made where it is not there."""
        if self._found(lambda: self._api.folder.get_folder(FOLDER_UID)) is None:
            self._asked(lambda: self._api.folder.create_folder(title, FOLDER_UID))

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """A dashboard as it is there; None where it is not."""
        found = self._found(lambda: self._api.dashboard.get_dashboard(uid))
        return None if found is None else dict(found["dashboard"])

    def put_dashboard(self, made: dict[str, Any], message: str) -> int:
        """Put a dashboard in place of what is there, which Grafana keeps as an older version; gives the new one's
        number."""
        body = {"dashboard": made | {"id": None}, "folderUid": FOLDER_UID, "overwrite": True, "message": message}
        return int(self._asked(lambda: self._api.dashboard.update_dashboard(body))["version"])

    def rule(self, uid: str) -> dict[str, Any] | None:
        """An alert rule as it is there; None where it is not."""
        found = self._found(lambda: self._api.alertingprovisioning.get_alertrule(uid))
        return None if found is None else dict(found)

    def put_rule(self, made: dict[str, Any]) -> None:
        """Make an alert rule, or put it in place of what is there."""
        alerting = self._api.alertingprovisioning
        if self.rule(made["uid"]) is None:
            self._asked(lambda: alerting.create_alertrule(made))
        else:
            self._asked(lambda: alerting.update_alertrule(made["uid"], made))

    def put_contact(self, made: dict[str, Any]) -> None:
        """Make the contact point, or put it in place of what is there."""
        alerting = self._api.alertingprovisioning
        known = self._asked(alerting.get_contactpoints)
        if any(one["uid"] == RECEIVER_UID for one in known):
            self._asked(lambda: alerting.update_contactpoint(RECEIVER_UID, made))
        else:
            self._asked(lambda: alerting.create_contactpoint(made))

    def _found(self, ask: Callable[[], Any]) -> Any | None:
        try:
            return self._asked(ask)
        except GrafanaFailed as cause:
            known = cause.__cause__
            if isinstance(known, GrafanaClientError) and known.status_code == NOT_FOUND:
                return None
            raise

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (GrafanaException, requests.RequestException, ValueError) as cause:
            words = getattr(cause, "message", None) or str(cause)
            raise GrafanaFailed(f"{self._url}: {words}") from cause
