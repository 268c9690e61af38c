"""What is measured: in the text format of Prometheus, printed or served."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine import settings
from engine.catalog import places
from engine.catalog.measures import Measures
from engine.cli import metrics
from tests.scenarios import workers
from tests.scenarios.world import World


def samples(text: str) -> dict[str, float]:
    """What Prometheus would take from the text: `name{label=value}` -> number."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_an_empty_home_has_every_number_and_all_are_zero(world: World) -> None:
    found = samples(world.do("metrics").out)

    assert found.pop("landform_build_info{version=0.1.0}") == 1
    assert len(found) > 30
    assert set(found.values()) == {0}


@pytest.mark.terraform
def test_what_has_happened_is_counted(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("env", "update", "prod", "--set", "zone=b", "--no-wait")

    found = samples(deployed.do("metrics").out)

    assert found["landform_runs{operation=deploy,status=succeeded}"] == 2
    assert found["landform_runs{operation=deploy,status=planned}"] == 1
    assert found["landform_runs{operation=deploy,status=queued}"] == 1
    assert found["landform_queue_age_seconds{waiting_on=approval}"] > 0
    assert found["landform_queue_age_seconds{waiting_on=worker}"] > 0
    assert found["landform_queue_age_seconds{waiting_on=decision}"] == 0
    assert (found["landform_run_plan_seconds_count"], found["landform_run_apply_seconds_count"]) == (3, 2)
    assert found["landform_run_apply_seconds_sum"] > 0
    assert found["landform_instances{kind=environment,status=queued}"] == 1
    assert found["landform_instances{kind=service,status=planned}"] == 1
    assert found["landform_leases_lost_total"] == 0


@pytest.mark.terraform
def test_a_run_that_is_worked_on_is_counted_by_its_phase(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, workers.living())

    found = samples(deployed.do("metrics").out)

    assert (found["landform_runs_executing{phase=plan}"], found["landform_runs_executing{phase=apply}"]) == (1, 0)


@pytest.fixture
def server(world: World) -> Iterator[metrics.Server]:
    """What `--listen 0` would start, for an empty home."""
    chosen = settings.load(home=str(world.home))
    with metrics.serving(Measures(places.named(chosen), 0), "127.0.0.1", 0) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def asked(server: metrics.Server, method: str, path: str) -> tuple[int, str, str]:
    """Status, content type and text of an answer."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()
    finally:
        connection.close()


def test_metrics_are_served(server: metrics.Server) -> None:
    status, kind, text = asked(server, "GET", "/metrics")

    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert samples(text)["landform_leases_lost_total"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/healthz", 200, "ok\n"),
        ("HEAD", "/metrics", 200, ""),
        ("GET", "/", 404, "There is /metrics and /healthz.\n"),
        ("POST", "/metrics", 405, "Only GET is answered.\n"),
    ],
)
def test_the_server_answers_what_it_was_asked(
    server: metrics.Server, method: str, path: str, status: int, text: str
) -> None:
    assert asked(server, method, path)[::2] == (status, text)


def test_a_catalog_that_cannot_be_read_is_no_good_health(server: metrics.Server, world: World) -> None:
    (world.home / "catalog.db").write_text("this is no database, only a long text that says so" * 100)

    status, _, text = asked(server, "GET", "/healthz")

    assert (status, "is not a database" in text) == (503, True)


def test_an_address_that_is_taken_is_told(server: metrics.Server, world: World) -> None:
    result = world.run("metrics", "--listen", server.server_port)

    assert (result.code, result.err.splitlines()) == (
        1,
        [
            f"Error: Nothing can be served at 127.0.0.1:{server.server_port}: Address already in use.",
            "Hint: Choose another address with --listen HOST:PORT.",
        ],
    )


@pytest.mark.parametrize("address", ["", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", ":-1", "127.0.0.1:١"])
def test_an_address_that_is_none_is_refused(world: World, address: str) -> None:
    result = world.run("metrics", "--listen", address)

    assert (result.code, result.err.splitlines()[1]) == (64, "Hint: It looks like 127.0.0.1:9105, or 9105.")
