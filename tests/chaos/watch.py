"""What holds at every moment, seen in the stream: versions rise by one, moves are the lifecycles', ends stay ends."""

from typing import Any

from bloxtr8.domain.transitions import LIFECYCLES

# Kinds whose rows are written once and never again (C7, C11).
NEVER_CHANGED = {"AuditEntry", "LedgerLine", "Signature", "Snapshot", "Lookup", "DisputeMessage", "Deposit"}
_SCREENED = {"Deposit"}  # but for what a screening found later
# What somebody begins by a row of it, and what a listing that is back on its shelf is too: by whom (C10, api.md).
_BEGUN_BY = {
    "Listing": ("seller_id",),
    "Offer": ("proposed_by",),
    "Contract": ("buyer_id", "seller_id"),  # either side's ban stops an acceptance
    "Signature": ("user_id",),
}
# The actions that a ban stops; all others finish what was begun.
STARTS = {
    "create_listing", "activate_listing", "make_offer", "counter_offer", "accept_offer", "sign_contract",
    "create_sign_link", "sign_by_link", "start_payment",
}  # fmt: skip
_VERSIONED = {"Escrow", "Offer", "Contract"}  # kept in every version, to be asked for their deadlines then

_MOVES = {
    life.name: {
        (source, target) for move in life.moves for source in move.sources for target in move.targets or {source}
    }
    for life in LIFECYCLES
}
_FIRST = {
    life.name: {target for move in life.moves if not move.sources for target in move.targets} for life in LIFECYCLES
}


class Watch:
    """`broken` is what did not hold."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._banned: set[str] = set()
        self._alive: dict[tuple[str, str], dict[str, str]] = {}  # by listing and buyer: the chain's offer, until when
        self._holds: dict[str, str] = {}  # by escrow
        self._kinds: dict[str, str] = {}  # by settlement
        self.saved: dict[tuple[str, str, int], dict[str, Any]] = {}

    def record(self, about: dict[str, Any]) -> None:
        """Look at one record of the stream."""
        old, new = about.get("OldImage"), about.get("NewImage")
        kind = (new or old or {})["type"]["S"]
        where = f"{about['Keys']['PK']['S']} {about['Keys']['SK']['S']}"
        if new is None:
            if kind in NEVER_CHANGED:
                self.broken.append(f"C11: {where} was deleted")
            return
        version = int(new["version"]["N"])
        self._keep(kind, version, new)
        self._begun(kind, where, old, new)
        if old is None:
            return
        if kind in NEVER_CHANGED - _SCREENED:
            self.broken.append(f"C7: {where} was changed")
        if version != int(old["version"]["N"]) + 1 and kind != "Idempotency":
            self.broken.append(f"C7: {where} went from version {old['version']['N']} to {version}")
        self._move(kind, where, old, new)
        if kind == "Leg" and new["status"]["S"] == "SENT" and old["status"]["S"] == "PLANNED":
            self._is_sent(f"{where} was sent", new["escrow_id"]["S"], new["settlement_id"]["S"])

    def _keep(self, kind: str, version: int, new: dict[str, Any]) -> None:
        """What later records are judged by."""
        if kind in _VERSIONED:
            self.saved[kind, _name(new), version] = new
        if kind == "Escrow":
            self._holds[_name(new)] = new["holds"]["S"]
        elif kind == "Settlement":
            self._kinds[_name(new)] = new["kind"]["S"]
        elif kind == "Offer":
            self._chain(new)
        elif kind == "User" and new["banned"]["BOOL"]:
            self._banned.add(_name(new))

    def _chain(self, offer: dict[str, Any]) -> None:
        """One alive chain of a buyer about a listing (C3): at rest all are over, so it is looked at when one begins."""
        alive = self._alive.setdefault((offer["listing_id"]["S"], offer["buyer_id"]["S"]), {})
        root, begun = offer["root"]["S"], offer["created_at"]["S"]
        if offer["status"]["S"] == "PENDING":
            beside = [one for one, until in alive.items() if one != root and until > begun]
            if beside and offer["depth"]["N"] == "0":
                self.broken.append(f"c3: {_name(offer)} was begun beside {beside}")
            alive[root] = offer["expires_at"]["S"]
        elif offer["status"]["S"] != "COUNTERED":  # its child goes on
            alive.pop(root, None)

    def _begun(self, kind: str, where: str, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        """The banned begin nothing."""
        shelved = kind == "Listing" and old is not None and old["status"]["S"] == "INACTIVE"
        if old is not None and not (shelved and new["status"]["S"] == "ACTIVE"):
            return
        for name in _BEGUN_BY.get(kind, ()):
            by = new[f"{new[name]['S'].lower()}_id"] if name == "proposed_by" else new[name]
            if by["S"] in self._banned:
                self.broken.append(f"C10: {where} was begun for {by['S']}, who is banned")

    def answered(self, action: str, user_id: str, code: str | None) -> None:
        """Look at an answer, None where it is no refusal: a ban stops who would start something, and nobody else."""
        if code == "BANNED" and action not in STARTS:
            self.broken.append(f"C10: {user_id} may not {action}, being banned")
        if code is None and action == "start_payment" and user_id in self._banned:  # it writes no row
            self.broken.append(f"C10: {user_id} may pay, being banned")

    def money_moves(self, site: str, escrow_id: str, settlement_id: str) -> None:
        """Look at a call that moves money, before it is made: the first of a leg, or one under the same key again."""
        self._is_sent(f"{settlement_id} asked {site}", escrow_id, settlement_id)

    def _is_sent(self, what: str, escrow_id: str, settlement_id: str) -> None:
        """No new leg is sent while a hold stands; a refused payout stops no return of surplus, and nothing the taking
        back of what the bank took (section 4)."""
        kind = self._kinds[settlement_id]
        holds = set(self._holds[escrow_id].split()) - ({"PAYOUT_FAILED"} if kind in {"RETURN", "REPAYMENT"} else set())
        if holds and kind != "RECOVERY":
            self.broken.append(f"section 4: {what} while {sorted(holds)} stand")

    def _move(self, kind: str, where: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        before, after = old.get("status", {}).get("S"), new.get("status", {}).get("S")
        if kind in _MOVES and before != after and (before, after) not in _MOVES[kind]:
            self.broken.append(f"C11: {kind} {where} went from {before} to {after}")


def _name(image: dict[str, Any]) -> str:
    if image["type"]["S"] != "Offer":
        return str(image["id"]["S"])
    depth = int(image["depth"]["N"])
    return f"off_{image['root']['S']}" + (f"-{depth:02}" if depth else "")
