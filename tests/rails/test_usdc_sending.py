"""Money leaves a vault exactly once, whatever gets lost on the way (rail-usdc.md, Sending); on Anvil, with KMS."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bloxtr8 import chain_book
from bloxtr8.entities import TxStatus
from bloxtr8.rails.base import (
    LegOrder,
    LegOutcome,
    LegStatus,
    PayeeRefused,
    RailBug,
    RailError,
    RailOutcomeUnknown,
    RailThrottled,
)
from bloxtr8.rails.usdc import sending
from bloxtr8.rails.usdc.chain import Reverts
from local.chain.chain import Chain
from local.chain.rpc import call_data
from tests.emulator import Clock, Platform
from tests.rails.vaults import BUYER, GROSS, SELLER, UNITS, World
from tests.wire import Wire

PAID = {"seller": 97_100_000, "fees": 2_900_000, "buyer": 0, "vault": 0}


@pytest.fixture
def paid(world: World) -> World:
    world.pay()
    return world


def insist(world: World, order: LegOrder) -> LegOutcome:
    for _ in range(20):
        try:
            return world.rail.send(order)
        except RailError:
            continue
    pytest.fail("never answered")


def test_one_call_pays_the_seller_and_the_fee(paid: World) -> None:
    outcome = paid.rail.send(paid.order())
    assert outcome.status is LegStatus.CONFIRMED
    assert paid.chain.receipt(outcome.external_id)
    assert paid.balances() == PAID
    assert paid.row().status is TxStatus.FINAL
    assert paid.row().next_look is None
    assert paid.rail.find(paid.order()) == outcome


def test_a_split_pays_all_three_in_one_call(paid: World) -> None:
    paid.rail.send(paid.order(4_855, 145, 64, also_buyer=5_000))
    assert paid.balances() == {"seller": 48_550_000, "fees": 1_450_000, "buyer": 50_000_000, "vault": 0}


def test_milestones_and_the_return_of_a_surplus_are_actions_of_their_own(paid: World) -> None:
    paid.pay(70_000)
    for order in (paid.order(2_913, 87, 0), paid.order(2_914, 86, 1), paid.order(3_884, 116, 66)):
        assert paid.rail.send(order).status is LegStatus.CONFIRMED
    assert paid.rail.send(paid.refund(7, 67)).status is LegStatus.CONFIRMED
    assert paid.balances() == {"seller": 97_110_000, "fees": 2_890_000, "buyer": 70_000, "vault": 0}


def test_a_refund_pays_the_buyer_all(paid: World) -> None:
    paid.rail.send(paid.refund())
    assert paid.balances() == {"seller": 0, "fees": 0, "buyer": UNITS, "vault": 0}


def test_one_entry_in_the_audit_for_the_decision_and_none_for_each_poll(paid: World) -> None:
    from bloxtr8 import table

    paid.rail.send(paid.order())
    for _ in range(3):
        paid.rail.find(paid.order())
    entries = [entry.action for entry in table.partition(f"AUDIT#{paid.escrow_id}")]  # type: ignore[attr-defined]
    assert entries.count("reserve_transaction") == 1
    assert len(entries) == 2


# --- the same thing twice


def test_the_same_leg_again_moves_nothing(paid: World) -> None:
    paid.pay()  # enough would be there
    first = paid.rail.send(paid.order())
    for attempt in (1, 2, 3):
        assert paid.rail.send(paid.order(attempt=attempt)) == first
    assert paid.balances()["seller"] == PAID["seller"]
    assert paid.chain.nonce(paid.signer.address) == 1


def test_the_contract_refuses_the_same_action_whatever_we_believe(aws: Platform, paid: World) -> None:
    """The second lock: without our row, the settlement that is on the chain is found and not paid again."""
    paid.pay()
    outcome = paid.rail.send(paid.order())
    aws.erase(paid.row())
    assert paid.rail.find(paid.order()) == outcome
    assert paid.rail.send(paid.order()) == outcome
    action, payment, terms = paid.rail._call_of(paid.order())
    with pytest.raises(RailBug, match="AlreadyDone"):
        paid.sender.rehearse(action)
    assert paid.balances()["seller"] == PAID["seller"]


def test_an_action_never_pays_another_amount(paid: World) -> None:
    paid.rail.send(paid.order())
    for changed in (paid.order(9_709), paid.order(fee=289), paid.order(also_buyer=1)):
        for ask in (paid.rail.send, paid.rail.find):
            with pytest.raises(RailBug):
                ask(changed)


def test_sixteen_escrows_at_once_get_contiguous_nonces_and_one_settlement_each(chain: Chain) -> None:
    worlds = [World(chain, n) for n in range(16)]
    for world in worlds:
        world.pay()
    start = threading.Barrier(16)
    outcomes: list[LegOutcome] = []

    def settle(world: World) -> None:
        start.wait()
        outcomes.append(insist(world, world.order()))

    threads = [threading.Thread(target=settle, args=(world,)) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({outcome.external_id for outcome in outcomes}) == 16
    assert sorted(world.row().nonce for world in worlds) == list(range(16))
    assert chain.nonce(worlds[0].signer.address) == 16
    assert worlds[0].balances()["seller"] == 16 * PAID["seller"]


def test_sixteen_at_once_for_one_leg_move_it_once(chain: Chain) -> None:
    world = World(chain)
    world.pay(2 * UNITS)
    start = threading.Barrier(16)
    outcomes: list[LegOutcome] = []

    def settle() -> None:
        start.wait()
        outcomes.append(insist(world, world.order()))

    threads = [threading.Thread(target=settle) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {outcome.external_id for outcome in outcomes} == {str(world.row().mined_hash)}
    assert chain.nonce(world.signer.address) == 1
    assert world.balances()["seller"] == PAID["seller"]


# --- what is refused, before anything is sent


@pytest.mark.parametrize(
    ("spoil", "why", "fault"),
    [
        (lambda world: world.chain.deny(SELLER), "blacklisted", PayeeRefused),
        (lambda world: world.chain.deny(world.chain.roles.fees), "blacklisted", RailBug),
        (lambda world: world.chain.deny(world.place), "blacklisted", RailBug),
        (lambda world: world.chain.pause(), "paused", RailBug),
        (lambda world: world.chain.refuse_operator(world.signer.address), "NotOperator", RailBug),
    ],
)
def test_what_the_chain_would_refuse_is_never_sent(
    paid: World, spoil: Callable[[World], None], why: str, fault: type[RailBug]
) -> None:
    spoil(paid)
    with pytest.raises(RailBug, match=why) as caught:
        paid.rail.send(paid.order())
    assert type(caught.value) is fault
    assert "eth_sendRawTransaction" not in paid.line.asked
    assert paid.book.find(paid.escrow_id, "66") is None
    assert paid.rail.find(paid.order()) is None


@pytest.mark.parametrize("barred", ["SELLER", "BUYER"])
def test_each_side_is_paid_apart_where_the_token_refuses_one(paid: World, barred: str) -> None:
    """What the call for both was to pay is paid once, whatever of it is still tried: the seller's call has its index,
    and the buyer's part is gone from the vault."""
    wallet = {"SELLER": SELLER, "BUYER": BUYER}[barred]
    both = paid.order(8_739, 261, 64, also_buyer=1_000)
    apart = {"SELLER": paid.order(8_739, 261, 64, attempt=2, leg=2), "BUYER": paid.refund(1_000, 63)}
    paid.chain.deny(wallet)
    with pytest.raises(PayeeRefused, match="blacklisted") as caught:
        paid.rail.send(both)
    assert caught.value.payee == barred
    assert "eth_sendRawTransaction" not in paid.line.asked
    assert paid.book.find(paid.escrow_id, "64") is None

    later = apart.pop(barred)
    (first,) = apart.values()
    assert paid.rail.send(first).status is LegStatus.CONFIRMED
    with pytest.raises(PayeeRefused):
        paid.rail.send(later)

    paid.chain.allow(wallet)
    action, *_ = paid.rail._call_of(both)
    with pytest.raises(Reverts):  # by the contract itself, or the token
        paid.sender.rehearse(action)
    with pytest.raises(RailBug):
        paid.rail.send(both)
    assert paid.rail.send(later).status is LegStatus.CONFIRMED
    assert paid.balances() == {"seller": 87_390_000, "fees": 2_610_000, "buyer": 10_000_000, "vault": 0}


