"""What a campaign is asked for on the command line: which instances, in which order and size, under which gates."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from engine.cli import common
from engine.core import probes, rules
from engine.core.address import quoted
from engine.core.campaigns import Action, Health, Manner, Wish
from engine.core.plans import AutoApprove, Shape
from engine.core.updates import UpdateKind
from engine.core.versions import parse_ref
from engine.errors import Invalid, Usage

if TYPE_CHECKING:
    from engine.actions.campaign_outlines import Proposal

F = TypeVar("F", bound=Callable[..., object])
_SHAPES: list[Shape] = [shape for shape in Shape if shape is not Shape.FAIL]
_MANY = 10_000
_HEALTH_S = 60


class Duration(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """`30m`, `72h` or `7d`, as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds, as click asks for them."""
        found = rules.seconds(str(value))
        return (
            self.fail(f"{quoted(str(value))} is not a duration like 30s, 10m or 2h.", param, ctx)
            if found is None
            else found
        )


@dataclass(frozen=True)
class Asked:
    """What was typed about a campaign."""

    template: str | None = None
    select: tuple[str, ...] = ()
    kind: str | None = None
    redeploy: bool = False
    title: str = ""
    skip_refused: bool = False
    canary: int | None = None
    batch: int | None = None
    concurrency: int = 4
    pause: int | None = None
    approve_waves: bool = False
    max_failures: int = 1
    allow: str = Shape.IN_PLACE.value
    auto_approve: bool = False
    health_command: str = ""
    health_url: str = ""
    health_timeout: int | None = None

    def proposal(self) -> Proposal:
        """What is proposed. Raises Usage for options that do not go together."""
        from engine.actions.campaign_outlines import Proposal

        ref = parse_ref(self.template) if self.template else None
        if self.redeploy and (self.kind or (ref is not None and (ref.number or ref.major))):
            raise Usage(
                "--redeploy keeps every version as it is.", hint="Leave --kind and the version out, or --redeploy."
            )
        if ref is None and not self.select:
            raise Usage(
                "Nothing says which instances are meant.",
                hint="Name a template, like web@1.4, or give --select outdated.",
            )
        kind = UpdateKind(self.kind) if self.kind else None
        action = Action.REDEPLOY if self.redeploy else Action.UPGRADE
        select = (*self.select, *((f"template={ref.name}",) if ref and self.redeploy else ()))
        wish = Wish(action, select, kind)
        return Proposal(wish, self.manner(), self.title, None if self.redeploy else ref, skip_refused=self.skip_refused)

    def manner(self) -> Manner:
        """In which order and size, and under which gates."""
        if self.health_command and self.health_url:
            raise Usage("An instance is asked by a command or over HTTP.", hint="Leave one of --health-* out.")
        health = Health(_words(self.health_command), self.health_url, self.health_timeout or _HEALTH_S)
        if wrong := tuple(probes.problems(health)):
            raise Invalid("An instance cannot be asked like this:", problems=wrong)
        return Manner(
            canary=self.canary or 0,
            batch=self.batch or 0,
            concurrency=self.concurrency,
            pause_s=self.pause or 0,
            approve_waves=self.approve_waves,
            max_failures=self.max_failures,
            allow=tuple(_SHAPES[: _SHAPES.index(Shape(self.allow)) + 1]),
            approve=AutoApprove.ALL if self.auto_approve else AutoApprove.NONE,
            health=health,
        )


def _words(command: str) -> tuple[str, ...]:
    """The program and its arguments; one that is named from here is named whole, as it is started elsewhere."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise Usage(f"--health-command cannot be split into words: {error}.") from error
    program = words[0] if words else ""
    if "/" not in program or Path(program).is_absolute():
        return words
    found = shutil.which(str(Path.cwd() / program))
    if found is None:
        raise Usage(
            f"--health-command names {quoted(program)}, and that is no program in this folder.",
            hint="A script must be executable; a bare name is looked for on PATH.",
        )
    return (found, *words[1:])


def wishing(command: F) -> F:
    """Adds everything that says what a campaign is to do; the command gets it as `asked`."""
    return _with(command, (*_WHICH, *_HOW))


def manner(command: F) -> F:
    """Adds what says how it is done, in which order and size; the command gets it as `asked`."""
    return _with(command, _HOW)


def _with(command: F, flags: tuple[Callable[[Any], Any], ...]) -> F:
    @wraps(command)
    def take(*args: object, **given: Any) -> object:
        asked = Asked(**{each.name: given.pop(each.name) for each in fields(Asked) if each.name in given})
        return command(*args, asked=asked, **given)

    wrapped: Any = take
    for add in reversed(flags):
        wrapped = add(wrapped)
    return cast(F, wrapped)


_WHICH = (
    click.argument("template", required=False, metavar="[TEMPLATE[@VERSION]]"),
    click.option(
        "--select",
        multiple=True,
        metavar="TERMS",
        help="Which instances, like environment=prod,tag:team=pay or outdated; several must all hold.",
    ),
    click.option(
        "--kind",
        type=click.Choice([UpdateKind.MINOR_VERSION.value, UpdateKind.MAJOR_VERSION.value]),
        help="Without a version: how far each may go.  [default: minor-version]",
    ),
    click.option("--redeploy", is_flag=True, help="Keep every version; deploy again with outputs as they are now."),
    click.option("--title", default="", metavar="TEXT", help="What it is called; the reason of its runs."),
)
_HOW = (
    click.option("--skip-refused", is_flag=True, help="Leave out the instances that it would be refused for."),
    click.option("--canary", type=common.WholeNumber(_MANY), help="Instances of the first wave."),
    click.option("--batch", type=common.WholeNumber(_MANY), help="Instances of a wave at most."),
    click.option(
        "--concurrency", type=common.WholeNumber(999), default=4, show_default=True, help="Steps at once at most."
    ),
    click.option("--pause", type=Duration(), metavar="DURATION", help="Between waves, like 10m."),
    click.option("--approve-waves", is_flag=True, help="Wait after each wave until somebody resumes it."),
    click.option(
        "--max-failures",
        type=common.WholeNumber(_MANY),
        default=1,
        show_default=True,
        help="So many failures halt it.",
    ),
    click.option(
        "--allow",
        type=click.Choice([shape.value for shape in _SHAPES]),
        default=Shape.IN_PLACE.value,
        show_default=True,
        help="The gravest thing that a plan may do; one that does more counts as a failure.",
    ),
    click.option("--auto-approve", is_flag=True, help="Apply what --allow lets pass without asking anybody."),
    click.option("--health-command", default="", metavar="COMMAND", help="Asked after each apply: 0 says it is well."),
    click.option("--health-url", default="", metavar="URL", help="Asked after each apply; {name} is an output."),
    click.option(
        "--health-timeout", type=Duration(), metavar="DURATION", help="How long it is asked for.  [default: 1m]"
    ),
)
