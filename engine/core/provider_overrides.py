"""`[provider_overrides.NAME]` of landform.toml: arguments of providers that Landform lays over those of any bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.core import configurations
from engine.errors import Invalid, Problem

TABLE = "provider_overrides"
_LOCAL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}", re.ASCII)
_NOT_HERE = {
    "alias": "cannot be given: all configurations of the provider are meant.",
    "version": "cannot be given: bundles say which versions they work with.",
}
_HIDDEN = frozenset({"access_key", "secret_key", "token"})
_WHERE_CREDENTIALS = "Credentials belong in [credentials.NAME], which names the files that hold them."
_AWS = "aws"
_ENDPOINT = "endpoint"
_URL = re.compile(r"https?://[!#-~]{1,2000}", re.ASCII)
_SERVICES = """
accessanalyzer acm acmpca amplify apigateway appconfig applicationautoscaling appmesh appsync athena autoscaling
backup batch budgets cloudformation cloudfront cloudtrail cloudwatch cloudwatchevents cloudwatchlogs codeartifact
codebuild codecommit codedeploy codepipeline cognitoidentity cognitoidp configservice datasync dax dms docdb ds
dynamodb ec2 ecr ecs efs eks elasticache elasticbeanstalk elb emr es firehose fsx glacier glue guardduty iam
kafka kinesis kinesisanalyticsv2 kms lakeformation lambda mq neptune networkfirewall organizations ram rds redshift
resourcegroups resourcegroupstaggingapi route53 route53resolver s3 s3control sagemaker secretsmanager securityhub
servicecatalog servicediscovery servicequotas ses sns sqs ssm stepfunctions sts swf synthetics transfer waf
wafregional wafv2 xray
"""
AWS_SERVICES = tuple(_SERVICES.split())
"""Services as `endpoints` of the AWS provider 3.39 calls them, and later ones still do; not those that went since."""

Overrides = Mapping[str, Mapping[str, object]]
"""Local name of a provider -> its arguments; a block is an object, or a list of them."""


def parse(table: object, file: str) -> Overrides:
    """What the table asks for; {} when it is not there (None). Raises Invalid with all problems, which name `file`."""
    if table is None:
        return {}
    problems = list(_problems(table, file))
    if problems or not isinstance(table, dict):
        raise Invalid("The settings of providers cannot be used:", problems=problems)
    return {name: _expanded(name, arguments) for name, arguments in table.items()}


def content(overrides: Overrides, files: Mapping[str, bytes], required: Mapping[str, str] | None) -> dict[str, object]:
    """What the override file says of providers: {} where the code uses none of those that are overridden.

    `files` are those of the workspace, as rendered; `required` is what the code requires by name, as Part.providers.
    """
    if not overrides:
        return {}
    code = configurations.found(files)
    used = code.used | (required or {}).keys()
    blocks = {
        name: _blocks(arguments, code.aliases.get(name, frozenset()))
        for name, arguments in overrides.items()
        if name in used or code.is_open
    }
    return {"provider": blocks} if blocks else {}


_OURS = ("sts", "ssm", "secretsmanager")
"""Services of AWS that are asked in the name of a run."""


def endpoint_variables(overrides: Overrides) -> dict[str, str]:
    """Where our own requests for credentials and secrets go: to the services that providers are sent to."""
    endpoints = overrides.get(_AWS, {}).get("endpoints", {})
    given = endpoints if isinstance(endpoints, dict) else {}
    return {f"AWS_ENDPOINT_URL_{name.upper()}": url for name in _OURS if isinstance(url := given.get(name), str)}


def _blocks(arguments: Mapping[str, object], aliases: frozenset[str]) -> list[dict[str, object]]:
    """One block for each configuration: Terraform lays each over the one with the same alias.

    The one without alias is always among them, as modules and resources get it where nobody has written it.
    """
    named = sorted(aliases - {""})
    return [dict(arguments), *({"alias": alias, **arguments} for alias in named)]


def _expanded(name: str, arguments: Mapping[str, object]) -> dict[str, object]:
    if name != _AWS or _ENDPOINT not in arguments:
        return dict(arguments)
    given = arguments.get("endpoints", {})
    assert isinstance(given, dict)
    everywhere = dict.fromkeys(AWS_SERVICES, arguments[_ENDPOINT])
    rest = {key: value for key, value in arguments.items() if key != _ENDPOINT}
    return {**rest, "endpoints": {**everywhere, **given}}


def _problems(table: object, file: str) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield Problem(file, 0, TABLE, "must be a table of tables, as in [provider_overrides.aws].")
        return
    for name, arguments in table.items():
        place = f"{TABLE}.{name}"
        if not _LOCAL_NAME.fullmatch(name):
            yield Problem(file, 0, place, "is not the local name of a provider, like aws.")
        elif not isinstance(arguments, dict):
            yield Problem(file, 0, place, "must be a table of the provider's arguments.")
        else:
            for argument, value in arguments.items():
                yield from _wrong_argument(Problem(file, 0, f"{place}.{argument}", ""), name, argument, value)
            yield from _wrong_endpoints(file, name, arguments)


def _wrong_argument(at: Problem, provider: str, argument: str, value: object) -> Iterator[Problem]:
    def problem(message: str, hint: str = "") -> Problem:
        return Problem(at.file, 0, at.field, message, hint=hint)

    if not _ARGUMENT.fullmatch(argument):
        yield problem("is not the name of an argument.")
    elif argument in _NOT_HERE:
        yield problem(_NOT_HERE[argument])
    elif provider == _AWS and argument in _HIDDEN:
        yield problem("is a secret, which this file must not have.", _WHERE_CREDENTIALS)
    elif not _is_json(value):
        yield problem("must be made of strings, numbers, true or false, lists and tables.")


def _wrong_endpoints(file: str, provider: str, arguments: Mapping[str, object]) -> Iterator[Problem]:
    if provider != _AWS:
        return
    place, one, each = f"{TABLE}.{_AWS}", arguments.get(_ENDPOINT, "https://x"), arguments.get("endpoints", {})
    if not isinstance(one, str) or not _URL.fullmatch(one):
        yield Problem(file, 0, f"{place}.{_ENDPOINT}", "must be an address that begins with http:// or https://.")
    if not isinstance(each, dict):
        yield Problem(file, 0, f"{place}.endpoints", 'must be a table, like {s3 = "http://127.0.0.1:5000"}.')


def _is_json(value: object) -> bool:
    """Whether JSON can say it; TOML has dates and infinite numbers too."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif not isinstance(item, str | int) and not (isinstance(item, float) and abs(item) < float("inf")):
            return False
    return True
