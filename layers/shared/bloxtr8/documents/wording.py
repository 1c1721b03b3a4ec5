"""The contract in words. What users wrote stands alone in its cell or quote, never inside a sentence of ours."""

from collections.abc import Callable, Iterator

from bloxtr8.documents import rail_words, vault_wording
from bloxtr8.documents.blocks import Block, Heading, Prose, Quote, Row, Steps, Table, Title
from bloxtr8.documents.phrases import duration, moment, percent, usd, usdc
from bloxtr8.documents.terms import Terms

NAME = "Purchase agreement with escrow"
FACTS = (0.22, 0.78)
KINDS = {"GROUP": "Roblox group", "GAME": "Roblox game (universe)"}


def contract(terms: Terms) -> Iterator[Block]:
    """The blocks of a contract, in order."""
    yield Title(NAME, terms.title)
    yield _facts(
        ("Contract", terms.contract_id),
        ("Listing", terms.listing_id),
        ("Accepted offer", terms.offer_id),
        ("Escrow", terms.escrow_id),
        ("Agreed on", moment(terms.accepted_at)),
        ("To be signed by", moment(terms.sign_by)),
    )
    for number, section in enumerate(_sections(terms), start=1):
        heading, *rest = section(terms)
        assert isinstance(heading, Heading)
        yield Heading(f"{number}. {heading.text}")
        yield from rest


def _sections(terms: Terms) -> list[Callable[[Terms], Iterator[Block]]]:
    money = [_money, _milestones] if terms.milestones else [_money]
    if terms.vault is None:
        return [_parties, _asset, *money, _course, _deadlines, _trouble, _conditions, _signing, _fingerprint]
    deal = [_parties, _asset, *money, vault_wording.deposit, _course, _deadlines, _trouble, _conditions]
    return [*deal, vault_wording.way_back, _signing, _fingerprint]


def _amount(terms: Terms, cents: int) -> str:
    return usdc(cents) if terms.currency == "USDC" else usd(cents)


def _facts(*rows: tuple[str, str], head: tuple[str, ...] = ()) -> Table:
    return Table(FACTS, tuple(Row(row) for row in rows), head)


def _parties(terms: Terms) -> Iterator[Block]:
    buyer, seller, words = terms.buyer, terms.seller, rail_words.of(terms)
    yield Heading("The parties")
    yield Prose(f"This agreement is between the buyer and the seller named here. {words.escrow}")
    yield Table(
        (0.22, 0.39, 0.39),
        (
            Row(("Discord name", buyer.username, seller.username)),
            Row(("Discord id", buyer.discord_id, seller.discord_id)),
            Row(("Roblox name", buyer.roblox_username, seller.roblox_username)),
            Row(("Roblox id", buyer.roblox_id, seller.roblox_id)),
            Row(("Bloxtr8 account", buyer.user_id, seller.user_id)),
            Row(("Money goes to", *words.destinations)),
        ),
        head=("", "Buyer", "Seller"),
    )
    if terms.vault:
        wallets = terms.vault.shown
        yield _facts(("Buyer's wallet", wallets["buyer"]), ("Seller's wallet", wallets["seller"]))
    yield Prose(
        "These accounts are fixed. Until this deal has ended neither side can unlink or replace them, and handing "
        "the asset to any other account is no delivery."
    )


def _asset(terms: Terms) -> Iterator[Block]:
    asset, seen = terms.asset, terms.asset.snapshot
    owner = seen.owner_id + (" (the seller)" if seen.owner_id == terms.seller.roblox_id else "")
    yield Heading("What is sold")
    yield _facts(
        ("Asset", KINDS[asset.type]),
        ("Name", asset.name),
        ("Roblox id", asset.id),
        ("Category", terms.category),
        ("Description", terms.summary),
    )
    yield _facts(
        ("Snapshot", f"{seen.id}, {moment(seen.at)}"),
        ("Owner's Roblox id", owner),
        ("Owner's name", seen.owner_name or "not stated"),
        ("Members", "not stated" if seen.member_count is None else f"{seen.member_count:,}"),
        ("Locked by Roblox", {True: "yes", False: "no", None: "not stated"}[seen.locked]),
        ("Source", seen.source),
        head=("Ownership", "What Roblox itself showed Bloxtr8 when the offer was accepted"),
    )


