"""The names and values that Terraform is handed."""

from __future__ import annotations

import pytest

from engine.core import address
from engine.core.address import Address
from engine.core.arns import Owner, arn, service_arn, template_arn
from engine.core.namespace import InstanceValues, ServiceValues, Upstream
from engine.core.outputs import Secret, masked, output_text, outputs, revealed
from engine.core.versions import TemplateKind

OWNER = Owner("000000000000", "local")


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (address.environment("prod"), "arn:aws:proton:local:000000000000:environment/prod"),
        (
            address.service_instance("orders", "prod"),
            "arn:aws:proton:local:000000000000:service/orders/service-instance/prod",
        ),
        (address.pipeline("orders"), "arn:aws:proton:local:000000000000:service/orders/pipeline"),
        (address.component("cache"), "arn:aws:proton:local:000000000000:component/cache"),
    ],
)
def test_every_kind_has_an_arn(what: Address, name: str) -> None:
    assert arn(OWNER, what) == name


def test_services_and_templates_have_an_arn_too() -> None:
    assert service_arn(OWNER, "orders") == "arn:aws:proton:local:000000000000:service/orders"
    assert template_arn(OWNER, TemplateKind.SERVICE, "web") == "arn:aws:proton:local:000000000000:service-template/web"
    assert (
        template_arn(OWNER, TemplateKind.ENVIRONMENT, "vpc")
        == "arn:aws:proton:local:000000000000:environment-template/vpc"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (8080, "8080"),
        (2.5, "2.5"),
        (["a", 1, None], '["a",1,null]'),
        ({"k": ["ü"]}, '{"k":["ü"]}'),
    ],
)
def test_an_output_is_text_for_those_downstream(value: object, text: str) -> None:
    assert output_text(value) == text


def test_an_output_that_is_null_is_left_out() -> None:
    assert outputs({"a": None, "b": 1, "c": Secret("x")}) == {"b": "1", "c": Secret("x")}


def test_a_secret_does_not_print() -> None:
    secret = Secret("hunter2")

    assert f"{secret} {secret!r} {[secret]}" == "(sensitive) (sensitive) [(sensitive)]"


def test_a_secret_is_shown_to_terraform_and_hidden_from_people_wherever_it_is() -> None:
    tree = {"a": [Secret("x"), 1], "b": {"c": Secret("y")}}

    assert revealed(tree) == {"a": ["x", 1], "b": {"c": "y"}}
    assert masked(tree) == {"a": ["(sensitive)", 1], "b": {"c": "(sensitive)"}}


def test_values_do_not_print_the_secrets_in_them() -> None:
    values = InstanceValues("prod", "web", ServiceValues("orders"), Upstream("dev", "1", {"token": Secret("hunter2")}))

    assert "hunter2" not in repr(values)
    assert "hunter2" not in repr(values.variables(OWNER))
