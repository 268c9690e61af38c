"""Runs and moves of states that begin and cannot go on: what is wrong lies outside, and comes to light there."""

from __future__ import annotations

from tests.scenarios.bad_input import Case
from tests.scenarios.connected import ROLE

_OVERRIDES = """\
[provider_overrides]
AWS = {}
aws = {region = "eu-west-1", endpoints = "http://127.0.0.1:5000", secret_key = "x"}
"""
_REFERENCES = """\
[references]
env = "DB_*"
files = ["secrets/", "/run/secrets/"]
variables = ["A"]
"""
_RUN_ENV = """\
[run_env]
AWS_ENDPOINT_URL = "MOTO"
AWS_REGION = "us-east-1"
AWS_ACCESS_KEY_ID = "t"
AWS_SECRET_ACCESS_KEY = "t"
"""
_AT_STS = """\
[run_env]
AWS_ENDPOINT_URL = "STS"
[credentials.prod]
source = "static"
access_key_id_file = "id"
secret_access_key_file = "secret"
"""
_WEB = """\
[run_env]
AWS_ENDPOINT_URL = "STS"
[credentials.prod]
source = "web_identity"
token_file = "token"
"""
_PROFILE = """\
[run_env]
AWS_CONFIG_FILE = "FOLDER/aws"
[credentials.prod]
source = "profile"
profile = "prod"
"""
_KEYS = {"id": "AKIA0000", "secret": "hunter2-and-more"}
_CREATE = "env create lake -t lab --auto-approve"
_PROD = f"{_CREATE} --credentials prod"
_SECRET = "env create lake -t secret --auto-approve"
_OURS = "--provisioning-repository"
_HOST = "--provisioning-host github --provisioning-api"
_TOKEN = {"LANDFORM_GITHUB_TOKEN_FILE": "token"}
_AT_MOTO = "region=us-east-1&endpoint=MOTO"
_AT_S3 = "region=us-east-1&endpoint=S3"
_MIGRATE = "state migrate environment/prod --yes --to"


def _toml(text: str) -> dict[str, str]:
    return {"landform.toml": text}


def _role(name: str, more: str = "") -> dict[str, str]:
    return _KEYS | _toml(f'{_AT_STS}role_arn = "{ROLE}{name}"\n{more}')


