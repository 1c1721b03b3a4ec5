"""The tour on chain: proven wallets, deposits that are held, stopped and sent back, and a transaction that is stuck."""

import hmac
import json
from typing import Any

from benchmarks.tour.acts import agreed, clerk, quiet, request
from bloxtr8 import clock
from local.demo import stories, usdc
from local.demo.stories import Cast
from local.stack import WEBHOOK_SECRETS, Stack
from local.trader import Trader

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
UNITS = 100_000 * usdc.UNITS_A_CENT


def wallets(_: Stack, cast: Cast) -> None:
    """Both prove one."""
    usdc.prove_wallets(cast, quiet)


def trade(stack: Stack, cast: Cast) -> None:
    """One that is paid out by a transaction which the chain takes late."""
    first = agreed(cast, "7201", "USDC")
    payment = usdc.ask(cast, first)
    payer = cast.buyer.get("/me")["walletAddress"]
    told = {"to": payment["depositAddr"], "units": payment["amountUnits"], "from": payer}
    paid = cast.world.local.send("POST", "/_local/chain/pay", told)
    _hint(stack, cast, payment["depositAddr"], paid)
    usdc.watch(cast, first, "FUNDS_HELD")
    stack.chain.automine(False)
    stories.deliver_and_release(cast, first, "7201", quiet, lambda *_: _stuck(stack))
    usdc.watch(cast, first, "RELEASED")


def _hint(stack: Stack, cast: Cast, vault: str, paid: dict[str, Any]) -> None:
    """What a provider tells of a deposit, signed as Alchemy does."""
    log = {
        "account": {"address": stack.chain.usdc},
        "topics": [TRANSFER, *(["0x" + vault[2:].lower().rjust(64, "0")] * 2)],
        "index": paid["logIndex"],
        "transaction": {"hash": paid["txHash"]},
    }
    body = {"type": "GRAPHQL", "event": {"data": {"block": {"logs": [log]}}}}
    signature = hmac.new(WEBHOOK_SECRETS[0].encode(), json.dumps(body).encode(), "sha256").hexdigest()
    cast.world.api.send("POST", "/webhooks/chain", body, headers={"X-Alchemy-Signature": signature})


def _stuck(stack: Stack) -> None:
    """A transaction that no block takes is sent again and paid more for; then blocks come once more."""
    stack.wait_quiet()
    stack.clock.advance(minutes=3)
    stack.fire("watch_chain_txs")
    stack.chain.automine(True)
    stack.chain.mine(1)


def stopped(stack: Stack, cast: Cast) -> None:
    """Money from somebody sanctioned: nothing moves until a person decides, and clears it."""
    held = agreed(cast, "7202", "USDC")
    stranger = cast.world.make_wallet(UNITS)
    cast.world.local.send("PUT", f"/_local/chain/lists/{stranger.address}", {"sanctioned": True})
    payment = usdc.ask(cast, held)
    cast.world.pay_usdc(payment["depositAddr"], payment["amountUnits"], stranger.address)
    stack.fire("poll_chain")
    cast.buyer.until(lambda: cast.buyer.get(f"/escrows/{held.escrow_id}"), lambda found: found["holds"])
    officer = clerk(cast, "lea", 7, "COMPLIANCE", stack.invoke)
    wish = {"hold": "SANCTIONS", "decision": "CLEAR", "reason": "Another person of the same name"}
    officer.post(f"/staff/escrows/{held.escrow_id}/hold", wish)


def returned(stack: Stack, cast: Cast) -> None:
    """The buyer's own wallet turns out to be too risky. Only a paid provider says so, and there is none here: its
    word is written into the row."""
    sent_back = agreed(cast, "7203", "USDC")
    payment = usdc.ask(cast, sent_back)
    cast.world.pay_usdc(payment["depositAddr"], payment["amountUnits"] // 2, cast.buyer.get("/me")["walletAddress"])
    stack.fire("poll_chain")
    stack.wait_quiet()
    table, client = stack.addresses["table"], stack.client("dynamodb")
    items = client.query(
        TableName=table,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
        ExpressionAttributeValues={
            ":pk": {"S": f"ESCROW#{sent_back.escrow_id.removeprefix('esc_')}"},
            ":sk": {"S": "DEPOSIT#"},
        },
    )["Items"]
    found = {"risk": "HIGH", "source": "the tour", "version": "1", "at": clock.iso(stack.clock())}
    for item in items:
        client.put_item(TableName=table, Item=item | {"screening": {"S": json.dumps(found)}})
    if not stack.invoke("return_money", {"escrowId": sent_back.escrow_id})["returned"]:
        raise RuntimeError("the money stayed")
    usdc.watch(cast, sent_back, "CANCELLED")


def leave(_: Stack, cast: Cast) -> None:
    """A newcomer who unlinks everything and signs out."""
    guest = Trader(cast.world, "kim", "810005", "910005")
    guest.sign_in()
    guest.link_roblox()
    guest.link_wallet()
    guest.tokens |= cast.world.api.send("POST", "/auth/refresh", {"refreshToken": guest.tokens["refreshToken"]})
    request(guest, "DELETE", "/me/wallet")
    request(guest, "DELETE", "/me/roblox")
    request(guest, "POST", "/auth/logout", {})
