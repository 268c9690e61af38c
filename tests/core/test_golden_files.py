"""Files that real Proton wrote, to the byte; reference section 2.10 (G1 to G14) and 2.4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import jackson, variables
from engine.core.address import Kind
from engine.core.arns import Owner
from engine.core.bundle import Part, PartName
from engine.core.file_names import METADATA_FILE, VALUES_FILE
from engine.core.metadata import DELETED, Deployment
from engine.core.namespace import (
    AttachedComponent,
    Attachment,
    ComponentValues,
    EnvironmentValues,
    InstanceValues,
    PipelineInstance,
    PipelineValues,
    ServiceValues,
    Upstream,
    Values,
)
from engine.core.rendering import HEADER_LINES, Rendering, render
from engine.core.versions import Number

GOLDEN = Path(__file__).parent / "golden"
TESAKI = Owner("808225968452", "ap-northeast-1")
WRIGHTON = Owner("259837135622", "ap-northeast-1")
PART = Part(PartName.INFRASTRUCTURE, "hcl", (), ())


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def given(name: str) -> dict[str, Any]:
    """The values of a golden file."""
    return dict(json.loads(golden(name)))


def shuffled(outputs: dict[str, str]) -> dict[str, str]:
    """The outputs in an order of no meaning, as a catalog may hand them over."""
    return dict(sorted(outputs.items(), reverse=True))


def upstream(member: dict[str, Any]) -> Upstream:
    return Upstream(member["name"], member["account_id"], shuffled(member["outputs"]))


def service(member: dict[str, Any]) -> ServiceValues:
    return ServiceValues(**member)


def instance(name: str, template: str) -> InstanceValues:
    members = given(name)
    own = members["service_instance"]
    return InstanceValues(
        own["name"], template, service(members["service"]), upstream(members["environment"]), own["inputs"]
    )


def pipeline(name: str, template: str) -> PipelineValues:
    members = given(name)
    instances = tuple(
        PipelineInstance(own["name"], upstream(own["environment"]), own["inputs"], shuffled(own["outputs"]))
        for own in members["service_instances"]
    )
    return PipelineValues(template, service(members["service"]), members["pipeline"]["inputs"], instances)


def component(name: str) -> ComponentValues:
    members = given(name)
    own = members.get("service_instance")
    attachment = Attachment(members["service"]["name"], own["name"], own["inputs"]) if own else None
    return ComponentValues(members["component"]["name"], upstream(members["environment"]), attachment, exact=True)


def environment() -> EnvironmentValues:
    members = given("environment.tfvars.json")["environment"]
    return EnvironmentValues(members["name"], "fargate-env", members["inputs"])


FARGATE = instance("instance.tfvars.json", "load-balanced-fargate-svc")
PIPELINE = pipeline("pipeline.tfvars.json", "load-balanced-fargate-svc")
LAMBDA = instance("instance_without_inputs.tfvars.json", "lambda-sample-lambda-function-template")
COMPONENT = component("component.tfvars.json")
DETACHED = component("component_detached.tfvars.json")
SVC_COMPS = ComponentValues("s3-bucket", Upstream("fargate-env-nrt", ""), Attachment("svc-comps", "i"))


def rendered(values: Values, owner: Owner, deployment: Deployment | None = None) -> dict[str, bytes]:
    return render(Rendering(PART, {}, values, owner, deployment=deployment))


@pytest.mark.parametrize(
    ("file", "values", "owner"),
    [
        ("environment.tfvars.json", environment(), TESAKI),
        ("instance.tfvars.json", FARGATE, TESAKI),
        ("instance_without_inputs.tfvars.json", LAMBDA, TESAKI),
        ("pipeline.tfvars.json", PIPELINE, TESAKI),
        ("component.tfvars.json", COMPONENT, WRIGHTON),
        ("component_detached.tfvars.json", DETACHED, Owner("279245132597", "us-east-1")),
        (
            "pipeline_without_instances.tfvars.json",
            pipeline("pipeline_without_instances.tfvars.json", "scheduled-ecs-ec2-svc"),
            Owner("175441209007", "us-east-1"),
        ),
    ],
)
def test_the_values_file_is_what_proton_wrote(file: str, values: Values, owner: Owner) -> None:
    files = rendered(values, owner)

    assert files[VALUES_FILE].decode() == golden(file)


@pytest.mark.parametrize(
    ("file", "values", "owner", "deployment"),
    [
        (
            "environment.metadata.json",
            environment(),
            TESAKI,
            Deployment("e03ef90c-9daa-45d9-92ab-ded31d7c20fc", Number(1, 0)),
        ),
        ("instance.metadata.json", FARGATE, TESAKI, Deployment("31c9afa3-565c-4438-b4b1-111d365df447", Number(1, 6))),
        ("instance_deleted.metadata.json", FARGATE, TESAKI, Deployment(DELETED, Number(1, 6), is_deleted=True)),
        ("pipeline.metadata.json", PIPELINE, TESAKI, Deployment("bff0fa54-8840-4ac5-a5e6-f84a65dac943", Number(1, 6))),
        (
            "component.metadata.json",
            SVC_COMPS,
            WRIGHTON,
            Deployment("8ccb2bd5-c066-4832-9153-5f7320155f1f", Number(1, 0)),
        ),
        (
            "component_deleted.metadata.json",
            DETACHED,
            Owner("279245132597", "us-east-1"),
            Deployment(DELETED, Number(1, 0), is_deleted=True),
        ),
    ],
)
def test_the_metadata_file_is_what_proton_wrote(
    file: str, values: Values, owner: Owner, deployment: Deployment
) -> None:
    files = rendered(values, owner, deployment)

    assert files[METADATA_FILE].decode() == golden(file)


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("environment.variables.tf", environment()),
        ("service_instance.variables.tf", FARGATE),
        ("pipeline.variables.tf", PIPELINE),
        ("component.variables.tf", COMPONENT),
    ],
)
def test_below_the_header_the_variables_file_is_what_proton_wrote(file: str, values: Values) -> None:
    lines = rendered(values, TESAKI)[f"proton.{file}"].decode().splitlines(keepends=True)

    assert "".join(lines[HEADER_LINES:]) == golden(file)
    assert lines[HEADER_LINES - 2 : HEADER_LINES] == ["*/\n", "\n"]


def test_there_is_no_metadata_file_without_a_deployment() -> None:
    assert sorted(rendered(environment(), TESAKI)) == [VALUES_FILE, "proton.environment.variables.tf"]


def test_a_component_of_ours_has_tags_and_keeps_the_types_of_inputs() -> None:
    values = ComponentValues("s3-bucket", COMPONENT.environment, COMPONENT.attachment)

    assert values.variables(WRIGHTON)["proton_tags"] == {
        "proton:account": "259837135622",
        "proton:environment": "arn:aws:proton:ap-northeast-1:259837135622:environment/fargate-env-nrt",
        "proton:service": "arn:aws:proton:ap-northeast-1:259837135622:service/componentized",
        "proton:service-instance": (
            "arn:aws:proton:ap-northeast-1:259837135622:service/componentized/service-instance/main"
        ),
        "proton:component": "arn:aws:proton:ap-northeast-1:259837135622:component/s3-bucket",
    }
    assert list(values.variables(WRIGHTON)) == [
        "component",
        "environment",
        "service",
        "service_instance",
        "proton_tags",
        "//",
    ]
    assert "inputs = any\n" in variables.text(Kind.COMPONENT)
    assert variables.text(Kind.COMPONENT).endswith(variables.TAGS)


def test_a_component_shows_its_outputs_to_its_instance_as_proton_wrote_them() -> None:
    bucket = AttachedComponent(
        "s3-bucket",
        {
            "BucketAccessPolicyArn": "arn:aws:iam::259837135622:policy/terraform-20220526164644234200000002",
            "BucketArn": "arn:aws:s3:::component-bucket20220526164636269000000001",
        },
    )
    values = InstanceValues("main", "web", ServiceValues("componentized"), Upstream("e", "1"), {}, bucket)

    own = values.variables(WRIGHTON)["service_instance"]

    assert jackson.text({"service_instance": own}) == golden("instance_with_component.json")


def test_an_unset_input_of_an_instance_is_null_in_a_pipeline_unless_proton_is_to_be_met_exactly() -> None:
    place = Upstream("dev", "000000000000")
    instances = (PipelineInstance("a", place, {"port": 80}), PipelineInstance("b", place, {"host": "x"}))
    ours = PipelineValues("web", ServiceValues("orders"), {}, instances)
    exact = PipelineValues("web", ServiceValues("orders"), {}, instances, exact=True)

    assert [each["inputs"] for each in ours.variables(TESAKI)["service_instances"]] == [
        {"port": 80, "host": None},
        {"port": None, "host": "x"},
    ]
    assert [each["inputs"] for each in exact.variables(TESAKI)["service_instances"]] == [
        {"port": 80},
        {"host": "x"},
    ]
