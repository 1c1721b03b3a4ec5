"""The seller's account at Stripe (M08): opened once, replaced only while no deal is open (D29), looked at when asked.

The intent is stored before the call (law 6): whatever is lost after it, a repeat finds the same account by its key.
"""

import hashlib

from bloxtr8 import clock, config, rails, table
from bloxtr8.actors import Actor
from bloxtr8.domain import kyc, people
from bloxtr8.entities import Deals, Lookup, Operation, Tier, User
from bloxtr8.errors import NotFound, StaleWrite
from bloxtr8.rails import stripe_accounts
from bloxtr8.rails.base import SellerNotReady
from bloxtr8.rails.stripe_accounts import AccountStatus, OnboardingLink

OPERATION = "account"
CLOSED = AccountStatus(ready=False, payouts_enabled=False, requirements=())


def open_account(actor: Actor, country: str) -> tuple[str, OnboardingLink]:
    """The id of the actor's account in `country` (ISO 3166 alpha-2), opened if need be, and a new link to finish it.

    An account that Stripe closed is replaced like one in another country. Raises VersionMismatch, Forbidden
    KYC_REQUIRED, Unprocessable COUNTRY_NOT_SUPPORTED, Conflict HAS_OPEN_DEALS (it would replace an account), and
    UpstreamFailed: what was begun is found again by a repeat.
    """
    user, deals, operation = table.load(
        table.ref(User, id=actor.id),
        table.ref(Deals, user_id=actor.id),
        table.ref(Operation, owner=_owner(actor.id), name=OPERATION),
    )
    actor.expects(user)
    kyc.check_tier(user, Tier.TIER_1)
    people.check_country(country)
    if user.payout_account_id is not None:
        if user.payout_country == country and _status(user) is not CLOSED:
            return user.payout_account_id, _link(user.payout_account_id)
        kyc.check_free(deals)
    operation = _open(_intend(operation, actor.id, country), actor.id, country)
    _keep(user, operation, country, deals, actor)
    return operation.external_id, _link(operation.external_id)


def look(actor: Actor) -> tuple[User, AccountStatus]:
    """What Stripe says of the actor's account now; whether it can be paid is kept on the profile for those who accept.

    Raises Forbidden KYC_REQUIRED, NotFound where there is no account, UpstreamFailed.
    """
    user = table.get(User, id=actor.id)
    kyc.check_tier(user, Tier.TIER_1)
    if user.payout_account_id is None:
        raise NotFound("You have no payout account yet.")
    status = _status(user)
    if user.payouts_ready != status.ready:
        user.payouts_ready = status.ready
        table.commit(user, action="get_payout_account", actor=actor, details={"ready": status.ready})
    return user, status


def _intend(stored: Operation | None, user_id: str, country: str) -> Operation:
    """The operation row, stored before the call. A repeat of what got no answer keeps its attempt, and so its key."""
    digest = hashlib.sha256(country.encode()).hexdigest()
    if stored is not None and stored.external_id is None and stored.params_hash == digest:
        return stored
    operation = stored or Operation(owner=_owner(user_id), name=OPERATION, attempt=0)
    operation.attempt += 1
    operation.params_hash, operation.external_id, operation.first_sent_at = digest, None, clock.now()
    if not table.remember(operation, unless_exists=stored is None):
        raise StaleWrite("open_payout_account")
    return operation


def _open(operation: Operation, user_id: str, country: str) -> Operation:
    key = f"user:{user_id}:{OPERATION}" + (f":{operation.attempt}" if operation.attempt > 1 else "")
    with rails.asked():
        operation.external_id = stripe_accounts.open_account(user_id, country, key)
    return operation


def _keep(user: User, operation: Operation, country: str, deals: Deals, actor: Actor) -> None:
    """The account becomes the user's; a deal that is accepted meanwhile changes `deals`."""
    account_id = operation.external_id
    user.payout_account_id, user.payout_country, user.payouts_ready = account_id, country, False
    table.commit(
        user,
        operation,
        Lookup(index="AC", value=account_id, target=user.id),
        action="open_payout_account",
        actor=actor,
        checks=[deals],
        details={"accountId": account_id, "country": country},
    )


def _status(user: User) -> AccountStatus:
    with rails.asked():
        try:
            return stripe_accounts.account_status(user.payout_account_id)
        except SellerNotReady:  # closed, or no longer ours
            return CLOSED


def _link(account_id: str) -> OnboardingLink:
    page = config.settings().payout_return_url  # where a finished link leads to, and one that is too old
    with rails.asked():
        return stripe_accounts.onboarding_link(account_id, refresh_url=page, return_url=page)


def _owner(user_id: str) -> str:
    return f"USER#{user_id}"
