"""Proving a wallet as a client does it, for the tests of the room."""

import itertools
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from tests.emulator import Answer, Platform

_numbers = itertools.count(1)


def key() -> LocalAccount:
    """A wallet that nobody had before."""
    return Account.from_key((0xB10C << 128 | next(_numbers)).to_bytes(32))


def signed(account: LocalAccount, message: str) -> str:
    return "0x" + bytes(account.sign_message(encode_defunct(text=message)).signature).hex()


def challenged(aws: Platform, user: Any, account: LocalAccount) -> dict[str, Any]:
    """What the platform wants signed."""
    answer = aws.call("challenge_wallet", user, {"address": account.address})
    assert answer.status == 200, answer.body
    return dict(answer.body)


def proven(aws: Platform, user: Any, account: LocalAccount) -> dict[str, str]:
    """The body that links the wallet: the user asked for a message, and the wallet signed it."""
    challenge = challenged(aws, user, account)
    signature = signed(account, challenge["message"])
    return {"address": account.address, "signature": signature, "nonce": challenge["nonce"]}


def link(aws: Platform, user: Any, account: LocalAccount) -> Answer:
    return aws.call("link_wallet", user, proven(aws, user, account))


def marks(aws: Platform) -> dict[str, str]:
    """Whose each linked wallet is."""
    rows = [row for row in aws.rows() if row["PK"]["S"].startswith("IDENT#WALLET#")]
    return {row["value"]["S"]: row["user_id"]["S"] for row in rows}
