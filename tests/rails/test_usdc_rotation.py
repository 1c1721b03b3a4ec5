"""Another key becomes the signer while payments are under way: each is paid once, by the old one or the new."""

import datetime as dt

import pytest

from bloxtr8 import table
from bloxtr8.entities import SignerNonce, TxStatus
from bloxtr8.rails.base import LegOrder, LegOutcome, LegStatus, RailError, RailOutcomeUnknown
from bloxtr8.rails.usdc.signer import KmsSigner
from local.chain.chain import Chain
from tests import emulator
from tests.emulator import Clock
from tests.rails.test_usdc_sending import PAID
from tests.rails.vaults import World
from tests.wire import Wire

HOUR = dt.timedelta(hours=1).total_seconds()


@pytest.fixture
def paid(world: World) -> World:
    world.pay()
    return world


def new_key(chain: Chain) -> KmsSigner:
    """Another key in KMS, whose account may settle."""
    kms = emulator.client("kms")
    key_id = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    made = KmsSigner(kms, key_id)
    chain.allow_operator(made.address)
    return made


def rotate(world: World) -> str:
    """Another key is the signer from here on. Its account."""
    world.use(new_key(world.chain))
    return world.signer.address


def insist(world: World, order: LegOrder, clock: Clock) -> LegOutcome:
    """What the machine and the job do until it is settled, minute by minute."""
    for _ in range(5):
        try:
            outcome = world.rail.send(order)
            if outcome.status is LegStatus.CONFIRMED:
                return outcome
        except RailError:
            pass
        clock.advance(seconds=61)
        world.watch()
    pytest.fail("never settled")


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("step", ["TransactWriteItems", "Sign", "PutItem", "eth_sendRawTransaction"])
def test_a_signer_that_goes_in_the_middle_of_a_step_leaves_nothing_stuck(
    paid: World, wire: Wire, clock: Clock, step: str, done: bool
) -> None:
    old = paid.signer.address
    if step.startswith("eth"):
        paid.line.fault(step, "after" if done else "before")
    else:
        wire.lose(step, done=done)
    with pytest.raises(Exception) as lost:  # noqa: PT011  (whatever the step raises: the function dies)
        paid.rail.send(paid.order())
    new = rotate(paid)

    if (step, done) == ("TransactWriteItems", False):  # nothing was reserved
        assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    else:
        insist(paid, paid.order(), clock)

    assert lost
    stored = (step, done) == ("PutItem", True) or step.startswith("eth")
    assert paid.row().signer == (old if stored else new)
    assert (paid.chain.nonce(old), paid.chain.nonce(new)) == ((1, 0) if stored else (0, 1))
    assert paid.balances() == PAID


def test_what_was_never_signed_is_abandoned_once_nobody_may_still_be_at_it(
    paid: World, wire: Wire, clock: Clock
) -> None:
    wire.lose("Sign", done=False)
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    old, new = paid.signer.address, rotate(paid)

    with pytest.raises(RailOutcomeUnknown, match="may still sign"):
        paid.rail.send(paid.order())
    assert paid.watch().status is TxStatus.RESERVED

    clock.advance(seconds=61)
    row = paid.watch()
    assert (row.status, row.error, row.next_look) == (TxStatus.CANCELLED, "SIGNER_GONE", None)
    assert paid.chain.nonce(old) == paid.chain.nonce(new) == 0
    actions = [entry.action for entry in table.partition(f"AUDIT#{paid.escrow_id}")]  # type: ignore[attr-defined]
    assert actions.count("abandon_transaction") == 1
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert (paid.row().signer, paid.balances()) == (new, PAID)


def test_a_function_with_the_old_key_sends_nothing_that_was_abandoned(paid: World, wire: Wire, clock: Clock) -> None:
    """It signs at the very moment; what it can't store it does not send."""
    old, new = paid.signer, new_key(paid.chain)

    def abandon() -> None:
        paid.use(new)
        clock.advance(seconds=61)
        assert paid.watch().error == "SIGNER_GONE"
        paid.use(old)

    wire.before("Sign", abandon)
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())

    assert paid.line.asked.count("eth_sendRawTransaction") == 0
    paid.use(new)
    assert paid.rail.send(paid.order()).status is LegStatus.CONFIRMED
    assert (paid.chain.nonce(old.address), paid.balances()) == (0, PAID)


