"""Promises about runs: one at a time on an instance, one worker at a time on a run, and no move beside the table."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.catalog.tables import Run
from engine.core.runs import ACTIVE, HOLDING, TABLE, TERMINAL, Event, Status, what_to_do
from engine.errors import Busy, Conflict, NotFound
from tests.catalog.world import NOW, WORKER, World, at_once, opened

LEGAL = [(event, before, after) for event, edges in TABLE.items() for before, after in edges.items()]
ILLEGAL = [(event, status) for event in Event for status in Status if status not in TABLE[event]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One catalog for all edges, each with an environment of its own: they are many."""
    catalog = opened(places.url_of(tmp_path_factory.mktemp("edges") / "catalog.db"))
    yield World(catalog)
    catalog.close()


@pytest.mark.parametrize(("event", "before", "after"), LEGAL)
def test_every_edge_of_the_table_is_a_move(shared: World, event: Event, before: Status, after: Status) -> None:
    instance = shared.environment(f"{event.name}-{before.name}")
    run = shared.run(instance, before)

    moved = shared.move(run, event, executor=WORKER)

    assert moved.status == after
    assert (moved.ended_at == NOW) is (after in TERMINAL)
    # of an interrupted run it stays known who worked on it
    assert (moved.executor == WORKER) is (after in (Status.PLANNING, Status.APPLYING, Status.INTERRUPTED))
    assert shared.seen(instance).last_status == after


@pytest.mark.parametrize(("event", "before"), ILLEGAL)
def test_a_move_that_the_table_does_not_have_is_refused_and_changes_nothing(
    shared: World, event: Event, before: Status
) -> None:
    run = shared.run(shared.environment(f"{event.name}-{before.name}"), before)

    with pytest.raises(Conflict) as refused:
        shared.move(run, event)

    assert refused.value.message == f"Cannot {event.value} a run that is {before.value}."
    assert shared.reload(run).model_dump() == run.model_dump()


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_a_run_waits_in_line_while_another_has_its_instance(world: World, status: Status) -> None:
    instance = world.environment()
    holder = world.run(instance, status)
    waiting = world.run(instance)

    with pytest.raises(Busy) as refused:
        world.move(waiting, Event.CLAIM, executor=WORKER)

    assert refused.value.message == f"environment/prod is held by run {holder.id} ({status.value})."
    assert refused.value.hint == what_to_do(holder.id, status)
    assert world.reload(waiting).status == Status.QUEUED


@pytest.mark.parametrize("status", sorted(HOLDING))
def test_an_instance_says_how_the_run_is_that_holds_it(world: World, status: Status) -> None:
    instance = world.environment()
    holder = world.run(instance, status)

    world.run(instance)

    assert (world.seen(instance).last_run_id, world.seen(instance).last_status) == (holder.id, status)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_the_first_in_line_has_the_instance_when_the_run_before_has_ended(world: World, status: Status) -> None:
    instance = world.environment()
    world.run(instance, status)
    first, second = world.run(instance), world.run(instance)

    with pytest.raises(Busy):
        world.move(second, Event.CLAIM, executor=WORKER)
    world.move(first, Event.CLAIM, executor=WORKER)

    with world.catalog.read() as tx:
        assert [run.id for run in tx.line_of(instance)] == [2, 3]
    assert world.seen(instance).last_run_id == 2


def test_a_lost_plan_keeps_its_place_in_line(world: World) -> None:
    instance = world.environment()
    lost = world.run(instance, Status.PLANNING)
    world.run(instance)

    world.move(lost, Event.LOSE)

    with world.catalog.read() as tx:
        assert [run.id for run in tx.line_of(instance)] == [1, 2]


def test_a_run_that_was_called_off_leaves_the_instance_as_the_one_before_made_it(world: World) -> None:
    instance = world.environment()
    world.run(instance, Status.SUCCEEDED)
    discarded, cancelled = world.run(instance), world.run(instance)

    world.move(discarded, Event.DISCARD)
    world.move(cancelled, Event.CANCEL)

    assert (world.seen(instance).last_run_id, world.seen(instance).last_status) == (1, "succeeded")


