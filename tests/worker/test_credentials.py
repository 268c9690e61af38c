"""The credentials of a run: where they come from, who they are for, and that they are renewed and gone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.core.credentials import Errand, Keys, parse
from engine.errors import ExternalFailure, Invalid
from engine.external.aws import Access
from engine.worker.credentials import Means, Session
from tests.sts import Sts, sts

ERRAND = Errand("service/orders/prod", 42)
DEPLOY = "arn:aws:iam::111111111111:role/deploy"
INNER = "arn:aws:iam::222222222222:role/inner"
KEPT_BY = {"access_key_id_file": "id", "secret_access_key_file": "secret"}


@pytest.fixture
def service() -> Iterator[Sts]:
    with sts() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, text in {"id": "AKIASTATIC\n", "secret": "static-secret\n", "token": "a-jwt-token\n"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "tmp").mkdir()
    return tmp_path


class Desk:
    """A session, with the clock of the service."""

    def __init__(self, home: Path, service: Sts, enough_s: float = 900, **table: object) -> None:
        self.hidden: list[str] = []
        self.parent = home / "tmp"
        profile = parse({"prod": table}, "prod", "landform.toml")
        env = {"AWS_ENDPOINT_URL_STS": service.endpoint}
        means = Means(home, self.parent, lambda: service.now, enough_s, env, profile.region)
        self.session = Session(profile, ERRAND, means)

    def hide(self, secrets: tuple[str, ...]) -> None:
        self.hidden += secrets

    def variables(self) -> dict[str, str]:
        return self.session.laid_over({"AWS_PROFILE": "stray", "AWS_SESSION_TOKEN": "stray", "TF_VAR_x": "1"})


def told(variables: dict[str, str]) -> dict[str, object]:
    """What a program of AWS's is told that asks as its configuration says."""
    config = Path(variables["AWS_CONFIG_FILE"]).read_text()
    command = config.partition("credential_process = ")[2].strip()
    found: dict[str, object] = json.loads(subprocess.check_output(["/bin/sh", "-c", command]))
    return found


def test_keys_in_files_are_handed_over_in_place_of_any_other(home: Path, service: Sts) -> None:
    desk = Desk(home, service, source="static", **KEPT_BY)

    assert desk.variables() == {
        "TF_VAR_x": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIASTATIC",
        "AWS_SECRET_ACCESS_KEY": "static-secret",
    }


def test_a_role_is_assumed_for_the_run_and_says_so(home: Path, service: Sts) -> None:
    desk = Desk(home, service, source="static", **KEPT_BY, role_arn=DEPLOY, external_id="shared", region="eu-west-1")

    assert desk.variables() == {
        "TF_VAR_x": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "ASIA0000000000000001",
        "AWS_SECRET_ACCESS_KEY": "secret-1",
        "AWS_SESSION_TOKEN": "token-1",
    }
    assert service.asked == [
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": DEPLOY,
            "RoleSessionName": "landform-42-service-orders-prod",
            "DurationSeconds": "3600",
            "ExternalId": "shared",
            "Tags.member.1.Key": "landform:run",
            "Tags.member.1.Value": "42",
            "Tags.member.2.Key": "landform:address",
            "Tags.member.2.Value": "service/orders/prod",
        }
    ]


def test_roles_are_assumed_one_with_the_credentials_of_the_other(home: Path, service: Sts) -> None:
    roles = [{"arn": DEPLOY, "tags": {"team": "a"}, "transitive_tags": ["team"]}, {"arn": INNER, "tags": {"team": "b"}}]
    desk = Desk(home, service, source="static", **KEPT_BY, roles=roles)

    assert desk.session.keys().access_key_id == "ASIA0000000000000002"
    assert service.asked_by == ["AKIASTATIC", "ASIA0000000000000001"]
    assert service.asked[0]["TransitiveTagKeys.member.1"] == "team"
    assert [value for name, value in service.asked[1].items() if name.endswith("Key")] == [
        "landform:run",
        "landform:address",
    ]


def test_a_token_is_traded_for_credentials_without_any(home: Path, service: Sts) -> None:
    desk = Desk(home, service, source="web_identity", token_file="token", role_arn=DEPLOY)

    assert desk.session.keys().session_token == "token-1"
    assert service.asked[0]["WebIdentityToken"] == "a-jwt-token"
    assert service.asked_by == [""]
    assert "a-jwt-token" in desk.session.secrets


