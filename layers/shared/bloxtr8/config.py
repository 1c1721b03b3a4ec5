"""Every setting, read from the environment on first use, never at import; secrets come from Secrets Manager."""

import functools
import json
import logging
import os
import time
from dataclasses import dataclass, fields
from typing import Any

from bloxtr8 import errors
from bloxtr8.aws_json import AwsError, Service

HOUR = 3600
DAY = 24 * HOUR
SECRET_AGE_SECONDS = 300
SECRET_OUTAGE_SECONDS = HOUR  # the longest that a secret is used on while nobody can say what it is now
SECRET_RETRY_SECONDS = 15  # and how long until that is asked again: each time, a request waits for no answer
LOCAL_CHAIN = 31337  # a machine's own chain: what lies there is nobody's money


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field a setting; its environment variable is the field's name in capitals. Windows in seconds, money in
    cents."""

    stage: str = "local"
    version: str = "dev"
    table_name: str = "bloxtr8-local"
    contracts_bucket: str = "bloxtr8-local-contracts"
    evidence_bucket: str = "bloxtr8-local-evidence"
    event_bus: str = "default"
    secret_prefix: str = "bloxtr8/local"
    fund_escrow_arn: str = ""
    settle_escrow_arn: str = ""
    render_contract_arn: str = ""

    discord_api_base: str = "https://discord.com"
    roblox_api_base: str = "https://apis.roblox.com"
    roblox_groups_base: str = "https://groups.roblox.com"
    roblox_games_base: str = "https://games.roblox.com"
    stripe_api_base: str = ""
    stripe_api_version: str = "2026-10-28.endive"
    stripe_livemode: bool = False
    allowed_origin: str = "*"
    redirect_urls: str = "http://localhost:5173/callback"
    payout_return_url: str = "http://localhost:5173/payouts"
    payout_countries: str = (  # between which Stripe transfers across borders (?): US, CA, GB, CH and the EEA
        "US CA GB CH AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
    )

    chain_rpc_url: str = ""
    chain_id: int = 84532  # Base Sepolia
    chain_ids: str = "84532"  # that this deployment may use; Base itself (8453) only once the contract is audited (D25)
    usdc_address: str = ""
    escrow_contract: str = ""  # where new vaults are made
    earlier_contracts: str = ""  # whose vaults are honoured still: `84532:0x…`, separated by commas or spaces
    fee_address: str = ""
    chain_finality: str = "finalized"  # the tag at which a deposit counts: finalized, safe or, locally, latest
    payout_finality: str = "safe"  # the tag at which a payout is final
    signer_key_id: str = ""  # KMS, ECC_SECG_P256K1
    usdc_cap_cents: int = 10_000_000  # the most that one escrow may hold on chain
    reclaim_seconds: int = 120 * DAY  # after all windows: then anyone may send the rest back to the buyer
    unknown_review_seconds: int = 6 * HOUR  # a wallet that no source grades for so long is for a person to judge
    return_minimum_cents: int = 100  # less surplus than this waits for more: the vault has 53 returns
    sanctions_oracle: str = "0x3a91a31cb3dc49b4db9ce721f50a9d076c8d739b"  # Chainalysis; empty: none on this chain
    screening_provider: str = ""  # a paid provider's name, where one is configured (outside.screening)
    screening_api_base: str = "https://api.chainalysis.com"
    screening_seconds: int = DAY  # how long a wallet's screening is good
    wallet_nonce_seconds: int = 10 * 60
    wallet_domain: str = "bloxtr8.com"  # who asks to sign in, in the wallet's message (EIP-4361)

    access_token_seconds: int = 15 * 60
    session_seconds: int = 30 * DAY
    oauth_state_seconds: int = 10 * 60
    idempotency_seconds: int = DAY

    buyer_fee_bps: int = 0
    seller_fee_bps: int = 290
    minimum_cents: int = 50
    card_limit_cents: int = 1_000_000
    t1_deal_cents: int = 1_000_000
    t2_deal_cents: int = 1_000_000_000
    t1_rolling_cents: int = 2_500_000
    card_release_delay_seconds: int = 0

    offer_seconds: int = 7 * DAY
    offer_minimum_seconds: int = HOUR
    offer_maximum_seconds: int = 30 * DAY
    sign_seconds: int = 72 * HOUR
    fund_seconds: int = 72 * HOUR
    partial_fund_seconds: int = 24 * HOUR
    deliver_days: int = 7
    inspect_days: int = 7
    warn_seconds: int = DAY
    listing_look_seconds: int = 6 * HOUR
    listing_verify_seconds: int = 60
    watch_held_seconds: int = 4 * 60  # at every run while the asset is to be handed over
    watch_delivered_seconds: int = 15 * 60
    watch_paused_seconds: int = HOUR  # in a dispute, and while money moves: whether it goes on
    watch_recheck_seconds: int = 60  # between the two looks that prove a delivery nobody reported
    owner_recheck_seconds: int = 5 * 60
    owner_unknown_seconds: int = DAY
    owner_unknown_dispute_seconds: int = 7 * DAY
    respond_seconds: int = 72 * HOUR
    redeliver_seconds: int = 48 * HOUR  # for a delivery that was rejected, at the least, when the dispute is withdrawn
    dispute_window_seconds: int = 30 * DAY
    disputes_a_user: int = 5  # in that window
    disputes_an_escrow: int = 3  # by each of its parties
    dispute_sla_seconds: int = 30 * DAY
    messages_an_hour: int = 20  # of one person in one dispute
    messages_a_dispute: int = 100
    sign_link_seconds: int = 15 * 60
    payee_patience_seconds: int = 7 * DAY  # for an account that takes no payout; then it is parked as refused
    repair_first_seconds: int = 120
    repair_limit_seconds: int = HOUR
    verify_pause_seconds: int = 10
    suggestion_seconds: int = DAY  # an owner who was not seen for so long is none to decide by
    look_kept_seconds: int = DAY  # what a party's look shows once more within it is not kept again
    webhook_attempts: int = 10
    two_people_cents: int = 1_000_000  # above this gross two people decide about a hold
    two_people_by_hand_cents: int = 100_000  # above this gross two people say that a payment was made outside
    vote_seconds: int = DAY  # how long the first one's vote is kept
    deposits_apart: int = 100  # of one vault, each a row; after them small ones are counted together
    card_windows_days: int = 60  # to deliver and to inspect all parts of a price that is paid by card; below the next
    warn_hold_days: int = 60
    max_hold_days: int = 80


@functools.cache
def settings() -> Settings:
    """The settings of this process. Tests clear the cache after they changed the environment."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = os.environ.get(field.name.upper())
        if text is not None:
            values[field.name] = _cast(field.type, text)
    return Settings(**values)


