"""The stages of a trade that every action is tried in: each way in which a trade can stand, reached as people reach it.

A path names its steps. A later row of a lifecycle whose status no stage here
shows fails the tests; a stage more is a line more.
"""

from collections.abc import Callable
from functools import reduce
from unittest import mock

from bloxtr8 import actors, rails, table
from bloxtr8.entities import Contract, Escrow, ListingStatus, User
from bloxtr8.rails.base import RailDeclined
from tests import factories
from tests.functions import (
    chargebacks,
    contracts,
    disputes,
    escrows,
    holding,
    listings,
    milestones,
    money,
    offers,
    settlements,
)
from tests.functions.chain import STRANGER, UNITS
from tests.lifecycles import calls
from tests.lifecycles.ground import Ground, Trade

type Step = Callable[[Ground, Trade], None]


def escrow_of(trade: Trade) -> Escrow:
    assert trade.ulid is not None
    return table.get(Escrow, ulid=trade.ulid)


def contract_of(trade: Trade) -> Contract:
    assert trade.ulid is not None
    return table.get(Contract, ulid=trade.ulid)


# --- the market


def listed(ground: Ground, currency: str) -> Trade:
    people = ground.meet(currency)
    listing = factories.listing(people["seller"])
    return Trade(people, listing.asset_id, listing.id, currency=currency)


def _listing(action: str) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        assert ground.aws.call(action, trade["seller"], listing_id=trade.listing_id).status < 300

    return step


def _removed(_: Ground, trade: Trade) -> None:
    listings.moved(listings.row(trade.listing_id), ListingStatus.REMOVED)


def _offer(_: Ground, trade: Trade) -> None:
    listing = listings.row(trade.listing_id)
    trade.offer_id = factories.offer(listing, trade["buyer"], currency=trade.currency).id


def _dear_offer(ground: Ground, trade: Trade) -> None:
    """Of a price at which two people decide."""
    price = {"price": 2_000_000}
    assert ground.aws.call("update_listing", trade["seller"], price, listing_id=trade.listing_id).status == 200
    listing = listings.row(trade.listing_id)
    trade.offer_id = factories.offer(listing, trade["buyer"], currency=trade.currency, amount=listing.price).id


def _offer_in_parts(_: Ground, trade: Trade) -> None:
    """The second part hands the asset over."""
    listing = listings.row(trade.listing_id)
    parts = milestones.parts(60_000, 40_000)
    trade.offer_id = factories.offer(listing, trade["buyer"], currency=trade.currency, milestones=parts).id


def _countered(ground: Ground, trade: Trade) -> None:
    trade.offer_id = offers.counter(ground.aws, trade["seller"], trade.offer_id, 110_000).id


def _answered(action: str, who: str) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        assert ground.aws.call(action, trade[who], {}, offer_id=str(trade.offer_id)).status == 200

    return step


def _late(ground: Ground, _: Trade) -> None:
    ground.aws.clock.advance(days=8)


def _job(name: str) -> Step:
    return lambda ground, _: ground.aws.invoke(name)


# --- the contract


def _accepted(_: Ground, trade: Trade) -> None:
    made = factories.accepted(made=factories.offer_row(str(trade.offer_id)))
    trade.ulid = made.ulid


def _rendered(_: Ground, trade: Trade) -> None:
    factories.contract(contract_of(trade))


def _signed(who: str) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        assert contracts.sign(ground.aws, trade[who], contract_of(trade)).status == 201

    return step


def _void(ground: Ground, trade: Trade) -> None:
    assert contracts.void(ground.aws, trade["buyer"], contract_of(trade)).status == 200


# --- the escrow


def _opened(ground: Ground, trade: Trade) -> None:
    ground.aws.invoke("open_funding", {"escrowId": trade.escrow_id})


def _cancelled(ground: Ground, trade: Trade) -> None:
    path = {"escrow_id": str(trade.escrow_id)}
    assert ground.aws.call("cancel_escrow", trade["buyer"], {"reason": "r"}, **path).status == 200


def _pays(_: Ground, trade: Trade) -> None:
    """At Stripe; the platform has yet to look."""
    factories.pay(escrow_of(trade))


def _closed(ground: Ground, trade: Trade) -> None:
    ground.aws.invoke("close_funding", {"escrowId": trade.escrow_id})


