"""Guards that cannot be used, and exceptions that cannot be made: nothing is recorded."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_CHECK = "guards check g.yaml"
_REGO = "rego: [policies/tags.rego]\n"
_MANY = """\
max_destroys: few
providers: []
regions: [""]
required_tags: {}
public_ingress: {port: 443}
local_exec: 0
rego: [../tags.rego, policies/none.rego, a.rego, b/a.rego]
warn_only: [max_destroy, rego]
"""
_BROKEN = """\
package main

import rego.v1

deny contains msg if {
  input.resource_changes[_.type == "aws_instance"
  msg := "No."
}
"""
_SILENT = 'package main\n\nimport rego.v1\n\nrefuse contains msg if {\n  msg := "No."\n}\n'
_EXCEPT = "--except max_destroys,never_destroy"

CASES = (
    Case("guards with a typing error", {"g.yaml": "never_destory: [aws_db_instance]\n"}, _CHECK),
    Case(
        "guards with everything wrong",
        {"g.yaml": _MANY, "a.rego": "package a\n", "b/a.rego": "package b\n"},
        _CHECK,
    ),
    Case("guards that only warn of what is not there", {"g.yaml": "local_exec: false\nwarn_only: [regions]\n"}, _CHECK),
    Case("guards of ports that are none", {"g.yaml": "public_ingress: {ports: [0-70000, https, 9-8]}\n"}, _CHECK),
    Case("guards with nothing in them", {"g.yaml": ""}, _CHECK),
    Case("guards that are a list", {"g.yaml": "- never_destroy\n"}, _CHECK),
    Case("guards that are no YAML", {"g.yaml": "never_destroy: [\n"}, _CHECK),
    Case("guards that say a thing twice", {"g.yaml": "max_destroys: 1\nmax_destroys: 2\n"}, _CHECK),
    Case("guards that are not there", {}, _CHECK),
    Case("policies that are no Rego", {"g.yaml": _REGO, "policies/tags.rego": _BROKEN}, _CHECK),
    Case("policies without a rule that could refuse", {"g.yaml": _REGO, "policies/tags.rego": _SILENT}, _CHECK),
    Case("policies in another encoding", {"g.yaml": _REGO, "policies/tags.rego": b"# Z\xfcrich\npackage x\n"}, _CHECK),
    Case("policies that are too large", {"g.yaml": _REGO, "policies/tags.rego": "# " + "x" * 70_000}, _CHECK),
    Case("broken guards for an environment", {"g.yaml": "max_destroys: -1\n"}, "env guards set prod g.yaml"),
    Case(
        "broken policies for an environment",
        {"g.yaml": _REGO, "policies/tags.rego": _BROKEN},
        "env guards set prod g.yaml",
    ),
    Case("guards of a version", {"g.yaml": "max_destroys: 1\n"}, "template guards set web@1.0 g.yaml"),
    Case("guards of a template that is not there", {"g.yaml": "max_destroys: 1\n"}, "template guards set wep g.yaml"),
    Case("guards of an environment that is not there", {"g.yaml": "max_destroys: 1\n"}, "env guards set prd g.yaml"),
    Case("a refused plan to be approved", {}, "run approve 6"),
    Case("a refused plan to be approved whatever it does", {}, "run approve 6 --yes --reason 'I said so'"),
    Case("an exception of one rule too few", {}, "run approve 6 --except max_destroys --reason 'Data was moved'"),
    Case("an exception with typing errors", {}, "run approve 6 --except max_destroy,never-destroy --reason x"),
    Case("an exception without a reason", {}, f"run approve 6 {_EXCEPT}"),
    Case("an exception for a blank reason", {}, f"run approve 6 {_EXCEPT} --reason ' '"),
    Case("an exception of nothing", {}, "run approve 6 --except '' --reason x"),
    Case("an exception that no guard asks for", {}, "run approve 9 --except max_destroys --reason x"),
    Case("an exception for several runs", {}, "run approve 6 9 --except max_destroys --reason x"),
    Case("a refused plan to be applied", {}, "run apply 6"),
)
