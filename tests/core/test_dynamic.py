"""References in the place of values: how they are written, where they may stand, and what becomes of their values."""

from __future__ import annotations

import pytest

from engine.core.address import Kind
from engine.core.arns import Owner
from engine.core.assignments import assignments
from engine.core.bundle import Part, PartName, Variable
from engine.core.dynamic import MOST, Reference, Source, parse, wrong
from engine.core.handing import MOST_BYTES, inputs, planned, variables
from engine.core.located import Document
from engine.core.located import parse as read
from engine.core.namespace import EnvironmentValues, InstanceValues, ServiceValues, Upstream
from engine.core.outputs import Resolved, Secret, masked, revealed
from engine.core.resolving import resolved, unfit
from engine.core.values import check
from engine.errors import Invalid

OWNER = Owner("000000000000", "local")
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1B2c3"
PASSWORD = "{{resolve:ssm-secure:/db/password}}"
PORT = "{{resolve:ssm:/db/port:3}}"
SCHEMA = """
type: object
properties:
  password: {type: string, minLength: 8, pattern: "^[a-z]+$"}
  port: {type: integer, maximum: 65535}
  size: {type: string, enum: [small, large]}
  tls: {type: boolean}
  hosts: {type: array, items: {type: string}, uniqueItems: true}
  db: {type: object, properties: {user: {type: string}, password: {type: string}}}
  anything: {}
"""
TYPE = read(SCHEMA, "schema.yaml").value
assert isinstance(TYPE, dict)


def refused(spec: str) -> list[str]:
    document = read(spec, "spec.yaml")
    assert isinstance(document.value, dict)
    return [str(problem) for problem in check(TYPE, document.value, (), document)]


def part(*own: Variable) -> Part:
    return Part(PartName.INFRASTRUCTURE, "hcl", ("main.tf",), (), variables=own)


@pytest.mark.parametrize(
    ("rest", "source", "name", "more"),
    [
        ("ssm:/db/port", Source.SSM, "/db/port", {}),
        ("ssm:port:3", Source.SSM, "port", {"version": "3"}),
        ("ssm-secure:/db/password", Source.SSM_SECURE, "/db/password", {}),
        ("secretsmanager:prod/db", Source.SECRETS_MANAGER, "prod/db", {}),
        ("secretsmanager:prod/db:SecretString", Source.SECRETS_MANAGER, "prod/db", {}),
        ("secretsmanager:db:SecretString:user name", Source.SECRETS_MANAGER, "db", {"key": "user name"}),
        ("secretsmanager:db::user:AWSPREVIOUS", Source.SECRETS_MANAGER, "db", {"key": "user", "stage": "AWSPREVIOUS"}),
        ("secretsmanager:db:SecretString:::1-2", Source.SECRETS_MANAGER, "db", {"version": "1-2"}),
        (f"secretsmanager:{ARN}:SecretString:user", Source.SECRETS_MANAGER, ARN, {"key": "user"}),
        ("env:DB_PASSWORD", Source.ENV, "DB_PASSWORD", {}),
        ("file:/run/secrets/db", Source.FILE, "/run/secrets/db", {}),
    ],
)
def test_a_reference_says_where_a_value_lies(rest: str, source: Source, name: str, more: dict[str, str]) -> None:
    text = f"{{{{resolve:{rest}}}}}"

    assert wrong(text) == ""
    assert parse(text) == Reference(text, source, name, **more)


