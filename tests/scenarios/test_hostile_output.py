"""A provider that says what a terminal would obey: nothing of it reaches a file, a screen, or the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

LINK = "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07"
SEQUENCES = (
    "\x1b[2J",
    "\x9b2J",
    "\x90q\x9c",
    LINK,
    "\u202etxt.exe\u202c",
    "\u2066x\u2069",
    "\x07",
    "\x08",
    "back\rspace",
)
CONTROLS = (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
OBEYED = set(map(chr, CONTROLS))
SAYING = """\
locals {{
  said = {said}
}}

resource "terraform_data" "loud" {{
  for_each = toset(["\\u202ekey\\u009b2J"])
  input    = var.service_instance.inputs

  provisioner "local-exec" {{
    command     = "printf '%s\\n' \\"$SAID\\""
    environment = {{ SAID = local.said }}
  }}
}}

output "said" {{
  value = local.said
}}
"""
FAILING = """
resource "terraform_data" "check" {
  lifecycle {
    precondition {
      condition     = length(local.said) == 0
      error_message = "It says ${local.said}."
    }
  }
}
"""


def code(more: str = "") -> str:
    """A bundle that says it all."""
    said = "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in " ".join(SEQUENCES)
    )
    return SAYING.format(said=f'"{said}"') + more


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.fixture
def loud(deployed: World) -> World:
    """As `deployed`, and service loud, whose run 3 has said all of it."""
    deployed.publish("loud", deployed.service_bundle("loud", code=code()))
    deployed.do("service", "create", "loud", "-t", "loud", "--env", "prod", "--auto-approve")
    return deployed


def run_files(world: World, run: int) -> Path:
    return world.home / "service/loud/prod/runs" / str(run)


def test_the_log_has_the_words_and_nothing_else(loud: World) -> None:
    log = (run_files(loud, 3) / "log").read_text(encoding="utf-8")

    assert set(log) & OBEYED == set()
    assert "click" in log
    assert "txt.exe" in log


def test_the_events_have_nothing_of_it_even_once_they_are_read(loud: World) -> None:
    lines = (run_files(loud, 3) / "events.jsonl").read_text(encoding="utf-8").splitlines()

    found = [text for line in lines for text in texts(json.loads(line))]

    assert set("".join(found)) & OBEYED == set()
    assert any("txt.exe" in text for text in found)


def test_nothing_of_it_reaches_a_screen(loud: World) -> None:
    commands = (
        ("run", "show", 3),
        ("run", "show", 3, "--plan"),
        ("run", "list"),
        ("run", "logs", 3),
        ("run", "logs", 3, "-o", "json"),
        ("instance", "show", "loud/prod"),
        ("instance", "outputs", "loud/prod"),
        ("instance", "outputs", "loud/prod", "-o", "json"),
        ("instance", "outputs", "loud/prod", "-o", "yaml"),
        ("run", "show", 3, "-o", "json"),
        ("run", "show", 3, "-o", "yaml"),
    )

    results = [loud.do(*command) for command in commands]

    assert set("".join(result.out + result.err for result in results)) & OBEYED == set()


def test_for_programs_an_output_is_what_it_is(loud: World) -> None:
    [output] = loud.rows("instance", "outputs", "loud/prod")

    assert output["value"] == " ".join(SEQUENCES)


def test_nothing_of_it_is_in_a_summary(loud: World) -> None:
    run = loud.row("run", "show", 3)

    assert set("".join(texts(run["summary"]))) & OBEYED == set()
    assert [change["address"] for change in run["summary"]["changes"]] == ['terraform_data.loud["\\u202ekey\\u009b2J"]']


def test_progress_and_the_message_of_a_failure_have_nothing_of_it(loud: World) -> None:
    loud.publish("loud", loud.service_bundle("loud", code=code(FAILING)), "--major", 1)

    result = loud.run("instance", "update", "loud/prod", "--auto-approve")

    message = loud.row("run", "show", 4)["message"]
    assert result.code == 1
    assert set(result.out + result.err) & OBEYED == set()
    assert set(message) & OBEYED == set()
    assert "txt.exe" in message