def test_more_than_the_vault_holds_or_the_terms_allow_is_never_sent(paid: World) -> None:
    with pytest.raises(RailBug, match="vault holds"):
        paid.rail.send(paid.order(9_711))
    paid.pay(10_000)
    with pytest.raises(RailBug, match="OverAmount"):
        paid.rail.send(paid.order(9_711))
    with pytest.raises(RailBug, match="OverFee"):
        paid.rail.send(paid.order(9_709, 291))
    assert "eth_sendRawTransaction" not in paid.line.asked


@pytest.mark.parametrize("wrong", [{"destination": BUYER}, {"action": 120}, {"action": None}, {"also_buyer": -1}])
def test_a_leg_that_no_vault_can_carry_out_is_refused(paid: World, wrong: dict[str, object]) -> None:
    with pytest.raises(RailBug):
        paid.rail.send(replace(paid.order(), **wrong))  # type: ignore[arg-type]


# --- a crash at each step


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("step", ["TransactWriteItems", "Sign", "PutItem"])
def test_a_crash_at_reserve_sign_or_store_is_gone_on_from(paid: World, wire: Wire, step: str, done: bool) -> None:
    wire.lose(step, done=done)
    with pytest.raises(Exception) as lost:  # noqa: PT011  (whatever the step raises: the function dies)
        paid.rail.send(paid.order())
    assert not isinstance(lost.value, RailBug)
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert paid.balances() == PAID
    assert paid.row().nonce == 0
    assert len(paid.row().attempts) == 1


