"""Runs the contract tests of a bundle, in folders of their own and with nothing that is an operator's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.bundles.store import Store
from engine.core import address, provider_overrides, revisions, shapes
from engine.core.address import Address
from engine.core.bundle import PartName
from engine.core.contract_plans import judge
from engine.core.contracts import RULE, Contract, Environment, Given, Neighbour, Report, Result, Suite
from engine.core.located import Json
from engine.core.rendering import HEADER_LINES
from engine.core.runs import Operation
from engine.errors import Cancelled, ExternalFailure, Invalid, Problem
from engine.external import process
from engine.terraform import files as safely
from engine.terraform.events import Diagnostic
from engine.terraform.testing import Case, CaseCollector
from engine.worker import work
from engine.worker.following import Watch, follow, watch_nothing
from engine.worker.plan_files import PLAN_FILE
from engine.worker.scratch import Scratch, scratch
from engine.worker.work import Repository, Upstream, Work

if TYPE_CHECKING:
    from engine.core.bundle import Facts, Part
    from engine.core.schema import Schema
    from engine.external.process import Stop
    from engine.settings import Settings
    from engine.worker.ground import Ground

_TEMPORARY = ".landform.tmp"
_FAILED = "failed"
# Plans of AWS resources ask nobody then, and nobody would believe these keys. The machine's own are out of reach.
_RUN_ENV = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
}
_AWS = {
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


@dataclass(frozen=True)
class Bundle:
    """What is tested."""

    name: str
    """Of the template."""
    files: Mapping[str, bytes]
    """Named from the bundle's root."""
    facts: Facts
    schema: Schema


def run(ground: Ground, bundle: Bundle, suite: Suite, stop: Stop, watch: Watch = watch_nothing) -> Report:
    """What the tests come to; one that fails does not keep the others from being run.

    Raises Cancelled, NotFound without a Terraform.
    """
    version = ground.terraform().version
    with ground.elsewhere() as folder:
        store = Store(folder / "bundles")
        bench = _Bench(_bare(ground, store), bundle, store.put(bundle.files), stop, watch)
        results = [bench.planned(test) for test in suite.tests]
        results += [result for part, names in suite.terraform.items() for result in bench.tested(part, names)]
    return Report(tuple(results), version)


def _bare(ground: Ground, store: Store) -> Ground:
    """The ground without credentials, variables and settings for providers that operators gave it."""
    tables = {provider_overrides.TABLE: {"aws": _AWS}}
    settings: Settings = replace(
        ground.settings, run_env=_RUN_ENV, run_env_files={}, pipeline_credentials="", tables=tables, retries=0
    )
    return replace(ground, settings=settings, store=store)


