"""The invariants of states.md over every row of a world that came to rest: C1 to C12, I1 to I7, and that all ended.

Each law is a function that yields what breaks it, in words. What holds at every moment (versions, moves, ends that stay
ends) is watched on the way: watch.py.
"""

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bloxtr8 import audit, clock, config
from bloxtr8.domain import agreements, escrows, ledger, manual_payments, reconciliations, settlements
from bloxtr8.domain.reconciliations import Difference
from bloxtr8.entities import Account, Root
from bloxtr8.ids import ulid_of
from bloxtr8.rails import stripe_books
from tests import shares
from tests.chaos import faults, schedules
from tests.chaos.returned import no_rest_is_returned_unseen
from tests.chaos.rollbacks import no_seller_is_paid_for_what_he_has_again

if TYPE_CHECKING:
    from tests.chaos.world import World

type Found = Iterator[str]
ENDED = {"RELEASED", "REFUNDED", "SPLIT", "CANCELLED"}
OURS = {Account.HELD, Account.SURPLUS}
_PAYEES = {Account.BUYER, Account.SELLER, Account.FEES}
# After faults anything may be lost, throttled or stale; what else a function ends with is a fault of its own.
EXPECTED_ERRORS = {
    "NoAnswer", "Refused", "ClientError", "ConnectionClosedError", "BatchProcessingError", "StaleWrite",
    "UpstreamFailed", "RailThrottled", "RailOutcomeUnknown",
}  # fmt: skip
STRIPES_OWN = dt.timedelta(days=10)  # from our limit of holding a card's money to Stripe's
# Of these alarms each says that money is not where the books have it.
WRONG_MONEY = ("does not reconcile", "holds more than", "holds less than", "that nobody ordered", "more was reclaimed")


def broken(world: "World") -> list[str]:
    """What does not hold."""
    return [f"{law.__name__}: {found}" for law in LAWS for found in law(world)]


def cents(world: "World") -> Counter[str]:
    """What came in, is held, and went out by the books, and by how much the providers have it otherwise."""
    found: Counter[str] = Counter()
    for escrow in world.escrows():
        accounts = ledger.balance(escrow, world.file(escrow).ledger).accounts
        found["in"] -= sum(min(accounts[one], 0) for one in (Account.BUYER, Account.LOSS))
        found["in"] += escrow.refunded
        found["held"] += accounts[Account.HELD] + accounts[Account.SURPLUS]
        found["out"] += escrow.refunded + sum(accounts[one] for one in (Account.SELLER, Account.FEES, Account.BANK))
    found["differences"] = sum(abs(one.booked - one.found) for one in _differences(world))
    return found


def _differences(world: "World") -> Iterator[Difference]:
    """Between the books of every escrow and what its vault holds, or Stripe has of it."""
    for escrow in world.escrows():
        file = world.file(escrow)
        if file.rail.external_id is None:
            continue
        if escrow.rail == "USDC_BASE":
            units = world.outside.chain.at_finality([file.rail.external_id])[file.rail.external_id]
            yield from reconciliations.of_vault(file, units)
        else:
            has = stripe_books.books(world.outside.plain_stripe, str(file.rail.external_id), escrow.id)
            yield from reconciliations.of_card(file, *has.net)


def every_trade_ended(world: "World") -> Found:
    for trade in world.trades:
        if not trade.over:
            yield f"t{trade.number} {trade.fate.name} is {trade.escrow and trade.escrow.status}"
    for row in world.rows("SETTLEMENT#"):
        legs = world.mirror.partition(f"ESCROW#{row.escrow_ulid}", f"LEG#{row.id}")
        if row.status in {"OPEN", "PARKED"}:
            yield f"{row.id} {row.kind} is {row.status} {row.error}"
        if row.status == "DONE" and any(leg.status != "CONFIRMED" for leg in legs):
            yield f"{row.id} is DONE with legs {[str(leg.status) for leg in legs]}"
    for escrow in world.escrows():
        if not escrow.funding_closed and escrow.status == "CANCELLED":
            yield f"{escrow.id} could still be paid"


