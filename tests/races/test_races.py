"""Two at once, fifty times each: exactly one wins, whatever the order, and the books stay straight (features, C1 to
C8)."""

from collections.abc import Callable

import pytest

from bloxtr8 import clock, depositing, reads, table
from bloxtr8.actors import system
from bloxtr8.attempts import again
from bloxtr8.domain import ledger
from bloxtr8.entities import Contract, Deals, Escrow, EscrowStatus, Listing, ListingStatus, OfferStatus
from bloxtr8.rails.base import DepositSeen, FundingStatus, Look
from local.doubles.stripe import StripeDouble
from tests import factories
from tests.checks import together
from tests.emulator import Answer, Platform
from tests.functions.webhooks import deliver, event

pytestmark = pytest.mark.slow
ROUNDS = 50


def fifty(play: Callable[[int], None]) -> None:
    """Play it fifty times."""
    for n in range(ROUNDS):
        play(n)


def winners(answers: list[Answer]) -> int:
    """How many were let through; the others were told so in the API's own words."""
    for answer in answers:
        assert answer.status < 300 or answer.status in {404, 409, 410}, answer.body
    return sum(answer.status < 300 for answer in answers)


def test_of_two_accepts_on_one_listing_one_wins(aws: Platform) -> None:
    def play(_: int) -> None:
        seller = factories.user()
        listing = factories.listing(seller)
        offers = [factories.offer(listing, factories.user()) for _ in range(2)]
        hashes = [factories.terms_hash(offer) for offer in offers]
        answers = together(
            lambda: aws.call("accept_offer", seller, {"termsHash": hashes[0]}, offer_id=offers[0].id),
            lambda: aws.call("accept_offer", seller, {"termsHash": hashes[1]}, offer_id=offers[1].id),
        )
        assert winners(answers) == 1
        found = table.get(Listing, id=listing.id)
        assert (found.status, found.offers_epoch) == (ListingStatus.RESERVED, 1)
        assert table.get(Deals, user_id=seller.id).open == 1

    fifty(play)


def test_of_accept_and_withdraw_one_wins(aws: Platform) -> None:
    def play(_: int) -> None:
        seller, buyer = factories.user(), factories.user()
        listing = factories.listing(seller)
        offer = factories.offer(listing, buyer)
        terms = {"termsHash": factories.terms_hash(offer)}
        answers = together(
            lambda: aws.call("accept_offer", seller, terms, offer_id=offer.id),
            lambda: aws.call("withdraw_offer", buyer, {}, offer_id=offer.id),
        )
        assert winners(answers) == 1
        status = factories.offer_row(offer.id).status
        assert status is (OfferStatus.ACCEPTED if answers[0].status == 200 else OfferStatus.WITHDRAWN)
        reserved = table.get(Listing, id=listing.id).status is ListingStatus.RESERVED
        assert reserved == (status is OfferStatus.ACCEPTED)

    fifty(play)


def test_two_last_signatures_open_one_escrow(aws: Platform) -> None:
    def play(_: int) -> None:
        ready = factories.contract()
        consent = {"sha256": ready.sha256, "consent": "I AGREE"}
        answers = together(
            lambda: aws.call("sign_contract", ready.buyer_id, consent, contract_id=ready.id),
            lambda: aws.call("sign_contract", ready.seller_id, consent, contract_id=ready.id),
        )
        assert [answer.status for answer in answers] == [201, 201]  # both are right to sign; only one is the last
        assert sorted(bool(answer.body.get("escrowId")) for answer in answers) == [False, True]
        assert table.get(Escrow, ulid=ready.ulid).status is EscrowStatus.AWAIT_FUNDS
        assert len(reads.contract(ready.id).signatures) == 2

    fifty(play)


def test_of_signature_and_void_one_wins(aws: Platform) -> None:
    def play(_: int) -> None:
        ready = factories.contract()
        consent = {"sha256": ready.sha256, "consent": "I AGREE"}
        aws.call("sign_contract", ready.buyer_id, consent, contract_id=ready.id)
        answers = together(
            lambda: aws.call("sign_contract", ready.seller_id, consent, contract_id=ready.id),
            lambda: aws.call("void_contract", ready.buyer_id, {"reason": "No"}, contract_id=ready.id),
        )
        assert winners(answers) == 1
        there = table.find(Escrow, ulid=ready.ulid) is not None
        assert there == (answers[0].status == 201)
        assert str(table.get(Contract, ulid=ready.ulid).status) == ("EXECUTED" if there else "VOID")

    fifty(play)


def paid(escrow: Escrow) -> Look:
    """What the rail says of an escrow that was paid in full."""
    charge = f"ch_{escrow.ulid}"
    deposit = DepositSeen(
        ref=charge,
        amount=escrow.gross,
        currency="USD",
        at=clock.now(),
        external_ids=(charge,),
    )
    return Look(status=FundingStatus.PAID, deposits=(deposit,))


def test_of_cancel_and_payment_no_cent_is_lost(aws: Platform) -> None:
    def play(_: int) -> None:
        escrow = factories.executed()

        def pay() -> None:
            again(lambda: depositing.record(reads.escrow(escrow.id), paid(escrow), system("race")))

        answers = together(
            lambda: aws.call("cancel_escrow", escrow.buyer_id, {"reason": "No"}, escrow_id=escrow.id),
            pay,
        )
        file = reads.escrow(escrow.id)
        cancelled = answers[0].status == 200
        assert answers[0].status in {200, 409}
        assert (file.escrow.status is EscrowStatus.CANCELLED) == cancelled
        assert (file.escrow.held, file.escrow.surplus) == ((0, escrow.gross) if cancelled else (escrow.gross, 0))
        assert len(file.settlements) == int(cancelled)  # money after the end goes back by itself
        assert ledger.balance(file.escrow, file.ledger).balanced

    fifty(play)


def test_of_confirm_and_refund_one_wins(aws: Platform, stripe: StripeDouble) -> None:
    def play(n: int) -> None:
        escrow = factories.delivered(stripe)
        delivery = reads.escrow(escrow.id).delivery.id
        answers = together(
            lambda: aws.call(
                "confirm_delivery",
                escrow.buyer_id,
                {"acknowledge": True},
                escrow_id=escrow.id,
                delivery_id=delivery,
                headers={"Idempotency-Key": f"confirm {n}"},
            ),
            lambda: aws.call(
                "refund_escrow",
                escrow.seller_id,
                {"reason": "No"},
                escrow_id=escrow.id,
                headers={"Idempotency-Key": f"refund {n}"},
            ),
        )
        assert winners(answers) == 1
        file = reads.escrow(escrow.id)
        assert len(file.settlements) == 1
        assert str(file.settlements[0].kind) == ("RELEASE" if answers[0].status == 202 else "REFUND")

    fifty(play)


def test_two_deliveries_of_one_webhook_are_stored_once(aws: Platform) -> None:
    def play(n: int) -> None:
        sent = event("payment_intent.succeeded", {"id": f"pi_{n}", "object": "payment_intent"})
        answers = together(lambda: deliver(aws, sent), lambda: deliver(aws, sent))
        assert [answer.status for answer in answers] == [200, 200]
        assert sorted(answer.body["duplicate"] for answer in answers) == [False, True]

    fifty(play)
