"""What every shipped bundle for AWS keeps to, without an AWS."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from pathlib import Path
from runpy import run_path

import pytest
import yaml

from engine.bundles import load, pack
from engine.core import inputs, shapes, values
from engine.core.bundle import PartName
from engine.core.located import Json
from engine.core.schema import Schema
from tests.terraform._shipped import MODULES
from tests.test_docs import parse as typed

SERVICES = ["service/fargate-web", "service/lambda-api", "service/queue-worker"]
BUNDLES = ["environment/vpc-fargate", *SERVICES]
HELLO = MODULES / "service/lambda-api/v1/instance_infrastructure/files"
SAME = [
    ["environment/vpc-fargate/v1/infrastructure/versions.tf", *(f"{each}/v1/*/versions.tf" for each in SERVICES)],
    [f"service/{each}/v1/instance_infrastructure/roles.tf" for each in ("fargate-web", "queue-worker")],
    [f"service/{each}/v1/pipeline_infrastructure/images.tf" for each in ("fargate-web", "queue-worker")],
    [f"service/{each}/v1/pipeline_infrastructure/ci_role.tf" for each in ("fargate-web", "queue-worker")],
    [f"service/{each}/v1/pipeline_infrastructure/files/deploy.sh.tftpl" for each in ("fargate-web", "queue-worker")],
]
"""Files that are the same in several bundles."""


def schema_of(bundle: str) -> Schema:
    found = load.check(pack.read_folder(MODULES / bundle / "v1")).schema
    assert found is not None
    return found


def given(bundle: str) -> list[tuple[Json, dict[str, object]]]:
    """(type, inputs) of everything that the worked spec of a bundle describes."""
    schema, document = schema_of(bundle), yaml.safe_load((MODULES / bundle / "v1/spec/spec.yaml").read_text())
    if "spec" in document:
        return [(schema.type, document["spec"])]
    instances = [(schema.type, entry["spec"]) for entry in document["instances"]]
    return [*instances, (schema.pipeline_type or {}, document["pipeline"])]


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_worked_spec_satisfies_the_schema(bundle: str) -> None:
    found = [list(values.violations(type, shapes.filled(type, inputs))) for type, inputs in given(bundle)]

    assert [violations for violations in found if violations] == []


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_input_has_a_title_a_description_and_a_default(bundle: str) -> None:
    schema = schema_of(bundle)

    every = [*inputs.inputs(schema.type), *inputs.inputs(schema.pipeline_type or {})]

    assert [each.name for each in every if not (each.title and each.description and each.has_default)] == []


@pytest.mark.parametrize("bundle", SERVICES)
def test_the_readme_names_what_the_pipeline_takes_and_gives(bundle: str) -> None:
    checked = load.check(pack.read_folder(MODULES / bundle / "v1"))
    assert checked.schema is not None
    assert checked.facts is not None
    readme = (MODULES / bundle / "v1/README.md").read_text()

    names = [each.name for each in inputs.inputs(checked.schema.pipeline_type or {})]
    outputs = [each.name for each in checked.facts.parts[PartName.PIPELINE].outputs]

    assert [name for name in [*names, *outputs] if f"| `{name}` |" not in readme] == []


@pytest.mark.parametrize("bundle", SERVICES)
def test_outputs_of_the_environment_are_read_by_name(bundle: str) -> None:
    checked = load.check(pack.read_folder(MODULES / bundle / "v1"))
    assert checked.facts is not None

    assert [name for name, part in checked.facts.parts.items() if part.reads_all_environment_outputs()] == []


@pytest.mark.parametrize("patterns", SAME, ids=lambda patterns: Path(patterns[0]).name)
def test_files_that_bundles_share_are_the_same_in_all(patterns: list[str]) -> None:
    files = [file for pattern in patterns for file in MODULES.glob(pattern)]

    assert len(files) >= len(patterns)
    assert len({hashlib.sha256(file.read_bytes()).hexdigest() for file in files}) == 1


@pytest.mark.parametrize("script", sorted(MODULES.rglob("deploy.sh.tftpl")), ids=lambda path: path.parts[-5])
def test_what_a_pipeline_is_told_to_type_can_be_typed(script: Path) -> None:
    text = re.sub(r"\$\{\w+\}", "x", script.read_text()).replace("$run", "1")

    lines = re.findall(r"^(?:run=\$\()?(landform .*?)\)?$", text, re.MULTILINE)

    assert len(lines) == 3
    for line in lines:
        typed(line)


def test_the_zip_file_beside_the_code_holds_the_program_beside_it() -> None:
    with zipfile.ZipFile(HELLO / "hello.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}

    assert held == {"app.py": (HELLO / "hello/app.py").read_bytes()}


def test_the_function_that_stands_in_for_yours_answers_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_SERVICE", "prices-live")

    answer = run_path(str(HELLO / "hello/app.py"))["handler"]({"rawPath": "/x"}, None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"service": "prices-live", "path": "/x"})
