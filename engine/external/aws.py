"""Amazon's services: the only user of boto3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.core.credentials import Keys
from engine.core.s3 import region_of_host
from engine.errors import ExternalFailure

_VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
)
"""What a session is made from."""
_CREDENTIALS_HINT = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws sso login"

_NETWORK_HINT = "Check the network, and the region and the endpoint that are named."


@dataclass(frozen=True)
class Access:
    """How services of AWS are reached. What is left open is looked for where every AWS program looks."""

    env: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Variables like AWS_PROFILE or AWS_ACCESS_KEY_ID."""
    region: str = ""
    """"" means what `env` says."""
    endpoint: str = ""
    """"" means AWS itself, or what `env` says."""
    timeout_s: float = 0
    """How long one try may take, of which there is one only; 0 means as long, and as often, as in any AWS program."""

    @contextmanager
    def asking(self, service: str, doing: str) -> Iterator[Any]:
        """A client of the service (`sts`, `ssm`...). What AWS refuses inside is raised as AwsRefusal.

        `doing` begins the message: "Role arn:... cannot be assumed".
        """
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionError,
            HTTPClientError,
            NoCredentialsError,
            ParamValidationError,
        )

        try:
            client = self._client(service)
            try:
                yield client
            finally:
                client.close()
        except ClientError as error:
            answer = error.response.get("Error", {})
            code, words = str(answer.get("Code", "")), str(answer.get("Message", ""))
            raise AwsRefusal(doing, code, words, _region_said(error.response)) from error
        except NoCredentialsError as error:
            raise ExternalFailure(f"{doing}: no AWS credentials.", hint=_CREDENTIALS_HINT) from error
        except (ConnectionError, HTTPClientError) as error:
            raise ExternalFailure(f"{doing}: {error}", hint=_NETWORK_HINT) from error
        except ParamValidationError as error:
            raise ExternalFailure(f"{doing}: {' '.join(str(error).split())}.") from error
        except BotoCoreError as error:
            raise ExternalFailure(f"{doing}: {error}", hint=_CREDENTIALS_HINT) from error

    @property
    def named_region(self) -> str:
        """The region that was named here, in `env` or where every AWS program looks; "" when there is none."""
        return str(_session(self.region, self._given()).region_name or "")

    def keys(self, doing: str) -> Keys:
        """The credentials themselves, as they are now; `doing` as in asking().

        Raises ExternalFailure when there are none, or when the profile that `env` names is not there.
        """
        from botocore.exceptions import BotoCoreError, ProfileNotFound

        try:
            # not one that was kept: somebody may have logged in meanwhile
            found = _session.__wrapped__(self.region, self._given()).get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except ProfileNotFound as error:
            name, file = self.env.get("AWS_PROFILE", ""), self.env.get("AWS_CONFIG_FILE", "~/.aws/config")
            raise ExternalFailure(
                f"{doing}: there is no profile {name} in {file}.", hint="See what there is: aws configure list-profiles"
            ) from error
        except BotoCoreError as error:
            raise ExternalFailure(f"{doing}: {error}", hint=_CREDENTIALS_HINT) from error
        if frozen is None:
            raise ExternalFailure(f"{doing}: no AWS credentials.", hint=_CREDENTIALS_HINT)
        # botocore tells nobody when those end that it renews by itself
        ends = getattr(found, "_expiry_time", None)
        return Keys(frozen.access_key, frozen.secret_key, frozen.token or "", ends)

    def _given(self) -> frozenset[tuple[str, str]]:
        return frozenset((name, self.env[name]) for name in _VARIABLES if name in self.env)

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        variable = f"AWS_ENDPOINT_URL_{service.upper()}"
        endpoint = self.endpoint or self.env.get(variable) or self.env.get("AWS_ENDPOINT_URL") or None
        # as Terraform's backend does it where it is given an endpoint
        config = Config(s3={"addressing_style": "path"}) if endpoint else Config()
        if self.timeout_s:
            once = {"total_max_attempts": 1}
            hasty = Config(connect_timeout=self.timeout_s, read_timeout=self.timeout_s, retries=once)
            config = config.merge(hasty)
        session = _session(self.region, self._given())
        try:
            return session.client(service, endpoint_url=endpoint, config=config)
        except ValueError as error:
            raise ExternalFailure(f"{endpoint} is not an address under which {service} could be reached.") from error


class AwsRefusal(ExternalFailure):
    """AWS said no; `code` is its word for why, like `AccessDenied`."""

    def __init__(self, doing: str, code: str, words: str = "", region: str = "") -> None:
        super().__init__(f"{doing}: AWS answers {code or 'with an error'}{f' ({words})' if words else ''}.")
        self.code = code
        self.words = words
        self.region = region
        """Where S3 says that the bucket is; "" when it does not say."""


@lru_cache(maxsize=32)
def _session(region: str, given: frozenset[tuple[str, str]]) -> Any:
    """A session with credentials `given` as variables; kept, as reading the descriptions of AWS takes 0.1 s."""
    import boto3
    import botocore.session

    env = dict(given)
    core = botocore.session.Session(profile=env.get("AWS_PROFILE"))
    for variable, name in (("AWS_CONFIG_FILE", "config_file"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials_file")):
        if variable in env:
            core.set_config_variable(name, env[variable])
    return boto3.session.Session(
        aws_access_key_id=env.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=env.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=env.get("AWS_SESSION_TOKEN"),
        region_name=region or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
        botocore_session=core,
    )


def _region_said(response: Mapping[str, Any]) -> str:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    said = response.get("Error", {})
    return str(
        headers.get("x-amz-bucket-region") or said.get("Region") or region_of_host(str(said.get("Endpoint", "")))
    )