def test_an_apply_that_was_cancelled_is_the_last_thing_that_happened(world: World) -> None:
    instance = world.environment()
    world.run(instance, Status.SUCCEEDED)
    applying = world.run(instance, Status.APPLYING)

    world.move(applying, Event.CANCEL)

    assert (world.seen(instance).last_run_id, world.seen(instance).last_status) == (2, "cancelled")


def test_of_many_threads_each_gets_a_run_and_one_of_those_is_first(world: World) -> None:
    instance = world.environment()
    runs = at_once(lambda: world.run(instance), 16)

    claims = at_once(lambda: claim_any(world), 16)

    assert {run.id for run in runs if isinstance(run, Run)} == set(range(1, 17))
    assert sorted(claims, key=str) == [1, *([None] * 15)]


def claim_any(world: World) -> int | None:
    """The number of the first run that lets itself be claimed; None when all refuse."""
    with world.catalog.write() as tx:
        for run_id in range(16, 0, -1):
            try:
                return tx.move(run_id, Event.CLAIM, executor=WORKER).id
            except (Conflict, Busy):
                continue
    return None


def _claim(url: str) -> str:
    catalog = opened(url)
    try:
        with catalog.write() as tx:
            tx.move(1, Event.CLAIM, executor=WORKER)
    except Conflict:
        return "refused"
    finally:
        catalog.close()
    return "claimed"


def test_of_many_processes_one_claims_the_run(world: World, url: str) -> None:
    world.run(world.environment())

    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.map(_claim, [url] * 12, chunksize=1)

    assert sorted(answers) == ["claimed"] + ["refused"] * 11


@pytest.mark.parametrize("status", [Status.QUEUED, Status.APPROVED])
def test_of_eight_workers_one_claims_the_run(world: World, status: Status) -> None:
    run = world.run(world.environment(), status)

    answers = at_once(lambda: world.move(run, Event.CLAIM, executor=WORKER), 8)

    assert [type(answer) for answer in answers].count(Run) == 1
    assert [type(answer) for answer in answers].count(Conflict) == 7
    assert world.reload(run).fence == run.fence + 1


def test_a_claim_counts_the_fence_and_the_attempts_to_plan(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)
    world.move(run, Event.LOSE, fence=1)
    again = world.move(run, Event.CLAIM, executor=WORKER)
    world.move(run, Event.APPROVE, fence=2)

    applying = world.move(run, Event.CLAIM, executor=WORKER)

    assert (run.fence, run.attempt) == (1, 1)
    assert (again.fence, again.attempt) == (2, 2)
    assert (applying.fence, applying.attempt) == (3, 2)


@pytest.mark.parametrize("event", [Event.ASK, Event.FAIL, Event.FIND_NOTHING, Event.CANCEL, Event.LOSE, Event.CLAIM])
def test_a_worker_whose_run_was_claimed_by_another_cannot_move_it(world: World, event: Event) -> None:
    run = world.run(world.environment(), Status.PLANNING)
    world.move(run, Event.LOSE, fence=1)
    taken = world.move(run, Event.CLAIM, executor={**WORKER, "pid": 8})

    with pytest.raises(Conflict) as refused:
        world.move(run, event, fence=1)

    assert refused.value.message == "Run 1 has been taken over by another worker."
    assert world.reload(run).model_dump() == taken.model_dump()


def test_a_worker_notes_what_it_learns_while_it_holds_the_run(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)

    with world.catalog.write() as tx:
        noted = tx.note(1, fence=1, fingerprint={"bundle": "aa"})

    assert noted.fingerprint == {"bundle": "aa"}
    assert world.reload(run).fingerprint == {"bundle": "aa"}


def test_a_worker_can_ask_whether_it_still_holds_its_run(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)

    with world.catalog.write() as tx:
        held = tx.note(1, fence=1)

    assert held == run


