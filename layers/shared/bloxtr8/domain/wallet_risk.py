"""What a wallet's screening lets happen (D15, D32; rail-usdc.md, Wallet risk). It fails closed: UNKNOWN is never LOW.

A screening is kept as evidence, `{"risk", "source", "version", "at"}`, on the profile, the deposit or the leg; with
`silentSince` where a source has given no answer since.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from bloxtr8 import clock, config
from bloxtr8.domain import quarantine
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallets import Risk, is_fresh
from bloxtr8.entities import (
    Account,
    Decision,
    DecisionStatus,
    Deposit,
    Leg,
    Settlement,
    Side,
    StablecoinEscrow,
    User,
)
from bloxtr8.errors import Unprocessable, UpstreamFailed


class Verdict(StrEnum):
    """What becomes of money, by the wallet it comes from or goes to."""

    CLEAN = "CLEAN"
    RETURN = "RETURN"  # it goes back to the buyer
    REVIEW = "REVIEW"  # hold RISK_REVIEW: a person decides
    SANCTIONS = "SANCTIONS"  # hold SANCTIONS: nothing moves without compliance
    WAIT = "WAIT"  # nobody knows: asked again


SANCTIONS_CAUSE = "sanctions:"
ALSO_BUYER = "+buyer"  # behind a payout: the other wallet that the same call pays
FOR_PEOPLE = (Verdict.SANCTIONS, Verdict.REVIEW)  # only COMPLIANCE lets that go on
_STOPS = (*FOR_PEOPLE, Verdict.WAIT)
_GRAVITY = (Risk.LOW, Risk.UNKNOWN, Risk.MEDIUM, Risk.HIGH, Risk.SANCTIONED)  # by what a decision covers
SILENT = "silentSince"
ROLLBACK = "rollback"  # the kind of cause that an asset gives which went back to the seller


def risk(evidence: Mapping[str, Any] | None) -> Risk:
    """The risk a screening found; UNKNOWN where there was none."""
    return Risk((evidence or {}).get("risk", Risk.UNKNOWN))


def silent_too_long(evidence: Mapping[str, Any] | None, now: dt.datetime) -> bool:
    """Whether no source has graded the wallet for so long that a person is to judge it as UNKNOWN."""
    since = (evidence or {}).get(SILENT)
    limit = dt.timedelta(seconds=config.settings().unknown_review_seconds)
    return since is not None and now - clock.parse(since) >= limit


# --- accept


def check_linked(*users: User) -> None:
    """Raises Unprocessable WALLET_REQUIRED, naming whose wallet is missing."""
    for user in users:
        if user.wallet is None:
            raise Unprocessable("Both sides need a proven wallet for this.", "WALLET_REQUIRED", userId=user.id)


def check_clean(user: User, now: dt.datetime) -> None:
    """Only a wallet screened as LOW, and lately, starts a deal.

    Raises Unprocessable WALLET_SANCTIONED or WALLET_RISK, naming whose, and UpstreamFailed where nobody knows.
    """
    found = risk(user.wallet_screening) if is_fresh(user.wallet_screening, now) else Risk.UNKNOWN
    if found == Risk.UNKNOWN:
        raise UpstreamFailed("A wallet can't be screened at the moment. Please try again.")
    if found != Risk.LOW:
        code = "WALLET_SANCTIONED" if found == Risk.SANCTIONED else "WALLET_RISK"
        raise Unprocessable("A wallet can't be used for this deal.", code, userId=user.id)


# --- what a person has decided


def cleared(file: EscrowFile) -> dict[str, set[Risk]]:
    """What COMPLIANCE decided about (decide_hold): by deposit or payout, the risks it was decided at. It covers such a
    finding and lesser ones of the same wallet, never another's, nor a graver one."""
    found: dict[str, set[Risk]] = {}
    for row in file.decisions:
        if row.status is DecisionStatus.DECIDED and row.decision in _LET_GO:
            for cause, about in row.covers.items():
                subject = cause.removeprefix(SANCTIONS_CAUSE)
                limit = Risk.HIGH if subject == cause else Risk.SANCTIONED  # a review never lets a listed wallet go on
                found.setdefault(subject, set()).add(min(risk(about), limit, key=_GRAVITY.index))
    return found  # of a card's doubt UNKNOWN: it has no wallet


_LET_GO = {Decision.CLEAR, Decision.REFUND}


def _is_covered(found: Risk, subject: str, decided: Mapping[str, set[Risk]]) -> bool:
    """What nobody knows is covered only by a decision about just that: whoever judged a risk has not judged another."""
    risks = decided.get(subject, set())
    if found is Risk.UNKNOWN:
        return found in risks
    return any(_GRAVITY.index(found) <= _GRAVITY.index(each) for each in risks)


