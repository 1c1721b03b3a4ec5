"""Clients of AWS from one botocore session, so that every further one costs a tenth of the first."""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver, EnvProvider

session = botocore.session.get_session()
# A function's credentials are in its environment: the other places to look cost three TLS contexts.
session.register_component("credential_provider", CredentialResolver([EnvProvider()]))


def client(service: str, **options: Any) -> Any:
    """A new client, to be kept by whoever asks; `options` are those of botocore's Config."""
    limits: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 3}}
    return session.create_client(service, config=Config(**(limits | options)))
