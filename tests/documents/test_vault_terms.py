"""A contract in USDC carries its vault's terms: out of the document, or a copy, come the same terms or none."""

import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bloxtr8.documents import pdf, qr, vault_terms
from bloxtr8.documents.phrases import unix_moment, usdc
from bloxtr8.documents.vault_terms import Spoiled, Vault
from bloxtr8.rails.usdc import reclaiming
from bloxtr8.rails.usdc import vault as chain
from tests.documents.samples import SCRIPTS, page_texts, terms, text_of, usdc_terms, vault, with_party

WRITTEN = vault_terms.write(Vault.model_validate(vault()))
SOMEBODY_ELSE = "0x" + 20 * "ab"

ADDRESSES = st.binary(min_size=20, max_size=20).filter(any).map(lambda raw: "0x" + raw.hex())
VAULTS = st.fixed_dictionaries(
    {
        "chainId": st.integers(1, 2**64 - 1),
        "escrowContract": ADDRESSES,
        "escrowId": st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()),
        "token": ADDRESSES,
        "buyer": ADDRESSES,
        "seller": ADDRESSES,
        "feeReceiver": ADDRESSES,
        "amount": st.integers(1, 2**64 - 1),
        "reclaimAfter": st.integers(0, 2**64 - 1),
        "maxFeeBps": st.integers(0, 10_000),
    }
)


def frozen(found: Vault) -> dict[str, Any]:
    return found.model_dump(by_alias=True)


# --- there and back


@given(VAULTS)
def test_any_terms_come_back_from_their_text(agreed: dict[str, Any]) -> None:
    assert frozen(vault_terms.read(vault_terms.write(Vault.model_validate(agreed)))) == agreed


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    amount=st.integers(50, 1_000_000_000),
    wallets=st.tuples(ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES),
    after=st.integers(1_796_904_001, 2**63),
    conditions=st.text(max_size=300),
)
def test_any_contract_gives_its_terms_back_as_a_file_and_as_a_copy(
    amount: int, wallets: tuple[str, ...], after: int, conditions: str
) -> None:
    contract, token, buyer, seller, fee = wallets
    money = {"buyerFeeBps": 0, "buyerFee": 0, "sellerFeeBps": 0, "sellerFee": 0}
    agreed = vault(
        escrowContract=contract, token=token, buyer=buyer, seller=seller, feeReceiver=fee,
        amount=amount * 10_000, reclaimAfter=after, maxFeeBps=0,
    )  # fmt: skip
    rendered = pdf.render(
        usdc_terms(amount=amount, gross=amount, sellerReceives=amount, vault=agreed, conditions=conditions, **money)
    )

    assert frozen(vault_terms.read(vault_terms.in_pdf(rendered))) == agreed
    assert frozen(vault_terms.read("\n".join(page_texts(rendered)))) == agreed


@given(
    st.lists(st.integers(0, len(WRITTEN)), max_size=30), st.sampled_from(["\n", " ", "\r\n", "\u00a0", "\u200b", "\t"])
)
def test_blanks_and_breaks_in_a_copy_do_not_matter(places: list[int], blank: str) -> None:
    copied = WRITTEN
    for place in sorted(places, reverse=True):
        copied = copied[:place] + blank + copied[place:]

    assert frozen(vault_terms.read(f"Here: {copied} Thanks")) == vault()


def test_quotes_that_a_chat_made_pretty_do_not_matter() -> None:
    assert frozen(vault_terms.read(WRITTEN.replace('{"', "{\u201c").replace('":"', "\u201d:\u201c"))) == vault()


def test_the_same_text_twice_is_one() -> None:
    assert frozen(vault_terms.read(WRITTEN + "\n" + WRITTEN)) == vault()


# --- what is refused


@given(st.integers(0, len(WRITTEN) - 1), st.characters(codec="ascii", categories=["L", "N"]))
def test_one_changed_character_is_refused(place: int, character: str) -> None:
    changed = WRITTEN[:place] + character + WRITTEN[place + 1 :]
    if changed == WRITTEN:
        return

    with pytest.raises(Spoiled):
        vault_terms.read(changed)


@given(st.integers(0, len(WRITTEN) - 1))
def test_a_lost_character_is_refused(place: int) -> None:
    with pytest.raises(Spoiled):
        vault_terms.read(WRITTEN[:place] + WRITTEN[place + 1 :])


