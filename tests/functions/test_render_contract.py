"""The document is made once: the same terms give the same bytes, and the same bytes the same key (M32, D18)."""

import hashlib

import pytest

from bloxtr8 import errors, table
from bloxtr8.aws_json import NoAnswer
from bloxtr8.documents import pdf
from bloxtr8.entities import Contract, ContractStatus, Lookup
from tests import factories
from tests.checks import together
from tests.emulator import Clock, Platform, client
from tests.functions.contracts import BUCKET, MISSING, OTHER_HASH, documents, kept
from tests.functions.offers import same_but
from tests.wire import Wire


@pytest.fixture
def contract(aws: Platform) -> Contract:
    return factories.accepted(conditions="الشروط: keep the name 🎮, 保留名称.")


def render(aws: Platform, contract: Contract) -> Contract:
    """Have it made; the contract as it is then."""
    assert aws.invoke("render_contract", {"contractId": contract.id}) == {}
    return factories.contract_row(contract)


def test_stores_the_document_under_its_hash_and_opens_the_signing(aws: Platform, contract: Contract) -> None:
    before = aws.rows()

    row = render(aws, contract)

    assert same_but(before, aws.rows()) == {"Contract", "Lookup", "AuditEntry"}
    assert (row.status, row.next_look, row.looks) == (ContractStatus.PENDING_SIGNATURE, contract.sign_by, 0)
    (key,) = documents()
    stored = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert key == f"contracts/sha256/{row.sha256}.pdf"
    assert (hashlib.sha256(stored).hexdigest(), len(stored)) == (row.sha256, row.size_bytes)
    assert stored == pdf.render(row.terms)  # from the stored terms, again
    assert table.get(Lookup, index="SHA256", value=row.sha256).target == contract.id
    entry = aws.audit(contract.id)[-1]
    assert (entry.action, entry.actor, entry.role) == ("store_contract_pdf", "render_contract", "SYSTEM")
    assert entry.details == {"sha256": row.sha256}


def test_again_changes_nothing(aws: Platform, contract: Contract, wire: Wire) -> None:
    render(aws, contract)
    before = aws.rows()
    wire.calls.clear()
    render(aws, contract)
    assert "PutObject" not in wire.calls
    assert aws.rows() == before


def test_twice_at_once_makes_one_document(aws: Platform) -> None:
    contract = factories.accepted()

    together(*[lambda: aws.invoke("render_contract", {"contractId": contract.id})] * 2)

    row = factories.contract_row(contract)
    assert (row.status, documents()) == ("PENDING_SIGNATURE", [f"contracts/sha256/{row.sha256}.pdf"])
    assert [one.action for one in aws.audit(contract.id)] == ["store_contract_pdf"]


def test_a_twin_that_was_faster_did_the_same(aws: Platform, contract: Contract, wire: Wire) -> None:
    wire.before("TransactWriteItems", lambda: render(aws, contract))

    row = render(aws, contract)

    assert (row.status, len(documents())) == ("PENDING_SIGNATURE", 1)
    assert [one.action for one in aws.audit(contract.id)] == ["store_contract_pdf"]


@pytest.mark.parametrize("done", [False, True])
def test_a_lost_upload_is_made_again(aws: Platform, contract: Contract, wire: Wire, done: bool) -> None:
    before = aws.rows()
    wire.lose("PutObject", done=done)

    with pytest.raises(errors.UpstreamFailed):  # Lambda runs it again
        render(aws, contract)
    assert (aws.rows(), len(documents())) == (before, int(done))

    assert render(aws, contract).status == "PENDING_SIGNATURE"
    assert len(documents()) == 1


def test_an_upload_that_can_not_be_read_back_opens_nothing(aws: Platform, contract: Contract, wire: Wire) -> None:
    before = aws.rows()
    wire.lose("GetObject", done=True)
    with pytest.raises(errors.UpstreamFailed):
        render(aws, contract)
    assert aws.rows() == before
    assert render(aws, contract).status == "PENDING_SIGNATURE"


def test_an_upload_without_its_commit_is_found_again(aws: Platform, contract: Contract, wire: Wire) -> None:
    wire.lose("TransactWriteItems", done=False)
    with pytest.raises(NoAnswer):
        render(aws, contract)
    assert factories.contract_row(contract).status == "PENDING_PDF"
    assert render(aws, contract).status == "PENDING_SIGNATURE"
    assert len(documents()) == 1


def test_another_file_in_its_place_opens_nothing(aws: Platform, contract: Contract) -> None:
    sha256 = hashlib.sha256(pdf.render(contract.terms)).hexdigest()
    client("s3").put_object(Bucket=BUCKET, Key=f"contracts/sha256/{sha256}.pdf", Body=b"%PDF forged")
    before = aws.rows()
    with pytest.raises(errors.InvalidState) as refusal:
        render(aws, contract)
    assert refusal.value.code == "CONTRACT_TAMPERED"
    assert aws.rows() == before


def test_a_contract_that_died_meanwhile_stays_dead(aws: Platform, contract: Contract, wire: Wire, clock: Clock) -> None:
    def expire() -> None:
        clock.moment = contract.sign_by
        aws.invoke("enforce_contract_deadlines")

    wire.before("TransactWriteItems", expire)

    assert render(aws, contract).status == "VOID"
    assert kept(contract)[1:] == []


def test_an_unknown_contract_is_an_error(aws: Platform) -> None:
    for wrong in (MISSING, "con_1", OTHER_HASH):
        with pytest.raises(errors.NotFound):
            aws.invoke("render_contract", {"contractId": wrong})