def nothing_is_left_over(world: "World") -> Found:
    for row in world.mirror.every("WEBHOOK#"):
        if row.status != "PROCESSED":
            yield f"{row.id} {row.event_type} is {row.status} {row.error}"
    for row in world.mirror.every("USER#", "DEALS"):
        if row.open:
            yield f"{row.user_id} has {row.open} open deals"
    for run in world.machines.runs.values():
        if run.status == "RUNNING":
            yield f"{run.name} is asleep in {run.state}"


def no_function_broke(world: "World") -> Found:
    for what, times in world.errors.items():
        if what.rpartition(" ")[2] not in EXPECTED_ERRORS:
            yield f"{what}, {times} times"
    for alarm in world.alarms:
        excused = _explained(world, alarm) or _was_adopted(world, alarm)
        if any(words in alarm for words in WRONG_MONEY) and not excused:
            yield alarm


def _explained(world: "World", told: str) -> bool:
    return _was_emptied(world, told) or _was_taken_later(world, told)


def _was_emptied(world: "World", told: str) -> bool:
    """Whether it is told of a vault that was emptied from outside: until the platform sees why, its books differ."""
    emptied = [one for one in world.trades if one.escrow and {"lost in a fork", "reclaimed"} & one.marks]
    return any(one.escrow.id in told for one in emptied if one.escrow)


def _was_adopted(world: "World", told: str) -> bool:
    """Whether it is told of a refund that nobody of the platform ordered, and that the books have in the end: it was
    told of while a leg might have moved the same money."""
    taken = (str(leg.adopted_id) for leg in world.rows("LEG#") if leg.adopted_id and leg.status == "CONFIRMED")
    return "that nobody ordered" in told and any(refund_id in told for refund_id in taken)


def every_place_is_known(world: "World") -> Found:
    """Where something was asked, or on its way, that is no pair's: sites.py does not see it."""
    known = {place for place, _ in faults.pairs(schedules.names())}
    yield from (f"{place} is asked and not in sites.py" for place in world.luck.seen if place not in known)


def _was_taken_later(world: "World", told: str) -> bool:
    """Whether it is told of a difference that refunds by hand were, to the cent, which the books have in the end: until
    their event comes, or while a leg might have moved the same money, only Stripe has them."""
    for escrow in world.escrows():
        hands = [row.amount for row in world.file(escrow).legs if row.adopted_id and row.status == "CONFIRMED"]
        sums = {sum(some) for n in range(1, len(hands) + 1) for some in combinations(hands, n)}
        differs = re.search(rf"'BUYER_DIFFERS', 'escrowId': '{escrow.id}', 'booked': (\d+), 'found': (\d+)", told)
        if differs and int(differs[1]) - int(differs[2]) in sums:
            return True
    return False


def c1_one_open_deal_a_listing(world: "World") -> Found:
    open_deals: Counter[str] = Counter()
    for contract in world.mirror.every("CONTRACT#", "META"):
        escrow = world.mirror.row(f"ESCROW#{contract.ulid}", "META")
        if contract.status != "VOID" and (escrow is None or escrow.status not in ENDED):
            open_deals[contract.listing_id] += 1
    for row in world.mirror.every("LISTING#", "META"):
        if open_deals[row.id] > 1:
            yield f"{row.id} has {open_deals[row.id]} deals"
        if (row.status == "RESERVED") != (row.reserved_offer_id is not None):
            yield f"{row.id} is {row.status} for {row.reserved_offer_id}"
        if row.status == "RESERVED" and not open_deals[row.id]:
            yield f"{row.id} is reserved for nobody"


def c2_one_live_listing_an_asset(world: "World") -> Found:
    live = [row for row in world.mirror.every("LISTING#", "META") if row.status in {"ACTIVE", "RESERVED"}]
    for asset, number in Counter((row.asset_type, row.asset_id) for row in live).items():
        if number > 1:
            yield f"{asset} is for sale {number} times"
    guarded = {row.listing_id for row in world.mirror.every("ASSET#")}
    if guarded != {row.id for row in live}:
        yield f"guards {guarded ^ {row.id for row in live}}"