@dataclass(frozen=True)
class _Bench:
    """Where the tests of one bundle are run."""

    ground: Ground
    bundle: Bundle
    digest: str
    stop: Stop
    watch: Watch

    def planned(self, test: Contract) -> Result:
        """What a test of a YAML file comes to."""
        self.watch(f"testing {test.name}", None)
        began, expected = time.monotonic(), test.expected.fails
        try:
            problems = self._judged(test)
            if expected is not None:
                problems = (test.problem(("expect", "fails"), "The plan has not failed."),)
        except (Invalid, ExternalFailure) as error:
            problems = _failure(test, str(error))
        seconds = round(time.monotonic() - began, 3)
        line = test.document.line(test.at)
        return Result(test.name, test.document.file, line, test.part.value, seconds, problems)

    def _judged(self, test: Contract) -> tuple[Problem, ...]:
        part = self._part(test.part)
        inputs, problems = self._inputs(test)
        if problems:
            raise Invalid("The inputs do not fit the schema:", problems=problems)
        with scratch(self.ground, self._work(test.part, test.given, inputs), part, self.stop) as made:
            plan = made.folder / PLAN_FILE
            follow(self.ground.terraform().plan(made.place, plan), "plan", made.step)
            return judge(test, _parsed(self.ground.terraform().show_plan_json(made.place, plan)))

    def _inputs(self, test: Contract) -> tuple[Json, list[Problem]]:
        return revisions.resolve(self._type(test.part), test.given.inputs, {}, (*test.at, "inputs"), test.document)

    def _type(self, part: PartName) -> Json:
        schema = self.bundle.schema
        return (schema.pipeline_type or {}) if part is PartName.PIPELINE else schema.type

    def _part(self, name: PartName) -> Part:
        part = self.bundle.facts.part(name)
        assert part is not None
        return part

    def tested(self, name: PartName, names: Mapping[str, str]) -> Iterator[Result]:
        """What the files of `terraform test` of a part come to; `names` as in Suite.terraform."""
        self.watch(f"terraform test of {name.value}", None)
        part, given = self._part(name), self._example(name)
        collector = CaseCollector(dict.fromkeys(part.templates, HEADER_LINES))
        try:
            with scratch(self.ground, self._work(name, given, given.inputs), part, self.stop) as made:
                self._write(made, names)
                command = self.ground.terraform().test(made.place)
                ended = process.run(command, stop=self.stop, on_line=collector.feed)
        except (Invalid, ExternalFailure) as error:
            first = next(iter(names.values()))
            yield Result("terraform test", first, 0, name.value, None, (Problem(first, 0, "", str(error), RULE),))
            return
        if self.stop.requested:
            raise Cancelled("The tests were stopped before they had finished.")
        yield from (self._result(name, names, case) for case in collector.cases)
        if not collector.cases or (ended.code and all(case.is_passed for case in collector.cases)):
            message = f"terraform test {_unsaid(ended, command)}."
            first = next(iter(names.values()))
            yield Result("terraform test", first, 0, name.value, None, (Problem(first, 0, "", message, RULE),))

    def _write(self, made: Scratch, names: Mapping[str, str]) -> None:
        for inner, path in names.items():
            safely.put(made.place.folder, inner, self.bundle.files[path], made.folder / _TEMPORARY)

    def _result(self, part: PartName, names: Mapping[str, str], case: Case) -> Result:
        file = names.get(case.file, f"{part.value}/{case.file}" if case.file else part.value)
        problems = tuple(self._problem(part, names, file, case, error) for error in case.errors)
        if not (case.is_passed or problems):
            problems = (Problem(file, 0, case.name, f"It was not run to its end: {case.status}.", RULE),)
        line = _line(self.bundle.files.get(file, b""), case.name)
        return Result(case.name or "terraform test", file, line, part.value, None, problems)

    def _problem(self, part: PartName, names: Mapping[str, str], file: str, case: Case, error: Diagnostic) -> Problem:
        found = error.problem()
        inside = names.get(found.file, f"{part.value}/{found.file}") if found.file else file
        return Problem(inside, found.line, case.name, found.message, RULE)

    def _example(self, part: PartName) -> Given:
        """What `terraform test` finds in the values file: names, and inputs that have defaults."""
        return Given(shapes.filled(self._type(part), {}))

    def _work(self, part: PartName, given: Given, inputs: Mapping[str, object]) -> Work:
        kind = self._type(part)
        where = _address(part, given)
        environment = None if part is not PartName.INSTANCE else _environment(given.environment)
        component = given.component
        return Work(
            run_id=0,
            fence=0,
            address=where,
            operation=Operation.DEPLOY,
            template=self.bundle.name,
            bundle=self.digest,
            facts=self.bundle.facts,
            inputs=shapes.filled(kind, inputs),
            input_type=kind,
            environment=environment,
            repository=Repository(given.service.repository_connection, given.service.repository, given.service.branch),
            run_env={},
            planned_with={},
            component=_upstream(address.component(component.name), component.outputs) if component else None,
            neighbours=tuple(_neighbour(given, each) for each in given.instances),
            references={},
            secret_env={},
            is_unsigned=True,
        )


def _address(part: PartName, given: Given) -> Address:
    if part is PartName.INFRASTRUCTURE:
        return address.environment(given.environment.name)
    if part is PartName.PIPELINE:
        return address.pipeline(given.service.name)
    return address.service_instance(given.service.name, given.instance)


def _environment(given: Environment) -> Upstream:
    return _upstream(address.environment(given.name), given.outputs)


def _neighbour(given: Given, each: Neighbour) -> work.Neighbour:
    instance = _upstream(address.service_instance(given.service.name, each.name), each.outputs)
    return work.Neighbour(instance, each.inputs, _environment(each.environment))


def _upstream(where: Address, outputs: Mapping[str, object]) -> Upstream:
    known = {name: {"type": "dynamic", "sensitive": False, "value": value} for name, value in outputs.items()}
    # one that was never deployed would be no upstream at all
    return Upstream(where, known, deployed_run=0)


def _failure(test: Contract, message: str) -> tuple[Problem, ...]:
    """There is no plan; () where that is what the test expects."""
    expected = test.expected.fails
    if expected is None:
        return (test.problem((), message),)
    if expected in message:
        return ()
    return (test.problem(("expect", "fails"), f"It has failed otherwise: {message}"),)


def _unsaid(ended: process.Ended, command: process.Command) -> str:
    """Why it failed where it did not say so itself."""
    # whatever ended it: it may have had to be killed
    if ended.duration_s >= command.timeout_s:
        return "took longer than allowed and was stopped"
    return f"ended with exit code {ended.code} and did not say why"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExternalFailure(f"The plan cannot be read as JSON: {error}") from error


def _line(content: bytes, name: str) -> int:
    """The line of the `run` block; 0 when it cannot be found."""
    wanted = f'run "{name}"'
    lines = enumerate(content.decode("utf-8", "replace").splitlines(), 1)
    return next((number for number, line in lines if line.strip().startswith(wanted)), 0)
