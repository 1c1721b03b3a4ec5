"""Deploying through the deterministic deployer, on real chains of our own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import Web3
from web3.types import RPCEndpoint

from local.chain.node import CHAIN_ID, Anvil
from onchain import deploy

OWNER = "0x1111111111111111111111111111111111111111"
SAFE = "0x2222222222222222222222222222222222222222"
PAYER = Account.from_key(keccak(text="pays for a deployment"))


@contextmanager
def node(chain_id: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web3]:
    """A chain of our own that says it is `chain_id`, where RPC_URL points to and the payer has a little ether."""
    anvil = Anvil(chain_id=chain_id)
    try:
        monkeypatch.setenv("RPC_URL", anvil.url)
        w3 = Web3(Web3.HTTPProvider(anvil.url))
        w3.provider.make_request(RPCEndpoint("anvil_setBalance"), [PAYER.address, hex(10**18)])
        yield w3
    finally:
        anvil.close()


@pytest.fixture
def w3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web3]:
    monkeypatch.delenv("DEPLOYER_KEY", raising=False)
    with node(CHAIN_ID, monkeypatch) as w3:
        yield w3


@pytest.fixture
def sepolia(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web3]:
    monkeypatch.delenv("DEPLOYER_KEY", raising=False)
    with node(deploy.CHAINS["base-sepolia"].id, monkeypatch) as w3:
        yield w3


def run(*args: str) -> int:
    return deploy.main(args)


def test_the_address_is_said_before_and_the_contract_is_there_afterwards(
    w3: Web3, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--chain", "anvil", "--owner", OWNER, "--predict") == 0
    predicted = deploy.address_of(OWNER)
    assert predicted in capsys.readouterr().out
    assert not deploy.is_deployed(w3, OWNER)

    assert run("--chain", "anvil", "--owner", OWNER) == 0

    said = capsys.readouterr().out
    assert said.index(predicted) < said.index("Sending to anvil")
    escrow = w3.eth.contract(address=to_checksum_address(predicted), abi=deploy.contract()["abi"])
    assert escrow.functions.owner().call() == OWNER
    assert escrow.functions.pendingOwner().call() == "0x" + "00" * 20


def test_the_code_on_chain_is_the_artifacts_but_for_its_constructors_values(w3: Web3) -> None:
    address = to_checksum_address(deploy.deploy(w3, OWNER))
    built = deploy.contract()

    code = bytearray(w3.eth.get_code(address))

    for start, length in built["immutables"]:
        code[start : start + length] = bytes(length)
    assert bytes(code).hex() == built["deployedBytecode"][2:]


def test_the_vaults_implementation_is_the_contracts_first_creation(w3: Web3) -> None:
    address = to_checksum_address(deploy.deploy(w3, OWNER))
    escrow = w3.eth.contract(address=address, abi=deploy.contract()["abi"])

    first = to_checksum_address(keccak(b"\xd6\x94" + bytes.fromhex(address[2:]) + b"\x01")[12:])

    assert escrow.functions.VAULT_IMPLEMENTATION().call() == first


def test_a_second_run_finds_it_and_sends_nothing(w3: Web3, capsys: pytest.CaptureFixture[str]) -> None:
    run("--chain", "anvil", "--owner", OWNER)
    height = w3.eth.block_number

    assert run("--chain", "anvil", "--owner", OWNER) == 0

    assert "already on anvil; nothing was sent" in capsys.readouterr().out
    assert w3.eth.block_number == height


def test_a_dry_run_over_several_chains_asks_each_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Base too, before the audit; what it says is what a run then does."""
    monkeypatch.setenv("DEPLOYER_KEY", PAYER.key.to_0x_hex())
    ids = [deploy.CHAINS[name].id for name in ("base-sepolia", "base")]
    with node(ids[0], monkeypatch) as sepolia, node(ids[1], monkeypatch) as base:
        for chain_id, w3 in zip(ids, (sepolia, base), strict=True):
            monkeypatch.setenv(f"RPC_URL_{chain_id}", str(w3.provider.endpoint_uri))  # type: ignore[attr-defined]
        both = ["--chain", "base-sepolia", "base", "--owner", SAFE, "--dry-run"]

        assert run(*both) == 0

        said = capsys.readouterr().out
        assert f"Escrow    {deploy.address_of(SAFE)}, on every chain" in said
        assert [f"on {name} (chain {of})" in said for name, of in zip(("base-sepolia", "base"), ids, strict=True)]
        for w3 in (sepolia, base):
            assert (w3.eth.block_number, w3.eth.get_transaction_count(PAYER.address)) == (0, 0)
            assert not deploy.is_deployed(w3, SAFE)

        assert run("--chain", "base-sepolia", "--owner", SAFE) == 0
        assert run(*both) == 0
        said = capsys.readouterr().out
        assert "already on base-sepolia; nothing would be sent" in said
        assert f"It would be on base (chain {ids[1]})" in said

        monkeypatch.setenv(f"RPC_URL_{ids[1]}", str(sepolia.provider.endpoint_uri))  # type: ignore[attr-defined]
        assert run(*both) == 1
        assert f"The node is on chain {ids[0]}, and base is {ids[1]}" in capsys.readouterr().err