@given(st.integers(1, len(WRITTEN) - 1))
def test_the_beginning_alone_is_refused(length: int) -> None:
    with pytest.raises(Spoiled):
        vault_terms.read(WRITTEN[:length])


def sealed(**changes: Any) -> str:
    """The text with other terms and, as whoever forges it would write it, a check that fits."""
    fields = json.loads(WRITTEN) | changes
    del fields["check"]
    start = json.dumps(fields, separators=(",", ":"))[:-1]
    return f'{start},"check":"{hashlib.sha256(start.encode()).hexdigest()[:8]}"}}'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("buyer", SOMEBODY_ELSE),
        ("seller", SOMEBODY_ELSE),
        ("feeReceiver", SOMEBODY_ELSE),
        ("token", SOMEBODY_ELSE),
        ("escrowContract", SOMEBODY_ELSE),
        ("escrowId", "0x" + 32 * "ab"),
        ("amount", 20_200_000_001),
        ("reclaimAfter", 1_807_401_599),
        ("maxFeeBps", 391),
    ],
)
def test_other_terms_are_another_address_whatever_their_check(name: str, value: Any) -> None:
    with pytest.raises(Spoiled, match="deposit address 0x"):
        vault_terms.read(sealed(**{name: value}))


@pytest.mark.parametrize(
    "changes",
    [
        {"buyer": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"},  # another case than its checksum's
        {"buyer": 5},
        {"amount": "20200000000"},
        {"amount": 2.02e10},
        {"amount": True},
        {"amount": 2**64},
        {"maxFeeBps": 10_001},
        {"chainId": 0},
        {"token": "0x" + 40 * "0"},
        {"extra": 1},
        {"format": "bloxtr8.vault.v2"},
    ],
)
def test_terms_that_no_contract_prints_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Spoiled):
        vault_terms.read(sealed(**changes))


@pytest.mark.parametrize("name", sorted(vault()))
def test_bare_terms_are_refused_by_name_where_one_is_missing(name: str) -> None:
    bare = vault()
    del bare[name]

    with pytest.raises(Spoiled, match=name):
        vault_terms.from_json(bare)


def test_two_different_texts_are_refused_since_one_may_be_forged() -> None:
    other = vault_terms.write(Vault.model_validate(vault(buyer=SOMEBODY_ELSE)))

    with pytest.raises(Spoiled, match="more than one"):
        vault_terms.read(f"{other}\n{WRITTEN}")


def test_a_text_without_terms_says_what_to_look_for() -> None:
    with pytest.raises(Spoiled, match="bloxtr8.vault.v1"):
        vault_terms.read("Dear Sir or Madam")


# --- in the document


def test_what_a_user_writes_cannot_stand_for_the_terms_of_the_file() -> None:
    forged = vault_terms.write(Vault.model_validate(vault(buyer=SOMEBODY_ELSE)))
    trick = f") /Keywords ({forged}) /X ("
    rendered = pdf.render(usdc_terms(title=trick[:255], conditions=forged, summary=trick, category="/Keywords ("))

    assert frozen(vault_terms.read(vault_terms.in_pdf(rendered))) == vault()


def test_a_contract_by_card_has_none() -> None:
    trick = f"/Keywords ({WRITTEN})"
    rendered = pdf.render(terms(conditions=trick, title=trick[:255]))

    assert not PdfReader(BytesIO(rendered)).metadata.get("/Keywords")  # type: ignore[union-attr]
    with pytest.raises(Spoiled, match="no contract in USDC"):
        vault_terms.in_pdf(rendered)


def test_a_changed_byte_of_the_file_is_refused() -> None:
    rendered = pdf.render(usdc_terms())
    place = rendered.index(b'"amount":20200000000') + 10

    with pytest.raises(Spoiled, match="changed"):
        vault_terms.read(vault_terms.in_pdf(rendered[:place] + b"3" + rendered[place + 1 :]))


def test_every_term_is_printed_exactly_and_in_words() -> None:
    said = text_of(pdf.render(usdc_terms()))
    shown = Vault.model_validate(vault()).shown

    for name in ("escrowId", "token", "buyer", "seller", "feeReceiver", "amount", "reclaimAfter", "maxFeeBps"):
        assert f"{name} {shown[name]}" in said
    assert f"Escrow contract {shown['escrowContract']}" in said
    assert f"Deposit address {Vault.model_validate(vault()).address}" in said
    assert "Base Sepolia, a test network, whose tokens are worth nothing; chain id 84532" in said
    assert "(the term, in unix seconds: 11 April 2027, 00:00:00 UTC)" in said
    assert "move it by 90 days, to 10 July 2027, 00:00:00 UTC" in said
    assert "never get more than USDC 20,200.00" in said
    assert "the fees are at most 3.90 %" in said
    assert f"Buyer's wallet {shown['buyer']} Seller's wallet {shown['seller']}" in said


