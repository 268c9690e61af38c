"""`[credentials.NAME]` of landform.toml: with which credentials of AWS the runs of an environment work."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.core import tags
from engine.core.nearest import did_you_mean
from engine.errors import Invalid, Problem

TABLE = "credentials"
_SESSION_NAME_MOST = 64
_CHAINED_MOST_S = 3600
_OWN_TAGS = 2
"""Session tags that say which run it is."""
_ENDED = re.compile(r"\bExpiredToken(Exception)?\b|\bRequestExpired\b|\btoken included in the request is expired\b")
_LOOKED_AT = 20_000
"""Characters of an error that are looked at."""


class Source(StrEnum):
    """Where the first credentials come from."""

    AMBIENT = "ambient"
    """Wherever programs of AWS look for them on the worker's machine."""
    PROFILE = "profile"
    """A profile of AWS's own configuration, ~/.aws/config."""
    STATIC = "static"
    """Keys in files."""
    WEB_IDENTITY = "web_identity"
    """A token in a file, as OIDC providers give it, for which STS gives the credentials of a role."""


@dataclass(frozen=True)
class Keys:
    """Credentials as AWS knows them."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    """"" for those of a user."""
    expires_at: datetime | None = None
    """None: nobody knows of an end."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not be seen."""
        return tuple(filter(None, (self.access_key_id, self.secret_access_key, self.session_token)))

    def variables(self) -> dict[str, str]:
        """As programs find them in their environment."""
        token = {"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {}
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key, **token}


@dataclass(frozen=True)
class Role:
    """A role to be assumed."""

    arn: str
    external_id: str = ""
    external_id_file: str = ""
    """A file that holds it; "" when it is given, or there is none."""
    session_name: str = "landform"
    """What the name of the session begins with."""
    duration_s: int = 3600
    tags: Mapping[str, str] = field(default_factory=dict)
    """Session tags beside those that say which run it is."""
    transitive_tags: tuple[str, ...] = ()
    """Keys of session tags that go along to the roles after it."""
    session_tags: bool = True
    """False for one whose trust policy does not allow sts:TagSession."""


@dataclass(frozen=True)
class Profile:
    """One entry of the table."""

    name: str
    source: Source
    profile: str = ""
    """Of AWS's own configuration; "" unless that is the source."""
    files: Mapping[str, str] = field(default_factory=dict)
    """`access_key_id_file`, `secret_access_key_file`, `session_token_file`, `token_file` -> path, as it was written."""
    web_role: Role | None = None
    """The role of a token; None for any other source."""
    roles: tuple[Role, ...] = ()
    """Assumed one with the credentials of the other."""
    region: str = ""
    account_id: str = ""
    """"" leaves it to the settings."""

    @property
    def last_role(self) -> Role | None:
        """The role that runs have in the end; None when they work with the source's own credentials."""
        return self.roles[-1] if self.roles else self.web_role

    def basis(self) -> dict[str, object]:
        """What makes a plan stale when it changes: who acts, and where, never with which keys."""
        every = (*((self.web_role,) if self.web_role else ()), *self.roles)
        arns = [role.arn for role in every]
        of = {"profile": self.name, "source": self.source.value, "of": self.profile, "region": self.region}
        return {**of, "roles": arns}


@dataclass(frozen=True)
class Errand:
    """What credentials are for."""

    address: str
    run_id: int = 0
    """0 outside of any run."""


def parse(table: object, name: str, file: str) -> Profile:
    """The profile of that name. `table` is `[credentials]` of `file`, None where there is none.

    Raises Invalid when there is none of that name, or with everything that is wrong with it.
    """
    if table is not None and not isinstance(table, dict):
        problem = Problem(file, 0, TABLE, f"must be a table of tables, as in [{TABLE}.{name}].")
        raise Invalid("The credentials cannot be used:", problems=[problem])
    known = table or {}
    if name not in known:
        have = f"These are there: {', '.join(sorted(known))}." if known else f"Write them there as [{TABLE}.{name}]."
        raise Invalid(f"{file} has no credentials of the name {name}.", hint=have + did_you_mean(name, known))
    problems = list(_problems(known[name], file, f"{TABLE}.{name}"))
    if problems:
        raise Invalid(f"The credentials {name} cannot be used:", problems=problems)
    return _profile(name, known[name])


def session_name(role: Role, errand: Errand) -> str:
    """What the session is called: which run it is for, as far as STS takes it."""
    run = (str(errand.run_id),) if errand.run_id else ()
    text = "-".join((role.session_name, *run, errand.address))
    return re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", text)[:_SESSION_NAME_MOST]


