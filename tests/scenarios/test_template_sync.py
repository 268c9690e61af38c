"""Templates that follow a branch: what is new in it becomes drafts, once, and the rest goes on whatever fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import app, settings
from engine.core.syncs import Kind
from tests.repositories import Upstream
from tests.scenarios.syncing import forget_the_end
from tests.scenarios.world import ENVIRONMENT_CODE, ENVIRONMENT_SCHEMA, MANIFEST, World


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """A repository with lab v1."""
    found = Upstream(tmp_path)
    found.commit(lab("v1"))
    return found


def lab(major: str, code: str = ENVIRONMENT_CODE, name: str = "lab", below: str = "") -> dict[str, str | None]:
    root = f"{below}{name}/{major}"
    return {
        f"{root}/schema/schema.yaml": ENVIRONMENT_SCHEMA,
        f"{root}/infrastructure/manifest.yaml": MANIFEST,
        f"{root}/infrastructure/main.tf": code,
    }


def look(world: World, *arguments: str, code: int = 0) -> list[tuple[str, str, str]]:
    """What one look came to: target, status and message of each thing."""
    found = world.run("template", "sync", "run", *arguments, "-o", "json")
    assert found.code == code, found.err
    return [(row["target"], row["status"], row["message"]) for row in found.json["items"]]


def versions(world: World, name: str = "lab") -> list[tuple[str, str]]:
    return [(row["version"], row["status"]) for row in world.rows("template", "versions", name)]


def test_the_first_look_makes_the_template_with_a_draft_of_its_first_version(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)

    assert look(world) == [("1", "changed", "lab@1.0")]
    assert versions(world) == [("1.0", "draft")]
    [row] = world.rows("template", "versions", "lab")
    [sync] = world.rows("template", "sync", "list")
    assert row["source"] == f"{upstream.url}@{sync['revision']}#lab/v1"


def test_what_has_not_changed_is_not_registered_again(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    upstream.commit({"README.md": "Nothing to do with it."})

    assert look(world) == [("1", "unchanged", "lab@1.0")]


def test_a_change_becomes_the_next_minor_and_a_new_folder_the_next_major(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    upstream.commit({**lab("v1", f"# new\n{ENVIRONMENT_CODE}"), **lab("v2")})

    assert look(world, "lab") == [("1", "changed", "lab@1.1"), ("2", "changed", "lab@2.0")]
    assert versions(world) == [("1.0", "draft"), ("1.1", "draft"), ("2.0", "draft")]


def test_a_major_that_is_not_the_next_one_fails_and_the_others_go_on(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    upstream.commit(lab("v3"))

    found = look(world, code=1)

    assert found == [
        ("1", "changed", "lab@1.0"),
        ("3", "failed", "v3 is not the next major version: that is v2."),
    ]


def test_a_bundle_that_fails_is_not_registered_at_each_look(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    upstream.commit({"lab/v1/infrastructure/main.tf": None})

    [first] = look(world, code=1)
    [second] = look(world, code=1)
    [third] = look(world, "--retry", code=1)

    assert first == second
    assert first[2].startswith("lab@1.0 failed its registration.\n")
    assert third[2].startswith("lab@1.1 failed its registration.\n")
    assert versions(world) == [("1.0", "failed"), ("1.1", "failed")]


def test_a_minor_that_breaks_is_never_forced_by_a_branch(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    upstream.commit(lab("v1", ENVIRONMENT_CODE.replace('output "zone"', 'output "area"')))

    [(_, outcome, message)] = look(world, code=1)

    assert outcome == "failed"
    assert message.splitlines() == [
        "This bundle cannot be a minor version of lab@1: one change breaks what earlier ones promise.",
        "infrastructure/main.tf:9: Compared with 1.0: Output zone was removed. (The line is that of 1.0.)",
        "infrastructure/main.tf:9: Compared with 1.0: Output area is new.",
    ]
    assert versions(world) == [("1.0", "draft")]


def test_a_minor_that_was_deleted_comes_back_under_a_new_number(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    world.do("template", "delete", "lab@1.0", "--yes")

    assert look(world) == [("1", "changed", "lab@1.1")]


def test_a_template_that_is_deleted_is_forgotten_and_begins_anew(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    world.do("template", "delete", "lab@1.0", "--yes")
    world.do("template", "delete", "lab", "--yes")

    assert world.rows("template", "sync", "list") == []
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    assert look(world) == [("1", "changed", "lab@1.0")]


def test_the_template_is_looked_for_below_the_subdirectory(world: World, upstream: Upstream) -> None:
    upstream.commit(lab("v1", f"# deep\n{ENVIRONMENT_CODE}", below="platform/templates/"))
    world.do("template", "sync", "add", "environment/lab", upstream.url, "--subdirectory", "platform")

    look(world)

    [row] = world.rows("template", "versions", "lab")
    assert row["source"].endswith("#platform/templates/lab/v1")


def test_a_folder_of_the_other_kind_is_no_version_of_the_template(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "service/lab", upstream.url)

    [(target, status, message)] = look(world, code=1)

    assert (target, status) == ("1", "failed")
    assert "instance_infrastructure" in message


def test_links_in_a_bundle_are_refused(world: World, upstream: Upstream) -> None:
    (upstream.work / "lab/v1/infrastructure/secret.tf").symlink_to("/etc/passwd")
    upstream.push()
    world.do("template", "sync", "add", "environment/lab", upstream.url)

    first, second = look(world, code=1), look(world, code=1)

    assert first == second
    assert first == [
        ("1", "failed", "lab/v1 cannot be used as a bundle:\ninfrastructure/secret.tf: is a symbolic link.")
    ]


def test_one_repository_that_fails_does_not_stop_the_others(world: World, upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Upstream(tmp_path / "other")
    other.commit(lab("v1", name="attic"))
    world.do("template", "sync", "add", "environment/attic", other.url)
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    other.bare.rename(tmp_path / "away")

    found = world.run("sync", "run", "-o", "json")

    assert found.code == 1
    assert [(row["name"], row["status"]) for row in found.json["items"]] == [
        ("environment/attic", "failed"),
        ("environment/lab", "changed"),
    ]
    assert found.json["items"][0]["message"].startswith(f"There is no repository {other.url}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lab", "{url}"), "There is no template lab."),
        (("environment/lab", "{url}", "--branch", "gone"), "There is no branch gone in {url}."),
        (("environment/lab", "{url}x"), "There is no repository {url}x"),
        (("environment/lab", "http://example.org/x"), "'http://example.org/x' is not an address"),
        (("environment/lab", "https://ana:hunter2@example.org/x"), "must not have credentials in it"),
        (("environment/lab", "{url}", "--subdirectory", "../x"), "'../x' is not a path inside a repository."),
    ],
)
def test_what_cannot_be_followed_is_refused_at_once(
    world: World, upstream: Upstream, arguments: tuple[str, ...], message: str
) -> None:
    found = world.run("template", "sync", "add", *(word.format(url=upstream.url) for word in arguments), "-o", "json")

    assert message.format(url=upstream.url) in found.error["message"]
    assert "hunter2" not in found.err
    assert world.rows("sync", "list") == []


def test_a_template_follows_one_branch(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)

    found = world.run("template", "sync", "add", "environment/lab", upstream.url, "-o", "json")

    assert (found.code, found.error["message"]) == (9, f"Template environment/lab follows {upstream.url} already.")


def test_a_template_that_follows_its_branch_again_goes_on_where_it_was(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    world.do("template", "sync", "remove", "lab")

    world.do("template", "sync", "add", "lab", upstream.url)

    assert look(world) == [("1", "unchanged", "lab@1.0")]


def test_a_look_that_was_cut_off_registers_nothing_twice(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    look(world)
    forget_the_end(world, Kind.TEMPLATE, "environment/lab", "1")
    first = look(world)
    upstream.commit(lab("v1", f"# new\n{ENVIRONMENT_CODE}"))
    look(world)
    forget_the_end(world, Kind.TEMPLATE, "environment/lab", "1")

    assert first == [("1", "unchanged", "lab@1.0")]
    assert look(world) == [("1", "changed", "lab@1.1")]
    assert look(world) == [("1", "unchanged", "lab@1.1")]
    assert versions(world) == [("1.0", "draft"), ("1.1", "draft")]
    assert [row["status"] for row in world.rows("template", "sync", "status", "lab")] == ["succeeded"]


def test_a_look_that_was_cut_off_before_it_registered_is_made_again(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    opened = app.build(settings.load(home=str(world.home)))
    with opened.catalog.write() as tx:
        tx.begin_attempt(tx.sync(Kind.TEMPLATE, "environment/lab"), "1", "a" * 40, "another")
    opened.close()

    assert look(world) == [("1", "changed", "lab@1.0")]
    assert look(world) == [("1", "unchanged", "lab@1.0")]


def test_nothing_of_a_look_stays_on_disk(world: World, upstream: Upstream) -> None:
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    left = world.home / "tmp" / "sync-left"
    left.mkdir(parents=True)

    look(world)

    assert [name for name in os.listdir(world.home / "tmp") if name.startswith("sync-")] == []


def test_a_folder_with_an_unreadable_name_is_none(world: World, upstream: Upstream) -> None:
    odd = os.fsencode(upstream.work) + b"/a\xff"
    os.mkdir(odd)
    (upstream.work / "lab").rename(os.fsdecode(odd + b"/lab"))
    upstream.push()
    world.do("template", "sync", "add", "environment/lab", upstream.url)

    [(target, status, message)] = look(world, code=1)

    assert (target, status, message[:29]) == ("", "failed", "There is no folder lab below ")
