"""Repositories that get proposals: what may be named, and what things are called there."""

from __future__ import annotations

import pytest

from engine.core import arns, metadata, provisioning, rendering
from engine.core.address import Address, component, environment, parse, pipeline, service_instance
from engine.core.metadata import DELETED
from engine.core.provisioning import Host, Proposal, Repository, State, Style, Wish, chosen
from engine.errors import Conflict, Invalid

INFRA = Repository("https://github.com/team/infra.git", "main", Host.GITHUB, "https://api.github.com", "team/infra")
WHERES = (environment("prod"), service_instance("orders", "prod"), pipeline("orders"), component("cache"))


@pytest.mark.parametrize(
    ("wish", "host", "api", "project"),
    [
        (Wish(INFRA.url), Host.GITHUB, "https://api.github.com", "team/infra"),
        (Wish("git@github.com:team/infra.git"), Host.GITHUB, "https://api.github.com", "team/infra"),
        (Wish("ssh://git@gitlab.com/a/b/c.git"), Host.GITLAB, "https://gitlab.com/api/v4", "a/b/c"),
        (Wish("https://git.example/a/b", host="gitlab"), Host.GITLAB, "https://git.example/api/v4", "a/b"),
        (Wish("https://git.example:8443/a/b", host="github"), Host.GITHUB, "https://git.example:8443/api/v3", "a/b"),
        (Wish("ssh://git@git.example:2222/a/b", host="github"), Host.GITHUB, "https://git.example/api/v3", "a/b"),
        (Wish("https://git.example/a/b"), Host.NONE, "", ""),
        (Wish("https://github.com/a/b", host="none"), Host.NONE, "", ""),
        (Wish("file:///srv/a/b.git", host="github", api="https://x/api/"), Host.GITHUB, "https://x/api", "a/b"),
    ],
)
def test_the_host_and_how_it_is_asked_follow_from_the_address(wish: Wish, host: Host, api: str, project: str) -> None:
    assert chosen(wish) == Repository(wish.url, "main", host, api, project)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish("https://ana:secret@github.com/a/b"), ["--provisioning-repository"]),
        (Wish("ftp://host/a/b"), ["--provisioning-repository"]),
        (Wish("-oProxyCommand=x"), ["--provisioning-repository"]),
        (Wish("file:///a", "--force"), ["--provisioning-branch"]),
        (Wish("file:///a", "a..b"), ["--provisioning-branch"]),
        (Wish("file:///a", host="bitbucket"), ["--provisioning-host"]),
        (Wish("file:///a", host="github"), ["--provisioning-api"]),
        (Wish("file:///a", api="https://x"), ["--provisioning-api"]),
        (Wish("https://h/a/b", host="gitlab", api="http://h/api"), ["--provisioning-api"]),
        (Wish("https://h/a/b", host="gitlab", api="https://ana:secret@h/api"), ["--provisioning-api"]),
        (Wish("https://h/a/b", host="gitlab", api="https://h/api?to=elsewhere"), ["--provisioning-api"]),
        (
            Wish("x", "y z", "w", "v", option="pipeline_provisioning_"),
            [f"pipeline_provisioning_{name}" for name in ("repository", "branch", "host", "api")],
        ),
    ],
)
def test_everything_that_is_wrong_is_told_and_no_password_is_shown(wish: Wish, told: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        chosen(wish)

    assert [problem.file for problem in caught.value.problems] == told
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "nested", "style", "folder"),
    [
        (WHERES[0], False, Style.DOCUMENTED, "prod"),
        (WHERES[1], False, Style.DOCUMENTED, "prod/orders-prod"),
        (WHERES[2], False, Style.DOCUMENTED, "orders/pipeline"),
        (WHERES[3], False, Style.DOCUMENTED, "prod/cache"),
        (WHERES[3], False, Style.NESTED, "prod/components/cache"),
        (WHERES[0], True, Style.DOCUMENTED, "environments/prod"),
        (WHERES[1], True, Style.DOCUMENTED, "environments/prod/orders-prod"),
        (WHERES[2], True, Style.DOCUMENTED, "orders/pipeline"),
        (WHERES[3], True, Style.NESTED, "environments/prod/components/cache"),
    ],
)
def test_each_kind_has_its_folder(where: Address, nested: bool, style: Style, folder: str) -> None:
    assert provisioning.folder(where, "prod", style, nested=nested) == folder