def c4_c5_one_contract_one_escrow(world: "World") -> Found:
    offers: Counter[str] = Counter()
    escrows = {escrow.ulid for escrow in world.escrows()}
    for row in world.mirror.every("CONTRACT#", "META"):
        offers[row.offer_id] += row.status != "VOID"
        signatures = world.mirror.partition(f"CONTRACT#{row.ulid}", "SIG#")
        executed = row.status == "EXECUTED"
        if executed != (len(signatures) == 2) or executed != (row.ulid in escrows):
            yield f"{row.id} is {row.status} with {len(signatures)} signatures"
    yield from (f"{offer} has {number} contracts" for offer, number in offers.items() if number > 1)


def c6_one_live_thing(world: "World") -> Found:
    for escrow in world.escrows():
        file = world.file(escrow)
        held = [
            row for row in file.settlements if row.status in {"OPEN", "PARKED"} and row.kind not in settlements.APART
        ]
        disputes = [row for row in file.disputes if row.status in {"OPEN", "IN_REVIEW"}]
        proposals = [row for row in file.proposals if row.status == "OPEN"]
        if max(map(len, (held, disputes, proposals))) > 1:
            yield f"{escrow.id}: {len(held)} settlements, {len(disputes)} disputes, {len(proposals)} proposals"
        if disputes and escrow.status in ENDED:
            yield f"{escrow.id} ended and is disputed"
        if escrow.settlement_id != (held[0].id if held else None):
            yield f"{escrow.id} names {escrow.settlement_id}"


def c7_the_audit_chains_hold(world: "World") -> Found:
    roots: dict[str, Root] = {}
    for pk in world.mirror.rows:
        for row in world.mirror.partition(pk):
            if isinstance(row, Root):
                roots.setdefault(row.root_id, row)  # of a chain of offers the first
    chains = {pk.removeprefix("AUDIT#") for pk in world.mirror.rows if pk.startswith("AUDIT#")}
    for root_id in sorted(chains | set(roots)):
        entries = world.mirror.partition(f"AUDIT#{root_id}")
        root = roots.get(root_id)
        if root is not None and root.audit_seq == 0 and not entries:
            continue
        verdict = audit.complete(audit.verify(entries), root_id, root)
        if not verdict.ok:
            yield f"{root_id} is broken at {verdict.broken_at}"


_DEADLINES = {
    "auto_release": ("Escrow", "inspect_by"),
    "refund_undelivered": ("Escrow", "deliver_by"),
    "cancel_unfunded": ("Escrow", "fund_by"),
    "expire_offer": ("Offer", "expires_at"),
    "expire_contract": ("Contract", "sign_by"),
}


def c8_no_deadline_is_early(world: "World") -> Found:
    for entry in world.mirror.every("AUDIT#"):
        kind, name = _DEADLINES.get(entry.action, (None, ""))
        if kind is None:
            continue
        changed = next(one for one in entry.changes if one["type"] == kind)
        versions = [world.watch.saved[kind, changed["id"], changed["version"] - n] for n in (0, 1)]
        deadline = clock.parse(
            next(row[name]["S"] for row in versions if name in row)
        )  # the next milestone has none yet
        if deadline > entry.at and not _canceled_at_stripe(world, entry):
            yield f"{entry.id} {entry.action} at {entry.at}, before {deadline}"


def _canceled_at_stripe(world: "World", entry: Any) -> bool:
    """A PaymentIntent that is canceled there ends the funding as its deadline does."""
    rail = world.mirror.row(f"ESCROW#{ulid_of(entry.root_id)}", "RAIL")
    if entry.action != "cancel_unfunded" or rail.external_id is None or not rail.external_id.startswith("pi_"):
        return False
    return world.outside.stripe._world.get("payment_intent", rail.external_id)["status"] == "canceled"


def no_clock_refunds_what_left_the_buyer(world: "World") -> Found:
    """Of an asset that both sources showed at the buyer, and that is not the seller's again, no clock gives the price
    back."""
    for escrow in world.escrows():
        times = [
            row.at for row in world.mirror.partition(f"AUDIT#{escrow.root_id}") if row.action == "refund_undelivered"
        ]
        paid = any(row.transfers_asset and row.status == "RELEASED" for row in world.file(escrow).milestones)
        if not times or paid:  # of what is left then Roblox shows nothing
            continue
        looks = world.mirror.partition(f"LISTING#{escrow.listing_id}", "SNAP#")
        owners = [row.owner_id for row in looks if row.source == "BOTH" and escrow.created_at <= row.at <= times[0]]
        if escrow.buyer_roblox_id in owners and owners[-1] != escrow.seller_roblox_id:
            yield f"{escrow.id} was refunded when its asset was {owners[-1]}'s, and had been the buyer's"


