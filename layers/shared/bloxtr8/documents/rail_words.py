"""What a contract says differently of money by card and of money in USDC."""

from dataclasses import dataclass

from bloxtr8.documents.phrases import usd, usdc
from bloxtr8.documents.terms import Terms

DEPOSIT = "The deposit address, and who can get its money"
WAY_BACK = "If Bloxtr8 disappears"


@dataclass(frozen=True, slots=True)
class RailWords:
    """Sentences of one rail. `destinations`: what is in the table of the parties, for buyer and seller."""

    escrow: str
    destinations: tuple[str, str]
    payment: str
    way_out: str
    pay_step: str
    unpaid: str
    hold: str
    lapse: str


def of(terms: Terms) -> RailWords:
    """The words of the contract's rail."""
    return _usdc(terms) if terms.vault else _card(terms)


def _card(terms: Terms) -> RailWords:
    return RailWords(
        escrow="The money between them is in escrow by Bloxtr8 (a protected payment): Bloxtr8 holds it until this "
        "agreement says who gets it, and is itself neither buyer nor seller.",
        destinations=("the card that paid", f"Stripe account {terms.seller.payout_account_id}"),
        payment="All amounts are in US dollars. The buyer pays by card, through Stripe, to Bloxtr8, which holds the "
        "money. Fees are rounded down to the cent; the payment provider's costs are Bloxtr8's.",
        way_out="Money goes back only to the card that paid, and out only to the seller's payout account named in "
        "section\u00a01.",
        pay_step=f"The buyer pays {usd(terms.gross)}. Bloxtr8 confirms that it holds the money.",
        unpaid="Whatever arrived goes back to the card, and the listing is for sale again.",
        hold="Where the card's bank disputes the payment, or risk or the law demands it, Bloxtr8 holds the money. "
        "Nothing moves until the hold has ended.",
        lapse="Lapse of time never decides a dispute.",
    )


def _usdc(terms: Terms) -> RailWords:
    priced = (
        "All amounts are in USDC, a token of one US dollar each that the company Circle issues."
        if terms.currency == "USDC"
        else "All amounts are in US dollars, and are paid in USDC, a token of one US dollar each that the company "
        "Circle issues: USD\u00a01.00 is 1\u00a0USDC."
    )
    return RailWords(
        escrow="The money between them is in escrow by Bloxtr8 (a protected payment): it lies at an address on a "
        "public network, from which Bloxtr8 pays it out as this agreement says; Bloxtr8 is itself neither buyer nor "
        "seller.",
        destinations=("the buyer's wallet below", "the seller's wallet below"),
        payment=f"{priced} The buyer sends {usdc(terms.gross)}, in one transfer or several and from any wallet, to the "
        f"deposit address of the section “{DEPOSIT}”. Who sends bears the costs of sending; those of paying out are "
        "Bloxtr8's. Fees are rounded down to the cent. What arrives beyond the sum or too late goes back to the "
        "buyer's wallet, apart from fractions of a cent and sums too small to send, which stay there and are the "
        "buyer's after the term.",
        way_out="Money goes back only to the buyer's wallet, not to the one that it came from, and out only to the "
        "seller's wallet; both are named in section\u00a01.",
        pay_step=f"The buyer sends {usdc(terms.gross)} to the deposit address. Bloxtr8 confirms that it is there and "
        "that the network can no longer undo it.",
        unpaid="Whatever arrived goes back to the buyer's wallet, and the listing is for sale again.",
        hold="Where a wallet that sent or is to get money is on a list of sanctions, or risk or the law demands it, "
        "Bloxtr8 moves nothing until the hold has ended. A hold does not move the term of the deposit address.",
        lapse="Lapse of time never decides a dispute, but it ends what Bloxtr8 can do: see the term in the section "
        f"“{DEPOSIT}”.",
    )
