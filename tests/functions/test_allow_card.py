"""Whose bank took a payment back and kept it pays no more by card, until COMPLIANCE allows it."""

from typing import Any

import pytest

from bloxtr8 import actors, ids, table
from bloxtr8.domain import kyc
from bloxtr8.entities import Deals, PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from tests import factories
from tests.checks import refused
from tests.emulator import Platform
from tests.functions import chargebacks, escrows
from tests.functions.holding import officer
from tests.functions.offers import accept
from tests.functions.webhooks import Machines
from tests.wire import Wire

BODY = {"reason": "It was his brother."}


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


def deals_of(user_id: str) -> Deals:
    return table.get(Deals, user_id=user_id)


def blocked(user: User) -> User:
    """Somebody whose bank has kept a payment."""
    deals = kyc.block_card(deals_of(user.id), "dp_1")
    table.commit(user, deals, action="test", actor=actors.system("test"))
    return user


def allow(aws: Platform, who: User, user_id: str, key: str = "k", **options: Any) -> Any:
    headers = {"Idempotency-Key": key}
    return aws.call("allow_card", who, BODY, headers=headers, user_id=user_id, **options)


@pytest.mark.parametrize("start", [factories.funded, chargebacks.released])
def test_who_has_lost_a_chargeback_buys_by_card_only_when_he_may_again(
    aws: Platform, stripe: StripeDouble, machines: Machines, start: Any
) -> None:
    escrow = start(stripe) if start is factories.funded else start(aws, stripe)
    buyer = table.get(User, id=escrow.buyer_id)
    chargeback = chargebacks.disputed(aws, stripe, escrow)
    chargebacks.decided(aws, stripe, chargeback, "lost")
    seller = factories.user()
    offer = factories.offer(factories.listing(seller), buyer)

    turned_down = accept(aws, seller, offer)
    assert (turned_down.status, turned_down.code, turned_down.body["userId"]) == (403, "CARD_BLOCKED", buyer.id)

    who = officer()
    assert allow(aws, who, buyer.id).body == {"userId": buyer.id, "cardAllowed": True}
    entry = aws.audit(buyer.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("allow_card", who.id, "COMPLIANCE")
    assert entry.details == {"reason": BODY["reason"], "chargebacks": [chargeback]}
    assert accept(aws, seller, offer).status == 200


def test_nor_does_he_pay_what_was_agreed_before(aws: Platform, stripe: StripeDouble) -> None:
    escrow = factories.payable(stripe)
    blocked(table.get(User, id=escrow.buyer_id))
    refused(aws, 403, "CARD_BLOCKED", "start_payment", escrow.buyer_id, escrow_id=escrow.id)


def test_what_the_bank_gave_back_blocks_nobody(aws: Platform, stripe: StripeDouble, machines: Machines) -> None:
    escrow = factories.funded(stripe)
    chargeback = chargebacks.disputed(aws, stripe, escrow)
    chargebacks.decided(aws, stripe, chargeback, "lost")
    assert deals_of(escrow.buyer_id).lost_chargebacks == {chargeback}
    stripe.reinstate_dispute(chargeback)
    chargebacks.happen(aws, stripe, "funds_reinstated")
    assert deals_of(escrow.buyer_id).lost_chargebacks == set()


def test_who_is_not_blocked_stays_as_he_is(aws: Platform) -> None:
    user = factories.user()
    before = len(aws.audit(user.id))
    assert allow(aws, officer(), user.id).status == 200
    assert len(aws.audit(user.id)) == before


def test_is_for_compliance_about_others(aws: Platform) -> None:
    user, who = blocked(factories.user()), blocked(officer())
    support = escrows.staff(PlatformRole.SUPPORT, PlatformRole.PADMIN)
    assert (allow(aws, support, user.id).status, allow(aws, user, user.id, "o").status) == (403, 403)
    assert (allow(aws, who, who.id).status, allow(aws, who, who.id).code) == (403, "CONFLICT_OF_INTEREST")
    for n, wrong in enumerate((ids.new("usr"), "usr_1", "../me", "usr_\x00")):
        assert allow(aws, who, wrong, f"w{n}").status == 404
    assert aws.call("allow_card", None, BODY, user_id=user.id).status == 401
    assert deals_of(user.id).lost_chargebacks == {"dp_1"}
