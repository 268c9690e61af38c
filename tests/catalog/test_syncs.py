"""Syncs: what follows a branch, what came of it, and why something is not followed."""

from __future__ import annotations

import pytest

from engine.catalog.outside_tables import Sync
from engine.catalog.reads import Reads
from engine.core.syncs import Kind, Status
from engine.errors import Conflict, NotFound
from tests.catalog.world import World

PLACE = {"repository": "file:///x", "branch": "main", "path": "", "created_by": "ana"}


def follow(world: World, kind: Kind = Kind.SERVICE, name: str = "orders") -> Sync:
    with world.catalog.write() as tx:
        return tx.add_sync(kind, name, **PLACE)


def attempt(world: World, sync: Sync, status: Status, message: str, digest: str = "d") -> None:
    with world.catalog.write() as tx:
        begun = tx.begin_attempt(sync, "prod", "c1", digest)
        tx.end_attempt(begun.id or 0, status, message)


def test_what_follows_a_branch_is_listed_with_its_last_attempts(world: World, url: str) -> None:
    sync = follow(world)
    follow(world, Kind.TEMPLATE, "service/web")
    attempt(world, sync, Status.FAILED, "no")
    attempt(world, sync, Status.SUCCEEDED, "run 3")
    reads = Reads(url)

    assert [(row["kind"], row["name"]) for row in reads.syncs()] == [("service", "orders"), ("template", "service/web")]
    assert [row["name"] for row in reads.syncs("template", "service/web")] == ["service/web"]
    assert [(row["target"], row["message"]) for row in reads.attempts(sync.id or 0)] == [("prod", "run 3")]


def test_a_name_follows_one_branch(world: World) -> None:
    follow(world)

    with pytest.raises(Conflict, match="Service orders follows file:///x already"):
        follow(world)


def test_the_last_attempt_that_ended_like_this_is_found_behind_others(world: World) -> None:
    sync = follow(world)
    attempt(world, sync, Status.SUCCEEDED, "run 3")
    attempt(world, sync, Status.FAILED, "no")
    with world.catalog.write() as tx:
        tx.begin_attempt(sync, "prod", "c2", "d")

    with world.catalog.read() as tx:
        last, done = tx.last_attempt(sync, "prod"), tx.last_attempt(sync, "prod", Status.SUCCEEDED)

    assert last is not None
    assert done is not None
    assert (last.message, done.message) == ("no", "run 3")


def test_an_attempt_that_was_cut_off_is_gone_on_with_where_the_content_is_the_same(world: World) -> None:
    sync = follow(world)
    with world.catalog.write() as tx:
        first = tx.begin_attempt(sync, "prod", "c1", "d").id
        other = tx.begin_attempt(sync, "prod", "c2", "e").id

    with world.catalog.write() as tx:
        again = tx.begin_attempt(sync, "prod", "c3", "d").id

    assert first == again
    assert other != again


def test_what_was_cut_off_is_over_once_a_later_attempt_ends(world: World, url: str) -> None:
    sync = follow(world)
    with world.catalog.write() as tx:
        tx.begin_attempt(sync, "prod", "c1", "old")

    attempt(world, sync, Status.SUCCEEDED, "run 3", digest="new")

    with world.catalog.read() as tx:
        last = tx.last_attempt(sync, "prod", Status.FAILED)
    assert last is not None
    assert (last.message, last.digest) == ("It was cut off.", "")


def test_a_service_is_blocked_once_and_resolved_once(world: World, url: str) -> None:
    follow(world)
    with world.catalog.write() as tx:
        tx.block_sync("orders", "prod", "By hand.", "ana")
        tx.block_sync("orders", "prod", "By hand again.", "ben")
        found = tx.blocker_of("orders", "prod")
        assert found is not None
        tx.resolve_blocker(found.id or 0, "All right.", "cai")

    [row] = Reads(url).blockers("orders")
    assert (row["reason"], row["created_by"], row["resolved_reason"], row["resolved_by"]) == (
        "By hand.",
        "ana",
        "All right.",
        "cai",
    )
    with world.catalog.write() as tx:
        assert tx.blocker_of("orders", "prod") is None
        with pytest.raises(Conflict, match="has been resolved by cai"):
            tx.resolve_blocker(row["id"], "Again", "ana")


def test_a_service_that_follows_nothing_is_not_blocked(world: World, url: str) -> None:
    with world.catalog.write() as tx:
        tx.block_sync("orders", "prod", "By hand.", "ana")

    assert Reads(url).blockers("orders") == []


def test_everything_is_forgotten_together(world: World, url: str) -> None:
    sync = follow(world)
    attempt(world, sync, Status.SUCCEEDED, "run 3")
    with world.catalog.write() as tx:
        tx.block_sync("orders", "", "By hand.", "ana")

        tx.forget_sync(Kind.SERVICE, "orders")

        with pytest.raises(NotFound, match="Service orders follows no branch"):
            tx.sync(Kind.SERVICE, "orders")
    reads = Reads(url)
    assert (reads.syncs(), reads.attempts(sync.id or 0), reads.blockers("orders")) == ([], [], [])
