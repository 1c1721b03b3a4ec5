"""watch_chain_txs over a real chain: what is stuck is paid more for, what is final wakes its settlement."""

import datetime as dt

import pytest

from bloxtr8 import actors, clock, table
from bloxtr8.entities import (
    Account,
    ChainTx,
    Currency,
    Delivery,
    Escrow,
    Leg,
    LegStatus,
    Settlement,
    SettlementKind,
    SettlementStatus,
    Side,
    StablecoinEscrow,
    TxStatus,
)
from bloxtr8.ids import ulid_of
from local.chain.chain import Chain
from tests.emulator import Platform
from tests.functions.webhooks import Machines
from tests.rails.vaults import SELLER, SETTLEMENT, World
from tests.wire import Wire


@pytest.fixture
def machines(aws: Platform, wire: Wire) -> Machines:
    return Machines(wire)


@pytest.fixture
def world(chain: Chain) -> World:
    """A vault that holds its money, and the settlement that is to release it."""
    made = World(chain)
    made.pay()
    escrow = table.get(Escrow, ulid=ulid_of(made.escrow_id))
    settlement = Settlement(
        escrow_id=escrow.id,
        id=SETTLEMENT,
        kind=SettlementKind.RELEASE,
        status=SettlementStatus.OPEN,
        to_seller=10_000,
        to_buyer=0,
        reason="x",
        actor="usr_1",
        created_at=clock.now(),
    )
    leg = Leg(
        escrow_id=escrow.id,
        settlement_id=SETTLEMENT,
        n=1,
        pays=Side.SELLER,
        amount=9_710,
        fee=290,
        action=66,
        source_account=Account.HELD,
        currency=Currency.USDC,
        destination=SELLER,
        status=LegStatus.SENT,
    )
    row = StablecoinEscrow(escrow_id=escrow.id, external_id=made.place, terms=made.terms.to_json())
    rows = [settlement, leg, row, Delivery(escrow_id=escrow.id, id="dlv_1")]
    table.commit(escrow, *rows, action="release", actor=actors.system("test"))
    return made


def watch(aws: Platform, **later: float) -> None:
    """The rule fires, after this time."""
    aws.clock.advance(**later)
    aws.invoke("watch_chain_txs")


def test_a_stuck_transaction_is_paid_more_for_and_settles_once(
    aws: Platform, world: World, chain: Chain, machines: Machines
) -> None:
    chain.automine(False)
    world.rail.send(world.order())
    assert world.row().status is TxStatus.SENT

    watch(aws, seconds=30)
    assert len(world.row().attempts) == 1
    watch(aws, seconds=31)
    watch(aws, seconds=61)
    first, second, third = world.row().attempts
    assert first["cap"] * 1.125 <= second["cap"] <= third["cap"] / 1.125
    assert world.row().nonce == chain.nonce(chain.operator)
    chain.mine()
    watch(aws, seconds=61)

    after = world.row()
    assert after.next_look is None
    assert (after.status, after.mined_hash) == (TxStatus.FINAL, third["hash"])
    assert world.balances() == {"seller": 97_100_000, "fees": 2_900_000, "buyer": 0, "vault": 0}


def test_what_the_node_forgot_is_sent_again(aws: Platform, world: World, chain: Chain, machines: Machines) -> None:
    chain.automine(False)
    world.rail.send(world.order())
    (sent,) = chain.pending()
    chain.drop(sent)

    watch(aws, seconds=61)

    assert len(chain.pending()) == 1
    chain.mine()
    watch(aws, seconds=61)
    assert world.row().status is TxStatus.FINAL


def test_a_transaction_that_is_final_wakes_its_settlement(
    aws: Platform, world: World, chain: Chain, machines: Machines
) -> None:
    chain.automine(False)
    world.rail.send(world.order())
    machines.started, machines.ended = [f"{SETTLEMENT}-1"], {f"{SETTLEMENT}-1"}
    watch(aws, seconds=61)
    assert machines.started == [f"{SETTLEMENT}-1"]
    chain.mine()

    watch(aws, seconds=61)

    assert machines.started == [f"{SETTLEMENT}-1", f"{SETTLEMENT}-2"]
    assert table.get(Settlement, escrow_ulid=ulid_of(world.escrow_id), id=SETTLEMENT).run == 2


def test_nothing_due_asks_nobody(aws: Platform, world: World, machines: Machines, wire: Wire) -> None:
    world.rail.send(world.order())  # mined, and final at once
    assert world.row().next_look is None
    wire.calls = []

    watch(aws, minutes=10)

    assert wire.calls == ["Query"]


def test_a_signer_that_runs_low_rings_the_alarm_while_it_still_pays(
    aws: Platform, world: World, chain: Chain, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        "bloxtr8.watching.logger.error", lambda message, extra=None, **_: told.append((message, extra or {}))
    )
    chain.automine(False)
    world.rail.send(world.order())
    watch(aws, seconds=61)
    assert told == []
    call = world.row().gas * world.row().attempts[-1]["cap"]
    chain.fund(chain.operator, 10 * call)

    watch(aws, seconds=61)

    assert ("the signer runs low on ether", {"signer": chain.operator, "wei": str(10 * call)}) in told
    chain.mine()
    watch(aws, seconds=61)
    assert world.row().status is TxStatus.FINAL


def test_one_that_fails_stops_no_other(
    aws: Platform, world: World, chain: Chain, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.automine(False)
    world.rail.send(world.order())
    other = ChainTx(escrow_id="esc_01KATZ00000000000000000999", action="66", chain_id=chain.id, signer=chain.operator)
    other.nonce, other.to, other.data, other.gas = 99, chain.escrow, "0x", 1
    other.created_at = other.next_look = clock.now() - dt.timedelta(days=1)
    other.attempts = [{"no": "attempt", "cap": 1}]
    table.remember(other)

    watch(aws, seconds=61)

    assert len(world.row().attempts) == 2
