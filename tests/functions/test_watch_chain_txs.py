"""watch_chain_txs: every transaction that is due is looked at by the rail; one that is final wakes its settlement."""

import datetime as dt
import sys
from types import ModuleType

import pytest

from bloxtr8 import clock, table
from bloxtr8.entities import ChainTx, Escrow, TxStatus
from bloxtr8.errors import UpstreamFailed
from bloxtr8.rails.usdc import balances
from tests.emulator import Platform
from tests.functions import escrows, money
from tests.functions.chain import FakeChain, chain, delivered, wallets
from tests.functions.webhooks import Machines, alarms
from tests.wire import Wire

__all__ = ["chain", "wallets"]
SIGNER = "0x" + "51" * 20
CAP, GAS = 10**9, 100_000


class Watched:
    """What the rail says of each transaction, and what it was asked."""

    def __init__(self) -> None:
        self.says = TxStatus.SENT
        self.asked: list[str] = []
        self.wei = 10**18

    def watch(self, row: ChainTx) -> None:
        self.asked.append(row.action)
        if row.action == "0":
            raise RuntimeError("test")
        row.status, row.next_look = self.says, clock.now() + dt.timedelta(minutes=1)
        assert table.remember(row, unless_exists=False)

    def ether(self, accounts: list[str]) -> dict[str, int]:
        return dict.fromkeys(accounts, self.wei)


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    made, module = Watched(), ModuleType("scripted_watch")
    module.__dict__["watch"] = made.watch
    monkeypatch.setitem(sys.modules, "scripted_watch", module)
    monkeypatch.setattr("bloxtr8.watching.WATCH", ("scripted_watch", "watch"))
    monkeypatch.setattr(balances, "ether", made.ether)
    monkeypatch.setattr(table, "EPHEMERAL", table.EPHEMERAL | {"ChainTx"})
    return made


def sent(escrow: Escrow, action: str) -> None:
    """A transaction of the escrow's, sent a minute ago."""
    row = ChainTx(escrow_id=escrow.id, action=action, chain_id=84532, signer=SIGNER, nonce=7, to="0x", data="0x")
    row.gas, row.status = GAS, TxStatus.SENT
    row.attempts = [{"cap": CAP // 2}, {"cap": CAP}]
    row.created_at = row.next_look = clock.now()
    assert table.remember(row)


def settling(aws: Platform, chain: FakeChain) -> Escrow:
    """An escrow whose release was sent in one call, and whose machine ended its attempt."""
    escrow = delivered(aws, chain)
    escrows.confirm(aws, escrow)
    aws.invoke("send_leg", money.event(escrow))
    return escrow


@pytest.mark.parametrize("says", [TxStatus.FINAL, TxStatus.REVERTED, TxStatus.CANCELLED])
def test_one_that_is_over_wakes_its_settlement(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, says: TxStatus
) -> None:
    escrow = settling(aws, chain)
    settlement = money.settlement(escrow).id
    sent(escrow, "66")
    machines.started, machines.ended, watched.says = [f"{settlement}-1"], {f"{settlement}-1"}, says

    aws.invoke("watch_chain_txs")

    assert watched.asked == ["66"]
    assert machines.started == [f"{settlement}-1", f"{settlement}-2"]


@pytest.mark.parametrize(
    ("action", "says"), [("66", TxStatus.MINED), ("65", TxStatus.FINAL), ("postpone", TxStatus.FINAL)]
)
def test_nothing_is_woken_by_one_that_is_not_or_is_anothers(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, action: str, says: TxStatus
) -> None:
    escrow = settling(aws, chain)
    settlement = money.settlement(escrow).id
    sent(escrow, action)
    machines.started, machines.ended, watched.says = [f"{settlement}-1"], {f"{settlement}-1"}, says

    aws.invoke("watch_chain_txs")

    assert machines.started == [f"{settlement}-1"]


def test_one_that_fails_stops_no_other(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = settling(aws, chain)
    sent(escrow, "0")
    sent(escrow, "66")

    aws.invoke("watch_chain_txs")

    assert watched.asked == ["0", "66"]
    assert [message for message, _ in told] == ["a row could not be processed"]


def test_what_is_not_due_asks_nobody(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, wire: Wire
) -> None:
    sent(settling(aws, chain), "66")
    aws.invoke("watch_chain_txs")
    watched.asked, wire.calls = [], []

    aws.invoke("watch_chain_txs")

    assert (watched.asked, wire.calls) == ([], ["Query"])


def test_a_signer_that_runs_low_rings_the_alarm_before_it_can_pay_no_more(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = alarms(monkeypatch)
    escrow = settling(aws, chain)
    sent(escrow, "66")
    sent(escrow, "65")
    watched.wei = 20 * CAP * GAS
    aws.invoke("watch_chain_txs")
    assert told == []
    watched.wei -= 1
    aws.clock.advance(minutes=2)

    aws.invoke("watch_chain_txs")

    assert told == [("the signer runs low on ether", {"signer": SIGNER, "wei": str(20 * CAP * GAS - 1)})]
    assert sorted(watched.asked) == ["65", "65", "66", "66"]


def test_transactions_are_looked_at_though_nobody_says_how_much_ether_there_is(
    aws: Platform, chain: FakeChain, machines: Machines, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: list[str]) -> dict[str, int]:
        raise UpstreamFailed("test")

    sent(settling(aws, chain), "66")
    monkeypatch.setattr(balances, "ether", away)

    with pytest.raises(UpstreamFailed):
        aws.invoke("watch_chain_txs")

    assert watched.asked == ["66"]