def _money(terms: Terms) -> Iterator[Block]:
    words = rail_words.of(terms)
    yield Heading("Price, fees, and who gets what")
    yield Table(
        (0.56, 0.17, 0.27),
        (
            Row(("Price", "", _amount(terms, terms.amount))),
            Row(("Buyer's fee, on top of the price", percent(terms.buyer_fee_bps), _amount(terms, terms.buyer_fee))),
            Row(("The buyer pays", "", _amount(terms, terms.gross)), strong=True),
            Row(("Seller's fee, out of the price", percent(terms.seller_fee_bps), _amount(terms, terms.seller_fee))),
            Row(("The seller receives", "", _amount(terms, terms.seller_receives)), strong=True),
            Row(("Bloxtr8 keeps both fees", "", _amount(terms, terms.buyer_fee + terms.seller_fee))),
        ),
        head=("", "Rate", "Amount"),
        right=frozenset({1, 2}),
        labels=False,
    )
    yield Prose(
        f"{words.payment} The seller's fee is taken only of what the seller gets, and a refund returns the buyer's "
        f"fee: a full refund is exactly {_amount(terms, terms.gross)}. Where the price is divided, the two shares add "
        "up to it to the cent, the fees follow the shares, and rounding favours the buyer. "
        f"{words.way_out}"
    )


def _milestones(terms: Terms) -> Iterator[Block]:
    yield Heading("Milestones")
    parts = enumerate(terms.milestones, start=1)
    proof = {True: f"the {terms.asset.type.lower()}", False: ""}
    yield Table(
        (0.08, 0.47, 0.2, 0.25),
        (
            *(
                Row((str(number), part.title, proof[part.transfers_asset], _amount(terms, part.amount_cents)))
                for number, part in parts
            ),
            Row(("", "The price", "", _amount(terms, terms.amount)), strong=True),
        ),
        head=("", "Milestone", "Shown by Roblox", "Amount"),
        right=frozenset({3}),
        labels=False,
    )
    yield Prose(
        "The price is released in these parts, each on its own and in this order; none can be added later. The buyer "
        "may release one before its turn. Each has the whole time to deliver and to inspect: a later one's begins when "
        "the one before it is paid. A part that hands over nothing which Roblox can show counts as delivered on "
        "the seller's word, and the buyer's silence to the end of its inspection releases it. What was released stays "
        "the seller's; a refund, a division or a decision is about what was not."
    )


def _course(terms: Terms) -> Iterator[Block]:
    shown = {
        "GROUP": "Roblox shows the buyer's account of section\u00a01 as the group's owner",
        "GAME": "Roblox shows the buyer's account of section\u00a01, or a group which that account owns, as the "
        "game's owner",
    }[terms.asset.type]
    yield Heading("How the sale runs")
    yield Steps(
        (
            "Both sign this document. The second signature makes it binding and opens the escrow.",
            rail_words.of(terms).pay_step,
            "Only then does the seller start the delivery in Bloxtr8 and hand the asset over on Roblox. Nothing "
            "should change hands before the payment is confirmed.",
            f"Bloxtr8 looks at Roblox itself. The asset is delivered when {shown}; a claim alone is not enough.",
            "The buyer inspects what was delivered, and confirms or rejects it.",
            f"Once the buyer has confirmed, Bloxtr8 pays the seller {_amount(terms, terms.seller_receives)}"
            + (", milestone by milestone." if terms.milestones else " in one sum."),
        )
    )


def _deadlines(terms: Terms) -> Iterator[Block]:
    yield Heading("Deadlines, and what happens at each")
    windows = terms.windows
    rows = (
        (
            "Sign",
            f"{duration(windows.sign_seconds)}: until {moment(terms.sign_by)}",
            "If one side has not signed, this contract is void: nobody owes anything, and the listing is for sale "
            "again.",
        ),
        (
            "Pay",
            f"{duration(windows.fund_seconds)} from the second signature",
            f"If it is not paid in full, the escrow is cancelled. {rail_words.of(terms).unpaid}",
        ),
        *(_parts_over(terms) if terms.milestones else _delivery_over(terms)),
    )
    yield Table((0.12, 0.26, 0.62), tuple(map(Row, rows)), head=("", "Time allowed", "When it has passed"))
    yield Prose(
        "A deadline equal to the present moment has passed. While a dispute or a hold is open, or Roblox can't be "
        "asked, the clocks stand still, and what was left of them is left afterwards. The side that a deadline "
        "protects may extend it, never shorten it, by at most 30 days: the seller the time to pay and the time to "
        "inspect, the buyer the time to deliver."
    )


def _delivery_over(terms: Terms) -> tuple[tuple[str, str, str], ...]:
    """To deliver and to inspect, where all of it is released at once."""
    return (
        (
            "Deliver",
            f"{duration(terms.windows.deliver_seconds)} from the confirmed payment",
            "Bloxtr8 looks at Roblox first. If the buyer owns the asset, it is delivered. If the seller, somebody else "
            "or nobody owns it, in two separate looks, the buyer gets a full refund. If Roblox can't be asked, the "
            "clock stands still and Bloxtr8 looks again; after 24 hours it opens a dispute. An outage never decides.",
        ),
        (
            "Inspect",
            f"{duration(terms.windows.inspect_seconds)} from the delivery",
            "Bloxtr8 warns the buyer 24 hours before. If the buyer stays silent, the money is released, but only if a "
            "fresh look at Roblox shows that the asset is the buyer's, or was and has been passed on. If it is back "
            "with the seller, without an owner, or locked, a dispute is opened and nothing is paid. If Roblox can't be "
            "asked, Bloxtr8 waits; after 7 days it opens a dispute.",
        ),
    )


