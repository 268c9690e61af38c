"""From a bundle and values to the files of a workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.address import Kind
from engine.core.arns import Owner
from engine.core.bundle import Part, PartName
from engine.core.file_names import OVERRIDE_FILE, VALUES_FILE
from engine.core.namespace import EnvironmentValues, InstanceValues, ServiceValues, Upstream
from engine.core.outputs import Resolved, Secret
from engine.core.rendering import (
    HEADER_LINES,
    Rendering,
    masked,
    name_problems,
    render,
    structure,
)
from engine.errors import Invalid, Problem

OWNER = Owner("000000000000", "local")
MAIN = b'resource "terraform_data" "a" {\n  input = var.environment.name\n}'
FILES = {"main.tf": MAIN, "modules/x/main.tf": b"# x\n", "logo.png": b"\x89PNG\r\n"}
PART = Part(PartName.INSTANCE, "hcl", ("main.tf",), ("logo.png", "modules/x/main.tf"))
OVERRIDE = {"terraform": {"backend": {"local": {}}}}

words = st.text(alphabet="abcdefgh_", min_size=1, max_size=6)
scalars = st.text(max_size=8) | st.integers() | st.booleans()
maps = st.dictionaries(words, scalars, max_size=6)


def instance(inputs: Mapping[str, object], outputs: Mapping[str, object]) -> InstanceValues:
    return InstanceValues("prod", "web", ServiceValues("orders"), Upstream("dev", "000000000000", outputs), inputs)


def rendering(files: Mapping[str, bytes] = FILES, part: Part = PART, **outputs: object) -> Rendering:
    return Rendering(part, files, instance({"port": 80}, outputs), OWNER, OVERRIDE)


def jinja(template: bytes, *others: str, **more: bytes) -> Rendering:
    part = Part(PartName.INSTANCE, "jinja", ("main.tf.j2",), others)
    return rendering({"main.tf.j2": template, **more}, part, vpc_id="vpc-1", items="x", token=Secret("hunter2"))


def body(files: Mapping[str, bytes], name: str = "main.tf") -> str:
    return "".join(files[name].decode().splitlines(keepends=True)[HEADER_LINES:])


def problems(request: Rendering) -> list[Problem]:
    with pytest.raises(Invalid) as caught:
        render(request)
    return list(caught.value.problems)


def test_a_workspace_holds_the_bundle_and_what_landform_adds() -> None:
    assert list(render(rendering())) == [
        "landform_override.tf.json",
        "logo.png",
        "main.tf",
        "modules/x/main.tf",
        "proton.auto.tfvars.json",
        "proton.service_instance.variables.tf",
    ]


def test_code_follows_a_header_and_other_files_are_as_they_were() -> None:
    files = render(rendering())

    lines = files["main.tf"].split(b"\n", HEADER_LINES)
    assert lines[0] == b"/*"
    assert lines[3] == (
        b"To change what it describes, change this resource in Landform: "
        b"arn:aws:proton:local:000000000000:service/orders/service-instance/prod"
    )
    assert lines[HEADER_LINES - 2 :] == [b"*/", b"", MAIN]
    assert files["modules/x/main.tf"] == b"# x\n"
    assert files["logo.png"] == b"\x89PNG\r\n"


def test_the_backend_is_in_the_override_file() -> None:
    assert json.loads(render(rendering())[OVERRIDE_FILE]) == OVERRIDE


def test_a_byte_order_mark_does_not_end_up_below_the_header() -> None:
    files = render(rendering({**FILES, "main.tf": b"\xef\xbb\xbf# x\n"}))

    assert body(files) == "# x\n"


@given(maps, maps, st.randoms(use_true_random=False))
def test_the_same_request_gives_the_same_bytes_whatever_order_outputs_come_in(
    inputs: dict[str, Any], outputs: dict[str, Any], random: Any
) -> None:
    other = dict(random.sample(list(outputs.items()), len(outputs)))
    files = dict(reversed(FILES.items()))

    first = render(Rendering(PART, FILES, instance(inputs, outputs), OWNER, OVERRIDE))
    second = render(Rendering(PART, files, instance(dict(inputs), other), OWNER, dict(OVERRIDE)))

    assert list(first.items()) == list(second.items())


@given(maps)
def test_inputs_keep_their_order_and_their_types(inputs: dict[str, Any]) -> None:
    files = render(Rendering(PART, FILES, instance(inputs, {}), OWNER, OVERRIDE))

    written = json.loads(files[VALUES_FILE])["service_instance"]["inputs"]
    assert list(written.items()) == list(inputs.items())


def test_a_variable_with_a_secret_in_it_reaches_terraform_in_no_file() -> None:
    request = rendering(token=Secret("hunter2"))

    assert "environment" not in json.loads(render(request)[VALUES_FILE])
    assert b"sensitive" not in render(request)["proton.service_instance.variables.tf"]
    assert json.loads(masked(request)[VALUES_FILE])["environment"]["outputs"] == {"token": "(sensitive)"}


def test_a_variable_with_a_resolved_reference_in_it_is_sensitive() -> None:
    inputs = {"port": Resolved("80", "{{resolve:ssm:/port}}", 80), "name": "x"}
    request = Rendering(PART, FILES, instance(inputs, {}), OWNER, OVERRIDE)

    assert [name for name in json.loads(render(request)[VALUES_FILE]) if "service" in name] == ["service"]
    assert 'variable "service_instance" {\n  sensitive = true\n  type = object({\n' in body(
        render(request), "proton.service_instance.variables.tf"
    )
    assert json.loads(masked(request)[VALUES_FILE])["service_instance"]["inputs"] == {
        "port": "{{resolve:ssm:/port}}",
        "name": "x",
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("proton.service_instance.variables.tf", "is a file that Landform writes itself."),
        ("Proton.auto.tfvars.json", "is a file that Landform writes itself."),
        ("landform_override.tf.json", "is a file that Landform writes itself."),
        ("landform_override.tofu.json", "is a file that Landform writes itself."),
        (".proton/deployment-metadata.json", "is a file that Landform writes itself."),
        (".terraform/providers/x", "is a file that Terraform writes itself."),
        ("terraform.tfstate", "is a file that Terraform writes itself."),
        ("terraform.tfstate.d/x", "is a file that Terraform writes itself."),
        ("terraform.tfvars", "gives Terraform values in place of Landform's."),
        ("terraform.tfvars.json", "gives Terraform values in place of Landform's."),
        ("zz.auto.tfvars", "gives Terraform values in place of Landform's."),
        ("A.AUTO.TFVARS.JSON", "gives Terraform values in place of Landform's."),
    ],
)
def test_a_bundle_cannot_have_a_file_that_gets_in_the_way(name: str, why: str) -> None:
    part = Part(PartName.INSTANCE, "hcl", ("main.tf",), (name,))

    found = problems(rendering({**FILES, name: b""}, part))

    assert [(problem.file, problem.message) for problem in found] == [(f"instance_infrastructure/{name}", why)]


@pytest.mark.parametrize(
    ("part", "name", "content"),
    [
        (
            Part(PartName.INSTANCE, "jinja", ("zz_override.tf.j2",), ()),
            "zz_override.tf",
            b'terraform {\n backend "s3" {}\n}',
        ),
        (
            Part(PartName.INSTANCE, "jinja", ("override.tf.j2",), ()),
            "override.tf",
            b"terraform {\n {{ 'cloud' }} {}\n}",
        ),
        (Part(PartName.INSTANCE, "hcl", (), ("override.tofu",)), "override.tofu", b'terraform {\n  backend "s3" {}\n}'),
        (
            Part(PartName.INSTANCE, "hcl", (), ("override.tofu.json",)),
            "override.tofu.json",
            b'{"terraform": {"\\u0062ackend": {}}}',
        ),
    ],
)
def test_code_that_nobody_has_checked_cannot_override_where_state_is_kept(
    part: Part, name: str, content: bytes
) -> None:
    given = (*part.templates, *part.others)[0]

    assert [str(problem) for problem in problems(rendering({given: content}, part))] == [
        f"instance_infrastructure/{name}: says where state is kept, and would count after landform_override.tf.json."
    ]


def test_a_bundle_may_override_anything_else() -> None:
    part = Part(PartName.INSTANCE, "hcl", ("a_override.tf", "override.tf"), ())
    files = {"a_override.tf": b'terraform {\n  backend "s3" {}\n}', "override.tf": b'output "backend_url" {}\n'}

    assert body(render(rendering(files, part)), "override.tf") == 'output "backend_url" {}\n'


def test_a_byte_order_mark_does_not_reach_terraform() -> None:
    part = Part(PartName.INSTANCE, "hcl", ("main.tf",), ("x.tf.json", "x.json"))
    files = render(
        rendering({"main.tf": b"\xef\xbb\xbf# x", "x.tf.json": b"\xef\xbb\xbf{}", "x.json": b"\xef\xbb\xbf{}"}, part)
    )

    assert (body(files), files["x.tf.json"], files["x.json"]) == ("# x", b"{}", b"\xef\xbb\xbf{}")


def test_files_of_other_kinds_and_overrides_before_ours_are_welcome() -> None:
    names = (
        "proton.environment.variables.tf",
        "a_override.tf",
        "modules/x/override.tf",
        ".terraform.lock.hcl",
        "x/terraform.tfvars",
        "prod.tfvars",
    )
    part = Part(PartName.INSTANCE, "hcl", names, ())

    assert name_problems(part, Kind.SERVICE_INSTANCE) == ()


def test_a_template_cannot_render_to_a_file_that_is_there() -> None:
    part = Part(PartName.INSTANCE, "jinja", ("main.tf", "main.tf.j2"), ())

    found = problems(rendering({"main.tf": b"", "main.tf.j2": b""}, part))

    assert [str(problem) for problem in found] == [
        "instance_infrastructure/main.tf.j2: renders to a file that is there already."
    ]


def test_a_jinja_part_has_its_templates_rendered() -> None:
    files = render(
        jinja(
            b'# {{ service_instance.inputs.port }} {{ environment.outputs.items }} {{ proton_tags["proton:account"] }}'
        )
    )

    assert body(files) == "# 80 x 000000000000"
    assert "main.tf.j2" not in files


def test_plain_files_of_a_jinja_part_stay_as_they_are() -> None:
    part = Part(PartName.INSTANCE, "jinja", ("main.tf", "x.tf.j2"), ())

    files = render(rendering({"main.tf": b"# {{ x }}", "x.tf.j2": b"# {{ service.name }}"}, part))

    assert (body(files), body(files, "x.tf")) == ("# {{ x }}", "# orders")


def test_a_template_of_a_plain_part_is_not_rendered() -> None:
    part = Part(PartName.INSTANCE, "hcl", (), ("x.tf.j2",))

    assert render(rendering({"x.tf.j2": b"{{ x }}"}, part))["x.tf.j2"] == b"{{ x }}"


def test_templates_include_each_other_and_nothing_else() -> None:
    request = jinja(b"{% include 'parts/a.tf.j2' %}", "parts/a.tf.j2", **{"parts/a.tf.j2": b"# {{ service.name }}"})

    assert body(render(request)) == "# orders"
    assert [str(problem) for problem in problems(jinja(b"{% include '/etc/hostname' %}"))] == [
        "instance_infrastructure/main.tf.j2:1: There is no /etc/hostname to include."
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "environment.outputs.token",
        "environment.outputs.token | hcl",
        "environment.outputs.token | length",
        "environment['outputs'] | tojson",
        "environment.outputs.token == 'x'",
        "environment.outputs.token.strip()",
        "[environment.outputs.token]",
    ],
)
def test_a_template_cannot_write_a_secret(expression: str) -> None:
    message = "environment.outputs.token is secret, and what a template writes stays in a file."
    hint = "Write var.environment.outputs.token in the code, without braces: Terraform gets it without a file."

    [problem] = problems(jinja(f"# {{{{ {expression} }}}}".encode()))

    assert (problem.line, problem.message, problem.hint) == (1, message, hint)


def test_a_template_may_name_what_is_secret() -> None:
    request = jinja(b"# {{ environment.outputs | sort | join }} {{ environment.outputs.token is defined }}")

    assert body(render(request)) == "# itemstokenvpc_id True"


@pytest.mark.parametrize(
    ("template", "line", "message", "hint"),
    [
        (b"\n{{ enviroment.name }}", 2, "enviroment is not defined.", 'Did you mean "environment"?'),
        (
            b"\n\n{{ environment.outputs.vpcid }}",
            3,
            "environment.outputs has no vpcid.",
            'Did you mean "vpc_id"?',
        ),
        (b"{{ environment['nam'] }}", 1, "environment has no nam.", 'Did you mean "name"?'),
        (b"{{ environment.name.first }}", 1, "This str has no first.", ""),
        (b"{{ [environment.nam] }}", 1, "environment has no nam.", 'Did you mean "name"?'),
        (b"{% if %}", 1, "Expected an expression, got 'end of statement block'", ""),
        (b"{{ 1 | nope }}", 1, "No filter named 'nope'.", ""),
        (b"{{ ''.__class__ }}", 1, "__class__ may not be used in a template.", ""),
        (b"{{ environment.__class__ }}", 1, "environment has no __class__.", ""),
        (b"{{ [].append(1) }}", 1, "append may not be used in a template.", ""),
        (b"{{ '{:>9999999999}'.format(1) }}", 1, "format may not be used in a template.", ""),
        (b"{{ 'a'['format'] }}", 1, "format may not be used in a template.", ""),
        (b"{{ 'x' * 9999999999 }}", 1, "This multiplication makes too much.", ""),
        (b"{{ 9 ** 9999999999 }}", 1, "Powers go up to 1000 ** 1000.", ""),
        (b"{{ '%9999999999d' % 1 }}", 1, "% does not format text in a template; write ~ or the filter replace.", ""),
        (b"{{ 1 / 0 }}", 1, "division by zero", ""),
        (b"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 1, "maximum recursion depth exceeded", ""),
        (
            b"{% for i in range(99999) %}xxxxxxxxxxxxxxxx{% endfor %}",
            0,
            "The rendered file has more than 1000000 characters.",
            "",
        ),
    ],
)
def test_what_is_wrong_in_a_template_is_said_with_its_place(
    template: bytes, line: int, message: str, hint: str
) -> None:
    found = problems(jinja(template))

    assert [(problem.file, problem.line, problem.hint) for problem in found] == [
        ("instance_infrastructure/main.tf.j2", line, hint)
    ]
    assert found[0].message.startswith(message)


def test_what_is_wrong_is_found_in_the_file_that_is_included() -> None:
    request = jinja(b"{% include 'a.tf.j2' %}", "a.tf.j2", **{"a.tf.j2": b"\n\n{{ servce }}"})

    assert [str(problem) for problem in problems(request)] == [
        "instance_infrastructure/a.tf.j2:3: servce is not defined."
    ]


def test_all_templates_are_looked_at_before_anything_is_said() -> None:
    part = Part(PartName.INSTANCE, "jinja", ("a.tf.j2", "b.tf.j2"), ())

    found = problems(rendering({"a.tf.j2": b"{{ x }}", "b.tf.j2": b"\xff"}, part))

    assert [problem.file for problem in found] == [
        "instance_infrastructure/a.tf.j2",
        "instance_infrastructure/b.tf.j2",
    ]


def test_a_defined_test_and_a_default_provide_for_absence() -> None:
    template = b"# {{ service_instance.inputs.size | default('s') }} {{ service_instance.inputs.size is defined }}"

    assert body(render(jinja(template))) == "# s False"


def test_code_without_jinja_has_no_structure_of_its_own() -> None:
    assert structure(PART, render(rendering())) == ""


def test_the_structure_of_written_code_is_that_of_its_text_and_not_of_its_instance() -> None:
    template = b"# {{ environment.outputs.vpc_id }}"
    request = jinja(template)
    elsewhere = Rendering(
        request.part,
        request.files,
        EnvironmentValues("other", "vpc"),
        OWNER,
    )
    same = jinja(b"# vpc-1")
    other = jinja(b"# vpc-2")

    assert structure(request.part, render(request)) == structure(same.part, render(same))
    assert structure(request.part, render(request)) != structure(other.part, render(other))
    assert [problem.message for problem in problems(elsewhere)] == ["environment has no outputs."]
