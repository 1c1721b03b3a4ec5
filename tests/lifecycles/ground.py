"""Where the walks through the lifecycles begin: a table that goes back to how it was, and one trade in it."""

import copy
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from bloxtr8.entities import PlatformRole, User
from local.doubles.stripe.double import StripeDouble
from local.motofix import dynamodb
from tests import factories
from tests.doubles import Roblox
from tests.emulator import Platform
from tests.functions import chain as chains
from tests.functions.chain import FakeChain, Wallets
from tests.functions.vaults import Vaults
from tests.lifecycles.picture import Key, Picture

STAFF = {"support": PlatformRole.SUPPORT, "arbiter": PlatformRole.ARBITER, "judge": PlatformRole.ARBITER,
         "officer": PlatformRole.COMPLIANCE, "admin": PlatformRole.PADMIN}  # fmt: skip


@dataclass
class Trade:
    """One trade as far as its stage has come, and everybody who may want something of it.

    `judge` is the arbiter to whom the dispute, if there is one in review, is assigned.
    """

    people: dict[str, User]
    asset_id: str
    listing_id: str
    offer_id: str | None = None
    ulid: str | None = None  # the contract's and the escrow's
    owner: str | None = "seller"  # who has the asset while the actions are tried
    currency: str = "USD"

    @property
    def contract_id(self) -> str | None:
        return self.ulid and f"con_{self.ulid}"

    @property
    def escrow_id(self) -> str | None:
        return self.ulid and f"esc_{self.ulid}"

    def __getitem__(self, name: str) -> User:
        return self.people[name]


type Rows = list[tuple[Any, dict[Any, Any]]]


class Image(NamedTuple):
    """The platform at one moment."""

    rows: Rows
    moment: dt.datetime
    picture: Picture
    vaults: dict[str, Any]


@dataclass
class Ground:
    """The platform, whose table and chain can be put back; what is at Stripe stays, as after a crash of ours."""

    aws: Platform
    roblox: Roblox
    stripe: StripeDouble
    chain: FakeChain
    wallets: Wallets
    vaults: Vaults
    _table: Table = field(init=False)
    _told: dict[int, tuple[Item, dict[str, Any]]] = field(default_factory=dict)  # each item of a stage, by its identity
    _read: dict[int, tuple[Any, Any]] = field(default_factory=dict)  # the pictures', of what they share

    def __post_init__(self) -> None:
        self._table = dynamodb_backends["123456789012"]["us-east-1"].tables["bloxtr8-local"]

    def build(self, stage: Callable[["Ground"], Trade]) -> tuple[Trade, Image]:
        """A stage on an empty table. A minute has passed since, so that Roblox may be asked again."""
        for kept in (self._table.items, self._told, self._read):
            kept.clear()
        self.chain.vaults.clear()
        self.wallets.risks.clear()
        trade = stage(self)
        self.aws.clock.advance(minutes=2)
        self.transfer(trade, trade.owner)
        return trade, self.image()

    def image(self) -> Image:
        """How it is now."""
        return Image(self.rows(), self.aws.clock.moment, self.picture(), copy.deepcopy(self.chain.vaults))

    def untouched(self, since: Image | Rows) -> bool:
        """Whether nothing at all was written since: every item is the very one it was."""
        rows = since.rows if isinstance(since, Image) else since
        return {key: items for key, items in self._table.items.items() if items} == dict(rows)

    def rows(self) -> Rows:
        """The items themselves. A write puts a new item in an old one's place, so they need no copy."""
        return [(key, dict(items)) for key, items in self._table.items.items()]  # type: ignore[arg-type]

    def back_to(self, image: Image) -> None:
        """Everything of ours as it was then."""
        self._table.items.clear()
        for key, items in image.rows:
            self._table.items[key].update(items)
        self.aws.clock.moment = image.moment
        self.chain.vaults = copy.deepcopy(image.vaults)
        self.chain.faults.clear()
        self.chain.after.clear()

    def picture(self) -> Picture:
        """The rows as they are now; those that stand as they stood in the stage's other pictures are those."""
        told: dict[Key, dict[str, Any]] = {}
        for items in self._table.items.values():
            for item in items.values():
                if id(item) not in self._told:
                    self._told[id(item)] = item, dynamodb.as_json(item)
                told[item.hash_key.value, item.range_key.value] = self._told[id(item)][1]
        return Picture(told, self._read)

    def transfer(self, trade: Trade, owner: str | None) -> None:
        """Roblox shows another owner from now on."""
        self.roblox.set_group(trade.asset_id, owner=owner and trade.people[owner])

    def meet(self, currency: str) -> dict[str, User]:
        """A seller whom Stripe or the chain pays, a buyer, a stranger, and the staff."""
        if currency == "USD":
            people = {"seller": factories.payee(self.stripe), "buyer": factories.user()}
        else:
            people = {"seller": chains.holder(), "buyer": chains.holder()}
        people["stranger"] = factories.user()
        return people | {name: factories.user(platform_roles=frozenset({role})) for name, role in STAFF.items()}
