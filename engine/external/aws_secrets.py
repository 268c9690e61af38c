"""Values that lie in AWS: parameters of Systems Manager, secrets of Secrets Manager."""

from __future__ import annotations

import json
from dataclasses import replace

from engine.core.dynamic import Reference, Source
from engine.core.nearest import did_you_mean
from engine.core.outputs import output_text
from engine.core.paths import shown
from engine.errors import Invalid, LandformError, NotFound, Refused
from engine.external.aws import Access, AwsRefusal

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_NEEDED = {
    Source.SSM: "ssm:GetParameter for it",
    Source.SSM_SECURE: "ssm:GetParameter for it, and kms:Decrypt for its key",
    Source.SECRETS_MANAGER: "secretsmanager:GetSecretValue for it, and kms:Decrypt for its key",
}
_OF_PARAMETERS = "aws ssm get-parameter-history --name"
_VERSIONS_OF = {
    Source.SSM: _OF_PARAMETERS,
    Source.SSM_SECURE: _OF_PARAMETERS,
    Source.SECRETS_MANAGER: "aws secretsmanager list-secret-version-ids --secret-id",
}
_MISSING = frozenset({"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"})
_OTHER_VERSION = ("staging label", "VersionId", "versionId", "VersionStage")
"""What Secrets Manager speaks of when the secret is there, and the version is not."""


def parameter(access: Access, wanted: Reference) -> str:
    """The value of a parameter.

    Raises NotFound, Refused when AWS denies it, Invalid for one that is not as `wanted` says, AwsRefusal, and
    ExternalFailure when AWS cannot be asked.
    """
    what = f"Parameter {wanted.name}"
    is_secure = wanted.source is Source.SSM_SECURE
    name = f"{wanted.name}:{wanted.version}" if wanted.version else wanted.name
    try:
        with _nearby(access, wanted).asking("ssm", f"{what} cannot be read") as client:
            found = client.get_parameter(Name=name, WithDecryption=is_secure)["Parameter"]
    except AwsRefusal as error:
        raise _refusal(what, wanted, error) from error
    if found["Type"] == "SecureString" and not is_secure:
        reference = wanted.text.replace("resolve:ssm:", "resolve:ssm-secure:")
        raise Invalid(f"{what} is a SecureString.", hint=f"Write {reference}")
    return str(found["Value"])


def secret(access: Access, wanted: Reference) -> str:
    """The text of a secret, all of it whatever `wanted.key` says. Raises as parameter()."""
    what = f"Secret {wanted.name}"
    version = {"VersionId": wanted.version, "VersionStage": wanted.stage}
    chosen = {name: value for name, value in version.items() if value}
    try:
        with _nearby(access, wanted).asking("secretsmanager", f"{what} cannot be read") as client:
            found = client.get_secret_value(SecretId=wanted.name, **chosen)
    except AwsRefusal as error:
        raise _refusal(what, wanted, error) from error
    if "SecretString" not in found:
        raise Invalid(f"{what} is binary.", hint="Store it as text: only a SecretString can be an input.")
    return str(found["SecretString"])


def member(wanted: Reference, text: str) -> str:
    """The part of a secret's text that `wanted.key` names, all of it when that is "". Raises Invalid."""
    what, key = f"secret {wanted.name}", shown(wanted.key)
    if not wanted.key:
        return text
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise Invalid(f"S{what[1:]} is no JSON object, so it has no key {key}.", hint="Leave the key out.")
    if wanted.key not in members:
        raise Invalid(f"S{what[1:]} has no key {key}.", hint=did_you_mean(wanted.key, members).strip())
    if members[wanted.key] is None:
        raise Invalid(f"The key {key} of {what} is null.")
    return output_text(members[wanted.key])


def _nearby(access: Access, wanted: Reference) -> Access:
    """Access to the region that a name says, when it is an ARN."""
    is_arn = wanted.name.startswith("arn:")
    return replace(access, region=wanted.name.split(":")[3]) if is_arn else access


def _refusal(what: str, wanted: Reference, error: AwsRefusal) -> LandformError:
    named = what[0].lower() + what[1:]
    which = wanted.version or wanted.stage
    if error.code in _MISSING and which:
        is_there = error.code == "ParameterVersionNotFound" or any(word in error.words for word in _OTHER_VERSION)
        message = f"{what} has no version {which}." if is_there else f"There is no {named} with version {which}."
        return NotFound(message, hint=f"See what there is: {_VERSIONS_OF[wanted.source]} {wanted.name}")
    if error.code in _MISSING and any(word in error.words for word in _OTHER_VERSION):
        return NotFound(f"{what} has no value yet.")
    if error.code in _MISSING:
        return NotFound(f"There is no {named}.", hint="Look at its name, and at the account and region of the run.")
    if error.code in _DENIED:
        hint = f"The credentials of the run need {_NEEDED[wanted.source]}."
        return Refused(f"{what} cannot be read: AWS denies it ({error.code}).", hint=hint)
    if error.code == "InvalidRequestException" and "delet" in error.words:
        return Invalid(f"{what} is about to be deleted.", hint="Restore it, or name another one.")
    return error