@pytest.mark.parametrize(
    ("meanwhile", "message"),
    [
        ("fence = 2", "Run 1 has been taken over by another worker."),
        ("status = 'queued'", "Cannot fail a run that is queued."),
        ("fence = 2, status = 'failed'", "Run 1 has been taken over by another worker."),
    ],
)
def test_a_run_that_has_changed_since_it_was_read_is_not_moved(world: World, meanwhile: str, message: str) -> None:
    world.run(world.environment(), Status.PLANNING)

    def act() -> None:
        with world.catalog.write() as tx:
            tx.run(1)
            # as another transaction would do it in a database that lets two overlap
            tx._session.connection().exec_driver_sql(f"UPDATE run SET {meanwhile}")
            tx.move(1, Event.FAIL, fence=1)

    with pytest.raises(Conflict) as refused:
        act()

    assert refused.value.message == message


def test_a_worker_that_has_lost_its_run_notes_nothing(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)
    world.move(run, Event.LOSE, fence=1)

    with pytest.raises(Conflict) as ended, world.catalog.write() as tx:
        tx.note(1, fence=1, fingerprint={"bundle": "aa"})
    world.move(run, Event.CLAIM, executor=WORKER)
    with pytest.raises(Conflict) as taken, world.catalog.write() as tx:
        tx.note(1, fence=1, fingerprint={"bundle": "aa"})

    assert ended.value.message == "Run 1 is queued: nobody works on it any more."
    assert taken.value.message == "Run 1 has been taken over by another worker."
    assert world.reload(run).fingerprint == {}


def test_a_move_records_when_and_what_was_learned_with_it(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)
    world.move(run, Event.ASK, fence=1, summary={"changes": []}, fingerprint={"state": "s"})
    world.move(run, Event.APPROVE, approved_by="ben", approval_reason="looks right")
    world.move(run, Event.CLAIM, executor=WORKER)

    ended = world.move(run, Event.SUCCEED, fence=2, outputs={"url": {"value": "x"}}, message="Done.")

    assert (ended.planned_at, ended.approved_at, ended.applied_at, ended.ended_at) == (NOW, NOW, NOW, NOW)
    assert (ended.summary, ended.fingerprint) == ({"changes": []}, {"state": "s"})
    assert (ended.approved_by, ended.approval_reason, ended.message) == ("ben", "looks right", "Done.")
    assert ended.outputs == {"url": {"value": "x"}}


def test_the_instance_follows_its_last_run(world: World) -> None:
    instance = world.environment()
    world.run(instance, Status.FAILED)

    second = world.run(instance)
    queued = world.seen(instance)
    world.move(second, Event.CLAIM, executor=WORKER)

    assert (queued.last_run_id, queued.last_status) == (2, "queued")
    assert (world.seen(instance).last_run_id, world.seen(instance).last_status) == (2, "planning")


def test_the_row_of_an_instance_that_has_been_read_follows_too(world: World) -> None:
    run = world.run(world.environment())

    with world.catalog.write() as tx:
        instance = tx.instance_by_id(run.instance_id)
        tx.move(1, Event.CLAIM, executor=WORKER)

    assert (instance.last_run_id, instance.last_status) == (1, "planning")


@pytest.mark.parametrize("status", Status)
def test_a_moved_run_is_in_hand_as_the_catalog_has_it(world: World, status: Status) -> None:
    run = world.run(world.environment(), status)

    assert run.model_dump() == world.reload(run).model_dump()


def test_a_wish_to_cancel_is_kept_from_the_first_time_and_only_while_somebody_works(world: World) -> None:
    instance = world.environment()
    run = world.run(instance)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.request_cancel(1, "ana")
    world.move(run, Event.CLAIM, executor=WORKER)
    with world.catalog.write() as tx:
        tx.request_cancel(1, "ana")
        wished = tx.request_cancel(1, "ben")

    assert refused.value.message == "Run 1 is queued: nobody works on it."
    assert (wished.cancel_requested_at, wished.cancelled_by, wished.force_requested_at) == (NOW, "ana", None)
    assert world.reload(run).status == Status.PLANNING


def test_a_wish_to_cancel_can_become_more_insistent(world: World) -> None:
    run = world.run(world.environment(), Status.PLANNING)

    with world.catalog.write() as tx:
        tx.request_cancel(1, "ana")
        tx.request_cancel(1, "ben", force=True)

    forced = world.reload(run)
    assert (forced.cancelled_by, forced.force_requested_at) == ("ana", NOW)


