"""Problems for code-review tools."""

from __future__ import annotations

from engine.bundles.sarif import report
from engine.errors import Problem, Severity

ERROR = Problem("infrastructure/a b.tf", 3, "var.x", "There is no such variable.", "hcl/undeclared", hint="Declare it.")
WARNING = Problem("schema/schema.yaml", 0, "", "is odd.", "schema/odd", Severity.WARNING)
BARE = Problem("", 0, "", "Nothing is there.")


def test_each_problem_becomes_a_result_at_its_place() -> None:
    run = report([WARNING, ERROR, BARE], "1.2.3")["runs"][0]

    assert run["tool"]["driver"] == {
        "name": "Landform",
        "version": "1.2.3",
        "rules": [{"id": "hcl/undeclared"}, {"id": "landform"}, {"id": "schema/odd"}],
    }
    assert run["results"] == [
        {"ruleId": "landform", "ruleIndex": 1, "level": "error", "message": {"text": "Nothing is there."}},
        {
            "ruleId": "hcl/undeclared",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "var.x: There is no such variable. Declare it."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "infrastructure/a%20b.tf"},
                        "region": {"startLine": 3},
                    }
                }
            ],
        },
        {
            "ruleId": "schema/odd",
            "ruleIndex": 2,
            "level": "warning",
            "message": {"text": "is odd."},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "schema/schema.yaml"}}}],
        },
    ]


def test_the_order_of_the_problems_does_not_matter() -> None:
    assert report([WARNING, ERROR, BARE, ERROR]) == report([ERROR, BARE, WARNING])


def test_no_problem_is_a_log_without_results() -> None:
    log = report([])

    assert (log["version"], log["runs"][0]["results"]) == ("2.1.0", [])