class Finding(NamedTuple):
    """What is known of a wallet that a deposit came from, or that a payout goes to, and what that means for it."""

    subject: str  # "deposit:{ref}", "payout:{leg id}"
    verdict: Verdict
    wallet: str
    evidence: Mapping[str, Any] | None

    @property
    def cause(self) -> str:
        """What the hold is called that it places."""
        return f"{SANCTIONS_CAUSE if self.verdict is Verdict.SANCTIONS else ''}{self.subject}"


# --- deposits


def of_sender(deposit: Deposit, buyer: str, now: dt.datetime, decided: Mapping[str, set[Risk]]) -> Verdict:
    """D15: by the sender's risk, and whether it is the buyer's own wallet. What a person cleared is clean; what would
    let the money go on or back is no older than a day, and where no source answers for long, a person judges. What was
    set aside is in nobody's way."""
    found = risk(deposit.screening)
    if deposit.sender is None or deposit.quarantined or _is_covered(found, f"deposit:{deposit.ref}", decided):
        return Verdict.CLEAN
    if found == Risk.SANCTIONED:
        return Verdict.SANCTIONS
    own = deposit.sender == buyer
    if found == Risk.MEDIUM or (found == Risk.HIGH and not own):
        return Verdict.REVIEW
    if not is_fresh(deposit.screening, now):
        return Verdict.REVIEW if silent_too_long(deposit.screening, now) else Verdict.WAIT
    return Verdict.RETURN if found == Risk.HIGH else Verdict.CLEAN


def of_senders(file: EscrowFile, now: dt.datetime, *, late: bool) -> dict[Verdict, list[Deposit]]:
    """The deposits that came in time, or those that came late, by what becomes of them."""
    found: dict[Verdict, list[Deposit]] = {}
    if isinstance(file.rail, StablecoinEscrow):
        buyer, decided = file.rail.terms["buyer"], cleared(file)
        for deposit in file.deposits:
            if deposit.late is late:
                found.setdefault(of_sender(deposit, buyer, now, decided), []).append(deposit)
    return found


def unscreened(deposits: Iterable[Deposit], now: dt.datetime) -> list[Deposit]:
    """Those whose sender nobody has told about yet, or not since a day."""
    return [row for row in deposits if row.sender and not row.quarantined and not is_fresh(row.screening, now)]


# --- payouts


def carried(file: EscrowFile, settlement: Settlement) -> list[Deposit]:
    """The deposits that a RETURN gives back, of what was booked until it was planned and since the one before it: late
    ones, and those in time where some of what was HELD goes back. Small money of strangers was judged when it came, and
    stops no return later."""
    through = settlement.through or 0
    before = max((row.through for row in file.settlements if row.through and row.through < through), default=0)
    lines = [line for line in file.ledger if before < line.seq <= through]
    too_much = any((line.debit, line.credit) == (Account.HELD, Account.SURPLUS) for line in lines)
    booked = {line.deposit_ref for line in lines if too_much or line.credit is Account.SURPLUS}
    return [
        row
        for row in file.deposits
        if row.ref in booked and not row.quarantined and not quarantine.is_small(file.rail, row.sender, row.units)
    ]


def of_payout(file: EscrowFile, leg: Leg, now: dt.datetime) -> list[Finding]:
    """What keeps a leg from being sent to its wallet now, the gravest first. D32: a payee that is SANCTIONED holds
    SANCTIONS, a seller that is HIGH holds RISK_REVIEW; to a buyer that is HIGH his own money goes back (D15). With
    money that goes back its senders count too, whenever it came.

    What COMPLIANCE has decided does not stop it again.
    """
    if not isinstance(file.rail, StablecoinEscrow):
        return []
    decided = cleared(file)
    buyer = file.rail.terms["buyer"]
    verdict = _of_payee(leg.screening, leg.pays, now)
    payees = [Finding(f"payout:{leg.id}", verdict, str(leg.destination), leg.screening)]
    if leg.also_buyer:  # a split must not take the money where a refund could not
        verdict = _of_payee(leg.also_screening, Side.BUYER, now)
        payees.append(Finding(f"payout:{leg.id}{ALSO_BUYER}", verdict, buyer, leg.also_screening))
    found = [payee for payee in payees if not _is_covered(risk(payee.evidence), payee.subject, decided)]
    if leg.source_account is Account.SURPLUS:
        for row in carried(file, file.settlement(leg.settlement_id)):
            verdict = of_sender(row, buyer, now, decided)
            found.append(Finding(f"deposit:{row.ref}", verdict, str(row.sender), row.screening))
    return [finding for verdict in _STOPS for finding in found if finding.verdict is verdict]


def _of_payee(evidence: Mapping[str, Any] | None, side: Side, now: dt.datetime) -> Verdict:
    found = risk(evidence)
    if found == Risk.SANCTIONED:
        return Verdict.SANCTIONS
    if found == Risk.UNKNOWN:
        return Verdict.REVIEW if silent_too_long(evidence, now) else Verdict.WAIT
    return Verdict.REVIEW if found == Risk.HIGH and side is Side.SELLER else Verdict.CLEAN
