"""What a contract in USDC says of its deposit address: who can get the money, and how, without Bloxtr8."""

from collections.abc import Iterator

from bloxtr8.addresses import POSTPONEMENT_SECONDS
from bloxtr8.documents import qr, vault_terms
from bloxtr8.documents.blocks import Block, Code, Heading, Prose, Row, Table
from bloxtr8.documents.phrases import network, percent, unix_moment, usdc
from bloxtr8.documents.rail_words import DEPOSIT, WAY_BACK
from bloxtr8.documents.terms import Terms
from bloxtr8.documents.vault_terms import Vault
from bloxtr8.rails.usdc import reclaiming

FACTS = (0.22, 0.78)


def deposit(terms: Terms) -> Iterator[Block]:
    """Where the money lies, the terms its address is made of, and what can happen to it."""
    vault = _vault(terms)
    shown = vault.shown
    yield Heading(DEPOSIT)
    yield Prose(
        "The money of this deal lies alone, at an address of its own. That address is computed from the eight terms "
        "below, and the escrow contract at it obeys no others: with one digit changed it would be another address. So "
        "USDC that lies there can reach three addresses only: the buyer's wallet, the seller's wallet, and Bloxtr8's "
        "for its fees. Neither Bloxtr8 nor anybody who breaks into it can send it anywhere else."
    )
    yield _facts(
        ("Network", f"{network(vault.chain_id)}; chain id {vault.chain_id}"),
        ("Escrow contract", shown["escrowContract"]),
        ("Deposit address", vault.address),
        head=("", "Where the money lies"),
    )
    yield _facts(
        ("escrowId", shown["escrowId"]),
        ("token", f"{shown['token']} (USDC)"),
        ("buyer", f"{shown['buyer']} (the buyer's wallet)"),
        ("seller", f"{shown['seller']} (the seller's wallet)"),
        ("feeReceiver", f"{shown['feeReceiver']} (Bloxtr8)"),
        ("amount", f"{vault.amount} (millionths: {usdc(terms.gross)})"),
        ("reclaimAfter", f"{vault.reclaim_after} (the term, in unix seconds: {unix_moment(vault.reclaim_after)})"),
        ("maxFeeBps", f"{vault.max_fee_bps} (hundredths of a percent: {percent(vault.max_fee_bps)})"),
        head=("Term", "Exactly as the chain has it"),
        whole=True,
    )
    yield _facts(
        (
            "Before the term",
            "Bloxtr8 alone decides when and how much goes to these three, by the rules of this document; that it keeps "
            "to the rules, no chain can enforce. The chain enforces that each payment is made once, that seller and "
            f"fee address together never get more than {usdc(terms.gross)}, and that of what they got so far the fees "
            f"are at most {percent(vault.max_fee_bps)}.",
        ),
        (
            "Postponement",
            "Once, and only before the term, Bloxtr8 may move it by 90 days, to "
            f"{unix_moment(_postponed(vault))}. It does so where the money is still held 30 days before the term, "
            "because of a dispute, a review or a payment that was refused.",
        ),
        (
            "From the term on",
            "Anybody may send all that is left to the buyer's wallet, at any time, with or without Bloxtr8. The seller "
            "is then no longer protected: what was not paid out until then can go to the buyer, even where the asset "
            "was handed over.",
        ),
        (
            "What can go wrong",
            "The escrow contract can't be changed, stopped or replaced. It has not been audited by anybody "
            "independent: an error in it could lose the money. Circle can freeze an address or all of USDC, and nobody "
            "here can lift that. Whoever loses the key of a wallet loses what is sent to it. Other tokens, and USDC on "
            "other networks, are no payment: never send them.",
        ),
    )


def way_back(terms: Terms) -> Iterator[Block]:
    """How anybody sends the rest back to the buyer, from this document alone."""
    vault = _vault(terms)
    shown = vault.shown
    yield Heading(WAY_BACK)
    yield Prose(
        f"From {unix_moment(vault.reclaim_after)} on, or from {unix_moment(_postponed(vault))} where the term was "
        "postponed, anybody can send what is left at the deposit address to the buyer's wallet. It takes this "
        "document, any wallet with a little ether on the network for its fee, and nothing of Bloxtr8: no account, no "
        "permission, no server. Until then nobody can move the money without Bloxtr8. Keep this file: without its "
        "terms nobody can do it at all. There are three ways, and each makes the same transaction."
    )
    yield _facts(
        (
            "By the command",
            "Run python -m bloxtr8.reclaim with this file's name, from Bloxtr8's published source. It reads the terms "
            "out of this file, checks them, and prints the transaction, ready for any wallet. It works without a "
            "network, and never asks for a private key.",
        ),
        (
            "By the function",
            "In a wallet or a block explorer, call reclaim(terms, token) of the escrow contract "
            f"{shown['escrowContract']} on chain {vault.chain_id}. The argument terms is the eight values of the "
            f"section “{DEPOSIT}” in their order; token is {shown['token']}. In full, the function is "
            f"{reclaiming.FUNCTION}.",
        ),
        (
            "By its data",
            "In a wallet that takes data in hex, send 0 ether to the escrow contract on that chain, with the data that "
            "follow.",
        ),
    )
    yield Code(reclaiming.call_data(vault.terms, vault.token))
    yield Prose(
        "Too early, the contract refuses it and says from when on it works (TooEarly, in unix seconds); with nothing "
        "left, it says so (NothingLeft). Another token that was sent there by mistake comes back in the same way, with "
        "its contract's address as token, and ether with 0x and forty zeros."
    )
    text = vault_terms.write(vault)
    yield Prose(
        "Here are the terms once more, for the command and for other programs, as text and as a QR code. Blanks and "
        "line breaks in a copy do not matter; a changed or lost character is found."
    )
    yield Code(text, qr.squares(text))


def _vault(terms: Terms) -> Vault:
    assert terms.vault is not None  # a contract in USDC has one
    return terms.vault


def _postponed(vault: Vault) -> int:
    return vault.reclaim_after + POSTPONEMENT_SECONDS


def _facts(*rows: tuple[str, str], head: tuple[str, ...] = (), whole: bool = False) -> Table:
    return Table(FACTS, tuple(Row(row) for row in rows), head, whole=whole)
