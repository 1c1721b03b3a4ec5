"""The competing moves of states.md, two at a time: where they begin, and who makes each."""

from dataclasses import replace

from tests.lifecycles.stages import DELIVERED, HELD, OPENED, PART_CONFIRMED
from tests.races.moves import Either, Pair, by, charge, job, later, owned, reclaimed, run, told, voted, votes

OVER_LIMIT = (later(days=60), job("enforce_escrow_deadlines"), later(days=20, minutes=1))
WARNED = (later(days=6, minutes=1), job("enforce_escrow_deadlines"), later(days=1, minutes=1))
LOOKED_ONCE = (owned("seller"), later(days=7, minutes=1), job("enforce_escrow_deadlines"), later(minutes=6))
SEEN_ONCE = (owned("buyer"), job("watch_assets"), later(minutes=6))
BACK = (owned("seller"), later(minutes=20))

_HOLD = {"reason": "r", "hold": "COMPLIANCE"}
REVIEWED = f"{HELD}, disputed by the buyer, reviewed"
DEAR_DOUBTED = f"{OPENED.replace('offer', 'dear offer', 1)}, paid on chain, held, started, delivered, doubted"
PROPOSED = f"{HELD}, proposed by the buyer"
REFUSED = f"{DELIVERED}, confirmed, refused"
ANNOUNCED = f"{REFUSED}, announced"
later_delivery = by("buyer", "extend_deadline", pick=1)
later_release = by("seller", "extend_deadline", pick=2)
finish, reclaim = run("finish_settlement", "finish_settlement"), run("record_reclaim", "poll_chain")
charged_back = told("record_chargeback", "charge.dispute.created")
lost = told("lose_chargeback", "charge.dispute.closed")
taken = told("take_refund", "refund.updated")
auto_release = run("auto_release", "enforce_escrow_deadlines")
refund_undelivered = run("refund_undelivered", "enforce_escrow_deadlines")
watch_proves = run("prove_delivery", "watch_assets")
watch_disputes = run("open_system_dispute", "watch_assets")
confirm, refund = by("buyer", "confirm_delivery"), by("seller", "refund_escrow")
dispute, accept = by("buyer", "open_dispute"), by("seller", "accept_settlement")
announce, resume = by("admin", "announce_manual_payment"), by("admin", "resume_settlement")
record, not_paid = by("admin", "record_manual_payment"), by("admin", "withdraw_manual_payment")
to_seller = by("admin", "announce_manual_payment", {"pays": "SELLER", "amount": 100_000, "reason": "r"})
freeze = by("officer", "decide_hold", _HOLD | {"decision": "FREEZE"})
clear, give_back = (votes("officer", decision) for decision in ("CLEAR", "REFUND"))

