"""First bundles. That they pass every check is promised in test_check."""

from __future__ import annotations

import pytest

from engine.bundles.scaffold import scaffold
from engine.core.versions import TemplateKind
from engine.errors import Invalid


def test_a_service_template_has_these_files() -> None:
    assert list(scaffold(TemplateKind.SERVICE, "web", "jinja", pipeline=True)) == [
        "README.md",
        "instance_infrastructure/main.tf.j2",
        "instance_infrastructure/manifest.yaml",
        "instance_infrastructure/outputs.tf",
        "instance_infrastructure/terraform.tf",
        "pipeline_infrastructure/main.tf",
        "pipeline_infrastructure/manifest.yaml",
        "pipeline_infrastructure/outputs.tf",
        "pipeline_infrastructure/terraform.tf",
        "schema/schema.yaml",
    ]


def test_a_service_template_names_the_environment_templates_it_runs_in() -> None:
    files = scaffold(TemplateKind.SERVICE, "web", compatible=("lab:1", "cloud:2"))

    assert files[".template-registration.yaml"] == b"compatible_environments:\n  - lab:1\n  - cloud:2\n"


def test_an_environment_template_that_cannot_be_named_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        scaffold(TemplateKind.SERVICE, "web", compatible=("lab",))

    assert caught.value.message == "The bundle cannot name these environment templates:"


@pytest.mark.parametrize(
    ("kind", "name", "engine", "pipeline", "message"),
    [
        (TemplateKind.SERVICE, "../x", "hcl", False, "The template name '../x' is not a valid name."),
        (TemplateKind.SERVICE, "web", "helm", False, "'helm' is not a rendering engine."),
        (TemplateKind.ENVIRONMENT, "net", "hcl", True, "An environment template has no pipeline."),
    ],
)
def test_what_cannot_be_made_is_refused(
    kind: TemplateKind, name: str, engine: str, pipeline: bool, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        scaffold(kind, name, engine, pipeline=pipeline)

    assert caught.value.message == message
