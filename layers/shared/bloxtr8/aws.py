"""Clients of botocore from one session, so that every further one costs a tenth of the first.

botocore is loaded with the first of them: the table and the secrets, which every function asks, do without it
(aws_json.py)."""

import functools
from typing import Any


@functools.cache
def _session() -> Any:
    import botocore.session
    from botocore.credentials import CredentialResolver, EnvProvider

    session = botocore.session.get_session()
    # A function's credentials are in its environment: the other places to look cost three TLS contexts.
    session.register_component("credential_provider", CredentialResolver([EnvProvider()]))
    return session


def client(service: str, **options: Any) -> Any:
    """A new client, to be kept by whoever asks; `options` are those of botocore's Config."""
    from botocore.config import Config

    limits: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 5, "retries": {"total_max_attempts": 3}}
    return _session().create_client(service, config=Config(**(limits | options)))
