"""`landform run plan`: the first stage of a pipeline, a plan that waits for approval; or one only to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Timer
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, endings, foreground, plan_texts, signals
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.cli.progress import Progress
from engine.core.address import Address, Kind
from engine.core.runs import Status
from engine.core.updates import UpdateKind
from engine.errors import Cancelled, Conflict, Invalid, NotFound, TimedOut, Usage

if TYPE_CHECKING:
    from engine.app import App
    from engine.core.drafts import Draft
    from engine.external.process import Stop


@dataclass(frozen=True)
class _Wish:
    """What is to be planned, as typed."""

    address: Address
    update: arguments.UpdateText
    destroy: bool
    template: str | None
    environment: str | None

    @property
    def updates(self) -> arguments.UpdateText:
        """The update; without options, the instance as it is wanted now."""
        if self.update.kind is None and self.update.is_empty:
            return replace(self.update, kind=UpdateKind.CURRENT_VERSION.value)
        return self.update

    @property
    def names_version(self) -> bool:
        """Whether a version to go to was named."""
        return self.update.kind is not None or self.update.number is not None

    @property
    def says_how(self) -> bool:
        """Whether anything but the address says what is to become of it."""
        return self.update.kind is not None or not self.update.is_empty


@click.command("plan")
@click.argument("address", shell_complete=arguments.complete("address"))
@arguments.update
@click.option("--destroy", is_flag=True, help="Plan to destroy it.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when the plan changes something, with 0 when not.")
@click.option(
    "--speculative", is_flag=True, help="Only look: nothing is recorded or locked, and nobody can apply the plan."
)
@click.option(
    "--template",
    "-t",
    metavar="NAME[@VERSION]",
    help="With --speculative: plan something that does not exist yet.",
    shell_complete=arguments.complete("version"),
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="With --template: where it would live, unless the spec says so.",
    shell_complete=arguments.complete("environment"),
)
@foreground.planning
@pass_session
def plan(
    session: Session,
    address: str,
    wish: arguments.UpdateText,
    template: str | None,
    environment: str | None,
    how: Options,
    *,
    destroy: bool,
    detailed_exitcode: bool,
    speculative: bool,
) -> int:
    """Plan a change of an environment, instance, pipeline or component, without applying it.

    Without options, it plans what the instance is to be now. The run that holds the plan waits for approval:
    landform run approve goes on with it, in a later stage of a pipeline.
    """
    wanted = _Wish(arguments.any_address(address), wish, destroy, template, environment)
    _refuse_odd(wanted, how, speculative=speculative)
    changes = _speculate(session, wanted, how) if speculative else _plan(session, wanted, how)
    return endings.CHANGES_FOUND if changes and detailed_exitcode else 0


def _refuse_odd(wish: _Wish, how: Options, *, speculative: bool) -> None:
    """Raises Usage for options that do not go together."""
    if wish.destroy and wish.address.kind is Kind.PIPELINE:
        raise Invalid("A pipeline goes with its service.", hint=f"landform service delete {wish.address.service}")
    is_newcomer = wish.template is not None
    odd = (
        (
            wish.destroy and (wish.says_how or is_newcomer),
            "--destroy plans the end of what is there: leave the rest out.",
        ),
        ((is_newcomer or wish.environment) and not speculative, "--template and --env are for --speculative plans."),
        (wish.environment and not is_newcomer, "--env is for what does not exist yet: give --template too."),
        (
            is_newcomer and (wish.update.kind or wish.update.number),
            "With --template, the version is written NAME@VERSION.",
        ),
        (speculative and not how.wait, "A speculative plan is made here and now: leave --no-wait out."),
    )
    for is_odd, message in odd:
        if is_odd:
            raise Usage(message)


def _plan(session: Session, wish: _Wish, how: Options) -> bool:
    """Makes a run that plans, and shows it; whether the plan has changes. Raises what the run's ending calls for."""
    _require_there(session, wish)
    app = session.open_app()
    _refuse_without_plan(session, app, wish)
    run_ids = _recorded(app, wish, how)
    if not how.wait:
        plan_texts.show_run(session, session.reads().run(run_ids[0]), how.output)
        return False
    # a pipeline that follows is planned when this is done
    [row] = foreground.settle(session, app, run_ids[:1], how)
    plan_texts.show_run(session, row, how.output)
    if row["status"] != Status.PLANNED or endings.is_refused(row):
        # a plan that waits for approval is what was asked for
        endings.raise_for([row])
    return bool(row["status"] == Status.PLANNED)


