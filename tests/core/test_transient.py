"""Which failures pass by themselves, in the words that Terraform and providers use for them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.transient import RULES, TABLE, WORDS, Kind, Row, Rule, classify, classify_all, wait_s

PASSING = [
    (
        Kind.THROTTLED,
        "reading Route 53 Record: operation error Route 53: ListResourceRecordSets, https response error StatusCode: "
        "400, RequestID: 4b, api error Throttling: Rate exceeded",
    ),
    (Kind.THROTTLED, "RequestLimitExceeded: Request limit exceeded.\n\tstatus code: 503, request id: 1-2"),
    (
        Kind.THROTTLED,
        "InvalidParameterValueException: Your request has been throttled by EC2, please make sure you have enough API "
        "rate limit. EC2 Error Code: RequestLimitExceeded. EC2 Error Message: Request limit exceeded.",
    ),
    (Kind.THROTTLED, "InvalidArgumentException: Received ThrottlingException while describing the domain."),
    (Kind.THROTTLED, "error reading SSM Parameter: ThrottlingException: Rate exceeded\n\tstatus code: 400"),
    (Kind.THROTTLED, "creating Lambda Function (f): TooManyRequestsException: Rate Exceeded."),
    (Kind.THROTTLED, "operation error S3: PutObject, api error SlowDown: Please reduce your request rate."),
    (
        Kind.THROTTLED,
        "Error when reading or editing ComputeReservation: googleapi: Error 403: Quota exceeded for quota group "
        "'ReadGroup' and limit 'Read requests per 100 seconds' of service 'compute.googleapis.com', rateLimitExceeded",
    ),
    (
        Kind.THROTTLED,
        "googleapi: Error 429: Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of "
        "service 'sqladmin.googleapis.com'",
    ),
    (Kind.THROTTLED, "unexpected status 429 (429 Too Many Requests) with error: RetryableError: A retryable error."),
    (
        Kind.THROTTLED,
        'network.InterfacesClient#CreateOrUpdate: StatusCode=429 -- Original Error: Code="RetryableError"',
    ),
    (Kind.THROTTLED, "GET https://api.github.com/repos/o/r: 403 API rate limit exceeded for user ID 1."),
    (Kind.THROTTLED, "the server has received too many requests and has asked us to try again later"),
    (Kind.TIMEOUT, 'Get "https://sts.amazonaws.com/": net/http: TLS handshake timeout'),
    (Kind.TIMEOUT, "dial tcp 52.94.5.1:443: i/o timeout"),
    (
        Kind.TIMEOUT,
        'Get "https://1.2.3.4/api": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    ),
    (Kind.TIMEOUT, "read tcp 10.0.0.5:41000->52.94.5.1:443: read: connection reset by peer"),
    (Kind.TIMEOUT, 'Post "https://ec2.eu-west-1.amazonaws.com/": dial tcp 52.94.5.1:443: connect: connection refused'),
    (Kind.TIMEOUT, 'RequestError: send request failed, caused by: Post "https://iam.amazonaws.com/": EOF'),
    (Kind.TIMEOUT, 'Get "https://management.azure.com/subscriptions": unexpected EOF'),
    (Kind.TIMEOUT, "lookup ec2.eu-west-1.amazonaws.com on 10.0.0.2:53: server misbehaving"),
    (Kind.TIMEOUT, "write tcp 10.0.0.5:41000->52.94.5.1:443: write: broken pipe"),
    (Kind.TIMEOUT, "Failed to instantiate provider: timeout while waiting for plugin to start"),
    (
        Kind.UNAVAILABLE,
        "operation error EC2: DescribeVpcs, https response error StatusCode: 503, RequestID: 1, Unavailable",
    ),
    (Kind.UNAVAILABLE, "InternalError: We encountered an internal error. Please try again.\n\tstatus code: 500"),
    (Kind.UNAVAILABLE, "ServiceUnavailableException: The service is unavailable."),
    (Kind.UNAVAILABLE, "googleapi: Error 503: The service is currently unavailable., backendError"),
    (Kind.UNAVAILABLE, "etcdserver: leader changed"),
    (Kind.UNSETTLED, "InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist\n\tstatus code: 400"),
    (Kind.UNSETTLED, "api error InvalidGroup.NotFound: The security group 'sg-1' does not exist"),
    (Kind.UNSETTLED, "InvalidInstanceID.NotFound: The instance ID 'i-1' does not exist"),
    (Kind.UNSETTLED, "NoSuchEntity: The role with name builder cannot be found."),
    (
        Kind.UNSETTLED,
        "creating Lambda Function (f): InvalidParameterValueException: The role defined for the function cannot be "
        "assumed by Lambda.",
    ),
    (
        Kind.UNSETTLED,
        "InvalidParameterValue: Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "
        "Profile name",
    ),
    (Kind.UNSETTLED, "MalformedPolicyDocument: Invalid principal in policy: AWS\n\tstatus code: 400"),
    (Kind.UNSETTLED, "ClientException: ECS was unable to assume the role 'arn:aws:iam::1:role/r'"),
    (Kind.UNSETTLED, "NoSuchBucket: The specified bucket does not exist"),
    (Kind.UNSETTLED, "PrincipalNotFound: Principal 0a1b does not exist in the directory 2c3d."),
    (
        Kind.BUSY,
        "OperationAborted: A conflicting conditional operation is currently in progress against this resource.",
    ),
    (
        Kind.BUSY,
        "ResourceConflictException: The operation cannot be performed. An update is in progress for resource: f",
    ),
    (Kind.BUSY, "ConcurrentModification: Could not update the policy, it was being modified by someone else."),
    (Kind.BUSY, "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest"),
    (
        Kind.REGISTRY,
        "Failed to install provider: Error while installing hashicorp/aws v4.23.0: could not query provider registry "
        "for registry.terraform.io/hashicorp/aws: failed to retrieve authentication checksums for provider: the "
        "request failed after 2 attempts, please try again later: Get: net/http: request canceled while "
        "waiting for connection",
    ),
    (
        Kind.REGISTRY,
        "Failed to query available provider packages: Could not retrieve the list of available versions for provider "
        "hashicorp/aws: could not query provider registry for registry.terraform.io/hashicorp/aws: the request failed "
        "after 2 attempts, please try again later: 502 Bad Gateway",
    ),
    (
        Kind.REGISTRY,
        "could not connect to registry.terraform.io: failed to request discovery document: Get: dial tcp 1.2.3.4:443: "
        "i/o timeout",
    ),
    (Kind.REGISTRY, "Failed to install provider: open .../terraform-provider-aws_v3: text file busy"),
    (
        Kind.LOCKED,
        "Error acquiring the state lock: Error message: operation error S3: PutObject, https response error "
        "StatusCode: 412, PreconditionFailed\nLock Info:\n  ID: 1",
    ),
    (Kind.LOCKED, "Error acquiring the state lock: Error message: resource temporarily unavailable"),
]
LASTING = [
    "",
    'Unsupported argument: An argument named "sise" is not expected here.',
    "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    "LimitExceededException: The account already has the maximum number of pipelines.",
    "googleapi: Error 403: Quota 'CPUS' exceeded.  Limit: 24.0 in region europe-west1., quotaExceeded",
    "AccessDenied: User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: r",
    "ExpiredToken: The security token included in the request is expired",
    'Get "http://localhost/api/v1/namespaces": dial tcp 127.0.0.1:80: connect: connection refused',
    'Get "http://localhost/api/v1/namespaces": dial tcp [::1]:80: connect: connection refused',
    'Error in function call: Call to function "jsondecode" failed: EOF.',
    "Plugin did not respond: rpc error: code = Unavailable desc = error reading from server: EOF",
    "Error while installing a/b v1: could not query provider registry for registry.terraform.io/a/b: failed to "
    "retrieve authentication checksums for provider: 404 Not Found returned from github.com",
    "could not connect to registry.terraform.io: failed to request discovery document: Get: dial tcp: lookup "
    "registry.terraform.io on 10.0.0.2:53: no such host",
    "Could not retrieve the list of available versions for provider hashicorp/aws: no available releases match the "
    "given constraints ~> 9.0",
    'Invalid count argument: The "count" value depends on resource attributes that cannot be determined until apply',
    "BucketAlreadyExists: The requested bucket name is not available.",
    'InvalidAMIID.Malformed: Invalid id: "ami"',
    "local-exec provisioner error: Error running command 'exit 3': exit status 3. Output:",
]


@pytest.mark.parametrize(("kind", "text"), PASSING)
def test_a_passing_failure_is_known_by_its_words(kind: Kind, text: str) -> None:
    assert classify(text) is kind


@pytest.mark.parametrize("text", LASTING)
def test_a_failure_that_stays_is_not_taken_for_a_passing_one(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(("kind", "text"), PASSING)
def test_neither_case_nor_how_the_message_was_wrapped_counts(kind: Kind, text: str) -> None:
    assert classify("\n  ".join(text.upper().split(" "))) is kind


@pytest.mark.parametrize("row", TABLE)
def test_every_row_has_an_example(row: Row) -> None:
    assert [text for kind, text in PASSING if row.kind is kind and row.fits(" ".join(text.split()))] != []


@given(st.text(max_size=2000))
def test_any_text_can_be_judged(text: str) -> None:
    assert classify(text) in (None, *Kind)


@given(st.sampled_from(PASSING), st.text("abc xyz", max_size=300), st.text("abc xyz", max_size=300))
def test_what_stands_around_a_passing_failure_does_not_hide_it(
    passing: tuple[Kind, str], before: str, after: str
) -> None:
    assert classify(f"{before} {passing[1]} {after}") is passing[0]


def test_only_the_beginning_of_a_very_long_message_is_looked_at() -> None:
    assert classify("a" * 20_000 + " Throttling: Rate exceeded") is None


def test_hostile_text_takes_no_time() -> None:
    hostile = ("Get https://" + "EO" * 1000 + " ") * 40

    assert classify(hostile) is None
    assert classify("ConflictException: " * 2000) is None
    assert classify("dial tcp " * 5000) is None


def test_several_errors_pass_only_when_each_of_them_does() -> None:
    throttled, timeout, lasting, locked = "Rate exceeded", "i/o timeout", "Invalid reference", PASSING[-1][1]

    assert classify_all([throttled, timeout]) is Kind.THROTTLED
    assert classify_all([throttled, lasting]) is None
    assert classify_all([timeout, locked]) is Kind.LOCKED
    assert classify_all([]) is None


def test_all_but_a_held_lock_is_tried_again() -> None:
    assert {kind for kind, rule in RULES.items() if rule is Rule.WAIT} == {Kind.LOCKED}
    assert set(RULES) == set(WORDS) == set(Kind)


def test_the_wait_doubles_up_to_a_minute() -> None:
    assert [wait_s(attempt, 0) for attempt in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_chance_shortens_a_wait_by_half_at_most(attempt: int, chance: float) -> None:
    longest = wait_s(attempt, 0)

    assert longest / 2 <= wait_s(attempt, chance) <= longest <= 60


def test_no_pattern_of_the_table_fits_an_empty_text() -> None:
    assert [row.pattern for row in TABLE if re.search(row.pattern, "")] == []
