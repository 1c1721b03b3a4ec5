"""The local chain: Circle's own token behaves as on Base, the oracle's stub and the Escrow are there, time is ours."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from bloxtr8 import config
from local.chain import node
from local.chain.chain import Chain, Reverted
from local.chain.rpc import RpcError, call_data
from onchain import deploy

ROOT = Path(__file__).parents[2]
ANN, BOB = "0x" + "a1" * 20, "0x" + "b2" * 20
DOLLAR = 1_000_000


def text(chain: Chain, signature: str) -> str:
    raw = bytes.fromhex(chain.call(chain.usdc, call_data(signature))[2:])
    return raw[64 : 64 + int.from_bytes(raw[32:64])].decode()


def word(chain: Chain, to: str, signature: str, *values: object) -> int:
    return int(chain.call(to, call_data(signature, *values)), 16)


def is_sanctioned(chain: Chain, address: str) -> bool:
    return word(chain, chain.oracle, "isSanctioned(address)", address) == 1


def test_the_token_is_circles_usdc_in_its_newest_version(anvil: Chain) -> None:
    assert (text(anvil, "symbol()"), text(anvil, "version()"), word(anvil, anvil.usdc, "decimals()")) == (
        "USDC", "2", 6,
    )  # fmt: skip
    with pytest.raises(RpcError, match="revert"):
        anvil.call(anvil.usdc, call_data("initializeV2_2(address[],string)", [], "USDC"))


def test_money_moves_in_base_units_and_no_further_than_it_goes(chain: Chain) -> None:
    chain.mint(ANN, 5 * DOLLAR)
    moved = chain.transfer(ANN, BOB, 2 * DOLLAR)
    assert (chain.balance(ANN), chain.balance(BOB), chain.log_index(moved)) == (3 * DOLLAR, 2 * DOLLAR, 0)
    with pytest.raises(Reverted):
        chain.transfer(ANN, BOB, 3 * DOLLAR + 1)
    failed = chain.receipt(chain.transfer(ANN, BOB, 3 * DOLLAR + 1, may_fail=True))
    assert failed is not None
    assert failed["status"] == "0x0"
    assert chain.balance(ANN) == 3 * DOLLAR


def test_circle_denies_an_address_and_stops_the_token(chain: Chain) -> None:
    chain.mint(ANN, 3 * DOLLAR)
    chain.deny(BOB)
    with pytest.raises(Reverted):
        chain.transfer(ANN, BOB, DOLLAR)
    chain.allow(BOB)
    chain.transfer(ANN, BOB, DOLLAR)
    chain.pause()
    with pytest.raises(Reverted):
        chain.transfer(ANN, BOB, DOLLAR)
    chain.unpause()
    chain.transfer(ANN, BOB, DOLLAR)
    assert chain.balance(BOB) == 2 * DOLLAR


def test_another_token_is_another_balance(chain: Chain) -> None:
    other = chain.other_token()
    chain.mint(ANN, DOLLAR, other)
    chain.transfer(ANN, BOB, DOLLAR, token=other)
    assert (chain.balance(BOB), chain.balance(BOB, token=other)) == (0, DOLLAR)


def test_the_oracle_knows_who_is_sanctioned_until_it_breaks(chain: Chain) -> None:
    chain.sanction(ANN)
    assert (is_sanctioned(chain, ANN), is_sanctioned(chain, BOB)) == (True, False)
    chain.sanction(ANN, False)
    assert not is_sanctioned(chain, ANN)
    with pytest.raises(RpcError):
        word(chain, chain.oracle, "isSanctionedVerbose(address)", ANN)
    chain.break_oracle()
    with pytest.raises(RpcError):
        is_sanctioned(chain, ANN)
    chain.mend_oracle()
    assert not is_sanctioned(chain, ANN)


def test_the_escrow_is_deployed_and_only_its_operator_may_settle(chain: Chain) -> None:
    assert word(chain, chain.escrow, "owner()") == int(chain.roles.escrow_owner, 16)
    assert word(chain, chain.escrow, "isOperator(address)", chain.operator) == 1
    assert chain.ether(chain.operator) == 10**18
    chain.refuse_operator(chain.operator)
    assert word(chain, chain.escrow, "isOperator(address)", chain.operator) == 0
    assert chain.escrow == deploy.address_of(chain.roles.escrow_owner).lower()


def test_the_product_is_told_where_everything_is(chain: Chain) -> None:
    settings = config.settings()
    assert (settings.chain_rpc_url, settings.chain_id, settings.chain_ids) == (chain.url, 31337, "31337")
    assert (settings.usdc_address, settings.escrow_contract, settings.sanctions_oracle) == (
        chain.usdc, chain.escrow, chain.oracle,
    )  # fmt: skip
    assert (settings.fee_address, settings.chain_finality) == (chain.roles.fees, "latest")


def test_blocks_become_safe_and_then_final(chain: Chain) -> None:
    chain.mine(3)
    chain.mint(ANN, DOLLAR)
    heights = []
    for blocks in (0, 2, 2):
        if blocks:
            chain.mine(blocks)
        heights.append([chain.balance(ANN, tag) // DOLLAR for tag in ("latest", "safe", "finalized")])
    assert heights == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_a_reorganisation_takes_a_payment_back(chain: Chain) -> None:
    height = chain.height()
    moved = chain.mint(ANN, DOLLAR)
    before = chain.block(height + 1)["hash"]
    chain.reorg(1)
    assert (chain.balance(ANN), chain.receipt(moved), chain.height()) == (0, None, height + 1)
    assert chain.block(height + 1)["hash"] != before


def test_a_transaction_is_stuck_until_a_block_or_forgotten(chain: Chain) -> None:
    chain.mint(ANN, 2 * DOLLAR)
    chain.automine(False)
    stuck = chain.transfer(ANN, BOB, DOLLAR)
    assert (chain.receipt(stuck), chain.pending()) == (None, [stuck])
    assert (chain.nonce(ANN), chain.nonce(ANN, "pending")) == (0, 1)
    chain.drop(stuck)
    assert chain.pending() == []
    moved = chain.transfer(ANN, BOB, 2 * DOLLAR)
    chain.mine()
    assert chain.wait(moved)["status"] == "0x1"
    assert (chain.balance(BOB), chain.nonce(ANN)) == (2 * DOLLAR, 1)


def test_time_passes_on_request(chain: Chain) -> None:
    before = chain.now()
    chain.increase_time(90 * 86_400)
    assert 0 <= chain.now() - before - 90 * 86_400 < 60


def test_a_moved_clock_mines_nothing_that_is_stuck(chain: Chain) -> None:
    chain.mint(ANN, DOLLAR)
    ahead = chain.now() + 90
    chain.automine(False)
    stuck = chain.transfer(ANN, BOB, DOLLAR)
    chain.catch_up(ahead)
    assert chain.receipt(stuck) is None
    chain.mine()
    assert chain.wait(stuck)["status"] == "0x1"
    assert ahead <= chain.now() < ahead + 60
    chain.catch_up(ahead - 1000)
    assert chain.now() >= ahead


def test_a_reset_leaves_nothing_of_a_test(anvil: Chain) -> None:
    anvil.reset()
    height, now = anvil.height(), anvil.now()
    anvil.mint(ANN, DOLLAR)
    anvil.sanction(ANN)
    anvil.increase_time(86_400)
    anvil.automine(False)
    anvil.transfer(ANN, BOB, DOLLAR)
    anvil.reset()
    assert (anvil.height(), anvil.now(), anvil.pending()) == (height, now, [])
    assert not is_sanctioned(anvil, ANN)
    anvil.mint(ANN, DOLLAR)
    assert (anvil.balance(ANN), anvil.balance(BOB)) == (DOLLAR, 0)
    assert anvil.now() - now < 3600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_no_node_outlives_the_process_that_started_it() -> None:
    script = "from local.chain.node import Anvil; a = Anvil(); print(a._process.pid, a.url, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid, url = parent.stdout.readline().split()
    assert url.startswith("http://127.0.0.1:")
    child = os.pidfd_open(int(pid))
    parent.kill()
    parent.communicate()
    ended, _, _ = select.select([child], [], [], 10)
    assert ended == [child]


def test_a_node_that_cannot_start_says_why(chain: Chain) -> None:
    taken = int(chain.url.rsplit(":", 1)[1])
    with pytest.raises(RuntimeError, match="did not start.*in use"):
        node.Anvil(port=taken).url  # noqa: B018


def test_a_clone_without_node_packages_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "ROOT", tmp_path)
    with pytest.raises(RuntimeError, match="make setup"):
        node.program()