def may_use_chain() -> bool:
    """Whether the operator listed the chain (CHAIN_IDS); a machine's own may be used only there."""
    now = settings()
    return str(now.chain_id) in _words(now.chain_ids) and (now.chain_id != LOCAL_CHAIN or now.stage == "local")


def chain_id() -> int:
    """The chain that this deployment works on. Raises Unavailable where it may not use it."""
    if not may_use_chain():
        raise errors.Unavailable("This chain may not be used here.", chainId=settings().chain_id)
    return settings().chain_id


def escrow_contracts() -> tuple[str, ...]:
    """The contracts on that chain whose vaults are honoured, lower case: the current one, then earlier ones."""
    now = settings()
    earlier = [entry.lower().partition(":") for entry in _words(now.earlier_contracts)]
    current = [now.escrow_contract.lower()] if now.escrow_contract else []
    return (*current, *(address for chain, _, address in earlier if chain == str(now.chain_id)))


def rpc_url() -> str:
    """Where the node of that chain answers; it may hold a key, so it is for no log. Raises Unavailable without one."""
    chain_id()
    url = settings().chain_rpc_url or secret("chain").get("rpcUrl")
    if not isinstance(url, str) or not url:
        raise errors.Unavailable("No node of the chain is configured.")
    return url


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _cast(kind: Any, text: str) -> Any:
    if kind is bool:
        return text.lower() in {"1", "true", "yes"}
    return int(text) if kind is int else text


@dataclass(slots=True)
class _Kept:
    """A secret as it was read at `read_at`, and when it is asked for again. In seconds of the clock on the wall, which
    goes on while a function's environment is frozen."""

    value: dict[str, Any]
    read_at: float
    ask_at: float


_kept: dict[str, _Kept] = {}  # by name


def secret(name: str) -> dict[str, Any]:
    """The JSON secret `{SECRET_PREFIX}/{name}`: tokens, stripe, discord, roblox or chain. Kept for five minutes, so
    that a rotation is seen; while Secrets Manager does not answer, for an hour. Raises TypeError where it is no object,
    and what aws_json raises."""
    kept, now = _kept.get(name), time.time()
    if kept and kept.read_at <= now < kept.ask_at:
        return kept.value
    try:
        value = _read_secret(name)
    except AwsError as error:
        age = now - kept.read_at if kept else 0
        if kept is None or error.pause_seconds is None or not 0 <= age < SECRET_OUTAGE_SECONDS:
            _kept.pop(name, None)  # what was refused, or is too old, does not come back with the next outage
            raise
        logger.warning("an old secret is used on", extra={"secret": name, "seconds": int(age), "reason": error.reason})
        kept.ask_at = time.time() + SECRET_RETRY_SECONDS  # after the attempts, which take their time
        return kept.value
    _kept[name] = _Kept(value, now, now + SECRET_AGE_SECONDS)
    return value


def _read_secret(name: str) -> dict[str, Any]:
    answer = _secrets().ask("GetSecretValue", {"SecretId": f"{settings().secret_prefix}/{name}"})
    value = json.loads(answer["SecretString"])
    if not isinstance(value, dict):
        raise TypeError(f"secret {name} is not a JSON object")
    return value


@functools.cache
def _secrets() -> Any:
    """Made on first use, because only some functions need a secret."""
    return Service("secretsmanager", "secretsmanager", version="1.1", setting="SECRETS_MANAGER")