CASES = (
    Case("a role that may not be assumed", _role("closed"), _PROD),
    Case("a role that wants another external id", _role("closed", 'external_id = "4711"\n'), _PROD),
    Case("a role that does not last that long", _role("brief", "duration_s = 43200\n"), _PROD),
    Case("a role for credentials that have expired", _role("late"), _PROD),
    Case("a role for keys that AWS does not know", _role("nobody"), _PROD),
    Case(
        "a role behind another that may not be assumed",
        _KEYS | _toml(f'{_AT_STS}roles = [{{arn = "{ROLE}hub"}}, {{arn = "{ROLE}closed"}}]\n'),
        _PROD,
    ),
    Case("a token that has expired", {"token": "eyJ0"} | _toml(f'{_WEB}role_arn = "{ROLE}stranger"\n'), _PROD),
    Case("a token that is too short to be one", {"token": "t"} | _toml(f'{_WEB}role_arn = "{ROLE}hub"\n'), _PROD),
    Case("a token that is not there", _toml(f'{_WEB}role_arn = "{ROLE}hub"\n'), _PROD),
    Case("keys whose files are not there", {"id": ""} | _toml(_AT_STS), _PROD),
    Case("a profile that is not there", _toml(_PROFILE), _PROD),
    Case(
        "credentials that expire while Terraform works",
        _KEYS | _toml(_AT_STS),
        "env create lake -t ended --auto-approve --credentials prod",
    ),
    Case("a missing parameter", _toml(_RUN_ENV), f"{_SECRET} --set password={{{{resolve:ssm:/BUCKET/none}}}}"),
    Case(
        "references with everything wrong",
        {**_toml(_RUN_ENV + '[references]\nenv = ["LAB_*"]\n')},
        f"{_SECRET} --set password={{{{resolve:ssm:/BUCKET/open:9}}}} --set login={{{{resolve:env:HOME}}}} "
        "--set port={{resolve:env:LAB_PORT}}",
    ),
    Case(
        "a secret without the key",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/db:SecretString:pasword}}}}",
    ),
    Case(
        "a secret that has no keys",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/text:SecretString:password}}}}",
    ),
    Case(
        "a secret whose key is null",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/db:SecretString:empty}}}}",
    ),
    Case(
        "a secret that is binary",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/binary}}}}",
    ),
    Case(
        "a secret without the stage",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/db:SecretString:password:AWSPREVIOUS}}}}",
    ),
    Case(
        "a secret that is not there",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:secretsmanager:BUCKET/none}}}}",
    ),
    Case("a parameter that is sealed", _toml(_RUN_ENV), f"{_SECRET} --set password={{{{resolve:ssm:/BUCKET/sealed}}}}"),
    Case(
        "values that do not fit",
        _toml(_RUN_ENV),
        f"{_SECRET} --set password={{{{resolve:ssm:/BUCKET/open}}}} "
        "--set port={{resolve:ssm-secure:/BUCKET/sealed}}",
    ),
    Case("a file that nobody allowed", {}, f"{_SECRET} --set password={{{{resolve:file:/etc/hostname}}}}"),
    Case("overrides of providers with everything wrong", _toml(_OVERRIDES), _CREATE),
    Case(
        "allowances of references with everything wrong",
        _toml(_REFERENCES),
        f"{_SECRET} --set password={{{{resolve:env:DB_X}}}}",
    ),
    Case("a repository that is not there", {}, f"{_CREATE} {_OURS} REPOSITORY-gone"),
    Case(
        "a repository that does not answer",
        {},
        f"{_CREATE} {_OURS} https://NOWHERE/infra.git",
        {"LANDFORM_RETRIES": "0"},
    ),
    Case("a branch that is not there", {}, f"{_CREATE} {_OURS} REPOSITORY --provisioning-branch mian"),
    Case("a folder that is somebody else's", {}, f"env create taken -t lab {_OURS} REPOSITORY"),
    Case("a folder whose metadata is broken", {}, f"env create broken -t lab {_OURS} REPOSITORY"),
    Case(
        "a secret that would be committed",
        {},
        f"env create lake -t secret {_OURS} REPOSITORY --set password={{{{resolve:ssm:/a}}}}",
    ),
    Case("no token for pull requests", {}, f"{_CREATE} {_OURS} REPOSITORY {_HOST} HOST"),
    Case("a token that is not valid", {"token": "x"}, f"{_CREATE} {_OURS} REPOSITORY {_HOST} HOST", _TOKEN),
    Case(
        "a host that does not know the repository",
        {"token": "TOKEN"},
        f"{_CREATE} {_OURS} REPOSITORY {_HOST} HOST/v3",
        _TOKEN,
    ),
    Case(
        "a host that does not answer",
        {"token": "x"},
        f"{_CREATE} {_OURS} REPOSITORY {_HOST} http://NOWHERE",
        {**_TOKEN, "LANDFORM_RETRIES": "0"},
    ),
    Case("a token for a host that cannot be read", {}, f"{_CREATE} {_OURS} REPOSITORY {_HOST} HOST", _TOKEN),
    Case("a state to a bucket that is not there", {}, f"{_MIGRATE} 's3://no-such-bucket/a?{_AT_MOTO}'"),
    Case("a state to a bucket in another region", {}, f"{_MIGRATE} 's3://moved/a?{_AT_S3}'"),
    Case("a state to a bucket with credentials that have expired", {}, f"{_MIGRATE} 's3://expired/a?{_AT_S3}'"),
    Case(
        "a state of another line",
        {},
        f"state adopt environment/prod --from 's3://BUCKET/other.tfstate?{_AT_MOTO}' --yes",
    ),
    Case("a look at templates with everything wrong", {}, "template sync run"),
    Case("a look at a service with an ops file with everything wrong", {}, "service sync run shop"),
    Case("a look at a service whose instance is not in the spec", {}, "service sync run orders"),
)
