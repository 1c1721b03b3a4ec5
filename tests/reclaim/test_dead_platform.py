"""A signed contract, a chain, and nothing else: the platform is gone, and the money comes back to the buyer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from bloxtr8 import addresses, config
from bloxtr8.documents import pdf, store
from bloxtr8.rails.usdc import reclaiming, vault
from local.chain.chain import ETHER, Chain
from tests import emulator, factories
from tests.documents import samples
from tests.functions import chain as chains
from tests.functions.chain import holder

SHARED = Path(pdf.__file__).parents[2]
DAY = 86_400
TERM = 150 * DAY  # after the contract was accepted
BUYER, SELLER = "0x" + 20 * "b1", "0x" + 20 * "5e"
GROSS = 20_200_000_000
OPERATOR = "0x" + 20 * "0b"


class Deal:
    """A contract in USDC for this chain: its vault, its file, and what an operator may do to the vault."""

    def __init__(self, chain: Chain, folder: Path, frozen: dict[str, Any]) -> None:
        self.chain, self.frozen, self.reclaim_after = chain, frozen, frozen["reclaimAfter"]
        self.file = folder / "contract.pdf"
        self.terms = vault.Terms.from_json(self.frozen)
        self.vault = vault.address(self.terms)

    def pay(self) -> None:
        """The buyer's whole money, from an exchange."""
        self.chain.transfer(self.chain.roles.exchange, self.vault, self.terms.amount)

    def operate(self, function: str, *numbers: int) -> None:
        """A call of the platform's signer, as long as there was one. `function` of the terms and of numbers."""
        self.chain.allow_operator(OPERATOR)
        words = b"".join(number.to_bytes(32, "big") for number in numbers)
        data = addresses.keccak(function.encode())[:4] + self.terms.encoded() + words
        self.chain.send(OPERATOR, self.chain.escrow, f"0x{data.hex()}")


@pytest.fixture
def deal(anvil: Chain, tmp_path: Path) -> Deal:
    """A deal whose contract is rendered from its terms."""
    anvil.reset()
    agreed = samples.usdc_terms()
    frozen = samples.vault(
        chainId=anvil.id, escrowContract=anvil.escrow, escrowId=addresses.escrow_key(agreed["escrowId"]),
        token=anvil.usdc, buyer=BUYER, seller=SELLER, feeReceiver=anvil.roles.fees, reclaimAfter=anvil.now() + TERM,
    )  # fmt: skip
    made = Deal(anvil, tmp_path, frozen)
    made.file.write_bytes(pdf.render(agreed | {"vault": frozen}))
    return made


@pytest.fixture
def signed(chain: Chain, tmp_path: Path) -> Deal:
    """A deal whose contract the platform made, and both signed; since then its table, its bucket and all in them are
    gone."""
    accepted = chains.accepted(buyer=holder(wallet=BUYER), seller=holder(wallet=SELLER))
    made = Deal(chain, tmp_path, accepted.terms["vault"])
    factories.executed(factories.contract(accepted, printed=True))
    signed_one = factories.contract_row(accepted)
    shelf = {"Bucket": config.settings().contracts_bucket, "Key": store.key_of(str(signed_one.sha256))}
    made.file.write_bytes(emulator.client("s3").get_object(**shelf)["Body"].read())
    emulator.client("s3").delete_object(**shelf)
    emulator.client("dynamodb").delete_table(TableName=config.settings().table_name)
    return made