@pytest.mark.parametrize("how", ["before", "after", "503", "500 after"])
def test_a_lost_answer_to_the_broadcast_is_unknown_and_then_found(paid: World, how: str) -> None:
    paid.line.fault("eth_sendRawTransaction", how)
    with pytest.raises(RailOutcomeUnknown) as caught:
        paid.rail.send(paid.order())
    assert type(caught.value) is RailOutcomeUnknown
    found = paid.rail.find(paid.order())
    assert found
    assert found.status is (LegStatus.CONFIRMED if how.endswith("after") else LegStatus.SENT)
    paid.watch()
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert paid.balances() == PAID
    assert len(paid.row().attempts) == 1


@pytest.mark.parametrize("mined", [False, True])
def test_what_was_broadcast_is_not_refused_by_what_goes_wrong_later(
    paid: World, monkeypatch: pytest.MonkeyPatch, mined: bool
) -> None:
    """Else another split would be planned in its place, while the first may be mined yet."""
    paid.line.fault("eth_sendRawTransaction", "after" if mined else "before")
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    if mined:
        assert paid.watch().status is TxStatus.FINAL
    with monkeypatch.context() as deployed:
        deployed.setattr(paid.rail, "_contracts", ())  # by somebody who forgot this vault's contract
        with pytest.raises(RailOutcomeUnknown) as unknown:
            paid.rail.send(paid.order())
        assert type(unknown.value) is RailOutcomeUnknown
    with pytest.raises(RailOutcomeUnknown if not mined else RailBug):
        paid.rail.send(paid.order(9_709))  # another call of that index
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert paid.balances() == PAID