def _paid(ground: Ground, trade: Trade) -> None:
    factories.pay(escrow_of(trade))
    ground.aws.invoke("screen_deposit", {"escrowId": trade.escrow_id})


def _paid_on_chain(more: int) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        escrow = escrow_of(trade)
        ground.chain.pay(escrow, (escrow.gross + more) * UNITS)
        ground.aws.invoke("screen_deposit", {"escrowId": escrow.id})

    return step


def _wallet_refused(ground: Ground, trade: Trade) -> None:
    """By the token, the buyer's; a call that pays both is refused with it."""
    with mock.patch.object(ground.chain, "unready", {trade["buyer"].wallet}):
        factories.settle(escrow_of(trade))


def _return_refused(ground: Ground, trade: Trade) -> None:
    """What was too much can't be sent back for good."""
    (settlement,) = [row for row in escrows.file(escrow_of(trade)).settlements if row.kind == "RETURN"]
    named = {"escrowId": trade.escrow_id, "settlementId": settlement.id}
    ground.aws.invoke("park_settlement", named | {"error": "RailDeclined"})


def _late_money(ground: Ground, trade: Trade) -> None:
    """The buyer pays when nobody waits for it any more."""
    ground.chain.pay(escrow_of(trade), 500 * UNITS)
    ground.aws.invoke("look_at_rail", {"escrowId": trade.escrow_id})


def _late_from_a_listed_wallet(ground: Ground, trade: Trade) -> None:
    """Money comes that nobody waits for, and may not be sent back without a decision."""
    escrow = escrow_of(trade)
    ground.wallets.risks[STRANGER] = "SANCTIONED"
    ground.chain.pay(escrow, 500 * UNITS, STRANGER)
    ground.aws.invoke("look_at_rail", {"escrowId": escrow.id})
    factories.settle(escrow, money.settlement(escrow).id)


def _kept(_: Ground, trade: Trade) -> None:
    """The asset is still the seller's."""
    trade.owner = "seller"


def _held(ground: Ground, trade: Trade) -> None:
    ground.aws.invoke("hold_funds", {"escrowId": trade.escrow_id})
    trade.owner = "buyer"  # so that a delivery can be proven


def _started(ground: Ground, trade: Trade) -> None:
    assert ground.aws.call("start_delivery", trade["seller"], {}, escrow_id=str(trade.escrow_id)).status == 200


def _delivered(ground: Ground, trade: Trade) -> None:
    ground.transfer(trade, "buyer")
    assert ground.aws.call("mark_delivered", trade["seller"], **escrows.path(escrow_of(trade))).status == 200


def _proposed(who: str) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        settlements.proposed(ground.aws, escrow_of(trade), 40_000, trade[who])

    return step


def _agreed(ground: Ground, trade: Trade) -> None:
    settlements.agreed(ground.aws, escrow_of(trade), 40_000)


def _confirmed(ground: Ground, trade: Trade) -> None:
    assert escrows.confirm(ground.aws, escrow_of(trade)).status == 202


def _refunded(ground: Ground, trade: Trade) -> None:
    assert escrows.refund(ground.aws, escrow_of(trade)).status == 202


def _parked(ground: Ground, trade: Trade) -> None:
    """Its payout is refused for good before anything moved."""
    named = {"escrowId": trade.escrow_id, "settlementId": escrow_of(trade).settlement_id}
    ground.aws.invoke("park_settlement", named | {"error": "RailDeclined"})


def _refused(kind: str = "") -> Step:
    """Stripe refuses for good what is to be paid now, or what of that kind is sent apart."""

    def step(ground: Ground, trade: Trade) -> None:
        escrow = escrow_of(trade)
        apart = [row.id for row in escrows.file(escrow).settlements if row.kind == kind]
        with mock.patch.object(type(rails.get("STRIPE")), "send", side_effect=RailDeclined("no", code="no")):
            factories.settle(escrow, *apart)

    return step


def _announced(ground: Ground, trade: Trade) -> None:
    """An administrator is about to pay outside what was refused, or is set aside."""
    action, picture = "announce_manual_payment", ground.picture()
    body = next(calls.bodies(action, trade, picture, "admin"))
    assert calls.ask(ground.aws, action, trade, picture, "admin", body, "before").status == 201


