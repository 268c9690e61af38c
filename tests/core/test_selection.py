"""`--select`: which instances are meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.address import Kind
from engine.core.selection import Candidate, parse, selected
from engine.core.versions import Number
from engine.errors import Invalid

ORDERS = Candidate(
    1,
    "service/orders/prod",
    Kind.SERVICE_INSTANCE,
    "web",
    Number(1, 2),
    Number(1, 3),
    "prod",
    9,
    10,
    "orders",
    {"team": "pay"},
)
BILLING = replace(ORDERS, instance_id=2, address="service/billing/dev", number=Number(2, 0), environment="dev", tags={})
PROD = Candidate(9, "environment/prod", Kind.ENVIRONMENT, "vpc", Number(1, 0), Number(1, 0), "prod", 9, 10)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("template=web", [BILLING, ORDERS]),
        ("template=w*,environment=prod", [ORDERS]),
        ("version=1", [PROD, ORDERS]),
        ("version=1.1..1.2", [ORDERS]),
        ("version=..1.1", [PROD]),
        ("version=1.2..", [BILLING, ORDERS]),
        ("version=1.0|2.0", [PROD, BILLING]),
        ("environment=prod|dev,kind=service", [BILLING, ORDERS]),
        ("tag:team=p*", [ORDERS]),
        ("outdated", [ORDERS]),
        ("address=service/*/dev", [BILLING]),
        ("stale", []),
    ],
)
def test_a_selection_finds_what_fulfils_all_of_it(term: str, found: list[Candidate]) -> None:
    assert list(selected([ORDERS, BILLING, PROD], parse([term]))) == found


def test_all_that_is_wrong_with_a_selection_is_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        parse(["templat=web", "outdatd,version=x"])

    assert [(problem.field, problem.message) for problem in caught.value.problems] == [
        ("templat=web", "'templat' is nothing to select by. Did you mean \"template\"?"),
        ("outdatd", "'outdatd' selects nothing. Did you mean \"outdated\"?"),
        ("version=x", "'x' is not a version."),
    ]


def test_what_nobody_is_called_is_a_typing_error_unless_it_is_a_pattern() -> None:
    with pytest.raises(Invalid) as caught:
        selected([ORDERS, BILLING, PROD], parse(["environment=prd|dev,service=shop", "service=sh*", "template=new"]))

    assert [(problem.field, problem.message) for problem in caught.value.problems] == [
        ("environment=prd", "There is no environment 'prd'. Did you mean \"prod\"?"),
        ("service=shop", "There is no service 'shop'."),
    ]
    with pytest.raises(Invalid, match="'instance' is not one of environment, service, pipeline, component"):
        parse(["kind=instance"])
