"""A template bundle as a value: its files, its schema, and what was learned from its Terraform code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from engine.core.address import Kind
from engine.core.versions import TemplateKind

ENVIRONMENT_OUTPUTS = "environment.outputs"
COMPONENT_OUTPUTS = "service_instance.components.default.outputs"
"""Maps of Proton's namespace that are filled with outputs of other instances."""


class PartName(StrEnum):
    """The folder of a bundle that becomes the Terraform root of one kind of instance."""

    INFRASTRUCTURE = "infrastructure"
    INSTANCE = "instance_infrastructure"
    PIPELINE = "pipeline_infrastructure"
    COMPONENT = "component_infrastructure"
    """A component's file; no bundle that is registered has it."""


PART_OF = {
    Kind.ENVIRONMENT: PartName.INFRASTRUCTURE,
    Kind.SERVICE_INSTANCE: PartName.INSTANCE,
    Kind.PIPELINE: PartName.PIPELINE,
    Kind.COMPONENT: PartName.COMPONENT,
}
"""The folder that each kind of instance is made from."""


@dataclass(frozen=True, order=True)
class Read:
    """A value of Proton's namespace that the code uses, e.g. `environment.outputs.vpc_id`.

    A read of a whole map (`service_instance.inputs`) has no name after the map.
    """

    path: str
    file: str
    line: int
    guarded: bool = False
    """Inside `can()` or `try()`: its absence is provided for."""


@dataclass(frozen=True, order=True)
class Output:
    """A root output."""

    name: str
    file: str
    line: int
    description: str = ""
    sensitive: bool = False


@dataclass(frozen=True, order=True)
class Resource:
    """A resource, data source or module call: `aws_vpc.main`, `data.aws_ami.this`, `module.net`.

    What lies in modules of the bundle's own is there too, as `module.net.aws_vpc.main`.
    """

    address: str
    file: str
    line: int
    source: str = ""
    """Of a module call: `./net`, or `acme/net/aws 1.2` with the version that it asks for."""
    repeated: str | None = None
    """`count`, `for_each`, or "" for one alone; None where nobody looked (facts of before 2026-11-24)."""


@dataclass(frozen=True, order=True)
class Moved:
    """A `moved` block: what has the address `origin` in a state has `target` from now on."""

    origin: str
    target: str
    file: str
    line: int