def session_tags(role: Role, errand: Errand, passed_on: Collection[str]) -> dict[str, str]:
    """Its session tags, without those that a role before has passed on: STS takes none of them twice."""
    run = {"landform:run": str(errand.run_id)} if errand.run_id else {}
    own = {**run, "landform:address": errand.address} if role.session_tags else {}
    return {key: value for key, value in {**own, **role.tags}.items() if key not in passed_on}


def hint_of(errors: Iterable[str], name: str) -> str:
    """What to do about errors of Terraform where they say that the credentials have ended; "" for any others.

    `name` is that of the profile; "" for none.
    """
    if not any(_ENDED.search(error[:_LOOKED_AT]) for error in errors):
        return ""
    if name:
        return f"What the credentials {name} come from has ended: put something new in its place, and run again."
    return "The credentials have ended. Those of a profile with a role are renewed while a run goes on: --credentials."


def _profile(name: str, table: Mapping[str, object]) -> Profile:
    source = Source(str(table["source"]))
    role = _role({"arn": table["role_arn"], **table}) if "role_arn" in table else None
    given = table.get("roles", [])
    roles = tuple(_role(each) for each in given) if isinstance(given, list) else ()
    is_web = source is Source.WEB_IDENTITY
    return Profile(
        name,
        source,
        profile=str(table.get("profile", "")),
        files={key: str(table[key]) for key in _FILES if key in table},
        web_role=role if is_web else None,
        roles=roles if is_web or role is None else (role,),
        region=str(table.get("region", "")),
        account_id=str(table.get("account_id", "")),
    )


def _role(table: Mapping[str, object]) -> Role:
    texts = {key: str(table[key]) for key in ("arn", "external_id", "external_id_file", "session_name") if key in table}
    found, passed_on, duration_s = (
        table.get("tags", {}),
        table.get("transitive_tags", ()),
        table.get("duration_s", 3600),
    )
    return Role(
        **texts,
        duration_s=duration_s if isinstance(duration_s, int) else 3600,
        tags={key: str(value) for key, value in found.items()} if isinstance(found, dict) else {},
        transitive_tags=tuple(map(str, passed_on)) if isinstance(passed_on, list) else (),
        session_tags=table.get("session_tags", True) is True,
    )


_FILES = ("access_key_id_file", "secret_access_key_file", "session_token_file", "token_file")
_OF_ROLE = ("external_id", "external_id_file", "session_name", "duration_s", "tags", "transitive_tags", "session_tags")
_OF_SOURCE = {
    Source.AMBIENT: (),
    Source.PROFILE: ("profile",),
    Source.STATIC: _FILES[:3],
    Source.WEB_IDENTITY: ("token_file", "role_arn"),
}
_NEEDED = {**_OF_SOURCE, Source.STATIC: _FILES[:2]}
_OF_ALL = ("source", "role_arn", "roles", "region", "account_id")
_SECRET = frozenset({"access_key_id", "secret_access_key", "session_token", "token"})
_FORMS = {
    "profile": (r"[^\x00-\x1f\x7f]{1,200}", "the name of a profile"),
    "role_arn": (r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}", "the ARN of a role"),
    "external_id": (r"[\w+=,.@:/-]{2,1224}", "an external id"),
    "session_name": (r"[\w+=,.@-]{2,32}", "a name of 2 to 32 letters, digits and + = , . @ - _"),
    "region": (r"[a-z0-9-]{2,40}", "a region"),
    "account_id": (r"[0-9]{12}", "twelve digits, in quotes"),
    **dict.fromkeys((*_FILES, "external_id_file"), (r"[^\x00-\x1f\x7f]{1,4096}", "a path")),
}
_FORMS["arn"] = _FORMS["role_arn"]


def _problems(table: object, file: str, at: str) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield Problem(file, 0, at, "must be a table.")
        return
    named = str(table.get("source", ""))
    if named not in [*Source]:
        what = "is required" if "source" not in table else f"{named!r} is not a source"
        hint = f"Sources are: {', '.join(Source)}."
        yield Problem(file, 0, f"{at}.source", f"{what}.{did_you_mean(named, [*Source])}", hint=hint)
        return
    source = Source(named)
    allowed = (*_OF_ALL, *_OF_SOURCE[source], *_OF_ROLE)
    yield from _wrong_keys(table, allowed, _NEEDED[source], file, at)
    yield from _wrong_values(table, file, at)
    yield from _wrong_roles(table, source, file, at)