def no_card_is_held_too_long_unheard(world: "World") -> Found:
    """From the limit on nothing is taken back, the first look leaves nothing undecided that is not before people, and
    in the ten days that are left to Stripe's own it was looked at."""
    for escrow in world.escrows():
        limit = escrows.hold_limit(escrow)
        if limit is None:
            continue
        for row in world.file(escrow).disputes:
            if row.created_at >= limit and row.escalated_at is None:
                yield f"{row.id} was opened over the limit and not escalated"
        yield from (
            f"{escrow.id}: {what}" for what in _unheard(world.mirror.partition(f"AUDIT#{escrow.root_id}"), limit)
        )


def _unheard(entries: list[Any], limit: dt.datetime) -> Found:
    """What its entries say of the time over its limit."""
    status, heard = "", False
    for entry in entries:
        waits = status in escrows.UNDECIDED or (status == "DISPUTED" and not heard)
        if waits and entry.at >= limit + STRIPES_OWN:
            yield f"{status} and before nobody until {entry.at}"
        if entry.at >= limit and entry.action == "withdraw_dispute":
            yield f"a dispute was taken back at {entry.at}"
        status = next((one["to"] for one in entry.changes if one["type"] == "Escrow"), status)
        if any(one["type"] == "Dispute" for one in entry.created):
            heard = entry.at >= limit
        heard = heard or entry.action == "escalate_dispute"
        waits = status in escrows.UNDECIDED or (status == "DISPUTED" and not heard)
        looked = entry.action in {"look_again", "warn_inspection"} and {one["type"] for one in entry.changes} == {
            "Escrow"
        }
        if waits and entry.at >= limit and looked:
            yield f"was looked at and left {status} at {entry.at}"


def c12_what_was_signed_is_what_was_seen(world: "World") -> Found:
    for row in world.mirror.every("CONTRACT#", "SIG#"):
        contract = world.mirror.row(f"CONTRACT#{row.contract_ulid}", "META")
        document = world.outside.objects[config.settings().contracts_bucket, f"{_key(contract.sha256)}"][0]
        if not row.sha256 == contract.sha256 == hashlib.sha256(document).hexdigest():
            yield f"{row.contract_id} was signed as {row.sha256}"
    for row in world.mirror.every("OFFER#"):
        listing = world.mirror.row(f"LISTING#{row.listing_id}", "META")
        if row.terms_hash is not None:
            accepted, row.terms_hash = row.terms_hash, None  # what it is, not what it says that it was
            if accepted != agreements.terms_hash(row, listing):
                yield f"{row.id} was accepted as {accepted}"
            row.terms_hash = accepted


def _key(sha256: str) -> str:
    from bloxtr8.documents import store

    return store.key_of(sha256)


def i1_i2_i7_the_books_balance(world: "World") -> Found:
    for escrow in world.escrows():
        found = ledger.balance(escrow, world.file(escrow).ledger)
        if not found.balanced or sum(found.accounts.values()):
            yield f"{escrow.id} does not balance: {found.accounts}"
        left = escrow.surplus if escrow.rail == "STRIPE" else escrow.surplus - escrow.quarantined
        if escrow.status in ENDED and (escrow.held or left > _kept(escrow)):
            yield f"{escrow.id} ended with {escrow.held} held and {left} surplus"
        kept = found.accounts[Account.LOSS] + sum(row.fee for row in world.file(escrow).chargebacks)
        if kept > 0:
            yield f"{escrow.id} took {kept} of its seller for no loss"


def _kept(escrow: Any) -> int:
    """So little surplus stays in a vault: it is not worth a call."""
    return config.settings().return_minimum_cents - 1 if escrow.rail == "USDC_BASE" else 0


def section_10_each_side_got_its_share(world: "World") -> Found:
    for escrow in world.escrows():
        yield from shares.wrong(world.file(escrow))