def _banned(_: Ground, trade: Trade) -> None:
    """Both, which stops what starts and nothing that is under way (C10)."""
    for who in ("buyer", "seller"):
        user = table.get(User, id=trade[who].id)
        user.banned = True
        table.commit(user, action="test", actor=actors.system("test"))


def _part_charged_back(ground: Ground, trade: Trade) -> None:
    """The buyer's bank takes a part of his payment and keeps it."""
    chargeback = chargebacks.disputed(ground.aws, ground.stripe, escrow_of(trade), amount=30_000)
    chargebacks.decided(ground.aws, ground.stripe, chargeback, "lost")


def _set_aside(ground: Ground, trade: Trade) -> None:
    """The bank takes all of it, and gives it back after the end."""
    chargeback = chargebacks.disputed(ground.aws, ground.stripe, escrow_of(trade))
    chargebacks.decided(ground.aws, ground.stripe, chargeback, "lost")
    for row in escrows.file(escrow_of(trade)).settlements:
        if row.kind == "RECOVERY":
            factories.settle(escrow_of(trade), row.id)
    _given_back(ground, trade)


def _given_back(ground: Ground, trade: Trade) -> None:
    """The bank gives back what it had taken."""
    (row,) = chargebacks.rows(escrow_of(trade))
    ground.stripe.reinstate_dispute(row.id)
    chargebacks.happen(ground.aws, ground.stripe, "funds_reinstated")


def _sent(ground: Ground, trade: Trade) -> None:
    """Paid out, but for its end."""
    named = {"escrowId": trade.escrow_id, "settlementId": escrow_of(trade).settlement_id}
    for task in ("send_leg", "confirm_leg"):
        ground.aws.invoke(task, named)


def _settled(ground: Ground, trade: Trade) -> None:
    escrows.paid_out(ground.stripe, escrow_of(trade))


def _disputed(who: str) -> Step:
    def step(ground: Ground, trade: Trade) -> None:
        assert disputes.opened(ground.aws, escrow_of(trade), trade[who]).status == 201

    return step


def _rejected(ground: Ground, trade: Trade) -> None:
    assert disputes.rejected(ground.aws, escrow_of(trade)).status == 200


def _taken_back(ground: Ground, trade: Trade) -> None:
    assert disputes.withdraw(ground.aws, escrow_of(trade)).status == 200


def _reviewed(ground: Ground, trade: Trade) -> None:
    assert ground.aws.call("assign_dispute", trade["judge"], {}, **disputes.names(escrow_of(trade))).status == 200


def _resolved(ground: Ground, trade: Trade) -> None:
    escrow = escrow_of(trade)
    assert disputes.resolve(ground.aws, escrow, trade["judge"], "REFUND", 0, escrow.amount).status == 202


def _frozen(ground: Ground, trade: Trade) -> None:
    holding.decided(ground.aws, escrow_of(trade), "COMPLIANCE", "FREEZE", trade["officer"])


def _charged_back(ground: Ground, trade: Trade) -> None:
    """Of a part, and the bank has not decided."""
    chargebacks.disputed(ground.aws, ground.stripe, escrow_of(trade), amount=30_000)


def _held_too_long(ground: Ground, _: Trade) -> None:
    """And no job has come by since."""
    ground.aws.clock.advance(days=81)


def _doubted(_: Ground, trade: Trade) -> None:
    holding.held(escrow_of(trade), "review:prv_1")


def _stopped(_: Ground, trade: Trade) -> None:
    """What is to be paid finds the hold."""
    factories.settle(escrow_of(trade))


