"""An AWS for tests of shipped bundles: moto's server on loopback, mended where it tells less than AWS; its accounts."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

REGION = "us-east-1"
Answer = Callable[..., Any]
# kind of thing -> service, call, where the answer has them, and what each is called
_LISTS = {
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "api": ("apigatewayv2", "get_apis", "Items", "Name"),
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "build": ("codebuild", "list_projects", "projects", ""),
    "cluster": ("ecs", "list_clusters", "clusterArns", ""),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "images": ("ecr", "describe_repositories", "repositories", "repositoryName"),
    "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "name": ("servicediscovery", "list_services", "Services", "Name"),
    "namespace": ("servicediscovery", "list_namespaces", "Namespaces", "Name"),
    "policy": ("iam", "list_policies", "Policies", "PolicyName"),
    "queue": ("sqs", "list_queues", "QueueUrls", ""),
    "role": ("iam", "list_roles", "Roles", "RoleName"),
    "task definition": ("ecs", "list_task_definitions", "taskDefinitionArns", ""),
    "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "network": ("ec2", "describe_vpcs", "Vpcs", "CidrBlock"),
}
_ONLY_OURS = {"policy": {"Scope": "Local"}}


@dataclass(frozen=True)
class Account:
    """One of the accounts, seen by whoever may see everything."""

    id: str
    endpoint: str

    def client(self, service: str) -> Any:
        """Of boto3, with the rights of the account's owner."""
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **_keys(self.id, self.endpoint))

    def ask(self, service: str, call: str, /, **arguments: object) -> Any:
        """What AWS answers to one call."""
        client = self.client(service)
        try:
            return getattr(client, call)(**arguments)
        finally:
            client.close()

    def names(self, kind: str) -> list[str]:
        """What things of the kind are called, without what AWS appends to make names unique, in order."""
        service, call, where, name = _LISTS[kind]
        found = self.ask(service, call, **_ONLY_OURS.get(kind, {})).get(where, [])
        if kind == "cluster":
            # one that was deleted is listed for a while
            found = self.ask("ecs", "describe_clusters", clusters=found)["clusters"]
            found = [each["clusterArn"] for each in found if each["status"] == "ACTIVE"]
        ours = (each for each in found if not name or not each.get("IsDefault"))
        return sorted(_plain(each[name] if name else each) for each in ours)

    def everything(self) -> dict[str, list[str]]:
        """Kind -> names, of all kinds of things that shipped bundles make and there are any of."""
        return {kind: names for kind in _LISTS if (names := self.names(kind))}


@cache
def _keys(account: str, endpoint: str) -> dict[str, str]:
    """What the owner of the account signs with."""
    root = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("sts", endpoint_url=endpoint, region_name=REGION, **root)
    try:
        found = client.assume_role(RoleArn=f"arn:aws:iam::{account}:role/look", RoleSessionName="look")["Credentials"]
    finally:
        client.close()
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
    return {mine: found[name] for name, mine in {**names, "SessionToken": "aws_session_token"}.items()}


def _plain(name: str) -> str:
    """The name without what AWS puts before it, and without the digits that make it unique."""
    resource = name.split(":", 5)[5] if name.startswith("arn:") else name
    is_path = resource != name or name.startswith("http://")
    return re.sub(r"-?\d{26}$", "", resource.rpartition("/")[2] if is_path else resource)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


class _Mended:
    """moto, with two answers more like those of AWS."""

    def __init__(self, moto: Answer) -> None:
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        call = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        if call not in ("DeleteProject", "DescribeScalingPolicies"):
            return self._moto(environ, start_response)  # type: ignore[no-any-return]
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if call == "DeleteProject":
            # moto knows projects by name only, and the provider says which by ARN
            asked["name"] = asked["name"].rpartition("/")[2]
        body = json.dumps(asked).encode()
        again = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if call == "DeleteProject":
            return self._moto(again, start_response)  # type: ignore[no-any-return]
        return self._policies(asked.get("PolicyNames", []), again, start_response)

    def _policies(self, names: list[str], environ: dict[str, Any], start_response: Answer) -> Iterable[bytes]:
        """moto answers with the policies of every name."""
        said: list[Any] = []
        answer = json.loads(b"".join(self._moto(environ, lambda *given: said.extend(given))))
        wanted = [each for each in answer.get("ScalingPolicies", []) if not names or each["PolicyName"] in names]
        body = json.dumps({**answer, "ScalingPolicies": wanted}).encode()
        status, headers = said[0], [(key, value) for key, value in said[1] if key.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def serving() -> Iterator[str]:
    """The address of an AWS, as long as the block runs. All in a process share what they hold: mind the accounts."""
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, _Mended(moto), threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
