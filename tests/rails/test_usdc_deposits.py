"""What counts as a deposit on chain, and what does not (rail-usdc.md, Deposits); on Anvil with Circle's own token."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bloxtr8.rails.base import FundingStatus, RailBug, RailOutcomeUnknown
from bloxtr8.rails.usdc import calls, searching, vault
from bloxtr8.rails.usdc.chain import Log
from local.chain.chain import Chain
from tests.rails.vaults import BUYER, GROSS, SELLER, STRANGER, UNITS, World

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: f"0x{raw.hex()}").filter(lambda text: int(text, 16))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.tuples(ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES),
    key=st.binary(min_size=32, max_size=32),
    amount=st.integers(1, 2**64 - 1),
    term=st.integers(0, 2**64 - 1),
    bps=st.integers(0, 10_000),
)
def test_the_address_is_the_one_the_contract_says(
    world: World, people: tuple[str, str, str, str], key: bytes, amount: int, term: int, bps: int
) -> None:
    token, buyer, seller, fees = people
    terms = replace(
        world.terms, escrow_id=f"0x{key.hex()}", token=token, buyer=buyer, seller=seller, fee_receiver=fees,
        amount=amount, reclaim_after=term, max_fee_bps=bps,
    )  # fmt: skip
    said = world.node.call(world.chain.escrow, calls.vault_of(terms))
    assert calls.address_in(said.hex()) == vault.address(terms)


def test_shows_where_to_pay_only_if_the_contract_agrees(world: World) -> None:
    opened = world.rail.open(world.funding(external_id=None))
    assert opened.external_id == world.place
    assert world.rail.payment(world.funding()).external_id == world.place
    world.chain.rpc("anvil_setCode", world.chain.escrow, "0x")
    for ask in (world.rail.open, world.rail.payment):
        with pytest.raises(RailBug, match="no contract"):
            ask(world.funding())


def test_never_shows_an_address_that_the_contract_does_not_say(world: World) -> None:
    returns_zero = "0x60206000f3"
    world.chain.rpc("anvil_setCode", world.chain.escrow, returns_zero)
    with pytest.raises(RailBug, match="another address"):
        world.rail.open(world.funding())


@pytest.mark.parametrize("wrong", ["chainId", "escrowContract", "token", "escrowId", "buyer"])
def test_refuses_terms_that_are_not_of_this_escrow_chain_token_or_contract(world: World, wrong: str) -> None:
    terms = world.terms.to_json()
    terms[wrong] = 1 if wrong == "chainId" else "0x" + "12" * (32 if wrong == "escrowId" else 20)
    with pytest.raises(RailBug):
        world.rail.look(world.funding(terms=terms))


def test_a_plain_transfer_is_a_deposit(world: World) -> None:
    tx = world.pay()
    look = world.rail.look(world.funding())
    (deposit,) = look.deposits
    assert look.status is FundingStatus.PAID
    assert (deposit.amount, deposit.units, deposit.sender) == (GROSS, UNITS, BUYER)
    assert deposit.ref == f"{world.chain.id}:{tx}:{world.chain.log_index(tx)}"
    assert world.rail.payment(world.funding()).status is FundingStatus.PAID


def test_cents_are_those_of_all_units_so_far(world: World) -> None:
    for units in (15_000, 15_000, 9_999):  # 1.5 + 1.5 + 0.9999 cents
        world.pay(units)
    look = world.rail.look(world.funding())
    assert [(deposit.amount, deposit.units) for deposit in look.deposits] == [(1, 15_000), (2, 15_000)]
    assert look.cursor == {"block": world.chain.height(), "arrived": 39_999, "left": 0}


def test_under_over_and_a_second_sender_are_told_as_they_are(world: World) -> None:
    world.pay(UNITS - 10_000)
    assert [each.amount for each in world.deposits()] == [GROSS - 1]
    assert world.rail.payment(world.funding()).status is FundingStatus.UNPAID
    world.pay(50_000, STRANGER)
    assert [(each.amount, each.sender) for each in world.deposits()] == [(GROSS - 1, BUYER), (5, STRANGER)]


def test_what_was_set_aside_is_no_part_of_the_payment(world: World) -> None:
    world.pay(990_000, STRANGER)
    recorded = {"known_units": 990_000, "missing": GROSS}  # and quarantined: nothing is held
    world.pay(UNITS - 990_000)
    assert world.rail.payment(world.funding(**recorded)).status is FundingStatus.UNPAID
    world.pay(990_000)
    assert world.rail.payment(world.funding(**recorded)).status is FundingStatus.PAID  # and not recorded yet


def test_another_token_that_looks_the_same_never_counts(world: World) -> None:
    other = world.chain.other_token()
    world.pay(token=other)
    look = world.rail.look(world.funding())
    assert (look.status, look.deposits) == (FundingStatus.UNPAID, ())


def test_a_transfer_of_nothing_is_no_deposit(world: World) -> None:
    world.chain.transfer(STRANGER, world.place, 0)
    assert world.deposits() == ()


def test_a_failed_transaction_is_no_deposit(world: World) -> None:
    world.chain.transfer(STRANGER, world.place, UNITS, may_fail=True)
    assert world.deposits() == ()


def test_a_log_counts_only_at_its_own_index_and_block(world: World) -> None:
    tx = world.pay()
    head = world.node.block("latest")
    (log,) = world.node.logs(world.chain.usdc, [calls.TRANSFER, None, calls.topic(world.place)], 0, head.number)
    assert world.node.log_counts(log, world.chain.usdc)
    wrong: list[Log] = [
        replace(log, index=log.index + 1),
        replace(log, block_hash="0x" + "ab" * 32),
        replace(log, data=(UNITS * 2).to_bytes(32, "big")),
        replace(log, tx_hash=world.chain.mint(STRANGER, 1)),
    ]
    assert not [each for each in wrong if world.node.log_counts(each, world.chain.usdc)]
    assert not world.node.log_counts(log, world.chain.escrow)
    assert log.tx_hash == tx


def test_counts_only_at_the_tag_and_says_that_money_is_coming(chain: Chain) -> None:
    world = World(chain, finality="finalized")
    world.pay(UNITS - 1)
    assert world.rail.look(world.funding()).status is FundingStatus.UNPAID  # anybody could send that: no clock stops
    world.pay(1, STRANGER)
    look = world.rail.look(world.funding())
    assert (look.status, look.deposits) == (FundingStatus.PROCESSING, ())
    assert world.rail.close(world.funding()).status is FundingStatus.PROCESSING
    chain.mine(8)
    assert world.rail.look(world.funding()).status is FundingStatus.PAID


def test_a_reorg_before_finality_leaves_nothing(chain: Chain) -> None:
    world = World(chain, finality="finalized")
    chain.mine(8)
    world.pay()
    chain.mine(1)
    chain.reorg(3)
    chain.mine(8)
    look = world.rail.look(world.funding())
    assert (look.status, look.deposits) == (FundingStatus.UNPAID, ())


def test_a_deposit_that_vanished_after_it_was_recorded_is_an_alarm(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.pay()
    world.deposits()
    world.chain.reorg(1)
    with pytest.raises(RailOutcomeUnknown, match="recorded"):
        world.rail.look(world.funding(known_units=UNITS))
    assert "no longer on the chain" in caplog.text


def test_a_vault_that_does_not_hold_what_its_logs_say_is_an_alarm(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.pay()
    stale = {"block": world.chain.height(), "arrived": 0, "left": 0}
    with pytest.raises(RailOutcomeUnknown, match="its logs say"):
        world.rail.look(world.funding(cursor=stale))
    assert "does not hold" in caplog.text


def test_goes_on_from_where_it_stopped_and_finds_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded ranges, a bounded number of them: what one look does not reach, the next one does."""
    for name in ("SPAN", "RANGE"):
        monkeypatch.setattr(searching, name, 3)
    monkeypatch.setattr(searching, "RANGES", 2)
    cursor = world.rail.open(world.funding()).cursor
    world.pay(15_000)
    world.chain.mine(20)
    world.pay(15_000)
    seen = []
    for _ in range(12):
        look = world.rail.look(world.funding(cursor=cursor))
        seen += [(deposit.amount, deposit.units) for deposit in look.deposits]
        assert look.keep is not look.complete
        cursor = look.cursor
        if look.complete:
            break
    assert seen == [(1, 15_000), (2, 15_000)]
    assert cursor == {"block": world.chain.height(), "arrived": 30_000, "left": 0}