def test_stored_bytes_are_sent_as_they_are_and_never_paid_more_for(
    paid: World, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    new = new_key(paid.chain)
    paid.chain.automine(False)
    paid.rail.send(paid.order())
    (sent,) = paid.row().attempts
    paid.use(new)
    for _ in range(6):
        paid.chain.drop(sent["hash"])
        clock.advance(seconds=61)
        assert paid.watch().status is TxStatus.SENT
        assert paid.chain.pending() == [sent["hash"]]
    assert paid.row().attempts == [sent]
    assert "a transaction of a signer that is gone is stuck" in caplog.text

    paid.chain.mine()

    assert paid.watch().status is TxStatus.FINAL
    assert paid.balances() == PAID


def test_stored_bytes_whose_nonce_was_used_give_way_to_the_new_signer(paid: World, clock: Clock) -> None:
    paid.line.fault("eth_sendRawTransaction", "before")
    with pytest.raises(RailOutcomeUnknown):
        paid.rail.send(paid.order())
    old = paid.signer.address
    paid.chain.send(old, old, "0x")
    new = rotate(paid)

    insist(paid, paid.order(), clock)

    assert (paid.row().signer, paid.balances()) == (new, PAID)


def test_bytes_of_an_operator_who_lost_his_right_fail_and_the_next_attempt_is_the_new_signers(
    paid: World, clock: Clock
) -> None:
    paid.chain.automine(False)
    paid.rail.send(paid.order())
    old = paid.signer.address
    (sent,) = paid.chain.pending()
    paid.chain.drop(sent)
    paid.chain.automine(True)
    paid.chain.refuse_operator(old)
    new = rotate(paid)
    clock.advance(seconds=61)

    assert paid.watch().status is TxStatus.REVERTED
    assert paid.rail.send(paid.order()).status is LegStatus.REJECTED
    assert paid.rail.send(paid.order(attempt=2)).status is LegStatus.CONFIRMED
    assert (paid.row().signer, paid.balances()) == (new, PAID)


def gap(chain: Chain, wire: Wire, clock: Clock) -> tuple[World, World]:
    """Two escrows: the old signer signed nothing for the first one's nonce, and the bytes of the second wait for it."""
    first, second = World(chain, 1), World(chain, 2)
    for world in (first, second):
        world.pay()
    wire.lose("Sign", done=False)
    with pytest.raises(RailOutcomeUnknown):
        first.rail.send(first.order())
    assert second.rail.send(second.order()).status is LegStatus.SENT
    return first, second


def test_bytes_that_wait_for_a_nonce_nobody_signs_are_abandoned_and_paid_once(
    chain: Chain, wire: Wire, clock: Clock
) -> None:
    first, second = gap(chain, wire, clock)
    old = first.signer
    rotate(first)
    second.use(first.signer)
    assert insist(first, first.order(), clock).status is LegStatus.CONFIRMED
    assert second.watch().status is TxStatus.SENT  # it may still be mined
    clock.advance(seconds=HOUR)

    assert second.watch().error == "SIGNER_GONE"
    assert second.rail.send(second.order()).status is LegStatus.CONFIRMED

    paid = second.balances()
    assert paid["seller"] == 2 * PAID["seller"]
    second.pay()
    chain.send(old.address, old.address, "0x")  # somebody signs for the gap after all: the bytes are mined, in vain
    chain.mine()
    assert chain.nonce(old.address) == 2
    assert second.balances()["seller"] == paid["seller"]


def test_what_bytes_that_were_abandoned_have_paid_is_paid_and_not_refused(
    chain: Chain, wire: Wire, clock: Clock
) -> None:
    """Somebody signs for the gap before the new signer's call is mined: that one is in vain, and the leg is paid."""
    first, second = gap(chain, wire, clock)
    old = first.signer.address
    rotate(first)
    second.use(first.signer)
    insist(first, first.order(), clock)
    before = second.watch().attempts[0]["hash"]
    clock.advance(seconds=HOUR)
    assert second.watch().error == "SIGNER_GONE"
    chain.automine(False)
    second.rail.send(second.order())
    (again,) = second.row().attempts
    chain.drop(again["hash"])
    chain.automine(True)
    chain.send(old, old, "0x")
    chain.wait(before)
    assert second.balances()["seller"] == 2 * PAID["seller"]

    assert second.watch().status is TxStatus.REVERTED

    paid = LegOutcome(status=LegStatus.CONFIRMED, external_id=before)
    assert second.rail.find(second.order()) == paid
    assert second.rail.send(second.order()) == paid


def test_a_signer_that_returns_uses_the_nonce_it_left_open(chain: Chain, wire: Wire, clock: Clock) -> None:
    first, second = gap(chain, wire, clock)
    old = first.signer
    rotate(first)
    clock.advance(seconds=61)
    assert first.watch().error == "SIGNER_GONE"
    assert table.get(SignerNonce, chain_id=chain.id, signer=old.address).next is None

    for world in (first, second):
        world.use(old)
    assert first.rail.send(first.order()).status is LegStatus.CONFIRMED

    assert first.row().nonce == 0
    second.watch()
    assert second.watch().status is TxStatus.FINAL
    assert second.balances()["seller"] == 2 * PAID["seller"]
