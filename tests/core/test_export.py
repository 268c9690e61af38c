"""What is told of a run outside of Landform: true, short enough, and safe whatever the names in it are."""

from __future__ import annotations

from dataclasses import replace
from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.core import export_junit, export_plan, export_summary
from engine.core.export import Outcome, Story
from engine.core.guards import Refusal, Severity
from engine.core.plans import Action, Change, OutputChange, Summary
from engine.core.runs import Operation, Status

PLANNED = Story(
    run_id=42,
    address="service/orders/prod",
    operation=Operation.DEPLOY,
    template="web@1.2",
    status=Status.PLANNED,
    requested_by="ana",
    summary=Summary(
        (
            Change("terraform_data.app", Action.UPDATE),
            Change("terraform_data.db", Action.REPLACE, "cannot_update"),
            Change("terraform_data.old", Action.DELETE),
        ),
        (OutputChange("port", "update", sensitive=False), OutputChange("key", "create", sensitive=True)),
        (Change("terraform_data.net", Action.UPDATE),),
    ),
    next_commands=("landform run approve 42", "landform run discard 42"),
)
APPLIED = replace(
    PLANNED,
    status=Status.SUCCEEDED,
    approved_by="ben",
    has_applied=True,
    apply_s=1.5,
    outputs={"port": "81"},
    next_commands=(),
)
FAILED = replace(
    APPLIED,
    status=Status.FAILED,
    message="terraform apply ended with exit code 1:\nboom <b>",
    outputs={},
    outcomes={"terraform_data.old": Outcome.DONE, "terraform_data.db": Outcome.FAILED},
)
PLANNED_TEXT = """\
<!-- landform-run 42 -->
### Landform: deploy `service/orders/prod` waits for approval

Run 42 with `web@1.2`, asked for by `ana`.

**1 to add, 1 to change, 2 to destroy, 2 outputs change.**

> :warning: 2 resources would be destroyed or replaced.

Next: `landform run approve 42` or `landform run discard 42`

<details open><summary>Destroyed or replaced (2)</summary>

- **destroy** `terraform_data.old`
- **replace** (destroyed and made anew) `terraform_data.db` (`cannot update`)

</details>

<details><summary>Resources (1)</summary>

- update `terraform_data.app`

</details>

<details><summary>Changed outside of Landform since the last apply (1)</summary>

- update `terraform_data.net`

</details>

<details><summary>Outputs that change (2)</summary>

- `update` `port`
- `create` `key` (sensitive)

</details>
"""
HOSTILE = (
    "`",
    "``",
    "x` </details> @ana",
    "a\n# b",
    "<script>",
    "](http://x)",
    "\x1b[2J",
    "\u202e",
    "a" * 400,
    "```\n- [ ]",
)
texts = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(HOSTILE)
names = st.builds("{}☠{}".format, texts, texts)
"""Names by others: each can be told from our own words."""
stories = st.builds(
    Story,
    run_id=st.integers(1, 10**9),
    address=names,
    operation=st.sampled_from(Operation),
    template=names,
    status=st.sampled_from(Status),
    message=names,
    requested_by=names,
    reason=names,
    approved_by=names,
    summary=st.none()
    | st.builds(
        Summary,
        st.lists(st.builds(Change, names, st.sampled_from(Action), names), max_size=5).map(tuple),
        st.lists(st.builds(OutputChange, names, names, st.booleans()), max_size=3).map(tuple),
        st.lists(st.builds(Change, names, st.sampled_from(Action)), max_size=3).map(tuple),
    ),
    has_applied=st.booleans(),
    apply_s=st.none() | st.floats(0, 1e6),
    outputs=st.dictionaries(names, names, max_size=3),
)


# The summary


def test_a_summary_says_what_is_destroyed_first() -> None:
    assert export_summary.summary(PLANNED) == PLANNED_TEXT


def test_a_summary_of_a_run_that_succeeded_has_its_outputs() -> None:
    text = export_summary.summary(APPLIED)

    assert "### Landform: deploy `service/orders/prod` succeeded\n" in text
    assert "Run 42 with `web@1.2`, asked for by `ana`, approved by `ben`." in text
    assert "<summary>Outputs (1)</summary>\n\n- `port` = `81`\n" in text
    assert "Outputs that change" not in text


