"""What kind of step one version of a template is from those before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bundles.load import check
from engine.core import bundle, registered
from engine.core.verdicts import Compared, Finding, Level, Verdict, accepted, from_json, verdict

SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: "Inputs"
  types:
    Inputs:
      type: object
      properties:
        size:
          type: integer
          default: 1
"""
CODE = """\
terraform {
  required_version = ">= 1.4"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}
resource "aws_vpc" "main" {
  size = var.environment.inputs.size
}
output "id" {
  value = aws_vpc.main.id
}
"""
MANIFEST = b'infrastructure: {templates: [{file: "*", rendering_engine: hcl, template_language: terraform}]}\n'
NET = "infrastructure/net/main.tf"
WITH_NET = CODE + 'module "net" {\n  source = "./net"\n}\n'


def version(code: str = CODE, label: str = "1.0", schema: str = SCHEMA, **others: str) -> Compared:
    """An environment template with that code; `others` are files of its module `net`, or of the part."""
    names = {"net": NET, "jinja": "infrastructure/more.tf.j2", "json": "infrastructure/more.tf.json"}
    files = {names[name]: text.encode() for name, text in others.items()}
    manifest = MANIFEST.replace(b"hcl", b"jinja") if "jinja" in others else MANIFEST
    found = check(
        {
            "schema/schema.yaml": schema.encode(),
            "infrastructure/manifest.yaml": manifest,
            "infrastructure/main.tf": code.encode(),
            **files,
        }
    )
    assert found.errors == ()
    assert found.facts is not None
    assert found.schema is not None
    # as they come back from the catalog
    facts = bundle.from_json(found.facts.to_json())
    return Compared(label, facts, found.schema, registered.document_of(schema))


def said(old: Compared, new: Compared) -> list[tuple[str, str, str]]:
    """Level, sentence and place of each finding."""
    return [told(finding) for finding in verdict([old], new).findings]


def told(finding: Finding) -> tuple[str, str, str]:
    of = f" of {finding.of}" if finding.of else ""
    return finding.level.value, finding.sentence, f"{finding.file}:{finding.line}{of}"


def gone(address: str, place: str) -> list[tuple[str, str, str]]:
    noun = "Module" if address.count(".") == 1 and address.startswith("module.") else "Resource"
    sentence = f"{noun} {address} is gone without a moved or removed block: an upgrade destroys it."
    return [("major", sentence, f"infrastructure/{place} of 1.0")]


def test_what_nobody_would_notice_is_a_patch() -> None:
    new = version(CODE.replace("id\n}", "arn\n}").replace('">= 1.4"', '">= 1.4.0"'))

    found = verdict([version()], new)

    assert (found.level, found.findings) == (Level.PATCH, ())


def test_an_output_that_is_gone_breaks_and_a_new_one_does_not() -> None:
    new = version(CODE.replace('output "id"', 'output "name"'))

    assert said(version(), new) == [
        ("major", "Output id was removed.", "infrastructure/main.tf:10 of 1.0"),
        ("minor", "Output name is new.", "infrastructure/main.tf:10"),
    ]


def test_an_output_that_becomes_secret_or_is_revealed_is_told() -> None:
    secret = version(CODE.replace("main.id\n", "main.id\n  sensitive = true\n"))
    place = "infrastructure/main.tf:10"

    assert said(version(), secret) == [("minor", "Output id is now sensitive: its value is no longer shown.", place)]
    assert said(secret, version()) == [
        ("minor", "Output id is no longer sensitive: its value is shown to everybody.", place)
    ]


