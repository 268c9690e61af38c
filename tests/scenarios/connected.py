"""The home of the cases about Git and AWS, and the services that they meet: all of them on this machine."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import boto3

from tests import bucket, hosts, sts
from tests.bucket import REGION
from tests.repositories import Upstream
from tests.scenarios.bad_input import Case, Content
from tests.scenarios.world import ENVIRONMENT_CODE, MANIFEST, SERVICE_CODE, SERVICE_SCHEMA, World

Names = Mapping[str, str]
"""A word in capitals, as cases and transcripts have it -> what it stands for in these tests."""
ROLE = "arn:aws:iam::123456789012:role/"
CLOSED = {
    "closed": ("AccessDenied", f"User: u is not authorized to perform: sts:AssumeRole on resource: {ROLE}closed"),
    "brief": ("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
    "late": ("ExpiredToken", "The security token included in the request is expired"),
    "stranger": ("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"),
    "nobody": ("InvalidClientTokenId", "The security token included in the request is invalid."),
}
"""Name of a role -> what STS says to whoever wants it."""
S3_SAYS = {
    "moved": (301, "<Code>PermanentRedirect</Code><Endpoint>moved.s3.eu-west-1.amazonaws.com</Endpoint>"),
    "denied": (403, "<Code>AccessDenied</Code>"),
    "expired": (400, "<Code>ExpiredToken</Code>"),
}
"""Name of a bucket -> status and content of what S3 answers."""
_PIPELINE_SCHEMA = SERVICE_SCHEMA.replace(
    "  types:",
    """\
  pipeline_input_type: "PipelineInput"
  types:
    PipelineInput:
      type: object
      properties:
        stages:
          type: integer
          default: 2
          maximum: 5""",
)
_PARTED = {
    "schema/schema.yaml": _PIPELINE_SCHEMA,
    "instance_infrastructure/manifest.yaml": MANIFEST,
    "instance_infrastructure/main.tf": SERVICE_CODE,
    "pipeline_infrastructure/manifest.yaml": MANIFEST,
    "pipeline_infrastructure/main.tf": 'output "stages" {\n  value = var.pipeline.inputs.stages\n}\n',
    ".template-registration.yaml": (
        "compatible_environments: [lab:1]\nsupported_component_sources: [DIRECTLY_DEFINED]\n"
    ),
}
_OPEN_CODE = """\
variable "zone" {
  type = string
}
"""
_SECRET_SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Lab
  types:
    Lab:
      type: object
      properties:
        password: {type: string, minLength: 8}
        login: {type: string}
        port: {type: integer}
"""
_SECRET_CODE = """\
variable "password" {
  type      = string
  default   = null
  sensitive = true
}
"""
_ENDED_CODE = """\
resource "terraform_data" "net" {
  provisioner "local-exec" {
    command = "echo 'ExpiredToken: The security token included in the request is expired' >&2; false"
  }
}
"""
_OPS = """\
sync:
  services:
    orders:
      prod: {branch: main, spec: orders/spec.yaml}
"""
_BAD_OPS = """\
sync:
  services:
    shop:
      Prod: {branch: -main, spec: ../spec.yaml}
      live: {brunch: main}
      test: main
"""
_SPEC = "proton: ServiceSpec\ninstances:\n  - {name: live, environment: prod, spec: {}}\n"
_STATE = """\
{"version": 4, "terraform_version": "1.11.0", "serial": 7, "lineage": "another", "outputs": {}, "resources": [
  {"mode": "managed", "type": "terraform_data", "name": "x", "provider": "p", "instances": [{"attributes": {}}]}]}
"""
_LOCK = '{"ID": "1234", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-05-04T03:02:01Z"}'


@contextmanager
def outside(folder: Path) -> Iterator[dict[str, str]]:
    """Git repositories, S3 and other services of AWS, and a host of pull requests; how they are called."""
    with ExitStack() as open_:
        found = open_.enter_context(bucket.bucket())
        own_sts, host = open_.enter_context(sts.sts()), open_.enter_context(hosts.host())
        refusing = open_.enter_context(_refusing())
        own_sts.closed = {f"{ROLE}{name}": refusal for name, refusal in CLOSED.items()}
        (folder / hosts.PROJECT).parent.mkdir(parents=True)
        upstream = Upstream((folder / hosts.PROJECT).parent)
        commit = _fill_repository(upstream)
        _fill_bucket(found)
        _fill_secrets(found)
        yield {
            "REPOSITORY": upstream.url,
            "COMMIT": commit[:12],
            "MOTO": found.endpoint,
            "BUCKET": found.name,
            "STS": own_sts.endpoint,
            "S3": refusing,
            "HOST": host.url,
            "TOKEN": hosts.TOKEN,
            "FOLDER": str(folder),
            "NOWHERE": f"127.0.0.1:{_closed_port()}",
        }