STEPS: dict[str, Step] = {
    "deactivated": _listing("deactivate_listing"),
    "cancelled listing": _listing("cancel_listing"),
    "removed": _removed,
    "offer": _offer,
    "dear offer": _dear_offer,
    "offer in parts": _offer_in_parts,
    "countered": _countered,
    "declined": _answered("decline_offer", "seller"),
    "withdrawn": _answered("withdraw_offer", "buyer"),
    "late": _late,
    "expired": _job("expire_offers"),
    "accepted": _accepted,
    "rendered": _rendered,
    "signed by the buyer": _signed("buyer"),
    "signed by the seller": _signed("seller"),
    "void": _void,
    "opened": _opened,
    "cancelled": _cancelled,
    "pays": _pays,
    "closed": _closed,
    "paid": _paid,
    "paid on chain": _paid_on_chain(0),
    "overpaid": _paid_on_chain(500),
    "held": _held,
    "kept": _kept,
    "started": _started,
    "delivered": _delivered,
    "proposed by the buyer": _proposed("buyer"),
    "proposed by the seller": _proposed("seller"),
    "disputed by the buyer": _disputed("buyer"),
    "disputed by the seller": _disputed("seller"),
    "rejected": _rejected,
    "taken back": _taken_back,
    "reviewed": _reviewed,
    "resolved": _resolved,
    "frozen": _frozen,
    "charged back": _charged_back,
    "held too long": _held_too_long,
    "doubted": _doubted,
    "stopped": _stopped,
    "confirmed": _confirmed,
    "refunded": _refunded,
    "agreed": _agreed,
    "parked": _parked,
    "refused": _refused(),
    "RETURN refused": _refused("RETURN"),
    "RECOVERY refused": _refused("RECOVERY"),
    "banned": _banned,
    "a part charged back": _part_charged_back,
    "charged back and given back": _set_aside,
    "REPAYMENT refused": _refused("REPAYMENT"),
    "announced": _announced,
    "given back": _given_back,
    "sent": _sent,
    "settled": _settled,
    "late money": _late_money,
    "return refused": _return_refused,
    "wallet refused": _wallet_refused,
    "late from a listed wallet": _late_from_a_listed_wallet,
}

SIGNED = "offer, accepted, rendered, signed by the buyer, signed by the seller"
OPENED = f"{SIGNED}, opened"
HELD = f"{OPENED}, paid, held"
DELIVERED = f"{HELD}, started, delivered"
PARTS_OPENED = OPENED.replace("offer", "offer in parts", 1)
PARTS_HELD = f"{PARTS_OPENED}, paid, held"
PART_DELIVERED = f"{PARTS_HELD}, started, delivered"
PART_CONFIRMED = f"{PART_DELIVERED}, confirmed"
PART_PAID = f"{PART_CONFIRMED}, settled"
OWED = f"{DELIVERED}, confirmed, settled, charged back and given back"
PARTS_ON_CHAIN = f"{PARTS_OPENED}, paid on chain, held, started, delivered"
_TWO_RETURNS = "overpaid, held, return refused, late from a listed wallet"
_PROPOSALS = ("proposed by the buyer", "proposed by the seller")
_HOLDS = ("frozen", "doubted")
_LIVE = {
    "AWAIT_FUNDS": OPENED, "HELD": HELD, "DELIVERED": DELIVERED, "DISPUTED": f"{HELD}, disputed by the buyer",
    "SETTLING": f"{DELIVERED}, confirmed", "PARKED": f"{DELIVERED}, confirmed, parked",
}  # fmt: skip

