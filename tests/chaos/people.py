"""Buyers and sellers who act by chance, through the real handlers, and ask again as a client does: under their key."""

import datetime as dt
import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bloxtr8.entities import Escrow, Listing, Offer, RailName
from bloxtr8.ids import ulid_of
from tests.chaos.faults import Way
from tests.emulator import Answer

if TYPE_CHECKING:
    from tests.chaos.fates import Fate
    from tests.chaos.world import World

PATIENCE = 12  # how often somebody asks again
MOST_TURNS = 45  # after which nobody of a trade does anything: deadlines and staff end it
HOUR = 3600.0
ENDS = {"RELEASED", "REFUNDED", "SPLIT", "CANCELLED"}

type Act = Callable[[], object]
type Then = Callable[[dict[str, Any]], object]  # what he does with the answer, whenever it comes


class Request:
    """What somebody asks for, under one key however often he asks."""

    def __init__(self, action: str, user: Any, body: Any, key: str, path: dict[str, str], then: Then) -> None:
        self.action, self.user, self.body, self.key, self.path, self.then = action, user, body, key, path, then
        self.tries = 0
        self.answers: list[Answer] = []

    def is_open(self, answer: Answer | None) -> bool:
        """Whether he still wants to know, after this answer."""
        if self.tries >= PATIENCE:
            return False
        if answer is None or answer.status >= 500 or answer.status == 429:
            return True
        return answer.status == 409 and answer.code == "CONFLICT"


class Client:
    """Sends requests over a line that loses answers and delivers twice."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.sent = 0
        self.waiting: Request | None = None
        self.answered: Counter[tuple[str, int]] = Counter()

    def ask(self, action: str, user: Any, body: Any = None, *, then: Then = bool, **path: str) -> None:
        """Ask, and keep asking at the next turns until there is an answer."""
        self.sent += 1
        self.send(Request(action, user, body, f"{self.name}-{self.sent}", path, then))

    def again(self) -> None:
        """Ask once more for what was not answered."""
        assert self.waiting is not None
        self.send(self.waiting)

    def send(self, request: Request) -> None:
        request.tries += 1
        what = self.world.luck.on_the_way("client")
        self.world.tell(f"  {self.name} {request.action} {request.key} try {request.tries} {what or ''}")
        answer = None
        for _ in range(2 if what is Way.TWICE else 1):
            answer = self.world.call(
                request.action, request.user, request.body, headers={"Idempotency-Key": request.key}, **request.path
            )
            if answer is not None:
                request.answers.append(answer)
                self.answered[request.action, answer.status] += 1
                self.world.tell(f"  → {answer.status} {answer.body.get('code', '') if answer.body else ''}")
                self.world.heard(request)
        if what is Way.LOST:
            answer = None
        self.waiting = request if request.is_open(answer) else None
        if answer is not None and answer.status < 300:
            request.then(answer.body or {})


class Trade:
    """One trade: who trades what, and what will befall it (`fate`)."""

    def __init__(self, world: "World", number: int, fate: "Fate", buyer: Any, seller: Any) -> None:
        self.world, self.number, self.fate = world, number, fate
        self.buyer, self.seller = buyer, seller
        self.client = Client(world, f"t{number}")
        self.turns = 0
        self.offers = 0
        self.listing_id: str | None = None
        self.offer_id: str | None = None
        self.contract_id: str | None = None
        self.asset_id = str(700_000 + number)
        self.owners: list[tuple[dt.datetime, str]] = []  # whose the asset is at Roblox, since when, "" nobody's
        self.marks: set[str] = set()  # what happened to it that happens once
        self.random = world.random

    # --- its rows, as they are now

    @property
    def rail(self) -> RailName:
        return self.fate.rail

    @property
    def listing(self) -> Listing | None:
        return self.world.mirror.row(f"LISTING#{self.listing_id}", "META") if self.listing_id else None  # type: ignore[no-any-return]

    @property
    def offer(self) -> Offer | None:
        """The newest of the chain."""
        if self.offer_id is None:
            return None
        rows = self.world.mirror.partition(f"OFFER#{ulid_of(self.offer_id).partition('-')[0]}")
        return rows[-1] if rows else None

    @property
    def contract(self) -> Any:
        offer = self.offer
        if offer is None or offer.contract_id is None:
            return None
        return self.world.mirror.row(f"CONTRACT#{ulid_of(offer.contract_id)}", "META")

    @property
    def escrow(self) -> Escrow | None:
        contract = self.contract
        return self.world.mirror.row(f"ESCROW#{contract.ulid}", "META") if contract else None  # type: ignore[no-any-return]

    def of_escrow(self, prefix: str) -> list[Any]:
        escrow = self.escrow
        return self.world.mirror.partition(f"ESCROW#{escrow.ulid}", prefix) if escrow else []

    @property
    def rail_row(self) -> Any:
        return self.of_escrow("RAIL")[0]

    @property
    def end(self) -> str | None:
        """How it ended; None while it has not."""
        escrow, contract, offer = self.escrow, self.contract, self.offer
        if escrow is not None:
            return str(escrow.status) if escrow.status in ENDS else None
        if contract is not None:
            return "VOID" if contract.status == "VOID" else None
        return f"OFFER_{offer.status}" if offer is not None and offer.status != "PENDING" else None

    @property
    def over(self) -> bool:
        """Whether nothing of it is left to do for anybody."""
        if self.end is None:
            return self.turns >= MOST_TURNS and self.offer is None  # whoever never got through has no trade
        waiting = any(row.status in {"OPEN", "PARKED"} for row in self.of_escrow("SETTLEMENT#"))
        tired = self.turns >= MOST_TURNS
        return not waiting and not self._waits_for_people and (tired or not self.fate.pending(self))

    @property
    def _waits_for_people(self) -> bool:
        """Whether the bank is still to give back what it took, or that is set aside."""
        if self.escrow is None or self.rail is not RailName.STRIPE:
            return False
        known = {str(row.status) for row in self.of_escrow("CHARGEBACK#")}  # WON: told of only after both
        appealed = self.rail_row.charge_id in self.world.banks.appealed
        return self.escrow.quarantined > 0 or (appealed and not known & {"REINSTATED", "WON"})

    # --- turns

    def begin(self) -> None:
        """Its people wake up now and then."""
        self.world.later(self.random.uniform(0, 12 * HOUR), f"t{self.number}", self.turn)

    def turn(self) -> None:
        """Somebody does something, or nobody does."""
        self.turns += 1
        if self.client.waiting is not None:
            self.client.again()
        else:
            self._act()
        self.world.jobs.busy()
        if not self.over and self.turns < MOST_TURNS:
            pace = 0.02 if self.client.waiting else self.random.choice((0.05, 0.3, 2, 8))
            self.world.later(self.random.uniform(0.2, 1) * pace * HOUR, f"t{self.number}", self.turn)

    def _act(self) -> None:
        options = self.fate.options(self)
        if options:
            weights, acts = zip(*options, strict=True)
            self.random.choices(acts, weights)[0]()

    def ask(self, action: str, user: Any, body: Any = None, *, then: Then = bool, **path: str) -> None:
        self.client.ask(action, user, body, then=then, **path)

    def later_act(self, seconds: float, name: str, act: Act) -> None:
        self.world.later(seconds, f"t{self.number} {name}", functools.partial(act))
