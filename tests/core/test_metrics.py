"""The text that Prometheus reads, checked by its own reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from engine.core.metrics import InstanceCount, Measured, Metric, Sample, Took, metrics, text

NOTHING = Measured("0.1.0", {}, {}, Took(0, 0), Took(0, 0), {}, ())


def lines(found: Measured, name: str) -> list[str]:
    """The lines of one metric's samples."""
    return [line for line in text(metrics(found)).splitlines() if line.startswith(name)]


def test_a_metric_is_told_with_what_it_is() -> None:
    found = text(
        [Metric("x_seconds", "summary", "How long.", (Sample(1.5, suffix="_sum"), Sample(2, suffix="_count")))]
    )

    assert found == "# HELP x_seconds How long.\n# TYPE x_seconds summary\nx_seconds_sum 1.5\nx_seconds_count 2\n"


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",))), st.floats(-1e15, 1e15))
def test_a_label_may_be_any_text(value: str, number: float) -> None:
    told = text([Metric("x", "gauge", "Some.", (Sample(number, {"name": value}),))])

    [family] = text_string_to_metric_families(told)
    assert family.samples[0].labels == {"name": value}
    assert family.samples[0].value == pytest.approx(number)


def test_the_oldest_of_all_who_wait_for_the_same_is_told() -> None:
    found = lines(Measured("0", {}, {"queued": 5, "approved": 70.25}, Took(0, 0), Took(0, 0), {}, ()), "landform_queue")

    assert found == [
        'landform_queue_age_seconds{waiting_on="worker"} 70.25',
        'landform_queue_age_seconds{waiting_on="pull request"} 0',
        'landform_queue_age_seconds{waiting_on="approval"} 0',
        'landform_queue_age_seconds{waiting_on="decision"} 0',
    ]


def test_instances_are_told_by_kind_and_status() -> None:
    counts = (
        InstanceCount("environment", "succeeded", 2, 0, 0),
        InstanceCount("service", "failed", 3, 1, 2),
        InstanceCount("service", "", 1, 1, 0),
    )

    found = lines(Measured("0", {}, {}, Took(0, 0), Took(0, 0), {}, counts), "landform_instances")

    assert found[:3] == [
        'landform_instances{kind="environment",status="succeeded"} 2',
        'landform_instances{kind="service",status="failed"} 3',
        'landform_instances{kind="service",status="none"} 1',
    ]
    assert 'landform_instances_stale{kind="service"} 2' in found
    assert 'landform_instances_diverged{kind="service"} 2' in found


def test_a_large_number_is_told_to_the_last_digit() -> None:
    found = lines(
        Measured("0", {("deploy", "succeeded"): 123456789}, {}, Took(0, 0), Took(0, 0), {}, ()), "landform_runs"
    )

    assert 'landform_runs{operation="deploy",status="succeeded"} 123456789' in found


def test_no_metric_is_told_twice() -> None:
    names = [metric.name for metric in metrics(NOTHING)]

    assert len(names) == len(set(names))