def test_a_resource_that_is_gone_would_be_destroyed() -> None:
    new = version(CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other"))

    assert said(version(), new) == [
        *gone("aws_vpc.main", "main.tf:7"),
        ("minor", "Resource aws_vpc.other is new.", "infrastructure/main.tf:7"),
    ]


@pytest.mark.parametrize(
    "blocks",
    [
        "moved {\n  from = aws_vpc.main\n  to = aws_vpc.other\n}\n",
        "moved {\n  from = aws_vpc.main\n  to = aws_vpc.b\n}\nmoved {\n  from = aws_vpc.b\n  to = aws_vpc.other\n}\n",
        'moved {\n  from = aws_vpc.main\n  to = aws_vpc.other["a.b"]\n}\n',
    ],
)
def test_a_resource_that_is_moved_stays(blocks: str) -> None:
    new = version(CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other") + blocks)

    assert said(version(), new) == []


def test_a_moved_block_of_one_of_several_moves_nothing_that_was_alone() -> None:
    block = 'moved {\n  from = aws_vpc.main[0]\n  to = aws_vpc.other["a.b"]\n}\n'
    first = "moved {\n  from = aws_vpc.main\n  to = aws_vpc.main[0]\n}\n"
    new = CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other") + block

    assert said(version(), version(new))[:1] == gone("aws_vpc.main", "main.tf:7")
    assert said(version(), version(new + first)) == []


def test_of_what_was_made_several_times_moved_blocks_keep_only_those_that_they_name() -> None:
    old = version(CODE.replace("  size =", "  count = 3\n  size =").replace("main.id", "main[0].id"))
    block = "moved {\n  from = aws_vpc.main[0]\n  to = aws_vpc.other\n}\n"
    new = version(CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other") + block)

    sentence = "Those of aws_vpc.main that no moved block names are destroyed: it was made with count."
    assert said(old, new) == [("minor", sentence, "infrastructure/main.tf:13")]


def test_moved_blocks_in_json_count_too() -> None:
    code = CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other")
    json = '{"moved": {"from": "aws_vpc.main", "to": "aws_vpc.other"}}'

    assert said(version(), version(code, json=json)) == []


def test_moved_blocks_that_run_in_a_circle_lead_nowhere() -> None:
    code = CODE.replace('"aws_vpc" "main"', '"aws_vpc" "other"').replace("vpc.main", "vpc.other")
    circle = (
        "moved {\n  from = aws_vpc.main\n  to = aws_vpc.b\n}\nmoved {\n  from = aws_vpc.b\n  to = aws_vpc.main\n}\n"
    )

    assert said(version(), version(code + circle))[:1] == gone("aws_vpc.main", "main.tf:7")


@pytest.mark.parametrize(
    ("rest", "fate"),
    [("", "destroyed at the upgrade"), ("  lifecycle {\n    destroy = false\n  }\n", "kept but forgotten")],
)
def test_a_resource_that_is_removed_on_purpose_breaks_nothing(rest: str, fate: str) -> None:
    old = version(CODE + 'resource "aws_eip" "old" {}\n')
    new = version(CODE + "removed {\n  from = aws_eip.old\n" + rest + "}\n")

    sentence = f"Resource aws_eip.old is {fate}, as a removed block says."
    assert said(old, new) == [("minor", sentence, "infrastructure/main.tf:13")]


def test_data_sources_come_and_go() -> None:
    assert said(version(CODE + 'data "aws_ami" "a" {}\n'), version(CODE + 'data "aws_ami" "b" {}\n')) == []


def test_what_lies_in_a_module_of_the_bundle_is_compared() -> None:
    old = version(WITH_NET, net='resource "aws_eip" "a" {}\nresource "aws_eip" "b" {}\n')
    new = version(WITH_NET, net='resource "aws_eip" "c" {}\nmoved {\n  from = aws_eip.a\n  to = aws_eip.c\n}\n')

    assert said(old, new) == gone("module.net.aws_eip.b", "net/main.tf:2")


def test_a_module_that_is_renamed_takes_its_resources_along() -> None:
    net = 'resource "aws_eip" "a" {}\n'
    renamed = WITH_NET.replace('module "net"', 'module "core"')

    moved = version(renamed + "moved {\n  from = module.net\n  to = module.core\n}\n", net=net)

    assert said(version(WITH_NET, net=net), moved) == []
    assert said(version(WITH_NET, net=net), version(renamed, net=net)) == [
        *gone("module.net.aws_eip.a", "net/main.tf:1"),
        ("minor", "Resource module.core.aws_eip.a is new.", "infrastructure/net/main.tf:1"),
    ]


def test_a_module_from_elsewhere_is_gone_as_a_whole() -> None:
    old = version(CODE + 'module "vpc" {\n  source  = "acme/vpc/aws"\n  version = "1.0"\n}\n')
    newer = version(CODE + 'module "vpc" {\n  source  = "acme/vpc/aws"\n  version = "2.0"\n}\n')

    assert said(old, version()) == gone("module.vpc", "main.tf:13")
    assert said(old, newer) == [
        (
            "minor",
            "Module module.vpc now comes from acme/vpc/aws 2.0 (before: acme/vpc/aws 1.0): "
            "what it does is not compared.",
            "infrastructure/main.tf:13",
        )
    ]


@pytest.mark.parametrize(
    ("argument", "level", "rest"),
    [
        ("count = 1", "minor", "now has count: the one that is there becomes the first."),
        ('for_each = toset(["a"])', "major", "now has for_each: an upgrade destroys what is there and makes it anew."),
    ],
)
def test_a_resource_that_is_made_several_times_gets_another_address(argument: str, level: str, rest: str) -> None:
    new = CODE.replace("  size =", f"  {argument}\n  size =").replace("main.id", "main[*].id")
    moved = 'moved {\n  from = aws_vpc.main\n  to = aws_vpc.main["a"]\n}\n'

    assert said(version(), version(new)) == [(level, f"Resource aws_vpc.main {rest}", "infrastructure/main.tf:7")]
    assert said(version(), version(new + moved)) == []


def test_a_module_that_is_made_several_times_gets_another_address() -> None:
    net = 'resource "aws_eip" "a" {}\n'
    new = version(WITH_NET.replace('"./net"\n', '"./net"\n  count = 2\n'), net=net)

    sentence = "Module module.net now has count: an upgrade destroys what is there and makes it anew."
    assert said(version(WITH_NET, net=net), new) == [("major", sentence, "infrastructure/main.tf:13")]


def test_what_jinja_may_write_is_in_doubt() -> None:
    new = version(CODE.replace('output "id"', 'output "name"'), jinja='output "id" {\n  value = 1\n}\n')

    assert said(version(), new)[0] == (
        "minor",
        "Output id may be gone: what more.tf.j2 declares cannot be told.",
        "infrastructure/main.tf:10 of 1.0",
    )


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            ('">= 1.4"', '">= 1.6"'),
            ("minor", "Terraform must now be >= 1.6 (before: >= 1.4).", "infrastructure/main.tf:2"),
        ),
        (
            ('">= 1.4"', '"< 1.4"'),
            (
                "major",
                "Terraform must now be < 1.4: no version of it fits what was before (>= 1.4).",
                "infrastructure/main.tf:2",
            ),
        ),
        (
            ("~> 5.0", "~> 6.0"),
            (
                "major",
                "Provider aws must now be ~> 6.0: no version of it fits what was before (~> 5.0).",
                "infrastructure/main.tf:4",
            ),
        ),
        (
            ("~> 5.0", ">= 5.0"),
            ("minor", "Provider aws may now be >= 5.0 (before: ~> 5.0).", "infrastructure/main.tf:4"),
        ),
        (
            ("hashicorp/aws", "acme/aws"),
            ("major", "Provider aws now comes from acme/aws (before: hashicorp/aws).", "infrastructure/main.tf:4"),
        ),
        (
            ("  required_providers", '  backend "s3" {}\n  required_providers'),
            ("minor", "The backend s3 is new.", "infrastructure/main.tf:3"),
        ),
    ],
)
def test_what_terraform_is_asked_for_is_compared(change: tuple[str, str], finding: tuple[str, str, str]) -> None:
    assert said(version(), version(CODE.replace(*change))) == [finding]


