"""What befalls a trade from outside: banks act, wallets turn out risky, the asset goes astray, vaults are reclaimed,
COMPLIANCE freezes."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import stripe

from bloxtr8 import actors, table
from bloxtr8.entities import User
from local.doubles.stripe.errors import ApiError
from tests.chaos import assets
from tests.functions.chain import UNITS

if TYPE_CHECKING:
    from tests.chaos.people import Trade

HOUR, DAY = 3600.0, 86_400.0
PAID = {"FUNDS_HELD", "DELIVERED", "DISPUTED", "SETTLING"}


class Befall(NamedTuple):
    """Something that happens to a trade once, from the moment that it can: at a turn of its people, or `at_once`, which
    is between two steps of a machine."""

    when: Callable[["Trade"], bool]
    act: Callable[["Trade"], object]
    at_once: bool = False


def _in(*statuses: str) -> Callable[["Trade"], bool]:
    return lambda trade: trade.escrow is not None and trade.escrow.status in statuses


# --- the buyer's bank, and Stripe


def _charge(trade: "Trade") -> str:
    return str(trade.rail_row.charge_id)


def _charged_back(verdict: str, share: int = 1) -> Callable[["Trade"], None]:
    """The bank takes all of it, or a part; what it decides is known."""

    def act(trade: "Trade") -> None:
        trade.world.banks.verdicts[_charge(trade)] = verdict
        amount = trade.escrow.gross // share if share > 1 else None
        with contextlib.suppress(ApiError):  # nothing of the charge is left
            trade.world.outside.stripe.open_dispute(_charge(trade), amount=amount)

    return act


def _appealed(trade: "Trade") -> None:
    """The bank takes all of it, keeps it, and is made to give it back."""
    _charged_back("lost")(trade)
    if any(made["charge"] == _charge(trade) for made in trade.world.outside.stripe._world.all("dispute")):
        trade.world.banks.appealed.add(_charge(trade))


def _inquired(trade: "Trade") -> None:
    """The bank only asks; sometimes it is not content with the answer."""
    trade.world.outside.stripe.open_dispute(_charge(trade), inquiry=True)


def _warned(trade: "Trade") -> None:
    trade.world.outside.stripe.warn(_charge(trade))


def _reviewed(trade: "Trade") -> None:
    trade.world.outside.stripe.review(_charge(trade))


def _refund_comes_back(trade: "Trade") -> None:
    """The buyer's bank does not take the refund."""
    paid = next(row for row in trade.of_escrow("LEG#") if str(row.external_id).startswith("re_"))
    with contextlib.suppress(ApiError):  # it was not sent yet, or came back already
        trade.world.outside.stripe.fail_refund(paid.external_id)


def _was_refunded(trade: "Trade") -> bool:
    return any(row.status == "CONFIRMED" and str(row.external_id).startswith("re_") for row in trade.of_escrow("LEG#"))


def _refunded_by_hand(trade: "Trade") -> None:
    """Somebody of ours refunds in Stripe's Dashboard, with no leg."""
    _by_hand(trade, trade.escrow.gross)