def test_a_vault_is_not_called_short_of_what_this_leg_has_paid(
    aws: Platform, paid: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is mined between the question whether it is done and the one what the vault holds."""
    before = paid.rail._state(paid.terms, "latest")
    outcome = paid.rail.send(paid.order())
    aws.erase(paid.row())
    real, stale = paid.rail._state, [before]
    monkeypatch.setattr(paid.rail, "_state", lambda *asked: stale.pop() if stale else real(*asked))
    assert paid.rail.send(paid.order()) == outcome
    assert stale == []
    assert paid.balances() == PAID


def test_a_node_that_wants_less_is_told_apart(paid: World) -> None:
    paid.line.fault("", "429")
    with pytest.raises(RailThrottled):
        paid.rail.send(paid.order())


def test_the_job_sends_what_was_stored_and_never_sent(paid: World) -> None:
    paid.line.fault("eth_sendRawTransaction", "before")
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    assert paid.row().status is TxStatus.SIGNED
    assert paid.watch().status is TxStatus.FINAL
    assert paid.balances() == PAID


# --- slow, stuck, vanished, given up


def test_a_stuck_transaction_is_bumped_at_the_same_nonce(paid: World, clock: Clock) -> None:
    paid.chain.automine(False)
    assert paid.rail.send(paid.order()).status is LegStatus.SENT
    (first,) = paid.row().attempts
    clock.advance(seconds=61)
    row = paid.watch()
    assert [attempt["hash"] for attempt in row.attempts][0] == first["hash"]
    second = row.attempts[1]
    assert second["tip"] * 1000 >= first["tip"] * 1125
    assert second["cap"] * 1000 >= first["cap"] * 1125
    assert paid.chain.pending() == [second["hash"]]
    paid.chain.mine()
    found = paid.rail.find(paid.order())
    assert found == LegOutcome(status=LegStatus.CONFIRMED, external_id=second["hash"])
    assert paid.balances() == PAID


def test_it_does_not_bump_what_is_young_and_rings_after_five_attempts(
    paid: World, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    paid.chain.automine(False)
    paid.rail.send(paid.order())
    assert len(paid.watch().attempts) == 1
    for _ in range(6):
        clock.advance(seconds=61)
        paid.watch()
    assert len(paid.row().attempts) == sending.MOST_ATTEMPTS
    assert "a transaction is stuck" in caplog.text
    paid.chain.mine()
    assert paid.watch().status is TxStatus.FINAL


@pytest.fixture
def dear(chain: Chain) -> Iterator[Callable[[], None]]:
    """Makes gas dear, five hundred gwei, until the test is over."""
    usual = int(chain.block()["baseFeePerGas"], 16)

    def price(wei: int) -> None:
        chain.base_fee(wei)
        chain.mine()

    yield lambda: price(500 * 10**9)
    price(usual)


def test_what_a_node_finds_too_cheap_is_offered_more(paid: World, clock: Clock, dear: Callable[[], None]) -> None:
    """Gas became dear before it was sent: without a better price every later nonce would wait for it."""
    paid.line.fault("eth_sendRawTransaction", "before")
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    dear()
    assert paid.watch().status is TxStatus.SENT
    clock.advance(seconds=61)

    row = paid.watch()

    assert (row.status, len(row.attempts)) == (TxStatus.FINAL, 2)
    assert paid.balances() == PAID


def test_after_five_prices_one_more_is_offered_where_gas_became_dearer_than_the_last(
    paid: World, clock: Clock, dear: Callable[[], None]
) -> None:
    paid.chain.automine(False)
    paid.rail.send(paid.order())
    for _ in range(6):
        clock.advance(seconds=61)
        paid.watch()
    dear()
    clock.advance(seconds=61)
    assert len(paid.watch().attempts) == sending.MOST_ATTEMPTS + 1
    clock.advance(seconds=61)
    assert len(paid.watch().attempts) == sending.MOST_ATTEMPTS + 1
    paid.chain.mine()
    assert paid.watch().status is TxStatus.FINAL
    assert paid.balances() == PAID


def test_a_transaction_that_vanished_in_a_reorg_is_sent_again_as_it_was(chain: Chain, clock: Clock) -> None:
    world = World(chain, finality="finalized")
    world.pay()
    assert world.rail.send(world.order()).status is LegStatus.SENT
    sent = world.row().attempts
    assert world.row().status is TxStatus.MINED
    chain.reorg(1)
    chain.rpc("anvil_dropAllTransactions")
    assert world.balances()["seller"] == 0
    clock.advance(seconds=61)
    assert world.watch().status is TxStatus.MINED
    chain.mine(8)
    assert world.watch().status is TxStatus.FINAL
    assert world.row().attempts == sent
    assert world.balances() == PAID


def test_what_is_undone_between_safe_and_finalized_rings_at_its_next_look_and_is_sent_again(
    chain: Chain, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(chain, finality="safe")
    world.pay()
    chain.mine(8)
    before = chain.snapshot()
    world.rail.send(world.order())
    while world.watch().status is not TxStatus.FINAL:
        chain.mine()
    chain.revert(before)
    chain.mine(2)
    due = world.row().next_look
    assert due is not None
    assert due <= clock.now() + dt.timedelta(minutes=10)

    clock.advance(minutes=10)
    row = world.watch()
    assert "a call that was final is undone" in caplog.text
    assert (row.status, row.mined_hash) == (TxStatus.FINAL, row.attempts[0]["hash"])  # what is booked stays booked
    caplog.clear()
    clock.advance(minutes=1)
    assert world.watch().next_look is not None
    chain.mine(8)
    clock.advance(minutes=10)
    assert world.watch().next_look is None
    assert (world.balances(), caplog.text) == (PAID, "")


def test_a_signer_without_ether_rings_and_nothing_is_lost(paid: World, caplog: pytest.LogCaptureFixture) -> None:
    paid.chain.fund(paid.signer.address, 0)
    assert paid.rail.send(paid.order()).status is LegStatus.SENT
    assert "no ether for gas" in caplog.text
    assert paid.row().status is TxStatus.SIGNED
    paid.watch()
    assert "runs low on ether" in caplog.text
    paid.chain.fund(paid.signer.address, 10**18)
    assert paid.watch().status is TxStatus.FINAL
    assert paid.balances() == PAID


def test_a_nonce_that_nobody_used_is_given_up_and_the_leg_sent_at_another(
    paid: World, wire: Wire, clock: Clock
) -> None:
    """Reserved, then the function died: later nonces must not wait for it for ever."""
    wire.lose("Sign", done=False)
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    assert paid.rail.find(paid.order()) is None
    assert paid.watch().status is TxStatus.RESERVED  # whoever reserved it may still be at work
    clock.advance(seconds=61)
    assert paid.watch().status is TxStatus.CANCELLED
    assert paid.rail.find(paid.order()) is None
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert paid.row().nonce == 1
    assert paid.balances() == PAID


def test_a_nonce_that_another_transaction_took_is_left_to_it(paid: World, clock: Clock) -> None:
    paid.line.fault("eth_sendRawTransaction", "before")
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    paid.chain.send(paid.signer.address, BUYER, "0x")
    assert paid.watch().status is TxStatus.CANCELLED
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert paid.balances() == PAID


def mined_in_vain(world: World) -> None:
    """The leg's call is in a block, and did nothing there: the seller's wallet was denied before it."""
    world.chain.automine(False)
    world.rail.send(world.order())
    world.chain.send(world.chain.roles.denier, world.chain.usdc, call_data("blacklist(address)", SELLER))
    settle, deny = world.row().attempts[0]["hash"], world.chain.pending()
    world.chain.drop(settle)
    world.chain.mine()
    assert deny
    world.watch()
    world.chain.mine()


def test_one_that_is_mined_without_effect_is_rejected_and_only_a_later_attempt_sends_again(paid: World) -> None:
    mined_in_vain(paid)
    found = paid.rail.find(paid.order())
    assert found
    assert (found.status, found.reason) == (LegStatus.REJECTED, "REVERTED")
    assert paid.rail.send(paid.order()) == found
    assert paid.rail.find(paid.order(attempt=2)) is None
    paid.chain.automine(True)
    paid.chain.allow(SELLER)
    assert paid.rail.send(paid.order(attempt=2)).status is LegStatus.CONFIRMED
    assert paid.balances() == PAID


def test_what_was_refused_may_be_divided_anew_and_is_found_as_it_was_paid(paid: World) -> None:
    """The same action with other amounts: while an attempt stands it is a mistake, after it came to nothing it is the
    next one."""
    divided = {"amount": 4_855, "fee": 145, "also_buyer": 5_000}
    mined_in_vain(paid)
    with pytest.raises(RailBug, match="another call"):
        paid.rail.find(paid.order(**divided))
    assert paid.rail.find(paid.order(attempt=2, **divided)) is None
    paid.chain.automine(True)
    paid.chain.allow(SELLER)
    sent = paid.rail.send(paid.order(attempt=2, **divided))
    assert sent.status is LegStatus.CONFIRMED
    assert paid.rail.find(paid.order(attempt=2, **divided)) == sent
    with pytest.raises(RailBug, match="another call"):
        paid.rail.find(paid.order(attempt=2))
    assert paid.balances() == {"seller": 48_550_000, "fees": 1_450_000, "buyer": 50_000_000, "vault": 0}


# --- the term


def test_the_buyer_takes_back_the_rest_after_the_term_and_it_is_seen(paid: World) -> None:
    from bloxtr8.rails.usdc import reclaiming

    data = reclaiming.call_data(paid.terms, paid.chain.usdc)
    paid.chain.send(BUYER, paid.chain.escrow, data, may_fail=True)
    assert paid.balances()["vault"] == UNITS
    assert paid.rail.reclaimed(paid.funding()).seen == ()
    paid.chain.increase_time(200 * 86_400)
    tx = paid.chain.send(BUYER, paid.chain.escrow, data)["transactionHash"]
    (seen,) = paid.rail.reclaimed(paid.funding()).seen
    assert seen.units == UNITS
    assert seen.ref.startswith(f"{paid.chain.id}:{tx}:")
    assert [deposit.amount for deposit in paid.deposits()] == [GROSS]
    with pytest.raises(RailBug, match="vault holds"):
        paid.rail.send(paid.order())


def test_a_dispute_moves_the_term_once(paid: World) -> None:
    from bloxtr8.rails.usdc import reclaiming

    assert paid.rail.postpone(paid.funding())
    assert paid.rail.postpone(paid.funding())
    assert paid.chain.nonce(paid.signer.address) == 1
    data = reclaiming.call_data(paid.terms, paid.chain.usdc)
    paid.chain.increase_time(200 * 86_400)
    paid.chain.send(BUYER, paid.chain.escrow, data, may_fail=True)
    assert paid.balances()["vault"] == UNITS
    paid.chain.increase_time(90 * 86_400)
    paid.chain.send(BUYER, paid.chain.escrow, data)
    assert paid.balances()["buyer"] == UNITS


def test_a_term_that_is_over_cannot_be_moved(paid: World) -> None:
    paid.chain.increase_time(200 * 86_400)
    with pytest.raises(RailBug, match="TooLate"):
        paid.rail.postpone(paid.funding())


def refused_in_its_block(world: World) -> None:
    """A postponement that would have gone well when it was simulated, and is mined when the signer may not any more."""
    world.chain.automine(False)
    assert not world.rail.postpone(world.funding())
    sent = world.row("postpone").attempts[-1]["hash"]
    world.chain.drop(sent)
    world.chain.automine(True)
    world.chain.refuse_operator(world.signer.address)
    assert world.watch("postpone").status is TxStatus.REVERTED
    world.chain.allow_operator(world.signer.address)


def test_a_postponement_without_effect_is_tried_again_at_another_nonce_and_rings(
    paid: World, caplog: pytest.LogCaptureFixture
) -> None:
    refused_in_its_block(paid)
    assert "came to nothing" not in caplog.text

    assert paid.rail.postpone(paid.funding())

    assert "a postponement of the term came to nothing" in caplog.text
    row = paid.row("postpone")
    assert (row.leg_attempt, row.nonce, row.status) == (2, 1, TxStatus.FINAL)


def test_a_postponement_is_tried_five_times_and_then_a_person_has_to_look(paid: World) -> None:
    for _ in range(5):
        refused_in_its_block(paid)
    assert paid.chain.nonce(paid.signer.address) == paid.row("postpone").leg_attempt == 5

    for _ in range(2):
        with pytest.raises(RailBug, match="can't be postponed"):
            paid.rail.postpone(paid.funding())

    assert paid.chain.nonce(paid.signer.address) == 5


def test_a_postponement_without_effect_is_not_tried_again_once_the_term_is_reached(paid: World) -> None:
    refused_in_its_block(paid)
    paid.chain.increase_time(200 * 86_400)
    with pytest.raises(RailBug, match="TooLate"):
        paid.rail.postpone(paid.funding())
    assert paid.chain.nonce(paid.signer.address) == 1


def test_what_the_job_is_handed_is_the_row(paid: World) -> None:
    paid.rail.send(paid.order())
    tx = chain_book.read(paid.row())
    assert (tx.action.name, tx.nonce, tx.is_over) == ("66", 0, True)
    assert paid.sender.watch(tx) == tx
