"""decide_hold: COMPLIANCE reads what was found and votes; with the last vote that is needed the decision is carried
out in the same commit (states.md, section 4)."""

from typing import Any

from bloxtr8 import clock, funding, reads, sagas, table, voters
from bloxtr8.actors import Actor
from bloxtr8.domain import compliance, settlements
from bloxtr8.domain.compliance import Option
from bloxtr8.domain.deals import Around
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.entities import Decision, DecisionStatus, Entity, EscrowStatus, HoldDecision, PlatformRole
from bloxtr8.logs import logger
from bloxtr8.views.compliance import HoldDecided

_LISTED = 20  # causes in an audit entry; the decision's row has all


def decide(escrow_id: str, option: Option, reason: str, actor: Actor) -> HoldDecided:
    """One person's vote, and what follows from it. Raises Forbidden, NotFound, VersionMismatch and as
    `compliance.check` and `compliance.vote`."""
    file, eligible, around = _read(escrow_id, option, actor)
    escrow, now = file.escrow, clock.now()
    compliance.check_no_party(escrow, actor)
    actor.expects(escrow)
    compliance.check(file, option.hold, option.decision, now)
    voted = compliance.vote(file, option, actor=actor, reason=reason, eligible=eligible, now=now)
    decided = [row for row in voted if row.status is DecisionStatus.DECIDED]
    rows, freed = _carry_out(file, decided, around, actor) if decided else ([], [])
    row, last = (decided or voted)[0], voted[-1]  # `last` is about what was found since the others voted
    goes_on = [one for one in _waiting(file, row) if decided]
    rows += [one for one in goes_on if sagas.renew(one)]
    saved = {id(one): one for one in (*voted, *rows)}.values()  # a vote that a refund has ended is in both
    view: HoldDecided = table.commit(
        escrow, *saved, deletes=freed, action="decide_hold" if decided else "vote_on_hold",
        actor=actor.acting_as(Role.COMPLIANCE), details=_details(decided or voted, reason),
        answer=lambda: HoldDecided.of(file, last, eligible),
    )  # fmt: skip
    logger.warning("a hold was decided" if decided else "a hold has a vote", extra={"decisionId": row.id})
    if decided:
        with sagas.after_commit():
            if escrow.status is EscrowStatus.CANCELLED and row.decision is Decision.REFUND:
                sagas.answer(file.rail, "CANCELLED")
            for one in goes_on:
                sagas.react(one, actor, restart=False)
    return view


def _read(escrow_id: str, option: Option, actor: Actor) -> tuple[EscrowFile, set[str], Around | None]:
    """The escrow, who of those who voted may still decide, with the actor, and where the decision ends a deal that
    waits for its money, the rows around it. Who is not of COMPLIANCE learns nothing of what there is."""

    def ends(file: EscrowFile) -> bool:
        return option.decision is Decision.REFUND and file.escrow.status is EscrowStatus.AWAIT_FUNDS

    file, eligible, around = voters.read(
        escrow_id, actor, PlatformRole.COMPLIANCE,
        voted=lambda file: compliance.voters(file, clock.now()),
        places=lambda file: reads.places_around(file.escrow) if ends(file) else (),
    )  # fmt: skip
    return file, eligible, Around(*around) if around else None


def _carry_out(
    file: EscrowFile, decided: list[HoldDecision], around: Around | None, actor: Actor
) -> tuple[list[Entity], list[Entity]]:
    rows: list[Entity] = []
    freed: list[Entity] = []
    if around is not None:
        rows, freed = funding.cancel(
            file, around, "decide_hold", Role.COMPLIANCE, compliance.REFUNDED, "refunded by compliance", actor
        )
    return [*rows, *compliance.carry_out(file, decided, actor, clock.now())], freed


def _details(rows: list[HoldDecision], reason: str) -> dict[str, Any]:
    """What the audit entry says: both sides read it."""
    row, covers = rows[0], sorted({cause for each in rows for cause in each.covers})
    return {
        "decisionId": row.id,
        "hold": str(row.hold),
        "decision": str(row.decision),
        "reason": reason,
        "people": [person["id"] for person in row.people],
        "causes": covers[:_LISTED],
        "covered": len(covers),
    }


def _waiting(file: EscrowFile, row: HoldDecision) -> list[Entity]:
    """Whatever waited for the decision goes on, and what is stopped is parked by its own machine."""
    escrow: list[Entity] = [] if row.decision is Decision.FREEZE else [file.escrow]
    return [*escrow, *settlements.live(file)]
