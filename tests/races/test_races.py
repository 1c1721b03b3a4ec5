"""Two at once, fifty times each: exactly one wins, whatever the order, and the books stay straight (features, C1 to
C8)."""

from collections.abc import Callable

import pytest

from bloxtr8 import reads, table
from bloxtr8.entities import Deals, Escrow, EscrowStatus, Listing, ListingStatus
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


def test_two_deliveries_of_one_webhook_are_stored_once(aws: Platform) -> None:
    def play(n: int) -> None:
        sent = event("payment_intent.succeeded", {"id": f"pi_{n}", "object": "payment_intent"})
        answers = together(lambda: deliver(aws, sent), lambda: deliver(aws, sent))
        assert [answer.status for answer in answers] == [200, 200]
        assert sorted(answer.body["duplicate"] for answer in answers) == [False, True]

    fifty(play)