def _part_refunded(share: int) -> Callable[["Trade"], None]:
    """The same of a part of the price."""
    return lambda trade: _by_hand(trade, trade.escrow.gross // share)


def _by_hand(trade: "Trade", amount: int) -> None:
    """As far as so much is left of the charge. The day's reconciliation brings what no webhook did."""
    world = trade.world
    charge = world.outside.plain_stripe.v1.charges.retrieve(_charge(trade))
    amount = min(amount, charge.amount_captured - charge.amount_refunded)
    with contextlib.suppress(stripe.InvalidRequestError):  # nothing is left of it, or a bank has it
        world.outside.plain_stripe.v1.refunds.create({"charge": charge.id, "amount": amount})
        trade.later_act(26 * HOUR, "a day later", lambda: world.jobs.want("reconcile_money"))


def _was_taken(trade: "Trade") -> bool:
    return any(row.kind == "DASHBOARD" for row in trade.of_escrow("SETTLEMENT#"))


def _taken_comes_back(trade: "Trade") -> None:
    """The buyer's bank does not take what was refunded by hand."""
    (made,) = [row.external_id for row in trade.of_escrow("LEG#") if row.adopted_id]
    trade.world.outside.stripe.fail_refund(made)
    trade.later_act(26 * HOUR, "a day later", lambda: trade.world.jobs.want("reconcile_money"))


def _seller_was_paid(trade: "Trade") -> bool:
    """Whether a part of what is held went to the seller."""
    paid = any(row.status == "CONFIRMED" and row.pays == "SELLER" for row in trade.of_escrow("LEG#"))
    return paid and trade.escrow is not None and trade.escrow.held > 0


def _account_closed(least: float = 0.2, most: float = 5) -> Callable[["Trade"], None]:
    """Stripe pays the seller no more, for so many days."""

    def act(trade: "Trade") -> None:
        double, account = trade.world.outside.stripe, str(trade.escrow.payout_account_id)
        double.onboard(account, succeeds=False)
        trade.later_act(trade.random.uniform(least, most) * DAY, "account", lambda: double.onboard(account))

    return act


# --- wallets and vaults


def _payee_risky(trade: "Trade") -> None:
    """The seller's wallet, or the buyer's, turns out to be risky before it is paid; or nobody can tell for a while."""
    risks = trade.world.outside.wallets.risks
    wallet = trade.random.choice((trade.seller.wallet, trade.buyer.wallet))
    risks[wallet] = trade.random.choice(("UNKNOWN", "MEDIUM", "HIGH", "SANCTIONED"))
    if risks[wallet] == "UNKNOWN":
        trade.later_act(30 * HOUR, "screening", lambda: risks.pop(wallet))


def _payee_refused(trade: "Trade") -> None:
    """The token's own list has the seller, for some days."""
    unready = trade.world.outside.chain.unready
    unready.add(trade.seller.wallet)
    trade.later_act(trade.random.uniform(0.2, 4) * DAY, "token", lambda: unready.discard(trade.seller.wallet))


def _reclaimed(trade: "Trade") -> None:
    """After the vault's term somebody sends what is in it to the buyer."""
    trade.world.outside.chain.take_back(trade.escrow)
    trade.world.jobs.want("poll_chain")


def _lost_in_a_fork(trade: "Trade") -> None:
    """A re-org after finality takes the payment away, and the next brings it again."""
    chain, vault = trade.world.outside.chain, trade.world.outside.chain.vaults[str(trade.rail_row.external_id)]
    seen = vault["deposits"][-1]
    if vault["units"] < seen.units:
        return
    chain.lose(trade.escrow)
    trade.world.jobs.want("poll_chain")

    def again() -> None:
        vault["deposits"].append(seen)
        vault["units"] += seen.units
        trade.world.jobs.want("poll_chain")

    trade.later_act(trade.random.uniform(0.3, 2) * DAY, "fork", again)


def _dusted(trade: "Trade") -> None:
    """Strangers send less than anything is worth."""
    from tests.chaos.paying import send_usdc

    sender = f"0x{0xD057 << 32 | trade.number:040x}"
    trade.world.outside.wallets.risks[sender] = trade.random.choice(("LOW", "HIGH", "SANCTIONED"))
    for units in (1, 9_999, 7 * UNITS, 30 * UNITS):
        send_usdc(trade, trade.escrow, units, sender)


def _paid_late(trade: "Trade") -> None:
    from tests.chaos.paying import send_usdc

    send_usdc(trade, trade.escrow, trade.random.choice((99 * UNITS, 12_345_678)))


# --- everybody


def _has_leg(trade: "Trade", status: str) -> bool:
    """Whether a leg that is not known to the provider yet is in this status, of a settlement that goes on."""
    going_on = {row.id for row in trade.of_escrow("SETTLEMENT#") if row.status == "OPEN"}
    legs = (row for row in trade.of_escrow("LEG#") if row.settlement_id in going_on)
    return any(row.status == status and row.external_id is None for row in legs)


def _split(*legs: tuple[str, str]) -> Callable[["Trade"], bool]:
    """Whether a split that goes on has these legs: whom each pays, and how far it is."""

    def has(trade: "Trade") -> bool:
        going_on = {row.id for row in trade.of_escrow("SETTLEMENT#") if row.status == "OPEN" and row.kind == "SPLIT"}
        found = (row for row in trade.of_escrow("LEG#") if row.settlement_id in going_on)
        return tuple((str(row.pays), str(row.status)) for row in found) == legs

    return has


def _frozen(trade: "Trade") -> None:
    """COMPLIANCE heard something, and stops it; it looks again as at any hold."""
    trade.later_act(0, "frozen", lambda: trade.world.staff.freeze(str(trade.escrow.id)))


def _banned(trade: "Trade") -> None:
    """A banned person may start nothing, and finishes what he began (C10)."""
    person = trade.random.choice((trade.buyer, trade.seller))
    row = table.get(User, id=person.id)
    row.banned = True
    table.commit(row, action="ban_user", actor=actors.system("chaos"))


def _is_rejected(trade: "Trade") -> bool:
    """Whether the buyer has the asset and does not want it."""
    return any(row.delivery_id and row.status in {"OPEN", "IN_REVIEW"} for row in trade.of_escrow("DISPUTE#"))


def _disputed(trade: "Trade") -> None:
    """The seller opens a dispute about the rest, in which the buyer can only wait."""
    claim = {"title": "It is not right", "description": "He says nothing.", "reasonCode": "OTHER"}
    trade.ask("open_dispute", trade.seller, claim, escrow_id=str(trade.escrow.id))


def _is_seen_unproven(trade: "Trade") -> bool:
    """Whether the buyer was seen with the asset of a part, and nobody has proven it."""
    escrow = trade.escrow
    return _in("FUNDS_HELD")(trade) and escrow.at_buyer_at is not None and escrow.delivered_at is None


def _released_unproven(trade: "Trade") -> None:
    """The buyer sees that he has it, and says so first."""
    part = next(row for row in trade.of_escrow("MILESTONE#") if row.transfers_asset)
    path = {"escrow_id": str(trade.escrow.id), "milestone_id": part.id}
    trade.later_act(0, "released", lambda: trade.ask("release_milestone", trade.buyer, {"acknowledge": True}, **path))


def _paid_to_the_buyer_alone(trade: "Trade") -> bool:
    """Whether of a settlement that goes on the buyer has his part, and the seller's waits."""
    going_on = {row.id for row in trade.of_escrow("SETTLEMENT#") if row.status == "OPEN"}
    found = [(row.pays, row.status) for row in trade.of_escrow("LEG#") if row.settlement_id in going_on]
    return found == [("SELLER", "PLANNED"), ("BUYER", "CONFIRMED")]


def _roblox_gone(days: float) -> Callable[["Trade"], None]:
    def act(trade: "Trade") -> None:
        world = trade.world
        world.outside.hidden.add(trade.asset_id)
        trade.later_act(days * DAY, "Roblox is back", lambda: world.outside.hidden.discard(trade.asset_id))

    return act


def _is_to_be_handed_over(trade: "Trade") -> bool:
    """Whether the seller may do so, and nobody has seen it yet."""
    begun = any(row.status == "IN_PROGRESS" for row in trade.of_escrow("DELIVERY#"))
    return begun and _in("FUNDS_HELD")(trade) and trade.escrow.at_buyer_at is None


def _handed_over_unseen(trade: "Trade") -> None:
    """He does, a bank takes a part, and for more than a day nobody can see whose the asset is."""
    _roblox_gone(1.5)(trade)
    assets.give(trade, str(trade.escrow.buyer_roblox_id))
    _charged_back("lost", 3)(trade)


_STRIPE = lambda trade: trade.escrow is not None and trade.rail_row.charge_id is not None and trade.escrow.held  # noqa: E731
_ENDED = _in("RELEASED", "SPLIT", "REFUNDED")
BEFALLS: dict[str, Befall] = {
    "chargeback won": Befall(_in(*PAID), _charged_back("won")),
    "chargeback lost": Befall(_in(*PAID), _charged_back("lost")),
    "part charged back": Befall(_in(*PAID), _charged_back("lost", 3)),
    "part charged back, unseen": Befall(_is_to_be_handed_over, _handed_over_unseen, at_once=True),
    "chargeback at the start": Befall(lambda trade: bool(_STRIPE(trade)), _charged_back("lost")),
    "chargeback lost, given back": Befall(_in("DELIVERED"), _appealed),
    "late chargeback lost, given back": Befall(_in("RELEASED"), _appealed),
    "late chargeback won": Befall(_ENDED, _charged_back("won")),
    "late chargeback lost": Befall(_ENDED, _charged_back("lost")),
    "inquiry": Befall(_in(*PAID), _inquired),
    "warning": Befall(_in(*PAID), _warned),
    "review": Befall(_in("FUNDS_HELD", "DELIVERED"), _reviewed),
    "refund comes back": Befall(_was_refunded, _refund_comes_back),
    "refunded by hand": Befall(_in("FUNDS_HELD", "DELIVERED", "DISPUTED"), _refunded_by_hand),
    "a part refunded by hand": Befall(_in(*PAID), _part_refunded(3)),
    "a part refunded by hand once delivered": Befall(_in("DELIVERED", "DISPUTED", "SETTLING"), _part_refunded(3)),
    "its refund comes back": Befall(_was_taken, _taken_comes_back),
    "another part refunded by hand": Befall(_in(*PAID), _part_refunded(5)),
    "a part refunded by hand at the start": Befall(lambda trade: bool(_STRIPE(trade)), _part_refunded(4)),
    "refunded by hand after a part was paid": Befall(_seller_was_paid, _refunded_by_hand),
    "a part refunded by hand after the end": Befall(_ENDED, _part_refunded(3)),
    "refunded by hand after the end": Befall(_ENDED, _refunded_by_hand),
    "account closed for long": Befall(_in("FUNDS_HELD"), _account_closed(4, 6)),
    "account closed": Befall(_in("FUNDS_HELD", "DELIVERED"), _account_closed()),
    "payee risky": Befall(_in("DELIVERED", "DISPUTED"), _payee_risky),
    "payee refused": Befall(_in("FUNDS_HELD", "DELIVERED"), _payee_refused),
    "warned as it waits": Befall(lambda trade: _has_leg(trade, "PLANNED"), _warned),
    "charged back as it waits": Befall(lambda trade: _has_leg(trade, "PLANNED"), _charged_back("won")),
    "account closed before the split": Befall(
        _split(("SELLER", "PLANNED"), ("BUYER", "PLANNED")), _account_closed(6.2, 6.8), at_once=True
    ),
    "charged back between two legs": Befall(
        _split(("SELLER", "PLANNED"), ("BUYER", "CONFIRMED")), _charged_back("lost", 20)
    ),
    "frozen as it is planned": Befall(lambda trade: _has_leg(trade, "PLANNED"), _frozen, at_once=True),
    "frozen as it is sent": Befall(lambda trade: _has_leg(trade, "SENT"), _frozen, at_once=True),
    "reclaimed": Befall(_in(*PAID), _reclaimed),
    "lost in a fork": Befall(_in("FUNDS_HELD", "DELIVERED", "DISPUTED"), _lost_in_a_fork),
    "dusted": Befall(_in("AWAIT_FUNDS", "DELIVERED", "RELEASED", "CANCELLED"), _dusted),
    "paid late": Befall(_in("RELEASED", "REFUNDED", "SPLIT", "CANCELLED"), _paid_late),
    "rollback": Befall(_in("DELIVERED"), assets.take_back),
    "sold on": Befall(_in("DELIVERED"), lambda trade: assets.give(trade, "987654")),
    "passed on": Befall(_is_rejected, lambda trade: assets.give(trade, "987654"), at_once=True),
    "disputed as it waits": Befall(lambda trade: _has_leg(trade, "PLANNED"), _disputed),
    "rollback in a dispute": Befall(
        lambda trade: _in("DISPUTED")(trade) and _has_leg(trade, "PLANNED"), assets.take_back
    ),
    "released as it is seen": Befall(_is_seen_unproven, _released_unproven, at_once=True),
    "a part refunded by hand as it waits": Befall(
        lambda trade: _in("SETTLING")(trade) and _has_leg(trade, "PLANNED"), _part_refunded(3)
    ),
    "rollback once the buyer has his part": Befall(_paid_to_the_buyer_alone, assets.take_back),
    "locked": Befall(_in("DELIVERED"), lambda trade: assets.lock(trade)),
    "Roblox gone": Befall(_in("FUNDS_HELD", "DELIVERED"), _roblox_gone(2)),
    "Roblox gone for long": Befall(_in("FUNDS_HELD", "DELIVERED"), _roblox_gone(9)),
    "banned": Befall(_in("FUNDS_HELD"), _banned),
    "banned as they bargain": Befall(lambda trade: trade.offer is not None, _banned, at_once=True),
    "banned as they sign": Befall(lambda trade: trade.contract is not None, _banned, at_once=True),
    "banned before he pays": Befall(_in("AWAIT_FUNDS"), _banned),
}
