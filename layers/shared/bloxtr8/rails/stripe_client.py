"""The one Stripe client of a process, configured as the five facts of rail-stripe.md say."""

import functools
from collections.abc import Mapping
from typing import Any

import stripe
from stripe import StripeClient

from bloxtr8 import config
from bloxtr8.rails import base

CONNECT_SECONDS = 3
READ_SECONDS = 8
RETRIES = 2
STRIPE_API = "https://api.stripe.com"
PAYMENT = "protectedPayment"  # the metadata field that names the escrow, a word that Stripe must not see (D26)
OPERATION = "opId"
USER = "userId"


def client() -> StripeClient:
    """The client of this process; tests replace this function. A rotated key is seen within five minutes
    (config.secret)."""
    return build(config.secret("stripe")["apiKey"], config.settings().stripe_api_base)


@functools.lru_cache(maxsize=1)
def build(api_key: str, api_base: str = "", http_client: stripe.HTTPClient | None = None) -> StripeClient:
    """A client for the API at `api_base` (empty: Stripe's own).

    Raises RailBug where the base is not Stripe's and the key is not a test key: a live key goes to nobody else.
    """
    if api_base not in {"", STRIPE_API} and not api_key.startswith(("sk_test_", "rk_test_")):
        raise base.RailBug("STRIPE_API_BASE is not Stripe's: only a test key may go there")
    stripe.enable_telemetry = False  # it writes below HOME, which Lambda does not have
    return StripeClient(
        api_key,
        base_addresses={"api": api_base or STRIPE_API},
        max_network_retries=RETRIES,
        http_client=http_client or stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
    )


def id_of(thing: Any) -> str:
    """The id of a field that Stripe answers as an id or, expanded, as the object; empty where there is none."""
    return thing if isinstance(thing, str) else str(getattr(thing, "id", ""))


def metadata_of(thing: Any) -> Mapping[str, str]:
    """The metadata of an object of Stripe, a plain mapping."""
    return dict(thing.metadata.to_dict()) if thing.metadata else {}