@dataclass(frozen=True, order=True)
class Removed:
    """A `removed` block: what is gone from the code on purpose."""

    address: str
    file: str
    line: int
    destroys: bool = True
    """Whether it is destroyed; otherwise Terraform only forgets it."""


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands, in a file of the part."""

    file: str
    line: int


@dataclass(frozen=True, order=True)
class Variable:
    """A variable of the root that the bundle declares itself."""

    name: str
    file: str
    line: int
    sensitive: bool = False
    ephemeral: bool = False
    is_text: bool = True
    """Whether Terraform takes what TF_VAR_ has for it to the letter: its type is string, number, bool, or not said."""


@dataclass(frozen=True)
class Part:
    """One Terraform root of a bundle. Files are named relative to the part's folder."""

    name: PartName
    engine: str
    """`hcl`, or `jinja`: `*.tf.j2` files are rendered."""
    templates: tuple[str, ...]
    """Top-level files that are rendered with a header, sorted."""
    others: tuple[str, ...]
    """Everything else that travels along verbatim (sub-folders, data files), sorted; no manifest."""
    reads: tuple[Read, ...] = ()
    outputs: tuple[Output, ...] = ()
    resources: tuple[Resource, ...] = ()
    providers: Mapping[str, str] | None = None
    """Local provider name -> `source constraint` as required, e.g. {"aws": "hashicorp/aws ~> 3.0"}."""
    terraform: str = ""
    """`required_version`; "" when none."""
    backend: str = ""
    """Type of the backend block; "" when none."""
    variables: tuple[Variable, ...] = ()
    """One for each name; none in facts of before 2026-11."""
    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
    """Both with the addresses of the root; none in facts of before 2026-11-24, as all that follows."""
    unread: tuple[str, ...] = ()
    """The files whose declarations are not in these facts: Jinja writes them, or only Terraform can read them."""
    backend_digest: str = ""
    """Of what the backend block says; "" when there is none."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where `terraform` (the constraint), `backend` and each `provider NAME` stand."""

    def variable(self, name: str) -> Variable | None:
        """The variable that the bundle declares under the name; None when it declares none."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def environment_outputs(self) -> frozenset[str]:
        """Names of the environment outputs that must be there: read, and not guarded."""
        return self._names(ENVIRONMENT_OUTPUTS, guarded=False)

    def environment_outputs_used(self) -> frozenset[str]:
        """Names of all environment outputs that are read, guarded or not."""
        return self.names_used(ENVIRONMENT_OUTPUTS)

    def reads_all_environment_outputs(self) -> bool:
        """Whether the code uses the map of environment outputs as a whole."""
        return self.reads_all(ENVIRONMENT_OUTPUTS)

    def names_used(self, map: str) -> frozenset[str]:
        """Names in a map of the namespace, like `environment.outputs`, that are read, guarded or not."""
        return self._names(map, guarded=True)

    def reads_all(self, map: str) -> bool:
        """Whether the code uses the map, or something that holds it, as a whole."""
        return any(f"{map}.".startswith(f"{read.path}.") for read in self.reads)

    def reads_of_null(self, roots: Collection[str]) -> tuple[Read, ...]:
        """The reads inside variables that may be null, where nothing provides for that: neither a guard, nor that the
        code asks for the variable itself, as `var.service == null` does.
        """
        asked = {read.path for read in self.reads}
        found = ((read.path.partition("."), read) for read in self.reads if not read.guarded)
        return tuple(read for (root, dot, _), read in found if dot and root in roots and root not in asked)

    def _names(self, prefix: str, *, guarded: bool) -> frozenset[str]:
        start = prefix + "."
        return frozenset(
            read.path[len(start) :].split(".")[0]
            for read in self.reads
            if read.path.startswith(start) and (guarded or not read.guarded)
        )


@dataclass(frozen=True)
class Facts:
    """What was learned from a bundle, kept with its version so that no run parses HCL."""

    kind: TemplateKind
    customer_managed: bool
    """An environment template without infrastructure: its inputs are its outputs."""
    parts: Mapping[PartName, Part]

    def part(self, name: PartName) -> Part | None:
        """The part of that name; None when the bundle has none."""
        return self.parts.get(name)

    def to_json(self) -> dict[str, Any]:
        """A JSON form that from_json() reads back."""
        return asdict(self)


def from_json(stored: Mapping[str, Any]) -> Facts:
    """The facts that to_json() wrote."""
    return Facts(
        TemplateKind(stored["kind"]),
        bool(stored["customer_managed"]),
        {PartName(name): _part(part) for name, part in stored["parts"].items()},
    )


def _part(stored: Mapping[str, Any]) -> Part:
    return Part(
        name=PartName(stored["name"]),
        engine=stored["engine"],
        templates=tuple(stored["templates"]),
        others=tuple(stored["others"]),
        reads=tuple(Read(**read) for read in stored["reads"]),
        outputs=tuple(Output(**output) for output in stored["outputs"]),
        resources=tuple(Resource(**resource) for resource in stored["resources"]),
        providers=stored["providers"],
        terraform=stored["terraform"],
        backend=stored["backend"],
        variables=tuple(Variable(**variable) for variable in stored.get("variables", ())),
        moved=tuple(Moved(**block) for block in stored.get("moved", ())),
        removed=tuple(Removed(**block) for block in stored.get("removed", ())),
        unread=tuple(stored.get("unread", ())),
        backend_digest=stored.get("backend_digest", ""),
        places={name: Place(**place) for name, place in stored.get("places", {}).items()},
    )
