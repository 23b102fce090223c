"""Alerts and dashboard name only metrics and labels that the product has, and headings that the page has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from deploy.observability import dashboard
from deploy.observability.targets import targets
from deploy.stack.processes import PRODUCT
from shared.runtime import metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "observability"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
OF_TARGETS = {"process", "kind", "job", "instance"}


def known() -> dict[str, set[str]]:
    """Give every series of ours (and Prometheus's `up`) with its labels."""
    found = {"up": set(OF_TARGETS)}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            for suffix in SUFFIXES[family.type]:
                found[family.name + suffix] = {*metric._labelnames, *(("le",) if suffix == "_bucket" else ())}
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]
    return list(group["rules"])


def wrong(expression: str, shown: str = "") -> Iterator[str]:
    """Name what `expression` (and the labels `shown` in its text) has that the product lacks."""
    series = known()
    names = set(re.findall(r"\b(?:ophor_\w+|up)\b", expression))
    yield from names - series.keys()
    labels = set().union(*(series.get(name, set()) for name in names)) | OF_TARGETS
    used = {each.strip() for inside in re.findall(r"by \(([^)]*)\)", expression) for each in inside.split(",")}
    used |= set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=)", expression))
    used |= set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", shown))
    yield from used - labels


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_names_what_is_measured_and_the_heading_that_says_what_to_do(rule: dict[str, Any]) -> None:
    assert list(wrong(rule["expr"], rule["annotations"]["summary"])) == []
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "operations.md").read_text("utf-8"), re.MULTILINE)
    assert rule["annotations"]["page"] in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("expression", ["rate(ophor_entrypoint_total[5m])", "sum by (tenant) (ophor_inbox_rows)"])
def test_an_unknown_metric_or_label_is_found(expression: str) -> None:
    assert len(list(wrong(expression))) == 1


def test_the_dashboard_is_current_and_shows_every_metric() -> None:
    assert dashboard.PAGE.read_text("utf-8") == dashboard.text()
    for _, expression, legend, _ in dashboard.PANELS:
        assert list(wrong(expression, legend)) == []
    shown = " ".join(expression for _, expression, _, _ in dashboard.PANELS)
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in known()}
    assert [name for name in families if name not in shown] == []


def test_every_process_is_looked_at() -> None:
    found = targets(lambda name: f"<{name}>")
    assert [(entry["labels"]["process"], entry["targets"]) for entry in found] == [
        (name, [f"127.0.0.1:<{name}>"]) for name in PRODUCT
    ]
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    assert config["rule_files"] == ["alerts.yml"] and config["scrape_configs"][0]["job_name"] == "ophor"