def _parts_over(terms: Terms) -> tuple[tuple[str, str, str], ...]:
    """The same, milestone by milestone: Roblox is asked only while it has something to show."""
    asset = terms.asset.type.lower()
    return (
        (
            "Deliver",
            f"{duration(terms.windows.deliver_seconds)} for each milestone: the first's from the confirmed payment, a "
            "later one's from the payment of the one before it",
            f"Until the milestone that hands the {asset} over is released, Bloxtr8 looks at Roblox first. If the buyer "
            f"owns the {asset}, that milestone is delivered; if its turn has not come, a dispute is opened. If the "
            "seller, somebody else or nobody owns it, in two separate looks, the buyer is refunded all that is still "
            "held. If Roblox can't be asked, the clock stands still and Bloxtr8 looks again; after 24 hours it opens a "
            "dispute. An outage never decides. Once that milestone is released, Roblox has nothing more to show: the "
            "buyer is refunded all that is still held.",
        ),
        (
            "Inspect",
            f"{duration(terms.windows.inspect_seconds)} for each milestone, from its delivery",
            "Bloxtr8 warns the buyer 24 hours before. If the buyer stays silent, the milestone is released; the one "
            f"that hands the {asset} over only if a fresh look at Roblox shows that the {asset} is the buyer's, or was "
            "and has been passed on. If it is back with the seller, without an owner, or locked, a dispute is opened "
            "and nothing of this milestone is paid. If Roblox can't be asked, Bloxtr8 waits; after 7 days it opens a "
            "dispute.",
        ),
    )


def _trouble(terms: Terms) -> Iterator[Block]:
    words = rail_words.of(terms)
    refund = "all that is still held" if terms.milestones else "in full"
    yield Heading("If something goes wrong")
    yield _facts(
        (
            "Disputes",
            "While Bloxtr8 holds the money, buyer and seller may each open a dispute; rejecting a delivery opens "
            "one, too. The money and the clocks are frozen. An arbiter of Bloxtr8 who is no party to this deal reads "
            "both sides, their evidence and what Roblox showed, and decides in writing: release, refund, or a split "
            f"that adds up to the cent. {words.lapse}",
        ),
        (
            "Settlements",
            "At any time before the money is released one side may propose how to divide it, and the other may "
            f"accept. The seller alone may refund the buyer {refund}.",
        ),
        (
            "Holds",
            words.hold,
        ),
    )


def _conditions(terms: Terms) -> Iterator[Block]:
    yield Heading("Conditions of buyer and seller")
    if not terms.conditions:
        yield Prose("Buyer and seller agreed on no further conditions.")
        return
    yield Prose(
        "Buyer and seller agreed on the words below, printed in full as they were written. They bind the two, and an "
        "arbiter reads them. They do not change the amounts, the deadlines and the rules of the other sections."
    )
    yield Quote(terms.conditions)


def _signing(terms: Terms) -> Iterator[Block]:
    yield Heading("Signing")
    yield Prose(
        "Each side signs in Bloxtr8, under its own login or through a personal link that works once, by naming the "
        "fingerprint of this document and stating “I AGREE”. Bloxtr8 records who signed which fingerprint, when and "
        "how, in an audit log in which no entry can be changed unnoticed. There is nothing to sign on paper. Until "
        "both have signed, either side may void this contract."
    )
    yield Table(
        (0.5, 0.5),
        (
            Row((terms.buyer.username, terms.seller.username)),
            Row((terms.buyer.user_id, terms.seller.user_id)),
        ),
        head=("For the buyer", "For the seller"),
        labels=False,
    )


def _fingerprint(_: Terms) -> Iterator[Block]:
    yield Heading("This document and its fingerprint")
    yield Prose(
        "The fingerprint of a file is its SHA-256: 64 digits and letters that change beyond recognition when a "
        "single byte does. It can't be printed inside the file it belongs to. Bloxtr8 shows it beside this contract, "
        "both signatures name it, and the file is stored under it, once and for good, as "
        "contracts/sha256/FINGERPRINT.pdf. To check a copy, compute its SHA-256 with any tool (sha256sum, for "
        "example, or certutil on Windows) and compare, or use the public check of Bloxtr8. The same terms always "
        "make the same file, to the byte."
    )
    yield Prose(
        "A mark such as [U+202E] stands for a character that can't be shown, by its number in the Unicode standard."
    )
