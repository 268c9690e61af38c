"""What every bundle in modules/ keeps to, and the environment on real Terraform."""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine.bundles import load, pack
from engine.core import registered
from engine.core.verdicts import Compared, Level, Verdict, verdict
from tests.terraform._shipped import (
    MODULES,
    SITES,
    TERRAFORM,
    Root,
    defaults_of,
    inputs_of,
    part_of,
)

pytestmark = [pytest.mark.terraform, pytest.mark.skipif(not TERRAFORM, reason="there is no Terraform here")]

ENVIRONMENTS = ["environment/local-lab/v1", "environment/local-lab/v1.1"]
BUNDLES = [*ENVIRONMENTS, *SITES, "service/worker/v1"]
SCRIPTS = sorted(MODULES.rglob("*.py"))
SHARED = ["daemon.py", "serve.py", "publish.py", "lab.py", "write.py", "github.yml.tftpl", "gitlab.yml.tftpl"]


def checked(bundle: str) -> load.Checked:
    return load.check(pack.read_folder(MODULES / bundle))


def verdict_on(old: str, new: str) -> Verdict:
    before, after = (compared(bundle) for bundle in (old, new))
    return verdict([before], after)


def compared(bundle: str) -> Compared:
    found = checked(bundle)
    assert found.facts is not None
    assert found.schema is not None
    return Compared(bundle, found.facts, found.schema, registered.document_of(found.schema_text))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_bundle_passes_every_check(bundle: str) -> None:
    assert checked(bundle).problems == ()


@pytest.mark.parametrize("pair", [ENVIRONMENTS, SITES[:2]], ids=str)
def test_a_minor_version_takes_what_the_one_before_took(pair: list[str]) -> None:
    assert verdict_on(*pair).level is Level.MINOR


def test_a_major_version_asks_for_something_new() -> None:
    found = verdict_on(*SITES[1:])

    assert [finding.sentence for finding in found.breaking] == [
        'Input "listen" is new and required and has no default.',
        'Input "port" was removed.',
    ]


def test_the_bundle_in_the_guide_passes_every_check() -> None:
    blocks = re.findall(r"```(?:yaml|hcl)\n(.*?)```", (MODULES / "README.md").read_text(), re.DOTALL)
    names = [
        "schema/schema.yaml",
        "instance_infrastructure/manifest.yaml",
        "instance_infrastructure/main.tf",
        "instance_infrastructure/outputs.tf",
        ".template-registration.yaml",
    ]

    bundle = {name: block.encode() for name, block in zip(names, blocks, strict=False)}

    assert load.check(bundle).problems == ()


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_input_says_what_it_is(bundle: str) -> None:
    assert [name for name, rule in inputs_of(bundle).items() if not rule["title"] or not rule["description"]] == []


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_output_says_what_it_is(bundle: str) -> None:
    text = (part_of(bundle) / "outputs.tf").read_text()

    assert text.count("description = ") == text.count('output "')


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_example_names_only_inputs_that_exist(bundle: str) -> None:
    document = yaml.safe_load((MODULES / bundle / "spec/spec.yaml").read_text())

    specs = [document["spec"]] if "spec" in document else [entry["spec"] for entry in document["instances"]]

    assert [name for spec in specs for name in spec if name not in inputs_of(bundle)] == []


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_readme_names_every_input_and_output(bundle: str) -> None:
    readme = (MODULES / bundle / "README.md").read_text()
    outputs = [
        line.split('"')[1] for line in (part_of(bundle) / "outputs.tf").read_text().split("\n") if line[:6] == "output"
    ]

    assert [name for name in [*inputs_of(bundle), *outputs] if f"| `{name}` |" not in readme] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(MODULES)))
def test_scripts_need_no_more_than_python_38_and_its_library(script: Path) -> None:
    tree = ast.parse(script.read_text(), feature_version=(3, 8))

    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    own = {file.stem for file in script.parent.glob("*.py")}
    assert {str(name).split(".")[0] for name in froms | names} <= sys.stdlib_module_names | own


def test_a_script_that_several_bundles_hold_is_the_same_in_all() -> None:
    texts = {name: {hashlib.sha256(file.read_bytes()).hexdigest() for file in MODULES.rglob(name)} for name in SHARED}

    assert {name: len(found) for name, found in texts.items()} == dict.fromkeys(SHARED, 1)


@pytest.fixture
def lab(tmp_path: Path) -> Callable[..., Root]:
    def make(bundle: str, **inputs: object) -> Root:
        root = Root(tmp_path / "workspace")
        root.use(bundle)
        root.give({"environment": {"name": "prod", "inputs": {**defaults_of(bundle), **inputs}}, "//": "arn"})
        return root

    return make


def test_an_environment_makes_its_folder_and_says_where(lab: Callable[..., Root], tmp_path: Path) -> None:
    root = lab(ENVIRONMENTS[0], root=str(tmp_path / "a place"), tier="prod")

    root.apply()

    assert (tmp_path / "a place/prod/content").is_dir()
    assert root.outputs() == {
        "content_root": str(tmp_path / "a place/prod/content"),
        "domain": "lab.localhost",
        "tier": "prod",
    }


@pytest.mark.parametrize("bundle", ENVIRONMENTS)
def test_an_environment_without_a_root_lies_in_its_workspace(lab: Callable[..., Root], bundle: str) -> None:
    root = lab(bundle)

    root.apply()

    assert root.outputs()["content_root"] == str(root.folder / "lab/content")
    assert root.planned() == set()


@pytest.mark.parametrize("bundle", ENVIRONMENTS)
def test_destroying_an_environment_removes_its_folder(lab: Callable[..., Root], bundle: str, tmp_path: Path) -> None:
    root = lab(bundle, root=str(tmp_path / "place"))
    root.apply()

    root.destroy()

    assert list((tmp_path / "place").iterdir()) == []


@pytest.mark.parametrize("bundle", ENVIRONMENTS)
def test_destroying_an_environment_keeps_what_others_put_there(lab: Callable[..., Root], bundle: str) -> None:
    root = lab(bundle)
    root.apply()
    (root.folder / "lab/content/thesis.txt").write_text("ten years of work")

    text = root.destroy()

    assert (root.folder / "lab/content/thesis.txt").read_text() == "ten years of work"
    assert f"Left {root.folder}/lab in place: it still holds content." in text


def test_the_next_minor_version_adds_a_folder_and_changes_nothing_else(lab: Callable[..., Root]) -> None:
    root = lab(ENVIRONMENTS[0])
    root.apply()

    root.use(ENVIRONMENTS[1])

    assert root.planned() == {("terraform_data.logs", "create")}
    root.apply()
    assert root.outputs()["log_root"] == str(root.folder / "lab/logs")
    assert (root.folder / "lab/logs").is_dir()


def test_destroying_an_environment_that_was_cut_off_removes_its_folder(lab: Callable[..., Root]) -> None:
    root = lab(ENVIRONMENTS[1])
    root.apply()
    root.forget("terraform_data.content")
    root.forget("terraform_data.logs")

    root.destroy()

    assert not (root.folder / "lab").exists()
