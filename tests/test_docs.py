"""The documentation tells the truth: it is compared with the code, and the README's quick start is typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import click
import pytest

from engine.bundles import load, pack
from engine.cli.endings import CHANGES_FOUND
from engine.cli.failures import INTERRUPTED
from engine.cli.main import main
from engine.cli.root import landform
from engine.core import inputs, runs, spec
from engine.core.runs import TABLE, Event, Status
from engine.core.updates import UpdateKind
from engine.errors import LandformError
from engine.settings import SETTINGS, Setting
from engine.terraform import seal
from tests import demo

ROOT = Path(__file__).parent.parent
MODULES = ROOT / "modules"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *MODULES.rglob("*.md"), *ROOT.glob("workspaces/*.md")]
)
BUNDLES = sorted(path.parent.parent for path in MODULES.rglob("schema/schema.yaml"))
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"
KINDS = ("environment", "service")
CURL = f"""
curl() {{
    {shlex.quote(sys.executable)} - "$2" <<'END'
import sys, urllib.request
print(urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(sys.argv[1]).read().decode())
END
}}
"""
"""What the quick start uses curl for, on machines without it."""
JINJA_SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Network
  types:
    Network:
      type: object
      required: [layout, cidr]
      properties:
        layout: {type: string, enum: [flat]}
        cidr: {type: string}
"""
"""The inputs that the guide's examples of Jinja speak of."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(page: Path, heading: str) -> str:
    """What stands below a heading, up to the next of its level."""
    level = heading.partition(" ")[0]
    text = page.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    assert text, f"{name(page)} has no section {heading}"
    return re.split(rf"\n{level} ", text, maxsplit=1)[0]


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its first two lines and without backticks."""
    lines = section(page, heading).splitlines()
    table = takewhile(lambda line: line.startswith("|"), lines[next(i for i, x in enumerate(lines) if x[:1] == "|") :])
    return [[cell.strip().replace("`", "") for cell in line.split("|")[1:-1]] for line in list(table)[2:]]


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group with all its words."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {word}")
        else:
            yield f"{path} {word}", command


COMMANDS = dict(commands(landform, "landform"))


# The quick start


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(MODULES, tmp_path / "modules")
    (tmp_path / "workspaces").mkdir()
    yield tmp_path
    # servers end by themselves when their files are gone
    seal.reopen(tmp_path / "workspaces")
    shutil.rmtree(tmp_path / "workspaces")


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def type_in(script: str, folder: Path) -> str:
    """What the commands print, when they are typed one after the other and all of them succeed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LANDFORM_")}
    environ = kept | {key: os.environ[key] for key in ("LANDFORM_TERRAFORM",) if key in os.environ}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", CURL + script],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.terraform
def test_the_quick_start_of_the_readme_does_what_it_says(clone: Path) -> None:
    port = free_port()
    blocks = re.findall(r"```sh\n(.*?)```", section(README, "## Ten minutes to a first service"), re.DOTALL)
    script = "".join(blocks).replace("8081", str(port))

    printed = type_in(script, clone)

    assert f"shop/blue: url = http://127.0.0.1:{port}/" in printed
    assert "<h1>The blue shop</h1>" in printed
    assert re.search(r"^stages +service/shop/blue", printed, re.MULTILINE)
    assert re.search(r"^blue +shop +dev +static-site +1\.0 +1\.1 +succeeded( +-){4}$", printed, re.MULTILINE)
    assert "+ theme" in printed
    assert re.search(r"service/shop/blue +destroy +static-site@1\.1 +succeeded", printed)
    assert re.search(r"environment/dev +destroy +local-lab@1\.0 +succeeded", printed)
    left = [clone.glob(f"workspaces/first/{kind}/**/{it}") for kind in KINDS for it in ("*.tfstate*", "*.pid")]
    assert [path for found in left for path in found] == []


# Pages and code


def test_the_reference_lists_every_command() -> None:
    documented = re.findall(r"^\| `(landform [a-z -]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(documented) == sorted(COMMANDS)


def test_the_readme_lists_every_command() -> None:
    nouns = {words.split()[1] for words in COMMANDS}
    verbs = {noun: [words.split()[2] for words in COMMANDS if words.split()[1:-1] == [noun]] for noun in nouns}

    documented = {noun.removeprefix("landform "): cell for noun, cell in rows(README, "## Commands")}

    assert set(documented) == nouns
    assert {noun: sorted(documented[noun].split(", ")) for noun in nouns if verbs[noun]} == {
        noun: sorted(found) for noun, found in verbs.items() if found
    }


@pytest.mark.parametrize("page", [README, REFERENCE], ids=name)
def test_every_exit_code_is_explained(page: Path) -> None:
    of_errors = {LandformError.exit_code, *(kind.exit_code for kind in LandformError.__subclasses__())}

    documented = [int(code) for code, *_ in rows(page, "## Exit codes")]

    assert documented == sorted({0, CHANGES_FOUND, INTERRUPTED} | of_errors)


@pytest.mark.parametrize("page", [README, REFERENCE], ids=name)
def test_every_setting_is_explained(page: Path) -> None:
    documented = [cells[:3] for cells in rows(page, "## Settings")]

    assert documented == [[each.name, each.variable, default(each)] for each in SETTINGS]


def default(setting: Setting) -> str:
    """A setting's default as a table shows it."""
    looked_up = setting.help.partition("Default: ")[2].rstrip(".")
    return setting.default or looked_up


