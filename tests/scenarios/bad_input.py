"""What a case of bad input is, and the home that every one of them meets."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.world import (
    ENVIRONMENT_CODE,
    ENVIRONMENT_SCHEMA,
    MANIFEST,
    REGISTRATION,
    SERVICE_CODE,
    SERVICE_SCHEMA,
    World,
)

Content = str | bytes | Callable[[], bytes]
"""Of a file; a function makes what is too large to be made before it is needed."""
APP_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "App"
  types:
    App:
      type: object
      required: [image]
      properties:
        image: {type: string, pattern: "^[a-z/]+:[0-9.]+$"}
        title: {type: string, minLength: 3, maxLength: 20}
        port: {type: integer, minimum: 1, maximum: 65535}
        share: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 1}
        memory: {type: integer, multipleOf: 64}
        public: {type: boolean}
        size: {type: string, enum: [small, medium, large]}
        token: {type: string, format: password, minLength: 8}
        hosts: {type: array, items: {type: string, maxLength: 10}, maxItems: 3, uniqueItems: true}
        server:
          type: object
          required: [cpu]
          properties:
            cpu: {type: integer, maximum: 4}
            limits: {type: array, items: {type: object, properties: {seconds: {type: integer, minimum: 1}}}}
"""
APP_CODE = """\
resource "terraform_data" "app" {
  input = var.service_instance.inputs
}
"""
NEEDY_CODE = SERVICE_CODE.replace("environment.outputs.zone", "environment.outputs.vpc_id")
BROKEN_SCHEMA = "schema: {}\n"


@dataclass(frozen=True)
class Case:
    """One thing that somebody types. How it is refused stands in a file of `refusals/`, under the same name."""

    name: str
    given: Mapping[str, Content]
    """Files in the working folder."""
    command: str
    """What is typed after `landform`, as a shell reads it."""
    environ: Mapping[str, str] = field(default_factory=dict)


def furnish(world: World) -> None:
    """Templates in every state, environments in every state, a service that works and one that waits for approval."""
    # before there is an environment template that does not offer what it reads
    world.publish("needy", world.service_bundle("needy", NEEDY_CODE))
    world.publish("lab", world.environment_bundle())
    world.publish("net", world.environment_bundle())
    world.publish("web", world.service_bundle())
    world.publish("app", world.service_bundle("app", APP_CODE, APP_SCHEMA))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
    world.run("service", "create", "billing", "-t", "web", "--env", "prod")
    world.do("env", "create", "island", "-t", "net", "--auto-approve")
    world.do("env", "create", "queued", "-t", "lab", "--no-wait")
    world.do("env", "create", "bare", "-t", "lab", "--no-wait")
    world.do("run", "discard", "6")
    world.publish("lab", world.environment_bundle(), "--major", "1")
    world.do("template", "register", "web", world.service_bundle(), "--major", "1")
    world.run("template", "register", "web", world.service_bundle(schema=BROKEN_SCHEMA), "--major", "1")
    world.do("template", "register", "web", world.service_bundle(), "--major", "1")
    world.do("template", "delete", "web@1.3", "--yes")
    world.do("template", "register", "twin", world.environment_bundle())
    world.do("template", "register", "twin", world.service_bundle())
    world.run("env", "create", "held", "-t", "net")
    world.do("run", "approve", "7", "--no-wait")


def rows(catalog: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table -> every row of it, in the order they were written."""
    with closing(sqlite3.connect(f"{catalog.as_uri()}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in tables}


def files(home: Path) -> set[str]:
    """What lies in the home, without SQLite's own files beside the catalog."""
    found = (path.relative_to(home).as_posix() for path in home.rglob("*"))
    return {path for path in found if not path.startswith("catalog.db-")}


def environment(**changed: Content) -> dict[str, Content]:
    """The files of an environment template's bundle in the folder `b`; `changed` by the name of what is other."""
    usual = {"schema": ENVIRONMENT_SCHEMA, "manifest": MANIFEST, "code": ENVIRONMENT_CODE}
    given = usual | changed
    return {
        "b/schema/schema.yaml": given["schema"],
        "b/infrastructure/manifest.yaml": given["manifest"],
        "b/infrastructure/main.tf": given["code"],
    }


def service(**changed: Content) -> dict[str, Content]:
    """As environment(), of a service template."""
    usual = {
        "schema": SERVICE_SCHEMA,
        "manifest": MANIFEST,
        "code": SERVICE_CODE,
        "registration": REGISTRATION.format(environment="lab:1"),
    }
    given = usual | changed
    return {
        "b/schema/schema.yaml": given["schema"],
        "b/instance_infrastructure/manifest.yaml": given["manifest"],
        "b/instance_infrastructure/main.tf": given["code"],
        "b/.template-registration.yaml": given["registration"],
    }


def lay_out(root: Path, given: Mapping[str, Content]) -> dict[str, bytes]:
    """Writes the files; what contents() finds then."""
    for name, content in given.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made = content() if callable(content) else content
        path.write_bytes(made.encode() if isinstance(made, str) else made)
    return contents(root)


def contents(root: Path) -> dict[str, bytes]:
    """Path -> content of every file below the folder."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def transcript(world: World, command: str) -> str:
    """What a terminal shows: the command, stdout with a bar before each line, stderr, and the exit code.

    HOME and WORK stand for the folders of the test.
    """
    result = world.run(*shlex.split(command))
    out = "".join(f"| {line}\n" for line in result.out.splitlines())
    typed = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in command)
    text = f"$ landform {typed}\n{out}{result.err}[{result.code}]\n"
    return text.replace(str(world.root), "WORK").replace(str(world.home), "HOME")


def refusals(theme: str) -> dict[str, str]:
    """Name of a case -> the transcript that it must give."""
    text = (Path(__file__).parent / "refusals" / f"{theme}.txt").read_text(encoding="utf-8")
    sections = (section.partition("\n") for section in text.split("# case: ")[1:])
    return {name: body.rstrip("\n") + "\n" for name, _, body in sections}