def i3_the_milestones_are_the_amount(world: "World") -> Found:
    for escrow in world.escrows():
        rows = world.file(escrow).milestones
        if rows and sum(row.amount for row in rows) != escrow.amount:
            yield f"{escrow.id} of {escrow.amount} has parts {[row.amount for row in rows]}"
        if escrow.status in ENDED and any(row.status not in {"RELEASED", "REFUNDED", "CANCELLED"} for row in rows):
            yield f"{escrow.id} ended with parts {[str(row.status) for row in rows]}"


def i4_every_line_has_its_cause(world: "World") -> Found:
    for escrow in world.escrows():
        file = world.file(escrow)
        booked: Counter[str] = Counter()
        for line in file.ledger:
            if line.credit in _PAYEES or line.debit is Account.SELLER:  # what came back later is not its payment
                booked[str(line.leg_id)] += line.amount
            crosses = (line.debit in OURS) != (line.credit in OURS)
            if crosses and not (line.leg_id or line.deposit_ref or line.external_id):
                yield f"{escrow.id} line {line.seq} {line.debit}→{line.credit} has no cause"
        for leg in file.legs:
            due = leg.amount + leg.fee + leg.also_buyer if leg.status == "CONFIRMED" else 0
            if booked[leg.id] != due:
                yield f"{leg.id} {leg.status} of {due} is booked with {booked[leg.id]}"


def i5_every_outside_id_once(world: "World") -> Found:
    lines = [(line.external_id, _part(line)) for line in world.rows("LEDGER#") if line.external_id]
    yield from (f"{name} is booked {number} times" for name, number in Counter(lines).items() if number > 1)
    paid = [row.external_id for row in world.rows("LEG#") if row.status == "CONFIRMED"]
    yield from (f"{name} pays {number} legs" for name, number in Counter(paid).items() if number > 1)


def i5_what_was_paid_by_hand_was_recorded_once(world: "World") -> Found:
    said = {}
    for row in world.rows("MANUAL#"):
        if row.status == "RECORDED":
            said[f"{row.settlement_id}-{row.leg:02}"] = f"manual:{row.payment_id}", row.amount
            same = {one["id"] for one in row.people if _bare(one["paymentId"]) == _bare(row.payment_id)}
            people, needed = len(same), manual_payments.needed(world.escrow_of(row))
            if people < needed:
                yield f"{row.id} was recorded by {people} of {needed}"
    paid = {leg.id: (leg.external_id, leg.amount) for leg in world.rows("LEG#") if leg.by_hand}
    if said != paid:
        yield f"said {said}, and paid {paid}"


def _bare(payment_id: str) -> str:
    return payment_id.replace("-", "")


def _part(line: Any) -> tuple[str, str]:
    """One payment of a card can be two lines: the seller's and our fee, or two sides of a chargeback."""
    return str(line.debit), str(line.credit)


def i6_the_money_is_where_the_books_have_it(world: "World") -> Found:
    for escrow in world.escrows():
        file = world.file(escrow)
        if file.rail.external_id is None and file.ledger:
            yield f"{escrow.id} has lines and no place of payment"
    yield from map(str, _differences(world))
    if world.outside.stripe.ledger_sum():
        yield f"Stripe's own books are off by {world.outside.stripe.ledger_sum()}"


def reconciliation_found_nothing(world: "World") -> Found:
    for row in world.mirror.every("RECON#"):
        yield from (f"{row.day} {one}" for one in row.differences if not _explained(world, str(one)))


LAWS: tuple[Callable[["World"], Found], ...] = (
    every_trade_ended,
    nothing_is_left_over,
    no_function_broke,
    every_place_is_known,
    c1_one_open_deal_a_listing,
    c2_one_live_listing_an_asset,
    c4_c5_one_contract_one_escrow,
    c6_one_live_thing,
    c7_the_audit_chains_hold,
    c8_no_deadline_is_early,
    no_clock_refunds_what_left_the_buyer,
    no_rest_is_returned_unseen,
    no_seller_is_paid_for_what_he_has_again,
    no_card_is_held_too_long_unheard,
    c12_what_was_signed_is_what_was_seen,
    i1_i2_i7_the_books_balance,
    section_10_each_side_got_its_share,
    i3_the_milestones_are_the_amount,
    i4_every_line_has_its_cause,
    i5_every_outside_id_once,
    i5_what_was_paid_by_hand_was_recorded_once,
    i6_the_money_is_where_the_books_have_it,
    reconciliation_found_nothing,
)