def test_deposits_after_a_payout_still_agree(world: World) -> None:
    world.pay()
    world.rail.send(world.order())
    world.pay(30_000)
    assert [deposit.amount for deposit in world.deposits()] == [GROSS, 3]


def test_closing_an_empty_vault_is_closed_and_a_paid_one_is_late_money(world: World) -> None:
    assert world.rail.close(world.funding()).status is FundingStatus.CANCELED
    world.pay()
    assert world.rail.close(world.funding()).status is FundingStatus.PAID


def test_a_wallet_on_the_tokens_deny_list_is_not_ready(world: World) -> None:
    assert world.rail.destination_ready(SELLER)
    world.chain.deny(SELLER)
    assert not world.rail.destination_ready(SELLER)
    world.chain.allow(SELLER)
    assert world.rail.destination_ready(SELLER)


def test_nobody_is_ready_while_the_token_is_paused(world: World) -> None:
    world.chain.pause()
    assert not world.rail.destination_ready(SELLER)
    world.chain.unpause()
    assert world.rail.destination_ready(SELLER)


def test_a_node_of_another_chain_is_refused(world: World) -> None:
    from bloxtr8.rails.usdc.chain import Chain as Node

    with pytest.raises(RailBug, match="is of chain"):
        Node(world.chain.url, 84532).block("latest")