def reclaim(deal: Deal, *arguments: str, stdin: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """The command in a process that has the layer and the file: no AWS, no settings, no home."""
    done = subprocess.run(
        [sys.executable, "-m", "bloxtr8.reclaim", *([] if stdin else [str(deal.file)]), "--json", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SHARED)},
        cwd=deal.file.parent,
        input=stdin,
        capture_output=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


class Stranger:
    """Nobody of this deal, with a key of his own and a little ether."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.key = chain, Account.create()
        self.address = str(self.key.address)
        chain.fund(self.address, ETHER // 100)

    def send(self, transaction: dict[str, Any]) -> dict[str, Any]:
        """Sign exactly this, and send it. The receipt."""
        plain = {name: value for name, value in transaction.items() if name != "from"}
        raw = self.key.sign_transaction(plain).raw_transaction.to_0x_hex()
        return self.chain.wait(self.chain.rpc("eth_sendRawTransaction", raw))


def test_after_the_term_a_stranger_sends_it_and_the_buyer_has_his_money(signed: Deal) -> None:
    chain, stranger = signed.chain, Stranger(signed.chain)
    signed.pay()
    early, _ = reclaim(signed, "--rpc", chain.url)
    chain.increase_time(TERM)

    code, told = reclaim(signed, "--rpc", chain.url, "--from", stranger.address)
    receipt = stranger.send(told["transaction"])

    assert early == 4
    paid = signed.terms.amount
    assert (code, told["status"], told["units"]) == (0, "READY", paid)
    assert receipt["status"] == "0x1"
    assert (chain.balance(BUYER), chain.balance(signed.vault), chain.balance(stranger.address)) == (paid, 0, 0)


def test_what_was_built_without_a_network_works_too(deal: Deal) -> None:
    code, told = reclaim(deal)
    deal.pay()
    deal.chain.increase_time(TERM)
    stranger = Stranger(deal.chain)

    receipt = stranger.send(told["transaction"] | {"nonce": 0, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**6})

    assert (code, told["status"], told["units"]) == (0, "UNCHECKED", None)
    assert receipt["status"] == "0x1"
    assert deal.chain.balance(BUYER) == GROSS


def test_before_the_term_it_says_when_and_the_chain_refuses(deal: Deal) -> None:
    deal.pay()
    deal.chain.increase_time(TERM - 60)
    stranger = Stranger(deal.chain)

    code, told = reclaim(deal, "--rpc", deal.chain.url)
    fees = {"nonce": 0, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**6}
    receipt = stranger.send(told["transaction"] | fees)

    assert (code, told["status"]) == (4, "TOO_EARLY")
    assert told["reclaimableFrom"] == deal.reclaim_after
    assert receipt["status"] == "0x0"
    assert deal.chain.balance(deal.vault) == GROSS


def test_a_postponed_term_is_90_days_later(deal: Deal) -> None:
    deal.pay()
    deal.operate(f"postpone({reclaiming.TERMS})")
    deal.chain.increase_time(TERM)

    early, told = reclaim(deal, "--rpc", deal.chain.url)
    deal.chain.increase_time(90 * DAY)
    code, _ = reclaim(deal, "--rpc", deal.chain.url)

    assert (early, told["postponed"]) == (4, True)
    assert told["reclaimableFrom"] == deal.reclaim_after + 90 * DAY
    assert code == 0


def test_what_the_seller_got_stays_his_and_the_rest_comes_back(deal: Deal) -> None:
    deal.pay()
    deal.operate(f"settle({reclaiming.TERMS},uint8,uint256,uint256,uint256)", 0, 5_000_000_000, 100_000_000, 0)
    deal.chain.increase_time(TERM)
    stranger = Stranger(deal.chain)

    _, told = reclaim(deal, "--rpc", deal.chain.url, "--from", stranger.address)
    stranger.send(told["transaction"])
    again, said = reclaim(deal, "--rpc", deal.chain.url)

    assert (deal.chain.balance(SELLER), deal.chain.balance(BUYER)) == (5_000_000_000, 15_100_000_000)
    assert (again, said["status"]) == (5, "NOTHING_LEFT")


def test_strays_come_back_too(deal: Deal) -> None:
    other = deal.chain.other_token()
    deal.chain.mint(deal.vault, 7, other)
    deal.chain.fund(deal.vault, 9)
    deal.chain.increase_time(TERM)
    stranger = Stranger(deal.chain)

    for token in (other, "eth"):
        _, told = reclaim(deal, "--rpc", deal.chain.url, "--from", stranger.address, "--token", token)
        stranger.send(told["transaction"])

    assert (deal.chain.balance(BUYER, token=other), deal.chain.ether(BUYER)) == (7, 9)
    assert reclaim(deal, "--rpc", deal.chain.url)[0] == 5  # of USDC there was none


def test_a_copy_of_the_text_will_do(deal: Deal) -> None:
    deal.pay()
    deal.chain.increase_time(TERM)
    copied = "\n".join(samples.page_texts(deal.file.read_bytes())).encode()

    code, told = reclaim(deal, "--rpc", deal.chain.url, stdin=copied)

    assert (code, told["vault"].lower()) == (0, deal.vault)


def test_another_chain_another_contract_and_a_paused_token_are_told_apart(deal: Deal) -> None:
    deal.pay()
    deal.chain.increase_time(TERM)
    moved = json.dumps(samples.vault(chainId=8453)).encode()
    empty = json.dumps(
        samples.vault(chainId=deal.chain.id, escrowContract=BUYER)
    ).encode()  # there is no code at that address
    usurped = json.dumps(samples.vault(chainId=deal.chain.id, escrowContract=deal.chain.usdc)).encode()

    answers = [reclaim(deal, "--rpc", deal.chain.url, stdin=given) for given in (moved, empty, usurped)]
    deal.chain.pause()
    answers.append(reclaim(deal, "--rpc", deal.chain.url))

    assert [code for code, _ in answers] == [6, 6, 6, 6]
    assert "chain 31337; the terms are of chain 8453" in answers[0][1]["error"]
    assert "no contract at" in answers[1][1]["error"]
    assert "refused eth_call" in answers[2][1]["error"]
    assert "refused eth_estimateGas" in answers[3][1]["error"]
