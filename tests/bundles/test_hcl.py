"""Terraform code, good and bad, as it is found in bundles."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundles import code, code_json, jinja_code
from engine.core.bundle import Output, Read, Resource

MAIN = """\
# var.environment.outputs.comment
// var.environment.outputs.comment
/* var.environment.outputs.comment */
terraform {
  required_version = ">= 1.4"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 3.0" }
    old = "~> 2"
  }
  backend "s3" {}
}
provider "aws" {
  alias = "default"
}
resource "aws_vpc" "main" {
  text = "plain var.environment.outputs.text, $${var.environment.outputs.escaped}"
}
data "aws_ami" "this" {}
module "net" {
  source = "./modules/net"
}
module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}
variable "region" {
  type = string
}
variable "zone" {
  default = null
}
output "url" {
  description = "Where it \\"answers\\""
  sensitive   = true
  value       = "x"
}
"""


def reads(text: str) -> list[tuple[str, int, bool]]:
    return [(read.path, read.line, read.guarded) for read in sorted(code.parse(text.encode(), "main.tf").reads)]


def test_a_file_says_what_it_declares() -> None:
    parsed = code.parse(MAIN.encode(), "main.tf")

    assert parsed.outputs == (Output("url", "main.tf", 31, 'Where it "answers"', True),)
    assert parsed.resources == (
        Resource("aws_vpc.main", "main.tf", 15, "", ""),
        Resource("data.aws_ami.this", "main.tf", 18, "", ""),
        Resource("module.net", "main.tf", 19, "./modules/net", ""),
        Resource("module.vpc", "main.tf", 22, "terraform-aws-modules/vpc/aws", ""),
    )
    assert parsed.variables == (
        code.Variable("region", "main.tf", 25, False),
        code.Variable("zone", "main.tf", 28, True),
    )
    assert parsed.modules == (code.ModuleCall("./modules/net", "main.tf", 19, "net"),)
    assert parsed.providers == {"aws": "hashicorp/aws ~> 3.0", "old": "~> 2"}
    assert (parsed.terraform, parsed.backend) == (">= 1.4", "s3")
    assert (parsed.reads, parsed.problems) == ((), ())


def test_json_says_the_same() -> None:
    text = """{
  "terraform": {"required_version": ">= 1.4", "backend": {"s3": {}},
    "required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 3.0"}}},
  "resource": {"aws_vpc": {"main": {"cidr": "${var.environment.outputs.cidr}"}}},
  "data": [{"aws_ami": {"this": [{}]}}],
  "module": {"net": {"source": "./modules/net"}},
  "variable": {"region": {}, "zone": {"default": null}},
  "output": {"url": {"value": "${can(var.environment.outputs[\\"x\\"])} ${var.region}", "sensitive": true}}
}"""

    parsed = code_json.parse(text.encode(), "main.tf.json")

    assert parsed.outputs == (Output("url", "main.tf.json", 8, "", True),)
    assert [resource.address for resource in parsed.resources] == ["aws_vpc.main", "data.aws_ami.this", "module.net"]
    assert parsed.variables == (
        code.Variable("region", "main.tf.json", 7, False),
        code.Variable("zone", "main.tf.json", 7, True),
    )
    assert parsed.modules == (code.ModuleCall("./modules/net", "main.tf.json", 6, "net"),)
    assert parsed.providers == {"aws": "hashicorp/aws ~> 3.0"}
    assert (parsed.terraform, parsed.backend) == (">= 1.4", "s3")
    assert sorted(parsed.reads) == [
        Read("environment.outputs.cidr", "main.tf.json", 4, False),
        Read("environment.outputs.x", "main.tf.json", 8, True),
    ]
    assert parsed.references == (code.Reference("region", "main.tf.json", 8),)


READS = {
    "attribute": ("a = var.environment.outputs.vpc", ["environment.outputs.vpc"]),
    "index": ('a = var.environment.outputs["vpc_id"]', ["environment.outputs.vpc_id"]),
    "all indexes": ('a = var.environment["outputs"]["vpc_id"]', ["environment.outputs.vpc_id"]),
    "parentheses": ("a = (var.environment).name", ["environment.name"]),
    "whole map": ("a = var.environment.outputs", ["environment.outputs"]),
    "computed index": ("a = var.environment.outputs[local.x]", ["environment.outputs"]),
    "interpolated index": (
        'a = var.environment.outputs["${var.service.name}-x"]',
        ["environment.outputs", "service.name"],
    ),
    "interpolation": ('a = "x-${var.service.name}-y"', ["service.name"]),
    "nested interpolation": ('a = "x${"y${var.service.name}"}"', ["service.name"]),
    "directive": ('a = "%{ if var.service.name == "x" }y%{ endif }"', ["service.name"]),
    "for expression": ("a = [for s in var.service_instances : s.name]", ["service_instances"]),
    "for object": (
        "a = { for k, v in var.service.x : k => var.service.name... if var.service.y }",
        ["service.name", "service.x", "service.y"],
    ),
    "element": ("a = var.service_instances[0].outputs.url", ["service_instances[].outputs.url"]),
    "counted element": ("a = var.service_instances[count.index].name", ["service_instances[].name"]),
    "old element": ("a = var.service_instances.0.name", ["service_instances[].name"]),
    "splat": ("a = var.service_instances[*].outputs.url", ["service_instances[].outputs.url"]),
    "old splat": ("a = var.service_instances.*.name", ["service_instances[].name"]),
    "after an index": ("a = var.environment.inputs.list[0].x", ["environment.inputs.list"]),
    "nested input": ("a = var.environment.inputs.db.size", ["environment.inputs.db.size"]),
    "call": ("a = upper(join(var.service.name, [1]))", ["service.name"]),
    "operation": ("a = var.service.name == null ? 1 : -var.pipeline.inputs.x", ["pipeline.inputs.x", "service.name"]),
    "object key": ("a = { (var.service.name) = 1 }", ["service.name"]),
    "tags": ('a = var.proton_tags["proton:account"]', ["proton_tags.proton:account"]),
    "block": ('resource "a" "b" {\n c {\n  d = var.component.name\n }\n}', ["component.name"]),
    "dynamic": (
        'resource "a" "b" {\n dynamic "c" {\n  for_each = var.pipeline.inputs.l\n  content {}\n }\n}',
        ["pipeline.inputs.l"],
    ),
    "several lines": ("a = [\n  1, # no\n  var.service.name,\n]", ["service.name"]),
    "lines in an interpolation": ('a = "${\n  var.service.name\n}"', ["service.name"]),
    "heredoc": ("a = <<EOT\n x ${var.service.name} $${var.service.no}\nEOT", ["service.name"]),
    "indented heredoc": ('a = <<-EOT\n x ${upper("${var.service.name}")}\n  EOT', ["service.name"]),
    "heredoc directive": (
        "a = <<EOT\n%{ for x in var.service_instances ~}\n${x}\n%{ endfor ~}\nEOT",
        ["service_instances"],
    ),
    "heredoc with braces": ('a = <<EOT\n${jsonencode({ a = "}", b = var.service.name })}\nEOT', ["service.name"]),
    "own variable": ("a = var.region", []),
    "other object": ("a = module.var.environment.name + local.environment.name", []),
    "comment before a value": ("a = /* x */ var.service.name", ["service.name"]),
    "comment in an object": ("a = { b = /* x */ var.service.name }", ["service.name"]),
    "comment in a header": ('resource /* x */ "a" /* y */ "b" {\n  c = var.service.name\n}', ["service.name"]),
    "comment of lines in a list": ("a = [\n  /* x\n y */ var.service.name, /* z */\n]", ["service.name"]),
    "comment in an interpolation": (
        'a = "${\n  # var.service.x\n  var.service.name // }\n /* " */ }"',
        ["service.name"],
    ),
    "trimmed interpolation": ('a = "x ${~ var.service.name ~} ~}"', ["service.name"]),
    "trimmed twice": ('a = "${~ upper("${~ var.service.name ~}") ~}"', ["service.name"]),
    "trimmed directive": (
        'a = "%{~ if var.service.x ~}${~ var.service.name ~}%{~ endif ~}"',
        ["service.name", "service.x"],
    ),
    "not not": ("a = !!var.service.name", ["service.name"]),
    "not not not": ("a = ! ! !can(var.service.name)", ["service.name"]),
    "minus minus": ("a = - -var.pipeline.inputs.x", ["pipeline.inputs.x"]),
    "minus a minus": ("a = 1 - - --var.pipeline.inputs.x", ["pipeline.inputs.x"]),
    "two dashes in a name": ("a = !!var.environment.outputs.a--b", ["environment.outputs.a--b"]),
    "core function": ('a = core::upper("${core::lower(var.service.name)}")', ["service.name"]),
    "core is no prefix of its own": ("a = /* x */ var.service.core", ["service.core"]),
    "escaped": ('a = ["$${~ var.service.x ~}", !!var.service.name]', ["service.name"]),
    "comment": ("a = 1 # var.service.name", []),
    "text": ('a = "var.service.name"', []),
}


@pytest.mark.parametrize("case", READS)
def test_reads_are_found_wherever_they_stand(case: str) -> None:
    text, expected = READS[case]

    assert sorted({path for path, _, _ in reads(text + "\n")}) == expected


GUARDS = {
    "can": ("a = can(var.environment.outputs.x)", True),
    "try": ('a = try(var.environment.outputs.x, "")', True),
    "deep in try": ('a = try(upper("${var.environment.outputs.x}"), "")', True),
    "try in a heredoc": ('a = <<E\n${try(var.environment.outputs.x, "")}\nE', True),
    "heredoc in try": ('a = try(<<E\n${var.environment.outputs.x}\nE\n, "")', True),
    "lookup with default": ('a = lookup(var.environment.outputs, "x", "y")', True),
    "lookup without default": ('a = lookup(var.environment.outputs, "x")', False),
    "key among others": ('a = contains(keys(var.environment.outputs), "x")', True),
    "key in parentheses": ('a = contains((keys((var.environment).outputs)), "x")', True),
    "another call": ("a = upper(var.environment.outputs.x)", False),
    "beside can": ("a = can(1) ? var.environment.outputs.x : null", False),
}


@pytest.mark.parametrize("case", GUARDS)
def test_a_read_knows_whether_its_absence_is_provided_for(case: str) -> None:
    text, guarded = GUARDS[case]

    assert [(path, guard) for path, _, guard in reads(text + "\n")] == [("environment.outputs.x", guarded)]


@pytest.mark.parametrize(
    "call",
    [
        "contains(keys(var.environment.outputs), local.x)",
        'contains(var.environment.outputs, "x")',
        'contains(values(var.environment.outputs), "x")',
        "keys(var.environment.outputs)",
    ],
)
def test_a_question_about_no_certain_key_reads_the_whole_map(call: str) -> None:
    assert reads(f"a = {call}\n") == [("environment.outputs", 1, False)]


def test_a_read_knows_its_line() -> None:
    text = """a = 1