def test_ambient_credentials_are_those_that_any_program_would_find(
    home: Path, service: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")

    assert Desk(home, service, source="ambient").variables() == {
        "TF_VAR_x": "1",
        "AWS_ACCESS_KEY_ID": "AKIAAMBIENT",
        "AWS_SECRET_ACCESS_KEY": "ambient-secret",
    }


def test_a_profile_of_aws_counts_more_than_the_environment(
    home: Path, service: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config").write_text("[profile sso]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")

    assert Desk(home, service, source="profile", profile="sso").session.keys().access_key_id == "AKIAPROFILE"


def test_a_profile_that_is_not_there_is_named(home: Path, service: Sts) -> None:
    with pytest.raises(ExternalFailure) as caught:
        Desk(home, service, source="profile", profile="nosuch").session.keys()

    assert caught.value.message == "The credentials prod cannot be had: there is no profile nosuch in ~/.aws/config."


def test_files_that_cannot_be_read_are_all_named(home: Path, service: Sts) -> None:
    (home / "secret").write_text("\n")
    desk = Desk(home, service, source="static", access_key_id_file="gone", secret_access_key_file="secret")

    with pytest.raises(Invalid) as caught:
        desk.session.keys()

    assert caught.value.message == "The credentials prod cannot be read from their files:"
    assert [str(problem) for problem in caught.value.problems] == [
        f"{home}/gone: access_key_id_file: cannot be read: No such file or directory.",
        f"{home}/secret: secret_access_key_file: is empty.",
    ]


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        (
            ("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole"),
            "Its trust policy must allow sts:AssumeRole and sts:TagSession (or set session_tags = false) to whoever "
            "asks, without an external id; and so must their policies.",
        ),
        (
            ("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
            "Make duration_s (3600) smaller, or the role's maximum session duration larger.",
        ),
        (
            ("ExpiredToken", "The security token included in the request is expired"),
            "The credentials that the role is to be assumed with are no longer valid: put new ones in place.",
        ),
    ],
    ids=["denied", "too long", "expired"],
)
def test_a_refusal_says_what_to_change(home: Path, service: Sts, refusal: tuple[str, str], hint: str) -> None:
    service.refusal = refusal

    with pytest.raises(ExternalFailure) as caught:
        Desk(home, service, source="static", **KEPT_BY, role_arn=DEPLOY).session.keys()

    assert caught.value.message == f"The role {DEPLOY} cannot be assumed: AWS answers {refusal[0]} ({refusal[1]})."
    assert caught.value.hint == hint


def test_credentials_that_hold_long_enough_lie_in_no_file(home: Path, service: Sts) -> None:
    desk = Desk(home, service, enough_s=3600, source="static", **KEPT_BY, role_arn=DEPLOY)

    with desk.session.kept(desk.hide):
        assert desk.variables()["AWS_SESSION_TOKEN"] == "token-1"
        assert list(desk.parent.iterdir()) == []
    assert desk.hidden == ["ASIA0000000000000001", "secret-1", "token-1"]


def test_credentials_of_a_long_run_are_renewed_where_programs_read_them(home: Path, service: Sts) -> None:
    desk = Desk(home, service, enough_s=14_400, source="static", **KEPT_BY, role_arn=DEPLOY)

    with desk.session.kept(desk.hide):
        variables = desk.variables()
        first = told(variables)
        service.now += timedelta(minutes=54)
        desk.session.look(desk.hide)
        still = told(variables)
        service.now += timedelta(minutes=2)
        desk.session.look(desk.hide)
        then = told(variables)
        ours = Access({**variables, "AWS_REGION": "us-east-1"}).keys("x")

    assert "AWS_ACCESS_KEY_ID" not in variables
    assert first == still
    assert (first["SessionToken"], first["Expiration"]) == ("token-1", "2030-01-01T01:00:00Z")
    assert (then["SessionToken"], then["Expiration"]) == ("token-2", "2030-01-01T01:56:00Z")
    assert ours.session_token == "token-2"
    assert {"token-1", "token-2", "secret-2"} <= set(desk.hidden)


def test_what_lies_in_files_is_for_its_owner_only_and_goes_with_the_run(home: Path, service: Sts) -> None:
    desk = Desk(home, service, enough_s=14_400, source="static", **KEPT_BY, role_arn=DEPLOY)

    with desk.session.kept(desk.hide):
        folder = Path(desk.variables()["AWS_CONFIG_FILE"]).parent
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())}

    assert modes == {folder.name: "0o700", "keys.json": "0o600", "config": "0o600"}
    assert list(desk.parent.iterdir()) == []


def test_a_renewal_that_fails_is_tried_again_for_as_long_as_the_old_ones_hold(home: Path, service: Sts) -> None:
    desk = Desk(home, service, enough_s=14_400, source="static", **KEPT_BY, role_arn=DEPLOY)

    with desk.session.kept(desk.hide):
        service.now += timedelta(minutes=56)
        service.refusal = ("ServiceUnavailable", "busy")
        desk.session.look(desk.hide)
        old = desk.session.keys()
        service.now += timedelta(minutes=5)
        with pytest.raises(ExternalFailure):
            desk.session.keys()
        service.refusal = None
        desk.session.look(desk.hide)
        new = desk.session.keys()

    assert isinstance(old, Keys)
    assert old.session_token == "token-1"
    assert new.session_token != "token-1"
