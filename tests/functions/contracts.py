"""What the tests of the room start from and look at."""

from typing import Any

from bloxtr8 import table
from bloxtr8.documents import store
from bloxtr8.entities import Contract, Entity, Escrow, Listing, User
from tests import emulator, factories
from tests.emulator import Answer, Platform
from tests.functions.offers import volume

CONSENT = "I AGREE"
BUCKET = "bloxtr8-local-contracts"
OTHER_HASH = "0" * 64
MISSING = "con_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"
BAD_IDS = ("con_1", "esc_01K6ZZ8Q3V7M2N4P5R6S7T8V9W", "con_" + "0" * 3000, "con_\x00", "../me", MISSING)


def consent(contract: Contract, **changes: Any) -> dict[str, Any]:
    """What a party sends to sign, changed; a field changed to ... is left out."""
    body = {"sha256": contract.sha256, "consent": CONSENT} | changes
    return {name: value for name, value in body.items() if value is not ...}


BAD_CONSENTS: tuple[dict[str, Any], ...] = (
    {"consent": "I agree"},
    {"consent": "I AGREE "},
    {"consent": ["I AGREE"]},
    {"consent": True},
    {"consent": None},
    {"consent": ...},
    {"sha256": ...},
    {"sha256": None},
    {"sha256": ""},
    {"sha256": "0" * 63},
    {"sha256": "F" * 64},
    {"sha256": "0" * 64 + "\n"},
    {"sha256": "x" * 10_000},
    {"sha256": "\x00" * 64},
    {"sha256": 0},
    {"userId": "usr_01K6ZZ8Q3V7M2N4P5R6S7T8V9W"},
)


def sign(aws: Platform, user: User | str, contract: Contract, **options: Any) -> Answer:
    """Sign as the user, naming the document as it is."""
    return aws.call("sign_contract", user, consent(contract), contract_id=contract.id, **options)


def link(aws: Platform, user: User | str, contract: Contract) -> str:
    """The token of a new link."""
    answer = aws.call("create_sign_link", user, contract_id=contract.id)
    assert answer.status == 201, answer.body
    return str(answer.body["token"])


def sign_by_link(aws: Platform, token: str, contract: Contract, **changes: Any) -> Answer:
    """Sign with a link, as nobody in particular."""
    return aws.call("sign_by_link", None, consent(contract, token=token, **changes))


def void(aws: Platform, user: User | str, contract: Contract, **options: Any) -> Answer:
    """Step back, with a reason."""
    return aws.call("void_contract", user, {"reason": "Changed my mind"}, contract_id=contract.id, **options)


def kept(contract: Contract) -> list[Entity]:
    """Everything of the contract's partition: itself, then the signatures."""
    return table.partition(f"CONTRACT#{contract.ulid}")


def escrow(contract: Contract) -> Escrow | None:
    """The escrow that the second signature opened, if it did."""
    return table.find(Escrow, ulid=contract.ulid)


def deal(contract: Contract) -> tuple[str, str, list[int]]:
    """(the offer's status, the listing's, the open deals of both sides) as they are now."""
    users = [table.get(User, id=one) for one in (contract.buyer_id, contract.seller_id)]
    return (
        str(factories.offer_row(contract.offer_id).status),
        str(table.get(Listing, id=contract.listing_id).status),
        [volume(user)[1] for user in users],
    )


STANDS = ("ACCEPTED", "RESERVED", [1, 1])
FREE = ("CANCELLED", "ACTIVE", [0, 0])


def forge(contract: Contract) -> None:
    """Somebody put another file where the document lies."""
    emulator.client("s3").put_object(Bucket=BUCKET, Key=store.key_of(contract.sha256), Body=b"%PDF-1.4 forged")


def lose(contract: Contract) -> None:
    """The document is gone."""
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=store.key_of(contract.sha256))


def documents() -> list[str]:
    """The keys of all documents."""
    return [one["Key"] for one in emulator.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]
