"""Parameters and secrets, as moto's server plays Systems Manager and Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.core.dynamic import parse
from engine.errors import ExternalFailure, LandformError, Refused
from engine.external.aws import Access
from engine.external.aws_secrets import member, parameter, secret

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
DATABASE = '{"user":"admin","password":"hunter2","port":5432,"old":null,"more":{"a":[1]}}'


@pytest.fixture(scope="module")
def access() -> Iterator[Access]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    _fill(endpoint)
    yield Access({**KEYS, "AWS_REGION": "us-east-1"}, endpoint=endpoint)
    server.stop()


def _fill(endpoint: str) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    parameters = boto3.client("ssm", endpoint_url=endpoint, region_name="us-east-1", **keys)
    parameters.put_parameter(Name="/port", Value="80", Type="String")
    parameters.put_parameter(Name="/port", Value="81", Type="String", Overwrite=True)
    parameters.put_parameter(Name="/password", Value="hunter2", Type="SecureString")
    parameters.close()
    secrets = boto3.client("secretsmanager", endpoint_url=endpoint, region_name="us-east-1", **keys)
    for name in ("text", "gone"):
        secrets.create_secret(Name=name, SecretString="first")
    secrets.put_secret_value(SecretId="text", SecretString="second")
    secrets.delete_secret(SecretId="gone")
    secrets.create_secret(Name="db", SecretString=DATABASE)
    secrets.create_secret(Name="binary", SecretBinary=b"\0\1")
    secrets.create_secret(Name="empty")
    secrets.close()


def value(access: Access, rest: str) -> str:
    wanted = parse(f"{{{{resolve:{rest}}}}}")
    return parameter(access, wanted) if rest.startswith("ssm") else member(wanted, secret(access, wanted))


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("ssm:/port", "81"),
        ("ssm:/port:1", "80"),
        ("ssm-secure:/password", "hunter2"),
        ("ssm-secure:/port", "81"),
        ("secretsmanager:text", "second"),
        ("secretsmanager:text:SecretString::AWSPREVIOUS", "first"),
        ("secretsmanager:db", DATABASE),
        ("secretsmanager:db:SecretString:password", "hunter2"),
        ("secretsmanager:db:SecretString:port", "5432"),
        ("secretsmanager:db:SecretString:more", '{"a":[1]}'),
    ],
)
def test_a_value_is_read(access: Access, rest: str, found: str) -> None:
    assert value(access, rest) == found


_LOOK = "Look at its name, and at the account and region of the run."
_SEE = "See what there is:"
_VERSIONS = f"{_SEE} aws secretsmanager list-secret-version-ids --secret-id text"


@pytest.mark.parametrize(
    ("rest", "message", "hint"),
    [
        ("ssm:/none", "There is no parameter /none.", _LOOK),
        ("ssm:/port:9", "Parameter /port has no version 9.", f"{_SEE} aws ssm get-parameter-history --name /port"),
        ("ssm:/password", "Parameter /password is a SecureString.", "Write {{resolve:ssm-secure:/password}}"),
        ("secretsmanager:none", "There is no secret none.", _LOOK),
        ("secretsmanager:text:SecretString::OTHER", "There is no secret text with version OTHER.", _VERSIONS),
        ("secretsmanager:text:SecretString:::" + "0" * 36, f"Secret text has no version {'0' * 36}.", _VERSIONS),
        ("secretsmanager:empty", "Secret empty has no value yet.", ""),
        ("secretsmanager:gone", "Secret gone is about to be deleted.", "Restore it, or name another one."),
        ("secretsmanager:binary", "Secret binary is binary.", "Store it as text: only a SecretString can be an input."),
        ("secretsmanager:db:SecretString:pasword", 'Secret db has no key "pasword".', 'Did you mean "password"?'),
        ("secretsmanager:db:SecretString:old", 'The key "old" of secret db is null.', ""),
        (
            "secretsmanager:text:SecretString:a",
            'Secret text is no JSON object, so it has no key "a".',
            "Leave the key out.",
        ),
    ],
)
def test_what_cannot_be_read_is_said(access: Access, rest: str, message: str, hint: str) -> None:
    with pytest.raises(LandformError) as caught:
        value(access, rest)

    assert (caught.value.message, caught.value.hint) == (message, hint)


class _Denying(BaseHTTPRequestHandler):
    """Says no to everything, and remembers for which regions requests were signed."""

    regions: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.regions.append(self.headers["Authorization"].split("/")[2])
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"__type":"AccessDeniedException","message":"User nobody may not."}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def denying() -> Iterator[Access]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Denying) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Access(KEYS, "eu-west-1", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_what_is_denied_is_said_with_what_is_needed(denying: Access) -> None:
    with pytest.raises(Refused) as caught:
        value(denying, "ssm-secure:/password")

    assert caught.value.message == "Parameter /password cannot be read: AWS denies it (AccessDeniedException)."
    assert caught.value.hint == "The credentials of the run need ssm:GetParameter for it, and kms:Decrypt for its key."


def test_an_arn_says_the_region(denying: Access) -> None:
    with pytest.raises(Refused):
        value(denying, "ssm:arn:aws:ssm:us-east-2:123456789012:parameter/port")

    assert _Denying.regions[-1] == "us-east-2"


def test_a_service_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nowhere = Access(KEYS, "us-east-1", "http://127.0.0.1:1")

    with pytest.raises(ExternalFailure, match=r"^Parameter /a cannot be read: Could not connect"):
        value(nowhere, "ssm:/a")