def _wrong_keys(
    table: Mapping[str, object], allowed: Collection[str], needed: Collection[str], file: str, at: str
) -> Iterator[Problem]:
    for key in table:
        if key in _SECRET:
            hint = f"Write it to a file that only you can read, and name that: {key}_file."
            yield Problem(file, 0, f"{at}.{key}", "is a secret, which this file must not have.", hint=hint)
        elif key not in allowed:
            yield Problem(file, 0, f"{at}.{key}", _unknown(key, allowed))
    for key in needed:
        if key not in table:
            yield Problem(file, 0, f"{at}.{key}", "is required.")


def _unknown(key: str, allowed: Collection[str]) -> str:
    owner = next((source for source, keys in _OF_SOURCE.items() if key in keys), None)
    return f'belongs to source = "{owner}".' if owner else f"is not known here.{did_you_mean(key, allowed)}"


def _wrong_values(table: Mapping[str, object], file: str, at: str) -> Iterator[Problem]:
    for key, value in table.items():
        pattern, words = _FORMS.get(key, ("", ""))
        if pattern and not (isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII)):
            yield Problem(file, 0, f"{at}.{key}", f"{value!r} is not {words}.")
    duration_s = table.get("duration_s", _CHAINED_MOST_S)
    if not isinstance(duration_s, int) or not 900 <= duration_s <= 43200:
        yield Problem(file, 0, f"{at}.duration_s", f"{duration_s!r} is not a number of seconds from 900 to 43200.")
    if not isinstance(table.get("session_tags", True), bool):
        yield Problem(file, 0, f"{at}.session_tags", "must be true or false.")
    yield from _wrong_tags(table, file, at)
    if "external_id" in table and "external_id_file" in table:
        yield Problem(file, 0, f"{at}.external_id_file", "is given beside external_id: one of them is enough.")


def _wrong_tags(table: Mapping[str, object], file: str, at: str) -> Iterator[Problem]:
    given, passed_on = table.get("tags", {}), table.get("transitive_tags", [])
    if isinstance(given, dict):
        yield from tags.problems(given, file, f"{at}.tags")
        yield from _beyond_sts(given, file, at, own=_OWN_TAGS if table.get("session_tags", True) is True else 0)
    else:
        yield Problem(file, 0, f"{at}.tags", "must be a table of keys and values.")
    if not isinstance(passed_on, list) or not all(isinstance(key, str) for key in passed_on):
        yield Problem(file, 0, f"{at}.transitive_tags", "must be a list of keys of tags.")


def _beyond_sts(given: Mapping[str, object], file: str, at: str, *, own: int) -> Iterator[Problem]:
    """What other tags may be like, and those of sessions may not."""
    if len(given) <= tags.MOST < len(given) + own:
        most = tags.MOST - own
        yield Problem(file, 0, f"{at}.tags", f"has {len(given)} tags; {most} are the most, beside our own {own}.")
    for key, value in given.items():
        if "*" in f"{key}{value}":
            yield Problem(file, 0, f"{at}.tags.{key}", "has a *, which STS does not take.")


def _wrong_roles(table: Mapping[str, object], source: Source, file: str, at: str) -> Iterator[Problem]:
    roles = table.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, dict) for role in roles):
        yield Problem(file, 0, f"{at}.roles", "must be a list of tables, each with the arn of a role.")
        return
    is_web = source is Source.WEB_IDENTITY
    if roles and "role_arn" in table and not is_web:
        yield Problem(file, 0, f"{at}.role_arn", "is given beside roles: make it the first of them.")
    if "role_arn" not in table:
        for key in _OF_ROLE:
            if key in table:
                yield Problem(file, 0, f"{at}.{key}", "belongs to a role: give role_arn, or write it into roles.")
    for number, role in enumerate(roles):
        place = f"{at}.roles[{number}]"
        yield from _wrong_keys(role, ("arn", *_OF_ROLE), ("arn",), file, place)
        yield from _wrong_values(role, file, place)
        duration_s = role.get("duration_s", 0)
        if (number or is_web) and isinstance(duration_s, int) and duration_s > _CHAINED_MOST_S:
            most = f"at most {_CHAINED_MOST_S} s"
            yield Problem(
                file, 0, f"{place}.duration_s", f"A role that another role assumes lasts {most}, not {duration_s} s."
            )
