"""Arbiters, compliance and operators: they look again and again until everything is decided."""

from typing import TYPE_CHECKING, Any

from bloxtr8.domain import compliance, refused_payouts
from bloxtr8.entities import Decision, PlatformRole
from tests import factories
from tests.chaos.people import Client

if TYPE_CHECKING:
    from tests.chaos.world import World

RESOLUTION = "Both sides share what remains, as they said."
REASON = "Looked at with care."
HOUR = 3600.0
TRIES = 5  # runs after which a refusal is for good


class Staff:
    """All of them, with one client each."""

    def __init__(self, world: "World") -> None:
        self.world = world
        two = (PlatformRole.COMPLIANCE, PlatformRole.COMPLIANCE, PlatformRole.PADMIN, PlatformRole.PADMIN)
        roles = (PlatformRole.ARBITER, *two)
        self.people = [factories.user(platform_roles=frozenset([role])) for role in roles]
        self.clients = [Client(world, f"staff{n}") for n in range(len(roles))]
        self._freezer = Client(world, "freezer")

    def begin(self) -> None:
        self.world.later(HOUR, "staff", self.turn)

    def turn(self) -> None:
        """Each does one thing of what is to be done, if anything; a client that waits for an answer asks again."""
        work = [self._disputes(), self._holds(first=True), self._holds(first=False), self._parked(3), self._parked(4)]
        for client, found in zip(self.clients, work, strict=True):
            if client.waiting is not None:
                client.again()
            elif found:
                action, user, body, path = self.world.random.choice(found)
                client.ask(action, user, body, **path)
        self.world.banks.look()
        if not self.world.over:
            self.world.later(self.world.random.uniform(1, 10) * HOUR, "staff", self.turn)

    def freeze(self, escrow_id: str) -> None:
        """Stop everything of an escrow, if the request comes through; a later turn decides what becomes of it."""
        body = {"hold": "COMPLIANCE", "decision": str(Decision.FREEZE), "reason": REASON}
        self._freezer.ask("decide_hold", self.people[1], body, escrow_id=escrow_id)

    def _disputes(self) -> list[Any]:
        arbiter = self.people[0]
        found: list[Any] = []
        for row in self.world.rows("DISPUTE#"):
            path = {"escrow_id": row.escrow_id, "dispute_id": row.id}
            escrow = self.world.escrow_of(row)
            if self.world.waits_long(escrow):
                continue
            if row.status == "OPEN":
                found.append(("assign_dispute", arbiter, None, path))
            elif row.status == "IN_REVIEW" and self._decidable(escrow):
                found.append(("get_dispute", arbiter, None, path))
                found.append(("resolve_dispute", arbiter, self._verdict(escrow), path))
        return found

    def _decidable(self, escrow: Any) -> bool:
        """Whether no payout of it is under way, or the one that is was refused before anything moved."""
        return escrow.settlement_id is None or refused_payouts.refused(self.world.file(escrow)) is not None

    def _verdict(self, escrow: Any) -> dict[str, Any]:
        rest = refused_payouts.to_divide(self.world.file(escrow))
        share = self.world.random.choice((0, rest, rest // 3, rest // 2))
        outcome = "REFUND" if share == 0 else "RELEASE" if share == rest else "SPLIT"
        return {"outcome": outcome, "sellerAmount": share, "buyerAmount": rest - share, "resolution": RESOLUTION}

    def _holds(self, *, first: bool) -> list[Any]:
        user = self.people[1 if first else 2]
        found = []
        for escrow in self.world.escrows():
            if (escrow.holds or self._stopped(escrow)) and not self.world.waits_long(escrow):
                file = self.world.file(escrow)
                for option in compliance.options(file, self.world.clock.moment):
                    if self._chooses(escrow, option):
                        body = {"hold": str(option.hold), "decision": str(option.decision), "reason": REASON}
                        found.append(("decide_hold", user, body, {"escrow_id": escrow.id}))
        return found

    def _stopped(self, escrow: Any) -> bool:
        """Whether something of it was parked, which a finding may have done."""
        rows = self.world.mirror.partition(f"ESCROW#{escrow.ulid}", "SETTLEMENT#")
        return any(row.status == "PARKED" for row in rows)

    def _chooses(self, escrow: Any, option: Any) -> bool:
        """Of one escrow always the same, so that two people agree; and nobody freezes anything at his turn."""
        refunds = sum(map(ord, escrow.id + option.hold)) % 3 == 0
        others = {one.decision for one in compliance.options(self.world.file(escrow), self.world.clock.moment)}
        if option.decision is Decision.REFUND:
            return refunds
        return option.decision is not Decision.FREEZE and not (refunds and Decision.REFUND in others)

    def _parked(self, who: int) -> list[Any]:
        """What was refused is tried again; what is refused for good by card is announced, and paid outside."""
        admin = self.people[who]
        found: list[Any] = []
        for row in self.world.rows("SETTLEMENT#"):
            holds = set(self.world.escrow_of(row).holds) - {"PAYOUT_FAILED"}
            if row.status == "PARKED" and not holds:
                path = {"escrow_id": row.escrow_id}
                found.append(("resume_settlement", admin, {"reason": REASON}, path))
                found += [("announce_manual_payment", admin, self._due(leg), path) for leg in self._hopeless(row)]
        return found + self._set_aside(admin) + self._announced(who)

    def _set_aside(self, admin: Any) -> list[Any]:
        """Of what is set aside one side gets a half, then the other the rest."""
        found: list[Any] = []
        for escrow in self.world.escrows():
            if escrow.rail != "STRIPE" or not escrow.quarantined or set(escrow.holds) - {"PAYOUT_FAILED"}:
                continue
            file = self.world.file(escrow)
            before = [row.amount for row in file.manual_payments if row.pays and row.status == "ANNOUNCED"]
            n = sum(row.kind == "OUTSIDE" for row in file.settlements) + len(before)
            left = escrow.quarantined - sum(before)
            if left > 0:
                amount = left if n else -(-left // 2)
                body = {"pays": ("BUYER", "SELLER")[n % 2], "amount": amount, "reason": REASON}
                found.append(("announce_manual_payment", admin, body, {"escrow_id": escrow.id}))
        return found

    def _announced(self, who: int) -> list[Any]:
        """It is paid, under the name that both admins know, each with hyphens of his own; one in four is not."""
        found: list[Any] = []
        for row in self.world.rows("MANUAL#"):
            path = {"escrow_id": row.escrow_id, "manual_payment_id": row.id}
            if row.status == "ANNOUNCED" and sum(map(ord, row.id)) % 4 == 0:
                found.append(("withdraw_manual_payment", self.people[who], {"reason": REASON}, path))
            elif row.status == "ANNOUNCED":
                name = row.id.upper().replace("_", "-" * (who % 2))
                said = {"paymentId": name, "reason": REASON}
                found.append(("record_manual_payment", self.people[who], said, path))
        return found

    def _hopeless(self, row: Any) -> list[Any]:
        """The legs of a settlement that Stripe refused, or the buyer's bank sent back, again and again."""
        legs = self.world.mirror.partition(f"ESCROW#{row.escrow_ulid}", f"LEG#{row.id}")
        by_card = self.world.escrow_of(row).rail == "STRIPE"
        tried = row.run > TRIES or row.error == "REFUND_FAILED"  # as often before it was parked
        return [leg for leg in legs if leg.status == "REJECTED"] if by_card and tried else []

    def _due(self, leg: Any) -> dict[str, Any]:
        return {"settlementId": leg.settlement_id, "leg": leg.n, "amount": leg.amount, "reason": REASON}
