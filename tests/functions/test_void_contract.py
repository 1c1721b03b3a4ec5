"""A party steps back before both have signed, and the whole deal goes with it in one transaction (M36, M31)."""

from typing import Any

import pytest

from bloxtr8 import table
from bloxtr8.entities import Contract, Listing, User
from tests import factories
from tests.checks import refused, together
from tests.emulator import Clock, Platform
from tests.functions.contracts import BAD_IDS, FREE, STANDS, consent, deal, kept, sign, void
from tests.functions.listings import guard, user_changed
from tests.functions.offers import same_but, volume
from tests.wire import Wire

ROUNDS = 3
REASON = {"reason": "Found a better one"}


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def test_frees_listing_offer_and_volumes_in_one_transaction(aws: Platform, contract: Contract) -> None:
    assert deal(contract) == STANDS
    buyer, seller = (table.get(User, id=one) for one in (contract.buyer_id, contract.seller_id))
    assert (volume(buyer), volume(seller)) == ((100_000, 1), (100_000, 1))
    before = aws.rows()

    answer = aws.call("void_contract", buyer, REASON, contract_id=contract.id)

    assert answer.status == 200
    assert (answer.body["status"], answer.body["reason"]) == ("VOID", REASON["reason"])
    assert (answer.body["allowedActions"], answer.body["version"]) == ([], contract.version + 1)
    assert same_but(before, aws.rows()) == {"Contract", "Offer", "Listing", "Deals", "AuditEntry"}
    assert deal(contract) == FREE
    assert (volume(buyer), volume(seller)) == ((0, 0), (0, 0))
    row = factories.contract_row(contract)
    assert (row.status, row.next_look, row.gsi3pk) == ("VOID", None, None)
    assert factories.offer_row(contract.offer_id).reason == "CONTRACT_VOID"
    listing = table.get(Listing, id=contract.listing_id)
    assert (listing.reserved_offer_id, listing.gsi4pk) == (None, "BROWSE")
    entry = aws.audit(contract.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("void_contract", buyer.id, "BUYER")
    assert entry.details == REASON
    assert {(one["type"], one["from"], one["to"]) for one in entry.changes} == {
        ("Contract", "PENDING_SIGNATURE", "VOID"),
        ("Offer", "ACCEPTED", "CANCELLED"),
        ("Listing", "RESERVED", "ACTIVE"),
        ("Deals", None, None),
    }


def test_the_listing_can_be_sold_to_the_next(aws: Platform, contract: Contract) -> None:
    void(aws, contract.seller_id, contract)
    listing = table.get(Listing, id=contract.listing_id)
    again = factories.accepted(made=factories.offer(listing, table.get(User, id=contract.buyer_id)))
    assert (again.id != contract.id, deal(again)) == (True, STANDS)
    assert factories.offer_row(contract.offer_id).status == "CANCELLED"


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("side", ["buyer_id", "seller_id"])
def test_either_side_may_until_both_have_signed(aws: Platform, contract: Contract, side: str, signed: bool) -> None:
    if signed:
        sign(aws, contract.buyer_id, contract)
    assert void(aws, getattr(contract, side), contract).status == 200
    assert deal(contract) == FREE
    assert len(kept(contract)) == 1 + signed


def test_before_the_document_exists_and_it_is_not_made_then(aws: Platform) -> None:
    contract = factories.accepted()
    assert void(aws, contract.buyer_id, contract).status == 200
    before = aws.rows()
    aws.invoke("render_contract", {"contractId": contract.id})
    assert aws.rows() == before


def test_the_banned_may_finish_what_they_began(aws: Platform, contract: Contract) -> None:
    user_changed(table.get(User, id=contract.buyer_id), banned=True)
    assert void(aws, contract.buyer_id, contract).status == 200


def test_a_listing_removed_meanwhile_stays_off_the_market(aws: Platform, contract: Contract) -> None:
    listing = table.get(Listing, id=contract.listing_id)
    listing.removed_after_deal = True
    table.commit(listing, action="moderate_listing", actor=factories.actors.system("test"))
    assert guard(listing.asset_id)

    void(aws, contract.buyer_id, contract)

    assert deal(contract) == ("CANCELLED", "REMOVED", [0, 0])
    assert guard(listing.asset_id) is None


def test_releases_the_day_the_offer_was_accepted_on(aws: Platform, clock: Clock) -> None:
    contract = factories.accepted()
    clock.advance(days=1)

    void(aws, contract.buyer_id, contract)

    assert volume(table.get(User, id=contract.buyer_id)) == (0, 0)


def test_any_reason_fits(aws: Platform, contract: Contract) -> None:
    reason = "\U0001f3ae" * 1000
    answer = aws.call("void_contract", contract.buyer_id, {"reason": reason}, contract_id=contract.id)
    assert (answer.status, answer.body["reason"]) == (200, reason)
    assert aws.audit(contract.id)[-1].details == {"reason": reason}


def test_asks_the_table_three_times(aws: Platform, contract: Contract, wire: Wire) -> None:
    void(aws, contract.buyer_id, contract)
    assert wire.round_trips() == 3


def test_refuses_once_both_have_signed_or_it_is_void(aws: Platform, contract: Contract) -> None:
    dead, done = factories.contract(), contract
    void(aws, dead.buyer_id, dead)
    factories.executed(done)
    for one, status in ((dead, "VOID"), (done, "EXECUTED")):
        answer = refused(aws, 409, "INVALID_STATE", "void_contract", one.seller_id, REASON, contract_id=one.id)
        assert answer.body["currentStatus"] == status


def test_refuses_a_stale_version(aws: Platform, contract: Contract) -> None:
    args = ("void_contract", contract.buyer_id, REASON)
    refused(aws, 412, "VERSION_MISMATCH", *args, contract_id=contract.id, headers={"If-Match": '"1"'})


def test_refuses_a_bad_reason(aws: Platform, contract: Contract) -> None:
    bad: list[Any] = [{}, {"reason": ""}, {"reason": " \n"}, {"reason": "x" * 1001}, {"reason": "a\x00"}, {"reason": 1}]
    for body in (*bad, REASON | {"status": "VOID"}, consent(contract)):
        refused(aws, 400, "VALIDATION_ERROR", "void_contract", contract.buyer_id, body, contract_id=contract.id)


def test_outsiders_learn_nothing(aws: Platform, contract: Contract) -> None:
    refused(aws, 404, "NOT_FOUND", "void_contract", factories.user(), REASON, contract_id=contract.id)
    refused(aws, 401, "UNAUTHENTICATED", "void_contract", None, REASON, contract_id=contract.id)
    for wrong in BAD_IDS:
        refused(aws, 404, "NOT_FOUND", "void_contract", contract.buyer_id, REASON, contract_id=wrong)


def test_a_repeated_request_gets_the_same_answer(aws: Platform, contract: Contract) -> None:
    headers = {"Idempotency-Key": "one"}
    first, again = (void(aws, contract.buyer_id, contract, headers=headers) for _ in range(2))
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")


def test_both_at_once_void_it_once(aws: Platform) -> None:
    for _ in range(ROUNDS):
        contract = factories.contract()

        answers = together(
            lambda one=contract: void(aws, one.buyer_id, one), lambda one=contract: void(aws, one.seller_id, one)
        )

        assert sorted(one.status for one in answers) == [200, 409]
        assert deal(contract) == FREE
        assert [one.action for one in aws.audit(contract.id)][1:] == ["void_contract"]