_SSM = "is not a reference: behind resolve:ssm: comes NAME or NAME:VERSION, with a number as the version."
_FILE = "is not a reference: behind resolve:file: comes /PATH, an absolute path without . and .. in it."
_WHOLE = "holds a reference that is not the whole value, as {{resolve:ssm:/path}} would be."
_KNOWN = "there are ssm, ssm-secure, secretsmanager, env, file."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{resolve:ssm:}}", _SSM),
        ("{{resolve:ssm:/a:latest}}", _SSM),
        ("{{resolve:ssm:/a b}}", _SSM),
        ("{{resolve:file:secret}}", _FILE),
        ("{{resolve:file:/run/../etc/shadow}}", _FILE),
        ("{{resolve:file:/run/secrets/}}", _FILE),
        ("{{resolve:env:A-B}}", "is not a reference: behind resolve:env: comes NAME, the name of a variable."),
        (
            "{{resolve:secretsmanager:db:SecretBinary}}",
            "is not a reference: behind resolve:secretsmanager: comes ID:SecretString:KEY:STAGE, "
            "where all behind ID may be left out.",
        ),
        ("{{resolve:ssmsecure:/a}}", f'"ssmsecure" is nothing to resolve; {_KNOWN} Did you mean "ssm-secure"?'),
        ("postgres://u:{{resolve:ssm:/a}}@host", _WHOLE),
        ("{{resolve:ssm:/a}}\n", _WHOLE),
        ("{{ resolve:ssm:/a }}", _WHOLE),
        ("{{resolve:ssm:/a}}{{resolve:ssm:/b}}", _WHOLE),
    ],
)
def test_what_is_wrong_with_a_reference_is_said(text: str, sentence: str) -> None:
    assert wrong(text) == sentence


def test_a_reference_may_stand_wherever_a_single_value_is_asked_for() -> None:
    spec = "\n".join(f'{name}: "{PORT}"' for name in ("password", "port", "size", "tls", "anything"))

    assert refused(f'{spec}\nhosts: ["{PORT}"]\ndb: {{password: "{PORT}"}}') == []


def test_all_references_that_cannot_be_used_are_said_at_once_with_their_lines() -> None:
    spec = f"password: 'x{PASSWORD}'\nport: '{{{{resolve:vault:a}}}}'\nhosts: '{PORT}'\ndb: '{PORT}'\n"

    assert refused(spec) == [
        f"spec.yaml:1: password: {_WHOLE}",
        f'spec.yaml:2: port: "vault" is nothing to resolve; {_KNOWN}',
        "spec.yaml:3: hosts: is a reference, which stands for a single value; a list is expected.",
        "spec.yaml:4: db: is a reference, which stands for a single value; a mapping is expected.",
    ]


def test_there_may_be_so_many_references_and_no_more() -> None:
    document = Document("spec.yaml", {}, {})
    many = {"hosts": [f"{{{{resolve:ssm:/{number}}}}}" for number in range(MOST + 1)]}

    [problem] = check(TYPE, many, ("spec",), document)

    assert problem.message == "holds 101 different references; 100 are the most."


def test_a_reference_without_quotes_is_no_riddle() -> None:
    with pytest.raises(Invalid) as caught:
        read("password: {{resolve:ssm:/a}}", "spec.yaml")

    assert caught.value.problems[0].hint == 'Put the whole reference in quotes: "{{resolve:...}}"'


def test_a_reference_on_the_command_line_needs_no_quotes_of_yaml() -> None:
    assert assignments([f"port={PORT}", f"db.password={PASSWORD}", f'hosts=["{PORT}"]'], TYPE) == {
        "port": PORT,
        "db": {"password": PASSWORD},
        "hosts": [PORT],
    }


def test_a_value_is_of_the_type_that_its_input_has() -> None:
    texts = {PORT: "5432", PASSWORD: "true"}
    given = {"port": PORT, "tls": PASSWORD, "password": PASSWORD, "hosts": [PORT], "size": "small"}

    tree = resolved(TYPE, given, texts)

    assert revealed(tree) == {"port": 5432, "tls": True, "password": "true", "hosts": ["5432"], "size": "small"}
    assert masked(tree) == given


def test_a_value_that_does_not_fit_is_refused_without_being_shown() -> None:
    given = {
        "password": PASSWORD,
        "port": PORT,
        "size": PASSWORD,
        "hosts": [PORT, PASSWORD],
        "tls": "{{resolve:env:A}}",
    }

    found = unfit(TYPE, given, {PASSWORD: "hunter2", PORT: "hunter2", "{{resolve:env:A}}": "hunter2"})

    assert [str(problem) for problem in found] == [
        f"password: {PASSWORD}: has 7 characters; 8 at least.",
        f"password: {PASSWORD}: the value does not match the pattern ^[a-z]+$",
        f"port: {PORT}: the value is not a whole number.",
        f"size: {PASSWORD}: the value is not one of small, large.",
        f"hosts: {PORT}, {PASSWORD}: holds an item twice.",
        "tls: {{resolve:env:A}}: the value is not true or false.",
    ]