def test_other_settings_of_the_same_backend_are_another_backend() -> None:
    old, new = (
        version(CODE.replace("terraform {", f'terraform {{\n  backend "s3" {{\n    bucket = "{name}"\n  }}'))
        for name in ("a", "b")
    )

    assert said(old, new) == [("major", "The backend has other settings.", "infrastructure/main.tf:2")]
    assert said(old, version()) == [("major", "The backend is now none (before: s3).", "infrastructure:0")]


def test_a_provider_comes_or_goes() -> None:
    more = CODE.replace("    aws =", '    random = { source = "acme/random" }\n    aws =')

    assert said(version(), version(more)) == [("minor", "Provider random is new.", "infrastructure/main.tf:4")]
    assert said(version(more), version()) == [
        ("minor", "Provider random is no longer required.", "infrastructure/main.tf:4 of 1.0")
    ]


def test_inputs_are_judged_with_their_lines() -> None:
    new = SCHEMA.replace("default: 1", "default: 2") + "        name: {type: string}\n      required: [name]\n"
    code = CODE.replace("inputs.size", "inputs.name")

    assert said(version(), version(code, schema=new)) == [
        ("major", 'Input "name" is new and required and has no default.', "schema/schema.yaml:11"),
        ("minor", 'Input "size" has another default: 2 (before: 1).', "schema/schema.yaml:8"),
        ("minor", 'Input "size" is no longer read by the code.', "schema/schema.yaml:8"),
    ]


