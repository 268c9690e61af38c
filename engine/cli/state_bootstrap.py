"""`landform state bootstrap`: a bucket that is fit for states."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from engine import forms
from engine.cli import display
from engine.cli.common import Session, WholeNumber, pass_session
from engine.errors import Usage

FINDINGS = display.Shape(
    "landform.bucket-finding/1", display.columns("ITEM=item STANDING=standing DETAIL=detail"), "item"
)


@click.command("bootstrap")
@click.argument("place", metavar="s3://BUCKET[/PREFIX][?region=REGION&kms=KEY]")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something is missing.")
@click.option(
    "--keep-former",
    type=WholeNumber(36_500, "a number of days"),
    metavar="DAYS",
    help="Remove what was replaced or deleted below the prefix after that many days.  [default: keep it for ever]",
)
@display.option
@pass_session
def bootstrap(session: Session, place: str, keep_former: int | None, output: str, *, check: bool) -> int:
    """Make a bucket for states, or set up one that is there: versions, encryption, nothing public, no plain http.

    What is stricter already stays as it is.
    """
    from engine.core import s3
    from engine.core.buckets import Wish
    from engine.external import aws, aws_buckets

    if not re.fullmatch(forms.STATE_STORE.pattern, place):
        raise Usage(f"{place!r} is not {forms.STATE_STORE.words}.")
    wanted = s3.parse(place)
    access = aws.Access(region=wanted.region, endpoint=wanted.endpoint)
    found = list(aws_buckets.set_up(Wish(wanted, keep_former), access, check=check))
    display.many([asdict(finding) for finding in found], FINDINGS, output)
    if all(finding.is_right for finding in found):
        session.say(f'Next, in landform.toml: state_store = "{wanted}", or backend = "{wanted}"')
        return 0
    return 1