def test_a_resolved_value_prints_as_its_reference() -> None:
    value = Resolved("hunter2", PASSWORD, "hunter2")

    assert f"{value} {value!r} {[value]}" == f"{PASSWORD} {PASSWORD} [{PASSWORD}]"


# how values reach Terraform


def test_a_member_of_the_namespace_with_a_secret_in_it_is_handed_over_as_an_expression() -> None:
    values = InstanceValues(
        "prod", "web", ServiceValues("orders"), Upstream("dev", "1", {"token": Secret('h"un$\b${2}%{x}é')}), {"a": 1}
    )

    assert variables(part(), values, OWNER, {"a": 1}) == {
        "TF_VAR_environment": '{"account_id": "1", "name": "dev", '
        r'"outputs": {"token": "h\"un$\u0008\u0024{2}\u0025{x}é"}}'
    }


def test_inputs_without_a_variable_of_their_own_are_handed_over_with_all_of_the_namespace() -> None:
    given = inputs(part(), TYPE, {"password": PASSWORD, "port": 1}, {PASSWORD: "hunter2"})
    values = EnvironmentValues("prod", "lab", given)

    assert variables(part(), values, OWNER, given) == {
        "TF_VAR_environment": '{"name": "prod", "inputs": {"password": "hunter2", "port": 1}}'
    }


def test_a_sensitive_variable_of_the_bundle_gets_the_input_of_its_name_and_the_namespace_keeps_the_reference() -> None:
    own = (
        Variable("password", "main.tf", 1, sensitive=True),
        Variable("db", "main.tf", 2, sensitive=True, is_text=False),
        Variable("port", "main.tf", 3, sensitive=True, is_text=False),
        Variable("size", "main.tf", 4),
    )
    given = {"password": PASSWORD, "port": PORT, "db": {"user": "u", "password": PASSWORD}, "size": "small"}
    known = {PASSWORD: "hun${ter2", PORT: "80"}
    tree = resolved(TYPE, given, known)
    assert isinstance(tree, dict)

    shown = inputs(part(*own), TYPE, given, known)

    assert shown == given
    assert variables(part(*own), EnvironmentValues("prod", "lab", shown), OWNER, tree) == {
        "TF_VAR_db": r'{"user": "u", "password": "hun\u0024{ter2"}',
        "TF_VAR_password": "hun${ter2",
        "TF_VAR_port": "80",
    }


def test_what_does_not_fit_into_a_variable_of_the_environment_is_refused() -> None:
    values = EnvironmentValues("prod", "lab", {"a": Resolved("x" * MOST_BYTES, PASSWORD, "x" * MOST_BYTES)})

    with pytest.raises(Invalid) as caught:
        variables(part(), values, OWNER, {})

    assert caught.value.message == (
        "The variable TF_VAR_environment would have 131,127 bytes; 131,071 are the most for what holds a secret."
    )


def test_a_plan_says_what_references_stood_for_when_it_was_made() -> None:
    own = part(Variable("password", "main.tf", 1, sensitive=True), Variable("db", "main.tf", 2, sensitive=True))
    given = {"password": PASSWORD, "db": {"password": PASSWORD}, "port": PORT, "hosts": ["a", PORT], "tls": PORT}
    plan = {
        "variables": {
            "password": {"value": "one"},
            "db": {"value": '{"password":"two"}'},
            "environment": {"value": {"inputs": {"port": 80, "hosts": ["a", "three"]}}},
        }
    }

    assert planned(plan, own, Kind.ENVIRONMENT, given) == ("one", '{"password":"two"}', "80", "three")