def test_an_input_that_must_be_given_and_is_not_read_is_told() -> None:
    schema = SCHEMA.replace("          default: 1\n", "") + "      required: [size]\n"
    old, new = (version(code, schema=schema) for code in (CODE, CODE.replace("var.environment.inputs.size", "3")))

    assert said(old, new) == [
        ("minor", 'Input "size" must still be given, but the code no longer reads it.', "schema/schema.yaml:8")
    ]


def test_every_earlier_version_counts_and_what_is_the_same_is_said_once() -> None:
    eip = 'resource "aws_eip" "a" {}\n'
    first, second = version(), version(CODE + eip, "1.1")

    found = verdict([first, second], version(CODE.replace('output "id"', 'output "name"')))

    assert [(finding.subject, finding.of, finding.versions) for finding in found.findings] == [
        ("id", "1.1", ("1.0", "1.1")),
        ("aws_eip.a", "1.1", ("1.1",)),
        ("name", "", ("1.0", "1.1")),
    ]


def test_what_was_accepted_once_is_not_asked_about_again() -> None:
    code = CODE.replace('output "id"', 'output "name"')
    first, second = version(), version(code, "1.1")
    forced = verdict([first], second).forced("ann", "nobody reads it")

    again = verdict([first, second], version(code), accepted([forced]))
    other = verdict([first, second], version(CODE.replace("vpc", "eip")), accepted([forced]))

    assert (again.level, again.breaking) == (Level.MAJOR, ())
    assert [finding.subject for finding in other.breaking] == ["aws_vpc.main", "name"]


def test_nobody_forces_what_does_not_break() -> None:
    assert verdict([version()], version()).forced("ann", "").forced_by == ""


def test_a_verdict_survives_its_json_form() -> None:
    found = verdict([version()], version(CODE.replace('output "id"', 'output "name"'))).forced("ann", "why")
    read = found.read_by({"infrastructure": {"id": ("service/orders/prod",)}})

    assert read.findings[0].readers == ("service/orders/prod",)
    assert from_json(read.to_json()) == read
    assert from_json(Verdict().to_json()) == Verdict()


def test_facts_from_before_have_nothing_held_against_them() -> None:
    known = version(CODE.replace("  size =", "  count = 1\n  size =").replace("main.id", "main[0].id"))
    stored = known.facts.to_json()
    part = stored["parts"]["infrastructure"]
    for name in ("moved", "removed", "unread", "backend_digest", "places"):
        del part[name]
    part["resources"] = [{name: row[name] for name in ("address", "file", "line")} for row in part["resources"]]

    old = replace(known, facts=bundle.from_json(stored))

    assert verdict([old], known).level is Level.PATCH
