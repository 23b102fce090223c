"""Write the Grafana dashboard: `python -m deploy.observability.dashboard` → dashboard.json (a test compares)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "dashboard.json"
PANELS: tuple[tuple[str, str, str, str], ...] = (  # title, expression, legend, unit
    ("Processes that answer", 'up{job="ophor"}', "{{process}}", "none"),
    ("Handled a second", "sum by (consumer, outcome) (rate(ophor_entrypoints_total[$__rate_interval]))",
     "{{consumer}} {{outcome}}", "ops"),
    ("Time in a handler, p95",
     "histogram_quantile(0.95, sum by (consumer, le) (rate(ophor_entrypoint_seconds_bucket[$__rate_interval])))",
     "{{consumer}}", "s"),
    ("From telling to handling, p95",
     "histogram_quantile(0.95, sum by (consumer, le) (rate(ophor_lag_seconds_bucket[$__rate_interval])))",
     "{{consumer}}", "s"),
    ("Calls as their callers see them, p99",
     "histogram_quantile(0.99, sum by (wire, le) (rate(ophor_call_seconds_bucket[$__rate_interval])))",
     "{{wire}}", "s"),
    ("Calls by outcome", "sum by (outcome) (rate(ophor_call_seconds_count[$__rate_interval]))", "{{outcome}}", "ops"),
    ("Tried again, and dead letters", "sum by (queue, to) (increase(ophor_moved_total[$__rate_interval]))",
     "{{queue}} to {{to}}", "none"),
    ("Outbox: rows", "max by (service, state) (ophor_outbox_rows)", "{{service}} {{state}}", "none"),
    ("Outbox: age of the oldest", "max by (service) (ophor_outbox_age_seconds)", "{{service}}", "s"),
    ("Inbox: rows", "max by (service) (ophor_inbox_rows)", "{{service}}", "none"),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Give the dashboard as Grafana reads it."""
    return {
        "title": "Ophør: messages", "uid": "ophor-messages", "schemaVersion": 39, "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": [_panel(number, *panel) for number, panel in enumerate(PANELS)],
    }  # fmt: skip


def text() -> str:
    """Give the file's text."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=2) + "\n"


def _panel(number: int, title: str, expression: str, legend: str, unit: str) -> dict[str, Any]:
    return {
        "id": number + 1, "type": "timeseries", "title": title,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend}],
    }  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
