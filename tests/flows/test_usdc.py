"""Whole trades in USDC over HTTP: proven wallets, plain transfers to a vault, one call that pays everybody."""

import pytest

from local.client import Refused
from local.demo import milestones, stories, usdc
from local.demo.stories import Cast
from tests.flows.theatre import Theatre, silent


@pytest.fixture(scope="module")
def wallets(cast: Cast) -> dict[str, str]:
    """Both sides' proven wallets; the buyer's holds USDC."""
    return usdc.prove_wallets(cast, silent, 200_000)


def agree(theatre: Theatre, amount: int = 23_000) -> None:
    stories.agree(theatre.cast, theatre.trade, theatre.group_id, silent, currency="USDC", amount=amount)


def on_chain(theatre: Theatre, wallets: dict[str, str], vault: str) -> list[int]:
    """Cents of the buyer, the seller, the fee address and the vault."""
    found = usdc.balances(theatre.cast.world, wallets, vault)
    names = [theatre.cast.buyer.name, theatre.cast.seller.name]
    return [*(found[f"{name}'s wallet"] for name in names), found["the fee address"], found["the vault"]]


def test_a_confirmed_trade_pays_seller_and_fee_in_one_call(theatre: Theatre, wallets: dict[str, str]) -> None:
    agree(theatre)
    vault = usdc.ask(theatre.cast, theatre.trade)["depositAddr"]
    before = on_chain(theatre, wallets, vault)
    usdc.fund(theatre.cast, theatre.trade, wallets[theatre.cast.buyer.name], silent)
    assert on_chain(theatre, wallets, vault)[3] == 23_000
    stories.deliver_and_release(theatre.cast, theatre.trade, theatre.group_id, silent, usdc.watch)
    after = on_chain(theatre, wallets, vault)
    assert [now - then for now, then in zip(after, before, strict=True)] == [-23_000, 22_333, 667, 0]
    accounts = theatre.assert_sound()["accounts"]
    assert {name: cents for name, cents in accounts.items() if cents} == {
        "BUYER": -23_000, "SELLER": 22_333, "FEES": 667,
    }  # fmt: skip
    with pytest.raises(Refused):
        theatre.cast.buyer.post(f"{theatre.path}/payment")


def test_a_refund_returns_every_unit_to_the_proven_wallet(theatre: Theatre, wallets: dict[str, str]) -> None:
    agree(theatre)
    vault = usdc.ask(theatre.cast, theatre.trade)["depositAddr"]
    before = on_chain(theatre, wallets, vault)
    usdc.fund(theatre.cast, theatre.trade, wallets[theatre.cast.buyer.name], silent)
    theatre.cast.seller.post(f"{theatre.path}/refund", {"reason": "It was taken from me"})
    usdc.watch(theatre.cast, theatre.trade, "REFUNDED")
    assert on_chain(theatre, wallets, vault) == before
    theatre.assert_sound()


def test_both_sides_settle_and_one_call_pays_all_three(theatre: Theatre, wallets: dict[str, str]) -> None:
    agree(theatre, 10_000)
    cast = theatre.cast
    before = on_chain(theatre, wallets, usdc.ask(cast, theatre.trade)["depositAddr"])
    vault = usdc.fund(cast, theatre.trade, wallets[cast.buyer.name], silent)
    parts = {"sellerAmount": 3_333, "buyerAmount": 6_667, "reason": "A third of the members left"}
    proposal = cast.seller.post(f"{theatre.path}/settlements", parts)["id"]
    cast.buyer.post(f"{theatre.path}/settlements/{proposal}/accept")
    usdc.watch(cast, theatre.trade, "SPLIT")

    (log,) = usdc.settled(cast.world, vault)
    assert [int(log["topics"][2], 16), *usdc.cents_in(log["data"])] == [64, 3_237, 96, 6_667]
    after = on_chain(theatre, wallets, vault)
    assert [now - then for now, then in zip(after, before, strict=True)] == [6_667 - 10_000, 3_237, 96, 0]
    accounts = theatre.assert_sound()["accounts"]
    assert (accounts["SELLER"], accounts["FEES"], accounts["BUYER"]) == (3_237, 96, 6_667 - 10_000)


def test_two_milestones_and_a_refund_of_the_rest_are_three_calls_of_one_vault(
    theatre: Theatre, wallets: dict[str, str]
) -> None:
    cast, thirds = theatre.cast, (3_333, 3_333, 3_334)
    parts = [{"title": f"Part {n}", "amountCents": cents} for n, cents in enumerate(thirds, start=1)]
    stories.agree(cast, theatre.trade, theatre.group_id, silent, currency="USDC", amount=10_000, milestones=parts)
    before = on_chain(theatre, wallets, usdc.ask(cast, theatre.trade)["depositAddr"])
    vault = usdc.fund(cast, theatre.trade, wallets[cast.buyer.name], silent)
    for n in (1, 2):
        theatre.confirm(milestones.hand_over(cast, theatre.trade, None, silent))
        usdc.watch(cast, theatre.trade, "FUNDS_HELD", lambda found, n=n: milestones.released(found) == n)
    assert on_chain(theatre, wallets, vault)[3] == 3_334
    cast.seller.post(f"{theatre.path}/refund", {"reason": "The rest is not for sale"})
    usdc.watch(cast, theatre.trade, "SPLIT")

    logs = usdc.settled(cast.world, vault)
    assert [[int(log["topics"][2], 16), *usdc.cents_in(log["data"])] for log in logs] == [
        [0, 3_237, 96, 0], [1, 3_236, 97, 0], [65, 0, 0, 3_334],
    ]  # fmt: skip
    after = on_chain(theatre, wallets, vault)
    assert [now - then for now, then in zip(after, before, strict=True)] == [3_334 - 10_000, 6_473, 193, 0]
    theatre.assert_sound()


def test_too_much_in_two_parts_is_held_and_the_rest_goes_back(theatre: Theatre, wallets: dict[str, str]) -> None:
    agree(theatre)
    world, payer = theatre.cast.world, wallets[theatre.cast.buyer.name]
    payment = usdc.ask(theatre.cast, theatre.trade)
    before = on_chain(theatre, wallets, payment["depositAddr"])
    for units in (payment["amountUnits"] - 5_000, 505_000 * 10):
        world.pay_usdc(payment["depositAddr"], units, payer)
    usdc.watch(theatre.cast, theatre.trade, "FUNDS_HELD")
    theatre.settle("FUNDS_HELD")
    assert on_chain(theatre, wallets, payment["depositAddr"])[0] == before[0] - 23_000 - 1  # half a cent stays
    theatre.assert_sound()