PAIRS: dict[str, Pair] = {
    # the market
    "accept and withdraw": Pair("offer", by("seller", "accept_offer"), by("buyer", "withdraw_offer")),
    "accept and counter": Pair("offer", by("seller", "accept_offer"), by("seller", "counter_offer")),
    "decline and withdraw": Pair("offer", by("seller", "decline_offer"), by("buyer", "withdraw_offer")),
    "counter and withdraw": Pair("offer", by("seller", "counter_offer"), by("buyer", "withdraw_offer")),
    "accept and cancel the listing": Pair("offer", by("seller", "accept_offer"), by("seller", "cancel_listing")),
    "accept and deactivate": Pair("offer", by("seller", "accept_offer"), by("seller", "deactivate_listing")),
    # the contract
    "the last signature and void": Pair(
        "offer, accepted, rendered, signed by the buyer", by("seller", "sign_contract"), by("buyer", "void_contract")
    ),
    "one signature twice": Pair(
        "offer, accepted, rendered", by("seller", "sign_contract"), by("seller", "sign_by_link")
    ),
    "void and void": Pair("offer, accepted, rendered", by("seller", "void_contract"), by("buyer", "void_contract")),
    # the funding
    "webhook and cancel": Pair(
        f"{OPENED}, pays", told("record_deposit", "payment_intent.succeeded"), by("buyer", "cancel_escrow")
    ),
    "more time and the end of it": Pair(
        OPENED, by("seller", "extend_deadline"), run("cancel_unfunded", "cancel_unfunded"), (later(days=4),)
    ),
    "cancel and the end of time": Pair(
        OPENED, by("buyer", "cancel_escrow"), run("cancel_unfunded", "cancel_unfunded"), (later(days=4),)
    ),
    "hold and freeze": Pair(
        f"{OPENED}, paid",
        run("hold_funds", "hold_funds"),
        freeze,
        either=Either(
            "Money is frozen whether it is held yet or not; frozen, it is not held until people say so.",
            "FUNDS_HELD + COMPLIANCE, HELD 100000",
            "AWAIT_FUNDS + COMPLIANCE, HELD 100000",
        ),
    ),
    "hold and hold": Pair(f"{OPENED}, paid", run("hold_funds", "hold_funds"), run("hold_funds", "hold_funds")),
    # the delivery
    "watch and mark": Pair(f"{HELD}, started", watch_proves, by("seller", "mark_delivered"), SEEN_ONCE),
    "verify and mark": Pair(f"{HELD}, started", by("buyer", "verify_delivery"), by("seller", "mark_delivered")),
    "mark and refund": Pair(
        f"{HELD}, started",
        by("seller", "mark_delivered"),
        refund,
        either=Either(
            "A seller may refund what he has just delivered; what is refunded is delivered no more.",
            "SETTLING, REFUND OPEN, HELD 100000",
            "SETTLING, REFUND OPEN, HELD 100000",
        ),
    ),
    "mark and dispute": Pair(
        f"{HELD}, started",
        by("seller", "mark_delivered"),
        dispute,
        either=Either(
            "What was delivered is disputed as what was not; while it is, nobody delivers.",
            "DISPUTED, dispute OPEN, HELD 100000",
            "DISPUTED, dispute OPEN, HELD 100000",
        ),
    ),
    "no delivery and refund": Pair(HELD, refund_undelivered, refund, LOOKED_ONCE),
    "no delivery and dispute": Pair(HELD, refund_undelivered, dispute, LOOKED_ONCE),
    "no delivery and more time": Pair(
        HELD,
        refund_undelivered,
        later_delivery,
        LOOKED_ONCE,
    ),
    "it left the buyer and the seller's dispute": Pair(
        f"{DELIVERED}, rejected, taken back",
        run("open_system_dispute", "enforce_escrow_deadlines"),
        by("seller", "open_dispute"),
        (owned("stranger"), later(days=7, minutes=1)),
    ),
    # the release
    "confirm and refund": Pair(DELIVERED, confirm, refund),
    "confirm and dispute": Pair(DELIVERED, confirm, dispute),
    "confirm and reject": Pair(DELIVERED, confirm, by("buyer", "reject_delivery")),
    "confirm and the seller's dispute": Pair(DELIVERED, confirm, by("seller", "open_dispute")),
    "confirm and confirm": Pair(DELIVERED, confirm, confirm),
    "confirm and freeze": Pair(
        DELIVERED,
        confirm,
        freeze,
        either=Either(
            "What is being paid is frozen too and stays planned; what is frozen is not confirmed.",
            "SETTLING + COMPLIANCE, RELEASE OPEN, HELD 100000",
            "DELIVERED + COMPLIANCE, HELD 100000",
        ),
    ),
    "auto-release and confirm": Pair(DELIVERED, auto_release, confirm, WARNED),
    "auto-release and refund": Pair(DELIVERED, auto_release, refund, WARNED),
    "auto-release and dispute": Pair(DELIVERED, auto_release, dispute, WARNED),
    "auto-release and reject": Pair(DELIVERED, auto_release, by("buyer", "reject_delivery"), WARNED),
    "auto-release and auto-release": Pair(DELIVERED, auto_release, auto_release, WARNED),
    "auto-release and more time": Pair(
        DELIVERED,
        auto_release,
        later_release,
        WARNED,
    ),
    "auto-release and freeze": Pair(
        DELIVERED,
        auto_release,
        freeze,
        WARNED,
        either=Either(
            "As with the buyer's word; of what is frozen no deadline passes.",
            "SETTLING + COMPLIANCE, RELEASE OPEN, HELD 100000",
            "DELIVERED + COMPLIANCE, HELD 100000",
        ),
    ),
    "watch and the deadline, the asset is back": Pair(
        DELIVERED, watch_disputes, run("open_system_dispute", "enforce_escrow_deadlines"), (*WARNED, *BACK)
    ),
    "watch and confirm": Pair(DELIVERED, watch_disputes, confirm, BACK),
    "a rollback and the payout": Pair(
        f"{DELIVERED}, confirmed", run("place_hold", "watch_assets"), run("send_leg", "send_leg"), BACK
    ),
    "watch and dispute": Pair(DELIVERED, watch_disputes, dispute, BACK),
    # the limit of holding a card's money
    "the limit and confirm": Pair(
        DELIVERED, run("open_system_dispute", "enforce_escrow_deadlines"), confirm, (later(days=80, minutes=1),)
    ),
    "the limit and dispute": Pair(
        DELIVERED, run("open_system_dispute", "enforce_escrow_deadlines"), dispute, (later(days=80, minutes=1),)
    ),
    "the limit and withdraw": Pair(
        f"{HELD}, disputed by the buyer",
        run("escalate_dispute", "enforce_escrow_deadlines"),
        by("buyer", "withdraw_dispute"),
        OVER_LIMIT,
    ),
    "the limit and resolve": Pair(
        REVIEWED,
        run("escalate_dispute", "enforce_escrow_deadlines"),
        by("judge", "resolve_dispute"),
        OVER_LIMIT,
        either=Either(
            "A decision ends what is over the limit; to be escalated is no outcome.",
            "SETTLING, SPLIT OPEN, dispute RESOLVED, HELD 100000",
            "SETTLING, SPLIT OPEN, dispute RESOLVED, HELD 100000",
        ),
    ),
    # disputes and settlements
    "dispute and dispute": Pair(HELD, dispute, by("seller", "open_dispute")),
    "refund and resolve": Pair(REVIEWED, refund, by("judge", "resolve_dispute")),
    "withdraw and resolve": Pair(REVIEWED, by("buyer", "withdraw_dispute"), by("judge", "resolve_dispute")),
    "settlement and resolve": Pair(f"{REVIEWED}, proposed by the buyer", accept, by("judge", "resolve_dispute")),
    "two arbiters": Pair(
        f"{HELD}, disputed by the buyer", by("judge", "assign_dispute", {}), by("arbiter", "assign_dispute", {})
    ),
    "proposal and proposal": Pair(HELD, by("buyer", "propose_settlement"), by("seller", "propose_settlement")),
    "accept and withdraw a settlement": Pair(PROPOSED, accept, by("buyer", "withdraw_settlement")),
    "accept and reject a settlement": Pair(PROPOSED, accept, by("seller", "reject_settlement")),
    "settlement and refund": Pair(PROPOSED, accept, refund),
    "settlement and confirm": Pair(f"{DELIVERED}, proposed by the buyer", accept, confirm),
    "settlement and resume": Pair(f"{DELIVERED}, confirmed, parked, proposed by the buyer", accept, resume),
    # a refused part gives way, or is tried again
    "refund of a refused part and resume": Pair(f"{PART_CONFIRMED}, parked", refund, resume),
    "resolve and resume": Pair(
        f"{PART_CONFIRMED}, parked, disputed by the buyer, reviewed",
        by("judge", "resolve_dispute"),
        resume,
    ),
    "send back and resume": Pair(f"{PART_CONFIRMED}, parked, doubted", give_back, resume),
    "send all back and resume": Pair(f"{DELIVERED}, confirmed, parked, doubted", give_back, resume),
    "send all back and clear": Pair(f"{DELIVERED}, confirmed, doubted, stopped", give_back, clear),
    # what Stripe refused is paid outside, once
    "announce and resume": Pair(REFUSED, announce, resume),
    "announce and announce": Pair(REFUSED, announce, announce),
    "announce and refund": Pair(f"{PART_CONFIRMED}, refused", announce, refund),
    "announce and accept a settlement": Pair(f"{REFUSED}, proposed by the buyer", announce, accept),
    "announce what is set aside to the buyer and to the seller": Pair(
        f"{DELIVERED}, charged back and given back", announce, to_seller
    ),
    "record and record": Pair(ANNOUNCED, record, record),
    "record and withdraw a manual payment": Pair(ANNOUNCED, record, not_paid),
    # holds
    "clear and send back": Pair(f"{DELIVERED}, doubted", clear, give_back),
    "two people who clear": Pair(
        DEAR_DOUBTED,
        clear,
        replace(votes("colleague", "CLEAR"), action="vote_on_hold"),
        (voted(),),
        "USDC",
        either=Either(
            "Each of two counts, and the second decides.",
            "DELIVERED, HELD 2000000",
            "DELIVERED, HELD 2000000",
        ),
    ),
    "the last vote to clear and to send back": Pair(
        DEAR_DOUBTED, clear, votes("colleague", "REFUND"), (voted("CLEAR", "REFUND"),), "USDC"
    ),
    "send back and send back": Pair(f"{DELIVERED}, doubted", give_back, give_back),
    "clear and confirm": Pair(
        f"{DELIVERED}, doubted",
        clear,
        confirm,
        either=Either(
            "Only what is cleared can be confirmed.",
            "SETTLING, RELEASE OPEN, HELD 100000",
            "DELIVERED, HELD 100000",
        ),
    ),
    "send back and dispute": Pair(
        f"{DELIVERED}, doubted",
        give_back,
        dispute,
        either=Either(
            "COMPLIANCE's refund ends a dispute, and nobody opens one about it.",
            "SETTLING, REFUND OPEN, HELD 100000",
            "SETTLING, REFUND OPEN, dispute CLOSED, HELD 100000",
        ),
    ),
    # the bank
    "refund by hand and confirm": Pair(
        DELIVERED,
        told("adopt_refund", "refund.created"),
        confirm,
        (charge("refund"),),
        either=Either(
            "The buyer has the money already: a release of which nothing moved gives way, and none is begun.",
            "SETTLING, REFUND OPEN, HELD 100000",
            "SETTLING, REFUND OPEN, RELEASE DROPPED, HELD 100000",
        ),
    ),
    "a part by hand, told twice": Pair(DELIVERED, taken, taken, (charge("part"),)),
    "a part by hand and confirm": Pair(
        DELIVERED,
        taken,
        confirm,
        (charge("part"),),
        either=Either(
            "Only what is left is released: a release of all of it gives way to one of the rest.",
            "SETTLING, DASHBOARD DONE, RELEASE OPEN, HELD 70000",
            "SETTLING, DASHBOARD DONE, RELEASE DROPPED, RELEASE OPEN, HELD 70000",
        ),
    ),
    "a part by hand and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        taken,
        finish,
        (charge("part"),),
        either=Either(
            "As of a lost chargeback: it holds until all has ended, and its event is tried again.",
            "RELEASED + RISK_REVIEW, RELEASE DONE, SELLER 97100, FEES 2900",
            "RELEASED, DASHBOARD DONE, RECOVERY OPEN, RELEASE DONE, SELLER 97100, FEES 2900",
        ),
    ),
    "chargeback and confirm": Pair(
        DELIVERED,
        charged_back,
        confirm,
        (charge("open"),),
        either=Either(
            "A release that was begun waits on hold; of what the bank asks for none is begun.",
            "DELIVERED + CHARGEBACK, chargeback OPEN, BANK 1500, HELD 100000",
            "SETTLING + CHARGEBACK, RELEASE OPEN, chargeback OPEN, BANK 1500, HELD 100000",
        ),
    ),
    "chargeback and auto-release": Pair(
        DELIVERED,
        charged_back,
        auto_release,
        (*WARNED, charge("open")),
        either=Either(
            "As with the buyer's word.",
            "DELIVERED + CHARGEBACK, chargeback OPEN, BANK 1500, HELD 100000",
            "SETTLING + CHARGEBACK, RELEASE OPEN, chargeback OPEN, BANK 1500, HELD 100000",
        ),
    ),
    "a lost chargeback and dispute": Pair(
        DELIVERED,
        lost,
        dispute,
        (charge("lost"),),
        either=Either(
            "The bank has decided: a dispute is closed, and none is opened at an end.",
            "REFUNDED, chargeback LOST, BANK 101500",
            "REFUNDED, dispute CLOSED, chargeback LOST, BANK 101500",
        ),
    ),
    "all of the next part lost and its start": Pair(
        PART_CONFIRMED,
        lost,
        by("seller", "start_delivery"),
        (charge("half lost"),),
        either=Either(
            "What was begun is cancelled with the end, and nothing is begun for which nothing is left.",
            "SETTLING, MILESTONE DROPPED, RELEASE OPEN, chargeback LOST, BANK 51500, HELD 50000",
            "SETTLING, MILESTONE DROPPED, RELEASE OPEN, chargeback LOST, BANK 51500, HELD 50000",
        ),
    ),
    "all of the next part lost and dispute": Pair(
        PART_CONFIRMED,
        lost,
        dispute,
        (charge("half lost"),),
        either=Either(
            "A dispute about nothing is closed, and none is opened.",
            "SETTLING, MILESTONE DROPPED, RELEASE OPEN, chargeback LOST, BANK 51500, HELD 50000",
            "SETTLING, MILESTONE DROPPED, RELEASE OPEN, dispute CLOSED, chargeback LOST, BANK 51500, HELD 50000",
        ),
    ),
    # the end
    "end and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        finish,
        finish,
    ),
    "chargeback and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        charged_back,
        finish,
        (charge("open"),),
        either=Either(
            "The money has moved: it ends, and the hold stands at the end too.",
            "RELEASED + CHARGEBACK, RELEASE DONE, chargeback OPEN, SELLER 97100, FEES 2900, BANK 1500",
            "RELEASED + CHARGEBACK, RELEASE DONE, chargeback OPEN, SELLER 97100, FEES 2900, BANK 1500",
        ),
    ),
    "a lost chargeback and end": Pair(
        f"{DELIVERED}, confirmed, sent",
        lost,
        finish,
        (charge("lost"),),
        either=Either(
            "What was lost is booked when nothing moves any more: at its next look, or at once at an end.",
            "RELEASED + CHARGEBACK, RELEASE DONE, chargeback OPEN, SELLER 97100, FEES 2900, BANK 1500",
            "RELEASED, RECOVERY OPEN, RELEASE DONE, chargeback LOST, SELLER 97100, FEES 2900, BANK 101500",
        ),
    ),
    # the vault
    "reclaim and confirm": Pair(
        f"{OPENED}, paid on chain, held, started, delivered",
        reclaim,
        confirm,
        (reclaimed,),
        "USDC",
        either=Either(
            "The vault is empty: a release of which nothing moved is dropped, and none is begun.",
            "REFUNDED",
            "REFUNDED, RELEASE DROPPED",
        ),
    ),
    "reclaim and refund": Pair(
        f"{OPENED}, paid on chain, held",
        reclaim,
        refund,
        (reclaimed,),
        "USDC",
        either=Either(
            "As with a release.",
            "REFUNDED",
            "REFUNDED, REFUND DROPPED",
        ),
    ),
}
