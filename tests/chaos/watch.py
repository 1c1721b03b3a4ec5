"""What holds at every moment, seen in the stream: versions rise by one, moves are the lifecycles', ends stay ends."""

from typing import Any

from bloxtr8.domain.transitions import LIFECYCLES

# Kinds whose rows are written once and never again (C7, C11).
NEVER_CHANGED = {"AuditEntry", "LedgerLine", "Signature", "Snapshot", "Lookup", "DisputeMessage", "Deposit"}
_SCREENED = {"Deposit"}  # but for what a screening found later
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
        if kind in _VERSIONED:
            self.saved[kind, _name(new), version] = new
        if kind == "Escrow":
            self._holds[_name(new)] = new["holds"]["S"]
        if kind == "Settlement":
            self._kinds[_name(new)] = new["kind"]["S"]
        if old is None:
            return
        if kind in NEVER_CHANGED - _SCREENED:
            self.broken.append(f"C7: {where} was changed")
        if version != int(old["version"]["N"]) + 1 and kind != "Idempotency":
            self.broken.append(f"C7: {where} went from version {old['version']['N']} to {version}")
        self._move(kind, where, old, new)
        if kind == "Leg" and new["status"]["S"] == "SENT" and old["status"]["S"] == "PLANNED":
            self._is_sent(f"{where} was sent", new["escrow_id"]["S"], new["settlement_id"]["S"])

    def money_moves(self, site: str, escrow_id: str, settlement_id: str) -> None:
        """Look at a call that moves money, before it is made: the first of a leg, or one under the same key again."""
        self._is_sent(f"{settlement_id} asked {site}", escrow_id, settlement_id)

    def _is_sent(self, what: str, escrow_id: str, settlement_id: str) -> None:
        """No new leg is sent while a hold stands; a refused payout stops no return of surplus, and nothing the taking
        back of what the bank took (section 4)."""
        kind = self._kinds[settlement_id]
        holds = set(self._holds[escrow_id].split()) - ({"PAYOUT_FAILED"} if kind == "RETURN" else set())
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