@pytest.mark.parametrize(
    ("where", "other"),
    [
        (service_instance("a", "b-c"), service_instance("a-b", "c")),
        (component("orders-prod"), service_instance("orders", "prod")),
    ],
)
def test_two_that_would_share_a_folder_are_refused(where: Address, other: Address) -> None:
    with pytest.raises(Conflict, match=f"^{where} would have the same folder in the repository as {other}: "):
        provisioning.refuse_same_folder(where, [where, other], Style.DOCUMENTED)


def test_nested_components_are_in_nobodys_way() -> None:
    where, other = component("orders-prod"), service_instance("orders", "prod")

    provisioning.refuse_same_folder(where, [other], Style.NESTED)


def test_titles_and_branches_are_those_that_proton_wrote() -> None:
    assert [provisioning.title(where) for where in WHERES] == [
        "Update requested for Proton - environment/prod",
        "Update requested for Proton - service/orders/service-instance/prod",
        "Update requested for Proton - service/orders/pipeline",
        "Update requested for Proton - component/cache",
    ]
    assert [provisioning.branch(where.kind, "1-2") for where in WHERES] == [
        "proton--proton-environment-1-2",
        "proton--proton-service_instance-1-2",
        "proton--proton-pipeline-1-2",
        "proton--proton-component-1-2",
    ]


def test_a_proposal_is_kept_whole() -> None:
    known = Proposal(INFRA, "proton--1", "id", "prod", "c0ffee", "https://x/1", 7, State.MERGED)

    assert provisioning.proposal(known.to_json()) == known


def test_a_pull_request_says_what_to_type() -> None:
    text = provisioning.body(42, WHERES[0], "deploy lab@1.0", Proposal(INFRA, "b", "1234", "prod"))

    assert "Landform run 42: deploy lab@1.0 as `environment/prod`, in `prod`." in text
    assert "landform run notify 42 --deployment-id '1234' --status succeeded --outputs outputs.json" in text


@pytest.mark.parametrize("where", WHERES, ids=str)
def test_an_arn_names_what_it_was_made_for(where: Address) -> None:
    assert arns.parse(arns.arn(arns.Owner("1" * 12, "eu-west-1"), where)) == where


def test_the_arn_of_a_pipeline_may_end_with_an_id() -> None:
    assert arns.parse("arn:aws:proton:eu-west-1:111111111111:service/orders/pipeline/4b1f") == parse("pipeline/orders")


@pytest.mark.parametrize("text", ["arn:", "arn:aws:proton:r:1:service/orders", "arn:aws:proton:r:1:environment/a b"])
def test_an_arn_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        arns.parse(text)


METADATA = b"""{
  "deploymentId" : "1234",
  "isResourceDeleted" : false,
  "resourceMetadata" : {
    "arn" : "arn:aws:proton:eu-west-1:123456789012:environment/prod",
    "templateMajorVersion" : "1"
  }
}"""


def test_metadata_of_what_is_deleted_changes_in_two_members_only() -> None:
    written = metadata.read(METADATA, "prod/x.json")

    assert (written.resource, written.is_deleted) == ("environment/prod", False)
    assert metadata.deleted(written) == METADATA.replace(b'"1234"', f'"{DELETED}"'.encode()).replace(b"false", b"true")
    assert metadata.read(metadata.deleted(written), "prod/x.json").is_deleted


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"resourceMetadata": {"arn": 1}}', b"\xff"])
def test_metadata_that_says_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(Conflict, match=r"^prod/x\.json in the repository cannot be read: "):
        metadata.read(content, "prod/x.json")


@pytest.mark.parametrize(
    "head",
    [
        b"/*\nLandform writes this file. The next run.\n*/\n\n",
        b"/*\nThis file is managed by AWS Proton. Any changes made.\n\nTo manage.\n*/\n\n",
    ],
)
def test_what_is_gone_gets_another_head_and_keeps_its_body(head: bytes) -> None:
    body = b'resource "a" "b" {\n  /* ours\n*/\n\n}'

    said = rendering.disowned("main.tf", head + body)

    assert said.endswith(b"*/\n\n" + body)
    assert said.startswith(b"/*\nLandform does not write this file any more: ")
    assert rendering.disowned("main.tf", said) == said


@pytest.mark.parametrize(
    ("name", "content"), [("main.tf", b"a = 1"), ("x.json", b"/*\nLandform writes this file.*/\n\n")]
)
def test_what_is_not_ours_stays_to_the_byte(name: str, content: bytes) -> None:
    assert rendering.disowned(name, content) == content