def test_a_summary_of_a_run_that_failed_has_its_words_and_what_was_done() -> None:
    text = export_summary.summary(FAILED)

    assert "```text\nterraform apply ended with exit code 1:\nboom <b>\n```\n" in text
    assert "- **destroy** `terraform_data.old`: done\n" in text
    assert "`terraform_data.db` (`cannot update`): failed\n" in text


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("plain", "`plain`"),
        ("", "` `"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a``", "``` a`` ```"),
        (" a ", "`a`"),
        ("two\nlines\x1b[2J\u202e", "`two lines [2J`"),
        ("x" * 400, f"`{'x' * 297}...`"),
    ],
)
def test_a_name_is_written_so_that_markdown_cannot_read_it(text: str, span: str) -> None:
    assert export_summary.code(text) == span


def test_a_message_cannot_end_its_block() -> None:
    assert export_summary.block("a\n````\n# b") == ["`````text", "a", "````", "# b", "`````"]


def leaves(text: str) -> list[Token]:
    """What a reader of Markdown takes the text for, piece by piece."""
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [leaf for token in found for leaf in token.children or [token]]


@given(stories)
def test_nothing_that_others_have_named_leaves_its_place(story: Story) -> None:
    text = export_summary.summary(story)

    read = leaves(text)

    assert {leaf.type for leaf in read if "☠" in leaf.content} <= {"code_inline", "fence"}
    assert {leaf.type for leaf in read} & {"link_open", "image", "table_open", "html_inline", "code_block"} == set()
    assert len(text) <= export_summary.LENGTH_MAX


def test_a_long_list_is_cut_where_a_comment_ends_and_counts_the_rest() -> None:
    changes = tuple(Change(f"terraform_data.{'x' * 200}[{at}]", Action.CREATE) for at in range(2000))
    doomed = tuple(Change(f"terraform_data.{'y' * 200}[{at}]", Action.DELETE) for at in range(10))

    text = export_summary.summary(replace(PLANNED, summary=Summary(changes + doomed)))

    assert len(text) <= export_summary.LENGTH_MAX
    assert text.count("**destroy**") == 10
    assert f"- and {2000 - text.count('- create')} more\n" in text
    assert text.endswith("</details>\n")


# The report


def cases(story: Story) -> list[tuple[str, str, str]]:
    """(name, verdict, message) of each case of the report."""
    found = []
    for case in minidom.parseString(export_junit.report(story)).getElementsByTagName("testcase"):
        inside = [node for node in case.childNodes if node.nodeType == node.ELEMENT_NODE]
        verdict = inside[0].tagName if inside else "passed"
        found.append((case.getAttribute("name"), verdict, inside[0].getAttribute("message") if inside else ""))
    return found


def test_a_report_of_a_plan_skips_what_is_not_applied_yet() -> None:
    why = "Not applied: the run is planned."

    assert cases(PLANNED) == [
        ("plan", "passed", ""),
        ("delete terraform_data.old", "skipped", why),
        ("replace terraform_data.db", "skipped", why),
        ("update terraform_data.app", "skipped", why),
    ]


def test_a_report_of_a_run_that_succeeded_passes() -> None:
    assert cases(APPLIED) == [
        ("plan", "passed", ""),
        ("apply", "passed", ""),
        ("delete terraform_data.old", "passed", ""),
        ("replace terraform_data.db", "passed", ""),
        ("update terraform_data.app", "passed", ""),
    ]
    assert '<testcase classname="service/orders/prod" name="apply" time="1.500"/>' in export_junit.report(APPLIED)


def test_a_report_of_a_run_that_failed_says_what_failed_and_what_was_not_reached() -> None:
    assert cases(FAILED) == [
        ("plan", "passed", ""),
        ("apply", "failure", "terraform apply ended with exit code 1:"),
        ("delete terraform_data.old", "passed", ""),
        ("replace terraform_data.db", "failure", "Terraform could not do it."),
        ("update terraform_data.app", "skipped", "The apply did not get to it."),
    ]
    assert "boom &lt;b&gt;</failure>" in export_junit.report(FAILED)
    assert '<testsuite name="service/orders/prod (deploy run 42)" tests="5" failures="2" errors="0" skipped="1">' in (
        export_junit.report(FAILED)
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status.FAILED, "failure"),
        (Status.CANCELLED, "error"),
        (Status.DISCARDED, "failure"),
        (Status.QUEUED, "skipped"),
    ],
)
def test_a_run_without_a_plan_has_one_case(status: Status, verdict: str) -> None:
    story = replace(PLANNED, status=status, summary=None)

    assert cases(story) == [("plan", verdict, f"the run is {status.value}.")]


