"""Dashboards, alerts and their documentation against what the code exposes."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.checks.metrics import exposed, table
from services.gan.domain.training import Metrics

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
#: Of Prometheus and of its client library.
NOT_OURS = {"up", "process_resident_memory_bytes"}
_NAME = re.compile(r"\b(?:lesiongan|process|python)_\w+|\bup\b")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions(dashboard: Path) -> list[str]:
    panels = json.loads(dashboard.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def asked() -> dict[str, str]:
    """Every query, by where it stands."""
    found = {alert["alert"]: str(alert["expr"]) for alert in alerts()}
    for dashboard in DASHBOARDS:
        for number, query in enumerate(expressions(dashboard)):
            found[f"{dashboard.name} {number}"] = query
    return found


QUERIES = asked()


@pytest.mark.parametrize("where", QUERIES)
def test_every_metric_that_is_asked_for_is_exposed(where: str) -> None:
    known = {series for each in exposed() for series in each.series} | NOT_OURS
    bare = re.sub(r'"[^"]*"', "", QUERIES[where])
    names = set(_NAME.findall(bare))
    assert names
    assert names <= known


@pytest.mark.parametrize("where", QUERIES)
def test_every_label_that_is_asked_for_is_given(where: str) -> None:
    given = {label for each in exposed() for label in each.labels}
    given |= {"le", "job", "instance", "service"}
    query = QUERIES[where]
    inside = " ".join(re.findall(r"\{([^}]*)\}", query))
    named = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)", inside))
    for group in re.findall(r"(?:by|on|ignoring)\s*\(([^)]*)\)", query):
        named |= {label.strip() for label in group.split(",") if label.strip()}
    assert named <= given


def test_every_metric_is_shown_or_warned_of() -> None:
    everything = " ".join(QUERIES.values())
    unseen = {each.name for each in exposed() if not any(s in everything for s in each.series)}
    assert unseen == {"lesiongan_jobs_submitted_total", "lesiongan_webhook_deliveries_pending"}


def test_values_of_trainings_are_those_that_trainings_report() -> None:
    reported = {field.name for field in dataclasses.fields(Metrics)}
    for query in QUERIES.values():
        assert set(re.findall(r'name="(\w+)"', query)) <= reported


def test_names_follow_the_conventions() -> None:
    for each in exposed():
        assert each.name.startswith("lesiongan_")
        assert each.name.endswith("_total") == (each.kind == "counter")
        if each.kind == "histogram":
            assert each.name.endswith("_seconds")
        assert each.documentation.endswith(".")


def test_the_table_in_the_documentation_is_that_of_the_code() -> None:
    assert table() in OPERATIONS, "python -m deploy.checks.metrics prints it"


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_how_bad_it_is_and_where_help_is(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"warning", "critical"}
    place, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert place == "docs/operations.md"
    assert anchor == alert["alert"].lower()
    assert f"\n#### {alert['alert']}\n" in OPERATIONS


def test_each_alert_is_seen_to_fire_and_not_to_fire() -> None:
    tests = yaml.safe_load((MONITORING / "alerts.test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {alert["alert"] for alert in alerts()}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(words: tuple[str, ...]) -> None:
    promtool("promtool", *words)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_promtool_reads_every_query_of_a_dashboard(dashboard: Path, tmp_path: Path) -> None:
    queries = [
        query.replace("$__rate_interval", "1m").replace("$gan", ".*")
        for query in expressions(dashboard)
    ]
    rules = [{"record": f"query{n}", "expr": query} for n, query in enumerate(queries)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("promtool", "check", "rules", str(file))


def promtool(*command: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: apt-get install prometheus")
    run = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_prometheus_asks_every_process_that_compose_starts() -> None:
    base = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    overlay = yaml.safe_load((ROOT / "deploy" / "compose.monitoring.yml").read_text())["services"]
    jobs = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    names = {job["job_name"]: job["dns_sd_configs"][0]["names"] for job in jobs}
    ours = {name for name, each in base.items() if "lesiongan-" in each["image"]} - {"prepare"}
    apis = {name for name in ours if base[name]["image"].startswith("lesiongan-api:")}
    apis -= {"sweeper", "webhooks"}
    assert set(names["lesiongan-api"]) == apis
    assert set(names["lesiongan-worker"]) == ours - apis
    port = jobs[1]["dns_sd_configs"][0]["port"]
    for name in ours - apis:
        assert overlay[name]["environment"]["LESIONGAN_METRICS_PORT"] == str(port)
    for name in ("prometheus", "grafana"):
        assert re.search(r":v?\d+\.\d+\.\d+$", overlay[name]["image"]), "pinned"
    assert "front" not in overlay["prometheus"]["networks"]


def test_nginx_shows_no_metrics_outside() -> None:
    configuration = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    block = re.search(r"location = /metrics \{(.*?)\n    \}", configuration, re.DOTALL)
    assert block is not None
    assert "return 404" in block[1]
    assert "proxy_pass" not in block[1]