def furnish(world: World, names: Names) -> None:
    """What a team has: an environment whose runs others carry out, with a service, its pipeline and its component; one
    whose proposal is open; syncs.
    """
    world.publish("parted", world.bundle("parted", _PARTED))
    world.publish("open", world.environment_bundle("open", _OPEN_CODE + ENVIRONMENT_CODE))
    world.publish("secret", world.environment_bundle("secret", _SECRET_CODE, _SECRET_SCHEMA))
    world.publish("ended", world.environment_bundle("ended", _ENDED_CODE))
    world.write("cache.tf", 'output "cache" {\n  value = "c"\n}\n')
    theirs = ("--provisioning-repository", names["REPOSITORY"])
    world.run("env", "create", "far", "-t", "lab", *theirs)
    world.do("run", "notify", "3", "--status", "succeeded", "--output", "zone=a", "--output", "size=1")
    world.run("service", "create", "shop", "-t", "parted", "--env", "far")
    world.do("run", "notify", "4", "--status", "succeeded", "--output", "port=80")
    world.do("run", "cancel", "5")
    world.run("component", "create", "cache", "--file", world.root / "cache.tf", "--instance", "shop/far")
    world.do("run", "notify", "6", "--status", "succeeded", "--output", "cache=c")
    world.run("env", "create", "asked", "-t", "lab", *theirs)
    world.do("component", "create", "lone", "--file", world.root / "cache.tf", "--env", "prod", "--no-wait")
    world.do("run", "cancel", "8")
    world.do("service", "create", "cart", "-t", "parted", "--env", "far", "--no-wait")
    world.do("run", "cancel", "10")
    world.do("run", "cancel", "9")
    world.do("template", "sync", "add", "lab", names["REPOSITORY"])
    world.do("service", "sync", "add", "orders", names["REPOSITORY"])
    world.do("service", "sync", "add", "shop", names["REPOSITORY"], "--file", "bad-ops.yaml")


def filled(case: Case, names: Names) -> Case:
    """The case with the words that stand for services and places replaced by what they are here."""
    given = {path: _filled_content(content, names) for path, content in case.given.items()}
    environ = {name: _filled(value, names) for name, value in case.environ.items()}
    return Case(case.name, given, _filled(case.command, names), environ)


def told(transcript: str, names: Names) -> str:
    """The transcript with those words again, and without what is another one each time."""
    for word, value in sorted(names.items(), key=lambda item: -len(item[1])):
        transcript = transcript.replace(value, word)
    transcript = re.sub(r"Failed to connect\b.*", "Failed to connect.", transcript)
    transcript = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", transcript)
    # how often Terraform writes a state down is its own affair
    transcript = re.sub(r"serial [0-9]+ of lineage UUID", "serial N of lineage UUID", transcript)
    return re.sub(r"\([0-9a-f]{12}\)", "(DIGEST)", transcript)


def _filled_content(content: Content, names: Names) -> Content:
    return _filled(content, names) if isinstance(content, str) else content


def _filled(text: str, names: Names) -> str:
    for word, value in names.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return text


def _fill_repository(upstream: Upstream) -> str:
    taken = '{"resourceMetadata": {"arn": "arn:aws:proton:r:1:component/x"}, "isResourceDeleted": false}'
    files = {
        "proton-ops.yaml": _OPS,
        "bad-ops.yaml": _BAD_OPS,
        "broken-ops.yaml": "sync: [services\n",
        "orders/spec.yaml": _SPEC,
        "README.md": "Infrastructure.",
        "taken/.proton/deployment-metadata.json": taken,
        "broken/.proton/deployment-metadata.json": "{",
        "lab/v2/schema/schema.yaml": "",
    }
    return upstream.commit(files)


def _fill_bucket(found: bucket.Bucket) -> None:
    with found.client() as client:
        for key, body in {
            "other.tfstate": _STATE,
            "broken.tfstate": "{",
            "locked.tfstate": _STATE,
            "locked.tfstate.tflock": _LOCK,
            "held/environment/held/terraform.tfstate.tflock": _LOCK,
            "no-archive.tar.gz": "hello",
        }.items():
            client.put_object(Bucket=found.name, Key=key, Body=body.encode())


def _fill_secrets(found: bucket.Bucket) -> None:
    keys = {"aws_access_key_id": "t", "aws_secret_access_key": "t", "region_name": REGION}
    ssm = boto3.client("ssm", endpoint_url=found.endpoint, **keys)
    ssm.put_parameter(Name=f"/{found.name}/open", Value="short", Type="String")
    ssm.put_parameter(Name=f"/{found.name}/sealed", Value="correct-horse", Type="SecureString")
    ssm.close()
    secrets = boto3.client("secretsmanager", endpoint_url=found.endpoint, **keys)
    secrets.create_secret(Name=f"{found.name}/db", SecretString='{"password": "correct-horse", "empty": null}')
    secrets.create_secret(Name=f"{found.name}/text", SecretString="correct-horse")
    secrets.create_secret(Name=f"{found.name}/binary", SecretBinary=b"1")
    secrets.close()


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class _Refusing(BaseHTTPRequestHandler):
    """S3 where nothing is to be had."""

    def do_GET(self) -> None:
        status, words = S3_SAYS[self.path.split("/")[1].partition("?")[0]]
        content = f"<Error>{words}<Message>-</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        if status == 301:
            self.send_header("x-amz-bucket-region", "eu-west-1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_PUT = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def _refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