def test_a_dry_run_says_what_would_stop_it(
    sepolia: Web3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEPLOYER_KEY", PAYER.key.to_0x_hex())
    asked = ("--chain", "base-sepolia", "--owner", SAFE, "--dry-run")
    set_balance, set_code = RPCEndpoint("anvil_setBalance"), RPCEndpoint("anvil_setCode")
    sepolia.provider.make_request(set_balance, [PAYER.address, hex(10**9)])
    assert run(*asked) == 1
    assert f"{PAYER.address} has {10**9} wei" in capsys.readouterr().err

    returns_another = "0x73" + "11" * 20 + "5f526014600cf3"

    sepolia.provider.make_request(set_code, [deploy.DEPLOYER, returns_another])
    assert run(*asked) == 1
    assert "would make 0x" + "11" * 20 in capsys.readouterr().err

    sepolia.provider.make_request(set_code, [deploy.DEPLOYER, "0x"])
    assert run(*asked) == 1
    assert f"is not on chain {deploy.CHAINS['base-sepolia'].id}" in capsys.readouterr().err


def test_of_two_runs_at_once_both_find_the_contract(sepolia: Web3) -> None:
    """Neither saw it there; the second's transaction fails."""
    import threading

    accounts = [Account.from_key(keccak(text=f"payer {n}")) for n in range(2)]
    for account in accounts:
        sepolia.provider.make_request(RPCEndpoint("anvil_setBalance"), [account.address, hex(10**18)])
    sepolia.provider.make_request(RPCEndpoint("evm_setAutomine"), [False])
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda account=account: made.append(deploy.deploy(sepolia, SAFE, account)))
        for account in accounts
    ]
    for thread in threads:
        thread.start()
    while int(sepolia.provider.make_request(RPCEndpoint("txpool_status"), [])["result"]["pending"], 16) < 2:
        pass
    sepolia.provider.make_request(RPCEndpoint("evm_mine"), [])
    for thread in threads:
        thread.join()
    assert made == [deploy.address_of(SAFE)] * 2


def test_another_owner_has_another_contract(w3: Web3) -> None:
    assert deploy.deploy(w3, OWNER) != deploy.deploy(w3, SAFE)


def test_it_has_the_same_address_on_another_chain_whoever_pays(
    w3: Web3, sepolia: Web3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOYER_KEY", PAYER.key.to_0x_hex())
    here = deploy.deploy(w3, SAFE)

    assert run("--chain", "base-sepolia", "--owner", SAFE) == 0

    assert len(sepolia.eth.get_code(to_checksum_address(here))) > 0
    assert sepolia.eth.get_transaction_count(PAYER.address) == 1


def test_a_keystore_pays_once_its_password_is_given(
    sepolia: Web3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keystore = tmp_path / "payer.json"
    keystore.write_text(json.dumps(Account.encrypt(PAYER.key, "a long password", kdf="pbkdf2", iterations=1000)))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a long password")

    assert run("--chain", "base-sepolia", "--owner", SAFE, "--keystore", str(keystore)) == 0

    assert deploy.is_deployed(sepolia, SAFE)


def test_nothing_is_sent_where_nobody_pays(sepolia: Web3, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--chain", "base-sepolia", "--owner", SAFE) == 1

    assert "Nobody to pay for it" in capsys.readouterr().err
    assert not deploy.is_deployed(sepolia, SAFE)


def test_a_chain_of_real_money_is_refused_until_the_audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEPLOYER_KEY", PAYER.key.to_0x_hex())
    with node(deploy.CHAINS["base"].id, monkeypatch) as base:
        assert run("--chain", "base", "--owner", SAFE) == 1
        assert "once the contract is audited" in capsys.readouterr().err
        assert not deploy.is_deployed(base, SAFE)

        assert run("--chain", "base", "--owner", SAFE, "--audited") == 0
        assert deploy.is_deployed(base, SAFE)


def test_a_node_of_another_chain_is_refused(
    w3: Web3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEPLOYER_KEY", PAYER.key.to_0x_hex())

    assert run("--chain", "base-sepolia", "--owner", OWNER) == 1

    assert "The node is on chain 31337" in capsys.readouterr().err
    assert not deploy.is_deployed(w3, OWNER)


def test_a_chain_without_the_deployer_is_refused(w3: Web3, capsys: pytest.CaptureFixture[str]) -> None:
    w3.provider.make_request(RPCEndpoint("anvil_setCode"), [deploy.DEPLOYER, "0x"])

    assert run("--chain", "anvil", "--owner", OWNER) == 1

    assert "is not on chain 31337" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        ("0x" + "00" * 20, "can own nothing"),
        ("0x1234", "can own nothing"),
        ("vitalik.eth", "can own nothing"),
        ("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914", "its checksum is wrong"),
    ],
)
def test_an_owner_that_is_a_mistake_is_refused(owner: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--chain", "anvil", "--owner", owner, "--predict") == 1

    assert reason in capsys.readouterr().err
