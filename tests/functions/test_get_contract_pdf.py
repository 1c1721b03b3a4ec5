"""A short-lived link to the document, given only while its bytes are what was made (M33, D18)."""

import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from bloxtr8.documents import store
from bloxtr8.entities import Contract, PlatformRole
from tests import factories
from tests.checks import refused
from tests.documents.samples import text_of
from tests.emulator import Platform, client
from tests.functions.contracts import BAD_IDS, BUCKET, forge, lose, void
from tests.functions.listings import user_changed
from tests.wire import Wire


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.contract()


def test_links_to_the_document_for_five_minutes(aws: Platform, contract: Contract) -> None:
    for party in (contract.buyer_id, contract.seller_id):
        answer = aws.call("get_contract_pdf", party, contract_id=contract.id)

        assert answer.status == 200
        assert (answer.body["expiresIn"], answer.body["sha256"]) == (300, contract.sha256)
        url = urlsplit(answer.body["url"])
        query = parse_qs(url.query)
        assert (url.path, query["X-Amz-Expires"]) == (f"/{store.key_of(contract.sha256)}", ["300"])
        assert url.hostname.startswith(f"{BUCKET}.")


def test_the_document_is_the_contract_and_its_name_is_its_hash(aws: Platform) -> None:
    contract = factories.contract(printed=True, conditions="Keep the name.")

    found = client("s3").get_object(Bucket=BUCKET, Key=store.key_of(contract.sha256))["Body"].read()

    assert (hashlib.sha256(found).hexdigest(), len(found)) == (contract.sha256, contract.size_bytes)
    text = text_of(found)
    for said in (contract.id, contract.terms["buyer"]["robloxUsername"], contract.terms["title"], "Keep the name."):
        assert said in text


@pytest.mark.parametrize("harm", [forge, lose])
def test_refuses_a_document_that_is_not_itself(
    aws: Platform, contract: Contract, harm: Callable[[Contract], None]
) -> None:
    harm(contract)
    refused(aws, 409, "CONTRACT_TAMPERED", "get_contract_pdf", contract.buyer_id, contract_id=contract.id)


def test_an_unreadable_store_is_no_evidence(aws: Platform, contract: Contract, wire: Wire) -> None:
    wire.lose("GetObject", done=False)
    refused(aws, 502, "UPSTREAM_FAILED", "get_contract_pdf", contract.buyer_id, contract_id=contract.id)


def test_says_that_the_document_is_being_made(aws: Platform) -> None:
    waiting = factories.accepted()
    refused(aws, 409, "PDF_PENDING", "get_contract_pdf", waiting.buyer_id, contract_id=waiting.id)


def test_a_void_contract_can_still_be_read(aws: Platform, contract: Contract) -> None:
    void(aws, contract.buyer_id, contract)
    assert aws.call("get_contract_pdf", contract.seller_id, contract_id=contract.id).status == 200


def test_outsiders_learn_nothing_and_an_arbiter_reads(aws: Platform, contract: Contract) -> None:
    stranger = factories.user()
    refused(aws, 404, "NOT_FOUND", "get_contract_pdf", stranger, contract_id=contract.id)
    refused(aws, 401, "UNAUTHENTICATED", "get_contract_pdf", None, contract_id=contract.id)
    for wrong in BAD_IDS:
        refused(aws, 404, "NOT_FOUND", "get_contract_pdf", contract.buyer_id, contract_id=wrong)
    user_changed(stranger, platform_roles=frozenset({PlatformRole.ARBITER}))
    assert aws.call("get_contract_pdf", stranger, contract_id=contract.id).status == 200