PATHS: dict[str, str] = {
    "listing ACTIVE": "",
    "listing INACTIVE": "deactivated",
    "listing CANCELLED": "cancelled listing",
    "listing REMOVED": "removed",
    "offer PENDING": "offer",
    "offer PENDING of the seller": "offer, countered",
    "offer PENDING, its listing INACTIVE": "offer, deactivated",
    "offer DECLINED": "offer, declined",
    "offer WITHDRAWN": "offer, withdrawn",
    "offer over its time": "offer, late",
    "offer EXPIRED": "offer, late, expired",
    "offer over with its listing": "offer, cancelled listing",
    "contract PENDING_PDF": "offer, accepted",
    "contract PENDING_SIGNATURE": "offer, accepted, rendered",
    "contract signed by the buyer": "offer, accepted, rendered, signed by the buyer",
    "contract signed by the seller": "offer, accepted, rendered, signed by the seller",
    "contract VOID": "offer, accepted, rendered, void",
    "contract over its time": "offer, accepted, rendered, late",
    "escrow AWAIT_FUNDS": OPENED,
    "escrow AWAIT_FUNDS, paid": f"{OPENED}, paid",
    "escrow CANCELLED": f"{OPENED}, cancelled",
    "escrow CANCELLED, paid all the same": f"{OPENED}, pays, cancelled, closed",
    "escrow FUNDS_HELD": HELD,
    "escrow FUNDS_HELD, started": f"{HELD}, started",
    "escrow DELIVERED": DELIVERED,
    "escrow DISPUTED by the buyer": f"{HELD}, disputed by the buyer",
    "escrow DISPUTED by the seller": f"{DELIVERED}, disputed by the seller",
    "escrow DISPUTED, rejected": f"{DELIVERED}, rejected",
    "escrow DISPUTED, in review": f"{DELIVERED}, disputed by the seller, reviewed",
    "escrow SETTLING": f"{DELIVERED}, confirmed",
    "escrow SETTLING, parked": f"{DELIVERED}, confirmed, parked",
    "escrow SETTLING, a proposal is over": f"{DELIVERED}, proposed by the buyer, confirmed",
    "escrow SETTLING, agreed": f"{HELD}, agreed",
    "escrow SETTLING, resolved": f"{DELIVERED}, disputed by the buyer, reviewed, resolved",
    "escrow RELEASED": f"{DELIVERED}, confirmed, settled",
    "escrow REFUNDED": f"{HELD}, refunded, settled",
    "escrow SPLIT": f"{HELD}, agreed, settled",
    "escrow REFUNDED after a dispute": f"{DELIVERED}, disputed by the buyer, reviewed, resolved, settled",
    "escrow FUNDS_HELD, kept by the seller": f"{HELD}, started, kept",
    "parts AWAIT_FUNDS": PARTS_OPENED,
    "parts FUNDS_HELD, one delivered": PART_DELIVERED,
    "parts FUNDS_HELD, one being paid": PART_CONFIRMED,
    "parts FUNDS_HELD, one paid": PART_PAID,
    "parts DELIVERED, one being paid": f"{PART_CONFIRMED}, started, delivered",
    "parts DISPUTED, one being paid": f"{PART_CONFIRMED}, disputed by the seller, reviewed",
}
# what an administrator may pay in Stripe's place
REFUSED: dict[str, str] = {
    "escrow SETTLING, refused": f"{DELIVERED}, confirmed, refused",
    "parts FUNDS_HELD, one refused": f"{PART_CONFIRMED}, refused",
    "parts DELIVERED, one refused": f"{PART_CONFIRMED}, started, delivered, refused",
    "parts DISPUTED, one refused": f"{PART_CONFIRMED}, disputed by the seller, refused",
    "escrow CANCELLED, refused": f"{OPENED}, pays, cancelled, closed, RETURN refused",
    "escrow REFUNDED, refused": f"{HELD}, a part charged back, RETURN refused",
    "escrow RELEASED, refused": f"{DELIVERED}, confirmed, settled, a part charged back, RECOVERY refused",
    "escrow SPLIT, refused": f"{HELD}, agreed, settled, a part charged back, RECOVERY refused",
    "escrow REFUNDED, set aside": f"{DELIVERED}, charged back and given back",
    "escrow RELEASED, owed, refused": f"{OWED}, REPAYMENT refused",
}
# the same with what else people may answer or decide about there
VARIANTS: dict[str, str] = {
    **{
        f"escrow {name}, {step}": f"{_LIVE[name]}, {step}"
        for name in ("HELD", "DELIVERED", "DISPUTED", "PARKED")
        for step in _PROPOSALS
    },
    **{f"escrow {name}, {step}": f"{path}, {step}" for name, path in _LIVE.items() for step in _HOLDS},
    "escrow HELD, charged back": f"{HELD}, charged back",
    "escrow DELIVERED, held too long": f"{DELIVERED}, held too long",
    "parts FUNDS_HELD": PARTS_HELD,
    "parts FUNDS_HELD, one started": f"{PARTS_HELD}, started",
    "parts FUNDS_HELD, one parked": f"{PART_CONFIRMED}, parked",
    "parts DELIVERED, one paid": f"{PART_PAID}, started, delivered",
    "parts FUNDS_HELD, one parked, doubted": f"{PART_CONFIRMED}, parked, doubted",
    "parts DISPUTED, one parked": f"{PART_CONFIRMED}, parked, disputed by the seller, reviewed",
    "parts DISPUTED, one rejected": f"{PART_DELIVERED}, rejected, reviewed",
    "parts SPLIT": f"{PART_PAID}, refunded, settled",
    **REFUSED,
    **{f"{name}, announced": f"{path}, announced" for name, path in REFUSED.items()},
    "escrow SETTLING, refused, announced, doubted": f"{DELIVERED}, confirmed, refused, announced, doubted",
    "escrow RELEASED, refused, announced, given back": f"{REFUSED['escrow RELEASED, refused']}, announced, given back",
    "parts DISPUTED, in review, announced": f"{PART_CONFIRMED}, disputed by the seller, refused, announced, reviewed",
    "escrow RELEASED, owed": OWED,
    "escrow DISPUTED, in review, frozen": f"{DELIVERED}, disputed by the seller, reviewed, frozen",
    "escrow AWAIT_FUNDS, both banned": f"{OPENED}, banned",
    "escrow DISPUTED, in review, held too long": f"{HELD}, disputed by the buyer, reviewed, held too long",
    "parts DISPUTED, one being paid, charged back": f"{PART_CONFIRMED}, disputed by the seller, reviewed, charged back",
    **{
        f"escrow DISPUTED, in review, {step}": f"{HELD}, disputed by the buyer, reviewed, {step}" for step in _PROPOSALS
    },
}
# with a return of too much that was refused, and one of late money that COMPLIANCE is to decide about
ON_CHAIN: dict[str, str] = {
    "usdc AWAIT_FUNDS": f"{OPENED}, paid on chain",
    "usdc FUNDS_HELD, frozen": f"{OPENED}, paid on chain, held, frozen",
    "usdc DISPUTED, resolved": f"{OPENED}, paid on chain, held, disputed by the buyer, reviewed, resolved",
    "usdc SETTLING, a wallet refused": f"{OPENED}, paid on chain, held, agreed, wallet refused",
    "usdc DISPUTED, in review": f"{OPENED}, paid on chain, held, disputed by the buyer, reviewed",
    "usdc parts DELIVERED, one paid": f"{PARTS_ON_CHAIN}, confirmed, settled, started, delivered",
    "usdc CANCELLED": f"{OPENED}, cancelled, late money, return refused, late from a listed wallet",
    **{
        f"usdc {name}": f"{OPENED}, {_TWO_RETURNS}{path}"
        for name, path in {
            "FUNDS_HELD": "", "DELIVERED": ", started, delivered", "DISPUTED": ", disputed by the buyer",
            "SETTLING": ", refunded", "RELEASED": ", started, delivered, confirmed, settled",
            "REFUNDED": ", refunded, settled", "SPLIT": ", agreed, settled",
        }.items()
    },
}  # fmt: skip