b = <<E

 ${var.service.name}
E
c = "${
 var.service.branch_name}"
d = var.service.repository_id
"""

    assert reads(text) == [
        ("service.branch_name", 7, False),
        ("service.name", 4, False),
        ("service.repository_id", 8, False),
    ]


def test_the_texts_of_code_that_is_hard_to_read_stay_as_they_are() -> None:
    parsed = code.parse(
        b'output "a" {\n  description = "Wow!! - - core::x ~ /* y */ # z"\n  value = !!x\n}\n', "main.tf"
    )

    assert parsed.outputs == (Output("a", "main.tf", 1, "Wow!! - - core::x ~ /* y */ # z"),)


SYNTAX = {
    "a = {\n  b = [1,\n}\n": (3, "} is not expected here: the [ of line 2 is open."),
    'resource "a" "b" {\n  x = 1\n': (1, 'The "{" opened here is never closed.'),
    "a = 1\n}\n": (2, "} is not expected here: nothing is open."),
    'a = "x\nb = 1\n': (1, 'The string is not closed on its line: a " is missing.'),
    'a = "x\nb = "y"\n': (1, 'The string is not closed on its line: a " is missing.'),
    'a = "x': (1, 'The string is not closed on its line: a " is missing.'),
    "a = <<EOT\nfoo\n": (1, "The heredoc is not closed: a line with only EOT is missing."),
    "a = 1\n/* foo": (2, "The comment is never closed."),
    "a = 'x'\n": (1, "Strings are written with double quotes."),
    "a =\nb = 1\n": (1, "The line ends where a value is expected."),
    "a = 1 +\n": (1, "The file ends in the middle of an argument or block."),
    'variable "x" {\n  type = string,\n}\n': (2, ", is not expected here."),
    "a = 1 b = 2\n": (1, "A new argument or block must begin on a line of its own."),
    "a = 1 /* never closed": (1, "The comment is never closed."),
    "a = /* x */ 1 /* y\n": (1, "The comment is never closed."),
    "a = /* x */ 1 /* y\n*/ b = 2\n": (2, "A new argument or block must begin on a line of its own."),
    "a = /* x\n*/ 1\nb = }\n": (3, "} is not expected here: nothing is open."),
    "a = x !!= y\n": (1, "! is not expected here."),
    "@": (1, "@ is not expected here."),
    "a = " + "[" * 2000 + "]" * 2000: (1, "The code is nested too deeply."),
    "a = " + "(" * 5000: (1, 'The "(" opened here is never closed.'),
    "a = <<A\n" + " \n" * 5000: (1, "There are more than 2,000 blank characters in a row."),
}


@pytest.mark.parametrize("text", SYNTAX, ids=range(len(SYNTAX)))
def test_a_syntax_error_is_told_in_words_and_with_its_line(text: str) -> None:
    problem = code.parse(text.encode(), "main.tf").problems[0]

    assert (problem.line, problem.message, problem.rule) == (*SYNTAX[text], "hcl/syntax")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeffa {}\n",
        "locals {\r\n  a = 1\r\n}\r\n",
        "locals {\n  a = <<E\nx\nE\n  b = 1\n}\n",
        'locals {\n  a = provider::aws::f("x")\n  b = x[*].y["z"]\n}\n',
        'locals { a = "%{if true}x%{else}y%{endif}" }\n',
    ],
)
def test_good_code_has_no_syntax_error(text: str) -> None:
    parsed = code.parse(text.encode(), "main.tf")

    assert [problem for problem in parsed.problems if problem.rule == "hcl/syntax"] == []
    assert parsed.is_complete


def test_json_with_a_syntax_error_names_its_line() -> None:
    problem = code_json.parse(b'{\n "a": 1,\n}', "main.tf.json").problems[0]

    assert (problem.line, problem.message.split(":")[0]) == (3, "is not valid JSON")


def test_json_that_is_nested_too_deeply_is_a_problem() -> None:
    problem = code_json.parse(b"[" * 100_000, "main.tf.json").problems[0]

    assert problem.message == "is nested too deeply, or holds a number that is too long."


def test_text_in_another_encoding_names_its_line() -> None:
    problem = code.parse(b"# a\n# \xff\n", "main.tf").problems[0]

    assert str(problem) == "main.tf:2: is not UTF-8 text."


def test_blocks_that_terraform_does_not_know_are_named() -> None:
    problems = code.parse(b'resorce "a" "b" {}\noutput {}\nx = 1\n', "main.tf").problems

    assert sorted(map(str, problems)) == [
        "main.tf:1: resorce is not a type of block that Landform knows.",
        "main.tf:2: A block of type output has one name before its {; this one has 0.",
        "main.tf:3: x: An argument must stand inside a block.",
    ]
    assert {problem.hint for problem in problems} == {'Did you mean "resource"?', ""}


def test_a_template_reads_in_jinja_and_in_terraform() -> None:
    text = """\
{% if environment.outputs.zone is defined and service_instance.inputs["size"] == "big" %}
a = var.environment.outputs.vpc # var.environment.outputs.comment
{% endif %}
{{ environment.outputs.region | default("x") }} {# environment.outputs.comment #}
{% for name in service_instance.inputs.keys() %}{{ loop.index }} {{ name }}{% endfor %}
{% set service = 1 %}{{ service.x }}
"""

    parsed, expressions = jinja_code.parse(text.encode(), "main.tf.j2", [])

    found = [
        ("environment.outputs.region", 4, True),
        ("environment.outputs.zone", 1, True),
        ("service_instance.inputs", 5, False),
        ("service_instance.inputs.size", 1, False),
    ]
    assert [(read.path, read.line, read.guarded) for read in sorted(expressions)] == found
    assert set(parsed.reads) - set(expressions) == {Read("environment.outputs.vpc", "main.tf.j2", 2)}
    assert parsed.problems == ()


JINJA = {
    "{% if x %}": (1, "Unexpected end of template"),
    "a\n{{ x": (2, "unexpected end of template"),
    "\n{{ foo }}": (2, "foo is not a name that templates are given."),
    '{% include "b.tf.j2" %}': (1, "There is no b.tf.j2 to include."),
    "{{ " + "(" * 5000: (0, "The template is nested too deeply."),
    "{{ " + "service." * 5000 + "x }}": (0, "The template is nested too deeply."),
}


@pytest.mark.parametrize("text", JINJA, ids=range(len(JINJA)))
def test_a_wrong_template_is_told_with_its_line(text: str) -> None:
    parsed, _ = jinja_code.parse(text.encode(), "main.tf.j2", ["a.tf.j2"])

    line, message = JINJA[text]
    assert [(problem.line, problem.message.startswith(message)) for problem in parsed.problems] == [(line, True)]


PIECES = st.sampled_from(
    [
        "a = ",
        "var.",
        "environment",
        ".outputs",
        '"',
        "${",
        "}",
        "{",
        "<<E\n",
        "E\n",
        "\n",
        "[",
        "]",
        "(",
        ")",
        "%{ if ",
        "~}",
        "#",
        "/*",
        "*/",
        "\\",
        "can",
        ",",
        "$",
        "é",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")

    assert isinstance(code.parse(raw, "main.tf"), code.Parsed)
    assert isinstance(code_json.parse(raw, "main.tf.json"), code.Parsed)
    assert isinstance(jinja_code.parse(raw, "main.tf.j2", [])[0], code.Parsed)


@pytest.mark.parametrize(
    "text",
    [
        "a = <<A\n" + "<<A\n x\n" * 20_000,
        "/*" * 100_000,
        'a = "' + "${" * 50_000,
        "a = <<E\n" + "${" * 50_000 + "\nE\n",
        "a = /* x */ 1 /*" + " x" * 50_000 + "*/\n",
        "a = " + "! " * 20_000 + "x",
        "a = " + "!!=" * 20_000,
        "/* x */ " * 20_000,
    ],
)
def test_hostile_text_takes_no_longer_than_its_length_allows(text: str) -> None:
    before = time.process_time()

    code.parse(text.encode(), "main.tf")

    assert time.process_time() - before < 5