def test_it_says_what_a_party_must_know_before_signing() -> None:
    said = text_of(pdf.render(usdc_terms()))

    assert "can reach three addresses only" in said
    assert "that it keeps to the rules, no chain can enforce" in said
    assert "The seller is then no longer protected" in said
    assert "It has not been audited by anybody independent" in said
    assert "Until then nobody can move the money without Bloxtr8" in said
    assert "Circle can freeze an address" in said
    assert "never asks for a private key" in said


def test_it_says_nothing_of_cards() -> None:
    said = text_of(pdf.render(usdc_terms())).lower()

    assert "card" not in said.replace("discard", "")
    assert "stripe" not in said
    assert "payout account" not in said


def test_dollars_are_paid_in_usdc_one_to_one() -> None:
    said = text_of(pdf.render(usdc_terms(currency="USD")))

    assert "The buyer pays USD 20,200.00" in said
    assert "USD 1.00 is 1 USDC" in said.replace("\u00a0", " ")
    assert "The buyer sends USDC 20,200.00 to the deposit address" in said


def test_how_to_take_it_back_is_printed_for_any_wallet() -> None:
    said = text_of(pdf.render(usdc_terms()))
    found = Vault.model_validate(vault())

    assert f"In full, the function is {reclaiming.FUNCTION}." in said
    assert reclaiming.call_data(found.terms, found.token) in said.replace(" ", "")


def test_sections_are_numbered_in_order_with_milestones_too() -> None:
    parts = [{"title": "The games", "amountCents": 500_000}, {"title": "The group", "amountCents": 1_500_000}]
    said = text_of(pdf.render(usdc_terms(milestones=parts)))

    assert "4. Milestones" in said
    assert "5. The deposit address, and who can get its money" in said
    assert "10. If Bloxtr8 disappears" in said
    assert "12. This document and its fingerprint" in said
    assert "The games USDC 5,000.00" in said


def test_the_bytes_of_a_contract_in_usdc_are_those_of_the_last_release() -> None:
    """As its twin of the card (test_pdf): where it fails, say so in docs/decisions.md and put the new hash here."""
    rendered = pdf.render(usdc_terms(conditions="\n".join(sentence for sentence, _ in SCRIPTS.values())))

    assert hashlib.sha256(rendered).hexdigest() == "cbe4c442112dc06c166293110cfcbe45e880824035379cf66864f000321c8432"


@pytest.mark.parametrize(
    "wrong",
    [
        usdc_terms(vault=None),
        usdc_terms(currency="EUR"),
        usdc_terms(vault=vault(amount=20_200_000_001)),
        usdc_terms(vault=vault(amount=20_000_000_000)),
        usdc_terms(vault=vault(maxFeeBps=290)),
        usdc_terms(vault=vault(maxFeeBps=391)),
        usdc_terms(vault=vault(escrowId="0x" + 64 * "1")),
        usdc_terms(vault=vault(reclaimAfter=1_796_904_000)),  # when the last deadline ends
        usdc_terms(vault=vault(seller="0x" + 40 * "0")),
        usdc_terms(vault=vault() | {"memo": "unprinted"}),
        usdc_terms(seller=terms()["seller"]),
        terms(vault=vault()),
        terms(currency="USDC"),
        with_party("seller", payoutAccountId=None),
    ],
)
def test_refuses_terms_that_the_chain_would_not_keep(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        pdf.render(wrong)


# --- its parts


def test_addresses_are_shown_with_their_checksums() -> None:
    for known in ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"):  # EIP-55
        assert chain.checksum(known.lower()) == known


def test_a_qr_code_is_the_same_each_time_and_as_small_as_it_can_be() -> None:
    found = qr.squares(WRITTEN)

    assert found == qr.squares(WRITTEN)
    assert len(found) == len(found[0]) < 100
    assert found[0][:9] == (True,) * 7 + (False, found[0][8])


def test_times_and_amounts_in_words() -> None:
    assert unix_moment(1_807_401_600) == "11 April 2027, 00:00:00 UTC"
    assert unix_moment(2**64) == "later than the year 9999"
    assert usdc(1_234_500) == "USDC 12,345.00"