def test_history_is_newest_first_and_outlives_the_instance(world: World) -> None:
    instance = world.environment()
    runs = [world.run(instance, Status.FAILED).id for _ in range(3)]
    with world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(1))

    with world.catalog.read() as tx:
        found = [run.id for run in tx.runs_of("environment/prod", 2)]

    assert runs == [1, 2, 3]
    assert found == [3, 2]


def test_the_catalog_knows_who_works(world: World) -> None:
    for status in (Status.PLANNING, Status.APPLYING, Status.PLANNED, Status.FAILED):
        world.run(world.environment(f"env-{status.value}"), status)

    with world.catalog.read() as tx:
        executing = [run.address for run in tx.executing()]

    assert executing == ["environment/env-planning", "environment/env-applying"]


def test_an_environment_is_being_changed_while_a_run_has_it_or_was_asked_for_before(world: World) -> None:
    environment = world.environment()
    orders = world.instance(world.version(world.template()), environment)
    earlier = world.run(orders)
    change = world.run(environment)
    later = world.run(orders)

    with world.catalog.read() as tx:
        while_queued = [tx.is_environment_changing(run) for run in (earlier, change, later)]
    world.move(change, Event.CLAIM, executor=WORKER)
    with world.catalog.read() as tx:
        while_planning = [tx.is_environment_changing(run) for run in (earlier, change, later)]

    assert while_queued == [False, False, True]
    assert while_planning == [True, False, True]


def test_the_active_run_is_the_one_that_holds_the_instance(world: World) -> None:
    instance = world.environment()
    with world.catalog.read() as tx:
        before = tx.active_run(instance)
    run = world.run(instance, Status.PLANNED)

    with world.catalog.read() as tx:
        after = tx.active_run(instance)

    assert before is None
    assert after == run


def test_a_run_that_was_never_made_is_not_found(catalog: Catalog) -> None:
    with pytest.raises(NotFound) as refused, catalog.read() as tx:
        tx.run(42)

    assert refused.value.message == "There is no run 42."
    assert refused.value.hint == "See them all: landform run list"


def test_the_number_of_a_run_never_comes_back(world: World) -> None:
    world.run(world.environment(), Status.FAILED)
    world.execute("DELETE FROM run")

    assert world.run(world.environment("test")).id == 2


def behind(world: World, *earlier: Run) -> Run:
    """A queued run of another environment that may begin only after the others have succeeded."""
    run = world.run(world.environment("later"))
    with world.catalog.write() as tx:
        found = tx.run(run.id or 0)
        found.after_run_ids = [each.id or 0 for each in earlier]
        return tx.save(found)


@pytest.mark.parametrize("event", [Event.DISCARD, Event.CANCEL])
def test_what_was_to_come_after_a_run_is_called_off_when_it_does_not_succeed(world: World, event: Event) -> None:
    earlier = world.run(world.environment())
    later = behind(world, earlier)

    world.move(earlier, event)

    called_off = world.reload(later)
    assert called_off.status == Status.DISCARDED
    assert called_off.message.startswith(
        f"Called off: run {earlier.id} of environment/prod, which had to come before it, is "
    )


def test_what_was_to_come_after_a_run_waits_for_it_no_longer_when_it_has_succeeded(world: World) -> None:
    earlier, other = world.run(world.environment(), Status.APPLYING), world.run(world.environment("other"))
    later = behind(world, earlier, other)

    world.move(earlier, Event.SUCCEED)

    assert (world.reload(later).status, world.reload(later).after_run_ids) == (Status.QUEUED, [other.id])


def test_what_was_to_come_after_a_run_waits_for_the_one_that_tries_the_same_again(world: World) -> None:
    instance = world.environment()
    earlier = world.run(instance, Status.PLANNING)
    later = behind(world, earlier)
    again = world.run(instance)
    with world.catalog.write() as tx:
        retry = tx.run(again.id or 0)
        retry.retry_of = earlier.id
        tx.save(retry)

    world.move(earlier, Event.FAIL)

    assert (world.reload(later).status, world.reload(later).after_run_ids) == (Status.QUEUED, [again.id])
