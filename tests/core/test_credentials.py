"""Credential profiles: what landform.toml may say of them, and how sessions are named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.credentials import Errand, Keys, Profile, Role, Source, hint_of, parse, session_name, session_tags
from engine.errors import Invalid

FILE = "landform.toml"
DEPLOY = "arn:aws:iam::111111111111:role/deploy"
INNER = "arn:aws:iam::222222222222:role/path/inner"


def profile(**table: object) -> Profile:
    return parse({"prod": table}, "prod", FILE)


def problems(**table: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        profile(**table)
    assert caught.value.message == "The credentials prod cannot be used:"
    return [str(problem).removeprefix(f"{FILE}: credentials.prod.") for problem in caught.value.problems]


def test_a_role_may_be_named_in_short() -> None:
    found = profile(source="ambient", role_arn=DEPLOY, external_id="x-1", duration_s=900, region="eu-west-1")

    assert found == Profile(
        "prod", Source.AMBIENT, roles=(Role(DEPLOY, "x-1", duration_s=900),), region="eu-west-1", account_id=""
    )


def test_roles_follow_each_other() -> None:
    roles = [{"arn": DEPLOY, "session_name": "ci", "tags": {"team": "a"}, "transitive_tags": ["team"]}, {"arn": INNER}]

    found = profile(source="profile", profile="sso", roles=roles, account_id="222222222222")

    assert found.roles == (
        Role(DEPLOY, session_name="ci", tags={"team": "a"}, transitive_tags=("team",)),
        Role(INNER),
    )
    assert found.last_role == Role(INNER)
    named = {"profile": "prod", "source": "profile", "of": "sso", "region": ""}
    assert found.basis() == {**named, "roles": [DEPLOY, INNER]}


def test_a_token_is_for_a_role_of_its_own() -> None:
    found = profile(source="web_identity", role_arn=DEPLOY, token_file="t", roles=[{"arn": INNER}])

    assert found.web_role == Role(DEPLOY)
    assert found.roles == (Role(INNER),)
    assert found.files == {"token_file": "t"}


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        (None, "landform.toml has no credentials of the name prod.", "Write them there as [credentials.prod]."),
        (
            {"prd": {}, "dev": {}},
            "landform.toml has no credentials of the name prod.",
            'These are there: dev, prd. Did you mean "prd"?',
        ),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(table: object, message: str, hint: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(table, "prod", FILE)

    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_what_another_profile_has_wrong_does_not_matter() -> None:
    assert parse({"prod": {"source": "ambient"}, "dev": 5}, "prod", FILE) == Profile("prod", Source.AMBIENT)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, ["source: is required."]),
        ({"source": "statc"}, ["source: 'statc' is not a source. Did you mean \"static\"?"]),
        (
            {"source": "static", "access_key_id": "AKIA", "secret_access_key_file": 5},
            [
                "access_key_id: is a secret, which this file must not have.",
                "access_key_id_file: is required.",
                "secret_access_key_file: 5 is not a path.",
            ],
        ),
        ({"source": "profile"}, ["profile: is required."]),
        ({"source": "web_identity"}, ["token_file: is required.", "role_arn: is required."]),
        ({"source": "ambient", "profil": "x"}, ["profil: is not known here."]),
        (
            {"source": "ambient", "role_arn": DEPLOY, "roles": [{"arn": INNER}]},
            ["role_arn: is given beside roles: make it the first of them."],
        ),
        (
            {"source": "ambient", "external_id": "xyz"},
            ["external_id: belongs to a role: give role_arn, or write it into roles."],
        ),
        (
            {"source": "ambient", "role_arn": "deploy", "duration_s": 60, "session_name": "a b", "account_id": 12},
            [
                "role_arn: 'deploy' is not the ARN of a role.",
                "session_name: 'a b' is not a name of 2 to 32 letters, digits and + = , . @ - _.",
                "account_id: 12 is not twelve digits, in quotes.",
                "duration_s: 60 is not a number of seconds from 900 to 43200.",
            ],
        ),
        (
            {"source": "ambient", "roles": [{"arn": DEPLOY, "duration_s": 7200}, {"arn": INNER, "duration_s": 7200}]},
            ["roles[1].duration_s: A role that another role assumes lasts at most 3600 s, not 7200 s."],
        ),
        (
            {"source": "ambient", "roles": [{"external_id": "ab", "external_id_file": "f", "session_tags": "no"}]},
            [
                "roles[0].arn: is required.",
                "roles[0].session_tags: must be true or false.",
                "roles[0].external_id_file: is given beside external_id: one of them is enough.",
            ],
        ),
        ({"source": "ambient", "roles": ["x"]}, ["roles: must be a list of tables, each with the arn of a role."]),
        (
            {"source": "ambient", "role_arn": DEPLOY, "tags": {"aws:x": 5}, "transitive_tags": "x"},
            [
                "tags.aws:x: Keys that begin with aws: are not for people.",
                "tags.aws:x: The value of a tag is a string.",
                "transitive_tags: must be a list of keys of tags.",
            ],
        ),
        (
            {"source": "ambient", "role_arn": DEPLOY, "tags": {f"t{number}": "x" for number in range(49)}},
            ["tags: has 49 tags; 48 are the most, beside our own 2."],
        ),
        (
            {"source": "ambient", "role_arn": DEPLOY, "tags": {"team": "*"}},
            ["tags.team: has a *, which STS does not take."],
        ),
    ],
)
def test_all_that_is_wrong_is_said_at_once(table: dict[str, object], expected: list[str]) -> None:
    assert problems(**table) == expected


def test_a_session_is_named_after_its_run() -> None:
    assert session_name(Role(DEPLOY), Errand("service/orders/prod", 42)) == "landform-42-service-orders-prod"
    assert session_name(Role(DEPLOY, session_name="ci"), Errand("environment/prod")) == "ci-environment-prod"


@given(st.text(max_size=300), st.integers(min_value=0))
def test_sts_takes_every_name_of_a_session(address: str, run_id: int) -> None:
    name = session_name(Role(DEPLOY), Errand(address, run_id))

    assert 2 <= len(name) <= 64
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-")


def test_a_session_is_tagged_with_its_run_and_with_no_tag_twice() -> None:
    role = Role(DEPLOY, tags={"team": "a"})

    assert session_tags(role, Errand("environment/prod", 7), ()) == {
        "landform:run": "7",
        "landform:address": "environment/prod",
        "team": "a",
    }
    assert session_tags(role, Errand("environment/prod", 7), ("landform:run", "team")) == {
        "landform:address": "environment/prod"
    }
    assert session_tags(Role(DEPLOY, session_tags=False), Errand("environment/prod", 7), ()) == {}


def test_credentials_that_end_in_mid_run_are_told_from_other_failures() -> None:
    said = "main.tf:3: aws_vpc.a: creating EC2 VPC: RequestExpired: Request has expired. status code: 400"
    older = "error reading S3 Bucket: ExpiredToken: The provided token has expired."

    assert hint_of([said], "prod") == (
        "What the credentials prod come from has ended: put something new in its place, and run again."
    )
    assert hint_of(["other", older], "").startswith("The credentials have ended. Those of a profile with a role")
    assert hint_of(["AccessDenied: not yours"], "prod") == ""


def test_keys_do_not_show_themselves() -> None:
    keys = Keys("AKIAXYZ", "hunter2", "token", datetime(2030, 1, 1, tzinfo=UTC))

    assert repr(keys) == "Keys(expires_at=datetime.datetime(2030, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))"
    assert keys.variables() == {
        "AWS_ACCESS_KEY_ID": "AKIAXYZ",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_SESSION_TOKEN": "token",
    }