def test_the_readme_says_of_settings_what_the_code_says() -> None:
    documented = [cells[3] for cells in rows(README, "## Settings")]

    assert documented == [each.help.partition(" Default: ")[0] for each in SETTINGS]


def test_every_status_of_a_run_is_explained() -> None:
    documented = [[status, *rest] for status, _, *rest in rows(REFERENCE, "## Statuses of a run")]

    assert documented == [[each, runs.waiting_on(each), ", ".join(runs.next_actions(each))] for each in Status]


def test_the_diagram_of_a_runs_life_is_that_of_the_code() -> None:
    lines = [f"{status:<10} {', '.join(ways(status))}" for status in Status if not runs.is_terminal(status)]

    assert "\n".join(["```text", *lines, "```"]) in section(REFERENCE, "## Statuses of a run")


def ways(status: Status) -> Iterator[str]:
    """What can happen to a run of this status, and where it leads."""
    for event in Event:
        if status in TABLE[event]:
            yield f"{event.name.lower().replace('_', ' ')} -> {TABLE[event][status]}"


def test_every_kind_of_update_is_explained() -> None:
    assert [kind for kind, _ in rows(REFERENCE, "## Update kinds")] == list(UpdateKind)


def test_the_reference_speaks_of_no_option_that_is_not_there() -> None:
    options = {option for _, command in [("landform", landform), *COMMANDS.items()] for option in spellings(command)}

    documented = set(re.findall(r"(?<=`)--?[a-z][a-z-]*", REFERENCE.read_text(encoding="utf-8")))

    assert documented - options == {"--help", "-wal", "-shm"}


def spellings(command: click.Command) -> Iterator[str]:
    """Every way to write an option of the command."""
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)


def blocks(text: str, language: str) -> list[str]:
    """The content of every block of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [content for named, content in found if named == language]


def test_the_specs_of_the_reference_can_be_read() -> None:
    environment, service = blocks(section(REFERENCE, "## Specs and `--set`"), "yaml")

    found = spec.environment_spec(spec.parse(environment, "spec.yaml"))
    wanted = spec.service_spec(spec.parse(service, "spec.yaml"), pipeline=True)

    assert found.inputs == {"zones": 3, "network": {"cidr": "10.0.0.0/16"}}
    assert [(each.name, each.environment) for each in wanted.instances] == [("blue", "dev"), ("green", "prod")]


def test_the_first_bundle_of_the_authors_guide_passes_its_check() -> None:
    guide = section(MODULES / "README.md", "## A first bundle")
    files = re.findall(r"^`([^`]+)` (?:says|is)[^\n]*\n\n```\w+\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)

    assert len(files) == 5
    assert load.check({path: text.encode() for path, text in files}).problems == ()


def test_the_jinja_examples_of_the_authors_guide_pass_the_check() -> None:
    guide = section(MODULES / "README.md", "## Jinja, where variables cannot reach")
    [manifest], examples = blocks(guide, "yaml"), blocks(guide, "")
    template = {
        "schema/schema.yaml": JINJA_SCHEMA.encode(),
        "infrastructure/manifest.yaml": manifest.encode(),
        "infrastructure/networks/flat/main.tf": b'variable "cidr" {}\n',
    }
    templates = {f"infrastructure/example{at}.tf.j2": text.encode() for at, text in enumerate(examples)}

    assert templates
    assert load.check(template | templates).problems == ()


# Command lines and links in all pages


def typed_lines() -> Iterator[tuple[str, str]]:
    """(page, command line) of every command line in a block."""
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            yield from ((name(page), line) for line in re.findall(r"^(?:\$ )?(landform .*)$", block, re.MULTILINE))


def mentions() -> Iterator[tuple[str, str]]:
    """(page, command line) of every command that a sentence mentions, maybe without its arguments."""
    for page in PAGES:
        yield from (
            (name(page), line) for line in re.findall(r"`(landform [^`\n]+)`", page.read_text(encoding="utf-8"))
        )


def parse(line: str) -> None:
    """Parses a command line without running it. Raises click.UsageError as the command line would."""
    words = list(takewhile(lambda word: word not in ("<", ">", "|"), shlex.split(line, comments=True)))[1:]
    command: click.Command = landform
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, line
        command, words = found, words[1:]
    command.make_context(command.name, words, auto_envvar_prefix=None)


@pytest.mark.parametrize(("page", "line"), sorted(set(typed_lines())))
def test_a_command_line_in_a_page_can_be_typed(page: str, line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", re.findall(r"landform .*", demo.NEXT))
def test_what_the_demonstration_offers_next_can_be_typed(line: str) -> None:
    parse(line)


@pytest.mark.parametrize(("page", "line"), sorted(set(mentions())))
def test_a_command_that_a_page_mentions_is_there(page: str, line: str) -> None:
    with suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        parse(line)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", page.read_text(encoding="utf-8"))

    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert missing == []


# Shipped bundles


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_a_shipped_bundle_passes_its_own_check(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "check", str(bundle), "-o", "name"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("bundle", BUNDLES, ids=name)
def test_a_shipped_bundles_readme_names_every_input_and_output(bundle: Path) -> None:
    checked = load.check(pack.read_folder(bundle))
    assert checked.schema is not None
    assert checked.facts is not None
    texts = {each.name: each.description for each in inputs.inputs(checked.schema.type)}
    texts |= {each.name: each.description for part in checked.facts.parts.values() for each in part.outputs}
    readme = (bundle / "README.md").read_text(encoding="utf-8")

    assert [each for each in texts if f"`{each}`" not in readme] == []
    assert [each for each in texts if not texts[each]] == []