def _recorded(app: App, wish: _Wish, how: Options) -> list[int]:
    from engine.actions import components, environments, instances, pipelines

    where, consent = wish.address, how.consent()
    if wish.destroy:
        deletes: dict[Kind, Callable[[], list[int]]] = {
            Kind.ENVIRONMENT: lambda: environments.delete(app.desk, where.name, consent),
            Kind.SERVICE_INSTANCE: lambda: instances.delete(app.desk, [where], consent),
            Kind.COMPONENT: lambda: components.delete(app.desk, [where.name], consent),
        }
        return deletes[where.kind]()
    update = wish.updates.read()
    updates: dict[Kind, Callable[[], list[int]]] = {
        Kind.ENVIRONMENT: lambda: environments.update(app.desk, where.name, update, consent),
        Kind.SERVICE_INSTANCE: lambda: instances.update(app.desk, where, update, consent),
        Kind.PIPELINE: lambda: pipelines.update(app.desk, where.service, update, consent),
        Kind.COMPONENT: lambda: components.redeploy(app.desk, where.name, update, consent),
    }
    return updates[where.kind]()


def _require_there(session: Session, wish: _Wish) -> None:
    """Raises NotFound, with what to type, for something that does not exist yet."""
    try:
        session.reads().instance(wish.address)
    except NotFound as error:
        if wish.address.kind is Kind.COMPONENT:
            raise
        is_environment = wish.address.kind is Kind.ENVIRONMENT
        create = f"env create {wish.address.name}" if is_environment else f"service create {wish.address.service}"
        look = f"run plan {wish.address} --speculative --template TEMPLATE --spec FILE"
        hint = f"Create it: landform {create} --template TEMPLATE --spec FILE. Or look first: landform {look}"
        raise NotFound(error.message, hint=hint) from error


_NOUNS = {
    Kind.ENVIRONMENT: "env",
    Kind.SERVICE_INSTANCE: "instance",
    Kind.PIPELINE: "pipeline",
    Kind.COMPONENT: "component",
}


def _refuse_without_plan(session: Session, app: App, wish: _Wish) -> None:
    """Raises Conflict where a run would have nothing to plan, and so would do at once what was only to be planned."""
    from engine.worker import speculation

    is_environment, short = wish.address.kind is Kind.ENVIRONMENT, str(wish.address).partition("/")[2]
    do = f"landform {_NOUNS[wish.address.kind]} {'delete' if wish.destroy else 'update'} {short}"
    if is_environment and _is_customer_managed(session, wish.address):
        raise Conflict(f"Environment {short} has no infrastructure to plan: its inputs are its outputs.", hint=do)
    if wish.destroy and not speculation.has_something_to_destroy(app.catalog, app.phases.ground, wish.address):
        raise Conflict(f"{wish.address} has nothing left to destroy.", hint=f"Take it away: {do}")


def _is_customer_managed(session: Session, where: Address) -> bool:
    row = session.reads().instance(where)
    version = session.reads().version(f"{where.kind.value}/{row['template']}@{row['version']}")
    return bool(version["facts"].get("customer_managed"))


def _speculate(session: Session, wish: _Wish, how: Options) -> bool:
    """Shows what a run might plan now; whether that has changes."""
    from engine.worker import speculation

    app = session.open_app()
    draft = _draft(app, wish)
    run = {"id": 0, "address": str(wish.address), "status": Status.PLANNING, "changes": None}
    with Progress(session, [run]) as progress, _limited(session, how) as stop:
        found = speculation.plan(app.catalog, app.phases.ground, draft, stop, progress.watch(0))
    plan_texts.show_speculation(session, draft, found, how.output)
    return found.has_changes


@contextmanager
def _limited(session: Session, how: Options) -> Iterator[Stop]:
    """A means to stop the planning, pulled by signals and when time is up. Raises TimedOut then."""
    with signals.stoppable(session) as stop:
        timer = Timer(how.timeout or 0, stop.request)
        if how.timeout is not None:
            timer.start()
        try:
            yield stop
        except Cancelled as error:
            if timer.finished.is_set():
                raise TimedOut(f"{how.timeout:g} seconds were not enough.", hint="Nothing was changed.") from error
            raise
        finally:
            timer.cancel()


def _draft(app: App, wish: _Wish) -> Draft:
    from engine.actions import speculation
    from engine.core.versions import parse_ref

    if wish.template is not None:
        given = wish.update.given.read()
        newcomer = speculation.Newcomer(wish.address, parse_ref(wish.template), given, wish.environment)
        return speculation.of_newcomer(app.desk, newcomer)
    if wish.destroy:
        return speculation.of_destroy(app.desk, wish.address)
    try:
        return speculation.of_update(app.desk, wish.address, wish.updates.read())
    except NotFound as error:
        hint = f"To see what it would be before it is there, name its template: --template NAME. {error.hint}"
        raise NotFound(error.message, hint=hint) from error