def build(path: str, currency: str = "USD") -> Callable[[Ground], Trade]:
    """How a stage is reached."""

    def stage(ground: Ground) -> Trade:
        def taken(trade: Trade, name: str) -> Trade:
            STEPS[name](ground, trade)
            return trade

        return reduce(taken, filter(None, path.split(", ")), listed(ground, currency))

    return stage


MAIN = {name: build(path) for name, path in PATHS.items()}
MAIN |= {name: build(path, "USDC") for name, path in ON_CHAIN.items()}
STAGES = MAIN | {name: build(path) for name, path in VARIANTS.items()}
# for the slow tests, where everybody asks
RARE = {
    **{
        f"escrow {name}, {step}": build(f"{path}, {step}")
        for name, path in _LIVE.items()
        for step in ("charged back", "held too long", "banned")
        if name != "AWAIT_FUNDS"
    },
    "parts FUNDS_HELD, one parked, held too long": build(f"{PART_CONFIRMED}, parked, held too long"),
    "parts FUNDS_HELD, one refused, charged back": build(f"{PART_CONFIRMED}, refused, charged back"),
    "usdc parts FUNDS_HELD, one being paid": build(f"{PARTS_ON_CHAIN}, confirmed", "USDC"),
    "usdc parts DISPUTED, one parked": build(f"{PARTS_ON_CHAIN}, confirmed, parked, disputed by the buyer", "USDC"),
    "usdc parts DISPUTED, frozen": build(f"{PARTS_ON_CHAIN}, rejected, reviewed, frozen", "USDC"),
}
