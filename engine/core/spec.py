"""The documents in which people write what they want: EnvironmentSpec and ServiceSpec (reference section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core import located
from engine.core.address import check_name
from engine.core.located import Document, Json, Path, shown
from engine.core.nearest import did_you_mean
from engine.errors import Invalid, Problem

TEXT_MAX = 51_200
ENVIRONMENT = "EnvironmentSpec"
SERVICE = "ServiceSpec"
_RULE = "spec/grammar"
_ARTICLES = {ENVIRONMENT: "an EnvironmentSpec", SERVICE: "a ServiceSpec"}


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an environment is to be made with."""

    inputs: Json
    """As written: without defaults, `${Proton::CURRENT_VAL}` not yet replaced."""
    at: Path = field(default=("spec",), compare=False)
    """Where the document holds the inputs."""


@dataclass(frozen=True)
class InstanceSpec:
    """What one instance of a service is to be made with."""

    name: str
    environment: str
    inputs: Json
    """As EnvironmentSpec.inputs."""
    at: Path = field(default=(), compare=False)
    """Where the document holds the inputs: `instances[0].spec`."""


@dataclass(frozen=True)
class ServiceSpec:
    """What a service is to be made with."""

    pipeline: Json | None
    """Inputs of the pipeline; None when the template has no pipeline of ours."""
    instances: tuple[InstanceSpec, ...]

    def instance(self, name: str) -> InstanceSpec | None:
        """The instance of that name; None when there is none."""
        return next((instance for instance in self.instances if instance.name == name), None)


def parse(text: str, file: str) -> Document:
    """The document in the text of a spec. Raises Invalid with every problem found, also for its size."""
    if not text.strip():
        problem = Problem(file, 0, "", "is empty.", _RULE, hint=f"Begin with: proton: {SERVICE}, or {ENVIRONMENT}")
    elif len(text) > TEXT_MAX:
        message = f"has {len(text):,} characters; {TEXT_MAX:,} are the most."
        problem = Problem(file, 0, "", message, _RULE)
    else:
        return located.parse(text, file)
    raise Invalid(f"{file} cannot be used:", problems=[problem])


def environment_spec(document: Document) -> EnvironmentSpec:
    """The EnvironmentSpec in the document. Raises Invalid with every problem found."""
    reader = _Reader(document)
    root = reader.root(ENVIRONMENT, ("proton", "spec"))
    inputs = reader.mapping(("spec",), root.get("spec"))
    reader.finish()
    return EnvironmentSpec(inputs)


def service_spec(document: Document, *, pipeline: bool) -> ServiceSpec:
    """The ServiceSpec in the document. Raises Invalid with every problem found.

    `pipeline` says whether the template has a pipeline of ours: without one, the document may have no `pipeline:`.
    """
    reader = _Reader(document)
    root = reader.root(SERVICE, ("proton", "pipeline", "instances"))
    if "pipeline" in root and not pipeline:
        reader.wrong(("pipeline",), "must not be there: the template has no pipeline.")
    inputs = reader.mapping(("pipeline",), root.get("pipeline")) if pipeline else None
    instances = reader.instances(root.get("instances"))
    reader.finish()
    return ServiceSpec(inputs, instances)


def text(spec: EnvironmentSpec | ServiceSpec) -> str:
    """The spec as a document that reads back the same."""
    if isinstance(spec, EnvironmentSpec):
        return located.dump({"proton": ENVIRONMENT, "spec": spec.inputs})
    pipeline = {} if spec.pipeline is None else {"pipeline": spec.pipeline}
    instances = [{"name": one.name, "environment": one.environment, "spec": one.inputs} for one in spec.instances]
    return located.dump({"proton": SERVICE, **pipeline, "instances": instances})


@dataclass
class _Reader:
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def root(self, kind: str, known: tuple[str, ...]) -> Json:
        value = self.document.value
        if not isinstance(value, dict):
            self.wrong((), f"is not {_ARTICLES[kind]}, a mapping that begins with proton: {kind}")
            self.finish()
            return {}
        found = value.get("proton")
        if isinstance(found, str) and found in _ARTICLES and found != kind:
            # everything else in it would be wrong as well
            self.wrong(("proton",), f"is {found}; {_ARTICLES[kind]} is expected here.")
            self.finish()
        if found is None:
            self.wrong(("proton",), f"is required. Write proton: {kind}")
        elif found != kind:
            self.wrong(("proton",), f"must be {kind}, not {shown(found)}.")
        self._unknown((), value, known)
        return value

    def mapping(self, path: Path, value: object) -> Json:
        """A section of inputs; {} when it is missing or empty."""
        if value is None or isinstance(value, dict):
            return value or {}
        self.wrong(path, f"must be a mapping of inputs to values, not {_what(value)}.")
        return {}

    def instances(self, value: object) -> tuple[InstanceSpec, ...]:
        if value is not None and not isinstance(value, list):
            self.wrong(("instances",), f"must be a list, not {_what(value)}. Begin each instance with a dash.")
            return ()
        instances = tuple(self._instance(("instances", index), item) for index, item in enumerate(value or ()))
        first: dict[str, Path] = {}
        for index, instance in enumerate(instances):
            place: Path = ("instances", index, "name")
            if instance.name and first.setdefault(instance.name, place) != place:
                line = self.document.line(first[instance.name])
                earlier = f" in line {line}" if line else ""
                self.wrong(place, f"{shown(instance.name)} is the name of another instance{earlier}.")
        return instances

    def _instance(self, path: Path, value: object) -> InstanceSpec:
        at = (*path, "spec")
        if not isinstance(value, dict):
            self.wrong(path, f"must be a mapping with name, environment and spec, not {_what(value)}.")
            return InstanceSpec("", "", {}, at)
        self._unknown(path, value, ("name", "environment", "spec"))
        name = self._name((*path, "name"), value.get("name"), "instance name")
        environment = self._name((*path, "environment"), value.get("environment"), "environment name")
        return InstanceSpec(name, environment, self.mapping(at, value.get("spec")), at)

    def _name(self, path: Path, value: object, noun: str) -> str:
        if value is None:
            self.wrong(path, "is required.")
        elif not isinstance(value, str):
            hint = "" if isinstance(value, dict | list) else f' Write "{shown(value)}".'
            self.wrong(path, f"{shown(value)} is not a string.{hint}")
        else:
            try:
                return check_name(value, noun)
            except Invalid as error:
                self.wrong(path, error.message, error.hint)
        return ""

    def _unknown(self, path: Path, value: Json, known: tuple[str, ...]) -> None:
        for key in value:
            if key not in known:
                self.wrong((*path, key), f"is not a known key.{did_you_mean(key, known)}")

    def wrong(self, path: Path, message: str, hint: str = "") -> None:
        self.problems.append(self.document.problem(path, message, rule=_RULE, hint=hint))

    def finish(self) -> None:
        """Raises Invalid when there are problems."""
        if self.problems:
            raise Invalid(f"{self.document.file} cannot be used:", problems=sorted(self.problems))


def _what(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else shown(value)
