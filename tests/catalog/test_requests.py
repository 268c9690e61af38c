"""Requests: what was asked for with a key is remembered for as long as anybody may ask again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.catalog.requests import KEPT
from engine.errors import Conflict
from tests.catalog.world import NOW, World, at_once


def remember(world: World, key: str = "k", run_ids: tuple[int, ...] = (3, 4)) -> None:
    with world.catalog.write() as tx:
        tx.add_request(key, "digest", run_ids, "ana")


def age(world: World, key: str, by: timedelta) -> None:
    with world.catalog.write() as tx:
        row = tx.request(key)
        assert row is not None
        row.created_at = NOW - by
        tx.save(row)


def runs_of(world: World, key: str) -> list[int] | None:
    with world.catalog.read() as tx:
        found = tx.request(key)
        return found.run_ids if found else None


def test_what_was_asked_for_is_found_again(world: World) -> None:
    remember(world)

    with world.catalog.read() as tx:
        found = tx.request("k")

    assert found is not None
    assert (found.digest, found.run_ids, found.user_name, found.created_at) == ("digest", [3, 4], "ana", NOW)


def test_what_was_never_asked_for_is_not_found(world: World) -> None:
    assert runs_of(world, "k") is None


def test_a_key_is_used_once(world: World) -> None:
    remember(world)

    with pytest.raises(Conflict):
        remember(world)


def test_a_change_that_is_rolled_back_leaves_its_key_free(world: World) -> None:
    def fail() -> None:
        with world.catalog.write() as tx:
            tx.add_request("k", "digest", [3], "ana")
            raise Conflict("no")

    with pytest.raises(Conflict, match="no"):
        fail()

    assert runs_of(world, "k") is None


def test_a_request_is_forgotten_after_thirty_days(world: World) -> None:
    remember(world)
    age(world, "k", KEPT - timedelta(seconds=1))
    before = runs_of(world, "k")
    age(world, "k", KEPT)

    assert before == [3, 4]
    assert runs_of(world, "k") is None
    assert timedelta(days=30) == KEPT


def test_a_key_that_was_forgotten_can_be_used_again(world: World) -> None:
    remember(world)
    age(world, "k", KEPT)

    remember(world, run_ids=(9,))

    assert runs_of(world, "k") == [9]


def test_what_is_too_old_goes_with_the_next_request(world: World) -> None:
    remember(world, "old")
    remember(world, "young")
    age(world, "old", KEPT)

    remember(world, "new")

    with world.catalog.read() as tx:
        assert [key for key in ("old", "young", "new") if tx.request(key)] == ["young", "new"]


def test_of_those_who_ask_at_once_one_does_it_and_the_others_find_it(world: World) -> None:
    done: list[int] = []

    def ask() -> list[int]:
        with world.catalog.write() as tx:
            known = tx.request("k")
            if known is not None:
                return known.run_ids
            done.append(1)
            return tx.add_request("k", "digest", [len(done)], "ana").run_ids

    outcomes = at_once(ask)

    assert outcomes == [[1]] * 8
    assert done == [1]
