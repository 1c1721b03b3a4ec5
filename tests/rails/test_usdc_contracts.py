"""A newly deployed Escrow takes the new vaults; those of the earlier one are honoured to their end."""

import pytest

from bloxtr8 import config, rails, usdc
from bloxtr8.domain import vaults
from bloxtr8.rails.base import LegStatus, Rail, RailBug
from bloxtr8.rails.usdc import reclaiming
from local.chain.chain import Chain
from local.chain.rpc import call_data
from onchain import deploy
from tests.rails.test_usdc_sending import PAID
from tests.rails.vaults import BUYER, GROSS, UNITS, World

OWNER = "0x" + "77" * 20


@pytest.fixture
def moved(world: World, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> World:
    """A vault with its money, whose contract is no longer the one that is configured."""
    world.pay()
    chain.send(chain.roles.issuer, deploy.DEPLOYER, "0x" + (deploy.SALT + deploy.init_code(OWNER)).hex())
    new = deploy.address_of(OWNER)
    chain.send(OWNER, new, call_data("setOperator(address,bool)", world.signer.address, True))
    configure(monkeypatch, ESCROW_CONTRACT=new)
    monkeypatch.setattr(usdc, "_node", lambda *_: world.node)  # which waits for the block of what it sent
    return world


def configure(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()


def honoured(monkeypatch: pytest.MonkeyPatch, moved: World, chain_id: int | None = None) -> Rail:
    """The rail of a deployment that lists the earlier contract, on this chain or another."""
    configure(monkeypatch, EARLIER_CONTRACTS=f"{chain_id or moved.chain.id}:{moved.chain.escrow}")
    return usdc.rail()


def test_a_vault_of_an_earlier_contract_is_shown_seen_and_settled(
    moved: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rail = honoured(monkeypatch, moved)

    assert rail.payment(moved.funding()).external_id == moved.place
    assert [deposit.amount for deposit in rail.look(moved.funding()).deposits] == [GROSS]
    outcome = rail.send(moved.order())

    assert outcome.status is LegStatus.CONFIRMED
    assert rail.find(moved.order()) == outcome
    assert moved.row().to == moved.chain.escrow
    assert moved.balances() == PAID


def test_a_vault_of_an_earlier_contract_is_postponed_and_reclaimed(
    moved: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honoured(monkeypatch, moved)
    chain = rails.chain()
    assert chain.postpone(moved.funding())
    moved.chain.increase_time(300 * 86_400)
    moved.chain.send(BUYER, moved.chain.escrow, reclaiming.call_data(moved.terms, moved.chain.usdc))
    assert [seen.units for seen in chain.reclaimed(moved.funding()).seen] == [UNITS]


@pytest.mark.parametrize("chain_id", [None, 8453])
def test_a_contract_that_is_not_listed_for_this_chain_is_refused(
    moved: World, monkeypatch: pytest.MonkeyPatch, chain_id: int | None
) -> None:
    rail = honoured(monkeypatch, moved, chain_id) if chain_id else usdc.rail()
    for ask in (rail.open, rail.payment, rail.look):
        with pytest.raises(RailBug, match="not of this chain, contract"):
            ask(moved.funding())
    with pytest.raises(RailBug, match="not of this chain, contract"):
        rail.send(moved.order())


def test_new_terms_name_the_current_contract(moved: World, monkeypatch: pytest.MonkeyPatch) -> None:
    honoured(monkeypatch, moved)
    terms = vaults.terms(
        "esc_01KATZ00000000000000000099", buyer=BUYER, seller=BUYER, gross=1, max_fee_bps=0,
        windows={"deliverSeconds": 60, "inspectSeconds": 60}, accepted_at=moved.deposits()[0].at,
    )  # fmt: skip
    assert terms["escrowContract"] == deploy.address_of(OWNER).lower() != moved.chain.escrow


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"CHAIN_IDS": "84532"}, "may not be used"),
        ({"STAGE": "prod"}, "may not be used"),
        ({"CHAIN_RPC_URL": ""}, "No node"),
        ({"ESCROW_CONTRACT": ""}, "no contract"),
    ],
)
def test_no_rail_for_a_deployment_that_may_not_use_its_chain(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], why: str
) -> None:
    configure(monkeypatch, **settings)
    with pytest.raises(RailBug, match=why):
        usdc.rail()