def test_an_interrupted_run_is_an_error_and_so_is_what_it_had_begun() -> None:
    outcomes = {"terraform_data.app": Outcome.UNFINISHED}

    found = cases(replace(FAILED, status=Status.INTERRUPTED, outcomes=outcomes))

    assert [case[:2] for case in found] == [
        ("plan", "passed"),
        ("apply", "error"),
        ("delete terraform_data.old", "skipped"),
        ("replace terraform_data.db", "skipped"),
        ("update terraform_data.app", "error"),
    ]


@given(stories)
def test_a_report_is_xml_whatever_the_names_are(story: Story) -> None:
    suite = minidom.parseString(export_junit.report(story)).getElementsByTagName("testsuite")[0]

    assert int(suite.getAttribute("tests")) == len(suite.getElementsByTagName("testcase"))


# The plan

PLAN = {
    "format_version": "1.2",
    "variables": {
        "environment": {"value": {"name": "prod", "outputs": {"zone": "a", "password": "hunter22"}}},
        "token": {"value": "t0ken-value"},
    },
    "planned_values": {
        "outputs": {"key": {"sensitive": True, "type": "string", "value": "k3y-value"}, "port": {"value": 80}},
        "root_module": {
            "resources": [
                {
                    "address": "x.y",
                    "values": {"a": "seen", "b": "b-s3cret", "c": ["one", "tw0-secret"], "d": {"e": 1}},
                    "sensitive_values": {"b": True, "c": [False, True]},
                }
            ]
        },
    },
    "resource_changes": [
        {
            "address": "x.y",
            "change": {
                "actions": ["update"],
                "before": None,
                "before_sensitive": False,
                "after": {"input": "hunter22", "echo": "it is k3y-value!"},
                "after_sensitive": {},
                "after_unknown": {"id": True},
            },
        }
    ],
    "output_changes": {"key": {"before": None, "after": "k3y-value", "after_sensitive": True}},
    "configuration": {
        "root_module": {"variables": {"token": {"sensitive": True, "default": "d3fault"}, "environment": {}}}
    },
}


def test_what_terraform_holds_for_sensitive_is_masked() -> None:
    masked = export_plan.masked(PLAN, 42)

    assert masked["landform-run"] == 42
    assert masked["variables"]["token"] == {"value": "(sensitive)"}
    assert masked["planned_values"]["outputs"] == {
        "key": {"sensitive": True, "type": "string", "value": "(sensitive)"},
        "port": {"value": 80},
    }
    assert masked["planned_values"]["root_module"]["resources"][0]["values"] == {
        "a": "seen",
        "b": "(sensitive)",
        "c": ["one", "(sensitive)"],
        "d": {"e": 1},
    }
    assert masked["output_changes"]["key"] == {"before": None, "after": "(sensitive)", "after_sensitive": True}
    assert masked["configuration"]["root_module"]["variables"]["token"]["default"] == "(sensitive)"


def test_an_output_of_the_environment_is_secret_unless_it_is_known_to_be_public() -> None:
    everything = ("t0ken-value", "tw0-secret", "k3y-value", "b-s3cret", "hunter22", "d3fault")

    assert export_plan.secrets(PLAN, public=["zone"]) == tuple(sorted(everything, key=lambda t: (-len(t), t)))
    assert "zone-a" in export_plan.secrets({"variables": {"environment": {"value": {"outputs": {"z": "zone-a"}}}}}, [])


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(trees, trees)
def test_a_plan_of_any_shape_is_masked_without_an_error(values: object, marks: object) -> None:
    plan = {"values": values, "sensitive_values": marks, "variables": values, "configuration": marks}

    masked = export_plan.masked(plan, 1)

    assert masked.keys() == {"landform-run", *plan}
    assert (
        export_plan.masked({"before": "x" * 9, "before_sensitive": True, "deep": [plan]}, 1)["before"] == "(sensitive)"
    )
    assert isinstance(export_plan.secrets(plan, []), tuple)


def test_a_summary_says_which_guards_refuse_and_what_was_excepted() -> None:
    denied = Refusal("never_destroy", Severity.DENY, "a.b", "a.b would be destroyed.", "environment/prod")
    warned = replace(denied, rule="max_destroys", severity=Severity.WARN, sentence="Too `many`.")

    text = export_summary.summary(replace(PLANNED, refusals=(denied, warned), exceptions=("never_destroy",)))

    assert "Excepted from: `never_destroy`\n" in text
    assert "Refused by guards (1)</summary>\n\n- `never_destroy (environment/prod): a.b would be destroyed.`" in text
    assert "Warnings of guards (1)</summary>\n\n- ``max_destroys (environment/prod): Too `many`.``" in text
