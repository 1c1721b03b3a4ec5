"""The rail of USDC on Base: a vault for each escrow, that can only pay the right people (rail-usdc.md)."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from bloxtr8 import addresses
from bloxtr8.money import cents_of
from bloxtr8.rails.base import (
    Funding,
    FundingStatus,
    LegKind,
    LegOrder,
    LegOutcome,
    LegStatus,
    Look,
    Opened,
    PayeeRefused,
    PaymentInstructions,
    RailBug,
    RailOutcomeUnknown,
    Reclaims,
)
from bloxtr8.rails.usdc import calls, deposits, leaving, vault
from bloxtr8.rails.usdc.book import Action, Tx, TxStatus
from bloxtr8.rails.usdc.chain import Block, Chain, Log, Reverts, Tag
from bloxtr8.rails.usdc.sending import Sender
from bloxtr8.rails.usdc.vault import Terms

logger = logging.getLogger(__name__)
CURRENCIES = frozenset({"USD", "USDC"})  # dollars at 1:1
ACTIONS = 120
POSTPONE = "postpone"
MOST_POSTPONEMENTS = 5  # attempts that were mined without effect; each was simulated before


class UsdcRail:
    """`rails.get("USDC_BASE")`. The methods are those of `TermRail`, where they are described."""

    name: ClassVar[str] = "USDC_BASE"

    def __init__(
        self, chain: Chain, sender: Sender, *, contracts: Sequence[str], token: str, finality: Tag, payout_finality: Tag
    ) -> None:
        """`contracts`: whose vaults are honoured, lower case (config.escrow_contracts)."""
        self._chain, self._sender = chain, sender
        self._contracts, self._token = contracts, token.lower()
        self._finality, self._payout_finality = finality, payout_finality

    def open(self, funding: Funding) -> Opened:
        with _plain():
            terms = self._terms_of(funding)
            place = self._proven(terms)
            return Opened(
                external_id=place,
                cursor=funding.cursor or deposits.start(self._chain, terms, funding.escrow_id, self._tag()),
            )

    def payment(self, funding: Funding) -> PaymentInstructions:
        with _plain():
            if funding.external_id is None:
                raise RailBug(f"{funding.escrow_id} has no vault yet")
            terms = self._terms_of(funding)
            return PaymentInstructions(
                external_id=self._proven(terms),
                amount=funding.amount,
                currency=funding.currency,
                status=self._paid(terms, funding),
            )

    def look(self, funding: Funding) -> Look:
        with _plain():
            terms, tag = self._terms_of(funding), self._tag()
            found = deposits.search(self._chain, terms, funding, tag)
            coming = self._is_coming(terms, funding, found)
            status = FundingStatus.PROCESSING if coming else FundingStatus.UNPAID
            if found.deposits:
                status = FundingStatus.PAID
            return Look(
                status=status,
                external_id=vault.address(terms),
                deposits=found.deposits,
                cursor=found.cursor,
                keep=found.keep,
                complete=found.complete,
                coming=coming,
            )

    def close(self, funding: Funding) -> Look:
        """Nobody can close an address: what comes later is late money, and found by the poller."""
        seen = self.look(funding)
        return replace(seen, status=FundingStatus.CANCELED) if seen.status is FundingStatus.UNPAID else seen

    def send(self, order: LegOrder) -> LegOutcome:
        with _plain():
            try:
                return self._look_and_send(order)
            except RailBug as refused:
                if not self._may_be_mined(order):
                    raise
                raise RailOutcomeUnknown(f"{order.leg_id} was sent before: {refused}") from None

    def _look_and_send(self, order: LegOrder) -> LegOutcome:
        action, payment, terms = self._call_of(order)
        tx = self._sender.find(order.escrow_id, action.name)
        if tx is not None and not tx.gives_way_to(order.attempt):
            return self._outcome(self._sender.go_on(tx, action), order)
        done = self._settled(terms, order, payment)
        if done is not None:
            return done
        held = self._chain.token_balance(self._token, vault.address(terms), at="latest")
        if held < payment.total:
            done = self._settled(terms, order, payment)  # it may have been mined between the two questions
            if done is not None:
                return done
            raise RailBug(f"{order.leg_id}: the vault holds {held}, and {payment.total} are to be paid")
        try:
            rehearsed = self._sender.rehearse(action)
        except Reverts as refused:
            return self._refused(refused, terms, order, payment)
        return self._outcome(self._sender.begin(rehearsed), order)

    def _may_be_mined(self, order: LegOrder) -> bool:
        """Whether signed bytes of this leg are under way, or were carried out: a refusal now says nothing of them."""
        tx = self._sender.stored(order.escrow_id, str(order.action))
        if tx is None or not tx.attempts or tx.status in {TxStatus.REVERTED, TxStatus.CANCELLED}:
            return False
        try:
            action, _, _ = self._call_of(order)
        except RailBug:
            return True  # nobody can say whether they are this call's
        return tx.status is not TxStatus.FINAL or (tx.action.to, tx.action.data) == (action.to, action.data)

    def find(self, order: LegOrder) -> LegOutcome | None:
        with _plain():
            action, payment, terms = self._call_of(order)
            tx = self._sender.find(order.escrow_id, action.name)
            if tx is not None and not tx.gives_way_to(order.attempt):
                if (tx.action.to, tx.action.data) != (action.to, action.data):
                    raise RailBug(f"{order.leg_id}: action {action.name} was another call")
                return self._outcome(tx, order) if tx.attempts else None
            return self._settled(terms, order, payment)

    def destination_ready(self, destination: str) -> bool:
        """Whether Circle lets the token go there: it is not paused, nor the wallet on its deny-list."""
        with _plain():
            return self._takes(destination)

    def postpone(self, funding: Funding) -> bool:
        with _plain():
            terms = self._terms_of(funding)
            if self._state(terms, self._payout_finality)[3]:
                return True
            action = Action(
                escrow_id=funding.escrow_id,
                name=POSTPONE,
                chain_id=self._chain.id,
                to=terms.escrow_contract,
                data=calls.postpone(terms),
            )
            tx = self._sender.find(funding.escrow_id, POSTPONE)
            if tx is not None and not tx.is_over:
                tx = self._sender.go_on(tx, action)
            elif tx is None or tx.status is not TxStatus.FINAL:
                if self._state(terms, "latest")[3]:
                    return False  # by another of our calls, not final yet
                tx = self._sender.begin(self._sender.rehearse(replace(action, attempt=_next_try(tx))))
            return tx.status is TxStatus.FINAL

    def reclaimed(self, funding: Funding) -> Reclaims:
        with _plain():
            return leaving.reclaimed(self._chain, self._terms_of(funding), funding, self._tag())

    def gone(self, funding: Funding, refs: Sequence[str]) -> tuple[str, ...]:
        with _plain():
            return deposits.gone(self._chain, self._terms_of(funding), funding, refs, self._tag())

    def _tag(self) -> Block:
        return self._chain.block(self._finality)

    def _terms_of(self, money: Funding | LegOrder) -> Terms:
        """The frozen terms. RailBug unless they are this escrow's, on this chain, of this token and a contract of
        ours."""
        if money.terms is None or money.currency not in CURRENCIES:
            raise RailBug(f"{money.escrow_id} is not for this rail")
        terms = Terms.from_json(money.terms)
        ours = (self._chain.id, self._token, addresses.escrow_key(money.escrow_id))
        if (terms.chain_id, terms.token, terms.escrow_id) != ours or terms.escrow_contract not in self._contracts:
            raise RailBug(f"the terms of {money.escrow_id} are not of this chain, contract, token or escrow")
        stored = money.external_id if isinstance(money, Funding) else money.funding_id
        if stored is not None and stored.lower() != vault.address(terms):
            raise RailBug(f"{stored} is not the vault of {money.escrow_id}")
        return terms

    def _proven(self, terms: Terms) -> str:
        """The address that we computed and the contract says too. RailBug else: nobody may pay there."""
        place = vault.address(terms)
        if not self._chain.has_code(terms.escrow_contract):
            raise RailBug(f"there is no contract at {terms.escrow_contract}")
        said = self._chain.call(terms.escrow_contract, calls.vault_of(terms))
        if calls.address_in(said.hex()) != place:
            raise RailBug(f"the contract says another address than {place}")
        return place

    def _paid(self, terms: Terms, funding: Funding) -> FundingStatus:
        place = vault.address(terms)
        if self._completes(funding, self._chain.token_balance(self._token, place, at=self._finality)):
            return FundingStatus.PAID
        if self._completes(funding, self._chain.token_balance(self._token, place, at="latest")):
            return FundingStatus.PROCESSING
        return FundingStatus.PAID if self._state(terms, self._finality)[0] else FundingStatus.UNPAID

    @staticmethod
    def _completes(funding: Funding, there: int) -> bool:
        """Whether what lies in the vault beyond what is recorded makes up for what is missing: a stranger's cent that
        was set aside does not."""
        return cents_of(there) - cents_of(funding.known_units) >= _missing(funding)

    def _is_coming(self, terms: Terms, funding: Funding, found: deposits.Found) -> bool:
        """Whether what lies in the vault, final or not, and is not found yet completes the payment. Less than that
        stops no clock: anybody can send it, again and again."""
        missing = _missing(funding) - sum(seen.amount for seen in found.deposits)
        if missing <= 0:
            return False
        there = self._chain.token_balance(self._token, vault.address(terms), at="latest")
        known = found.cursor["arrived"] - found.cursor["left"]
        return cents_of(there) - cents_of(known) >= missing

    def _call_of(self, order: LegOrder) -> tuple[Action, calls.Payment, Terms]:
        terms, payment = self._terms_of(order), calls.payment_of(order)
        payee = terms.seller if order.kind is LegKind.TRANSFER else terms.buyer
        if order.destination is not None and order.destination.lower() != payee:
            raise RailBug(f"{order.leg_id} goes elsewhere than the vault pays")
        if order.action is None or not 0 <= order.action < ACTIONS:
            raise RailBug(f"{order.leg_id} has no action")
        action = Action(
            escrow_id=order.escrow_id,
            name=str(order.action),
            chain_id=self._chain.id,
            to=terms.escrow_contract,
            data=calls.settle(terms, order.action, payment),
            attempt=order.attempt,
        )
        return action, payment, terms

    def _state(self, terms: Terms, at: Tag) -> list[int]:
        """`stateOf`: paid, fees, done (a bit an action), postponed."""
        answer = self._chain.call(terms.escrow_contract, calls.state_of(vault.terms_hash(terms)), at=at)
        state = calls.numbers(answer)
        if len(state) != 4:
            raise RailBug(f"there is no contract at {terms.escrow_contract}")
        return state

    def _settled(self, terms: Terms, order: LegOrder, payment: calls.Payment) -> LegOutcome | None:
        """What the chain has of the action, whoever sent it. RailBug where it paid something else."""
        index = order.action or 0
        if not self._state(terms, "latest")[2] >> index & 1:
            return None
        log = leaving.settled(self._chain, terms, order.escrow_id, index, self._chain.block("latest"))
        if log is None:
            raise RailOutcomeUnknown(f"{order.leg_id}: action {index} is done, and its log not found")
        if calls.numbers(log.data) != [payment.to_seller, payment.fee, payment.to_buyer]:
            raise RailBug(f"{order.leg_id}: action {index} paid something else")
        return LegOutcome(status=self._how_final(log), external_id=log.tx_hash)

    def _how_final(self, log: Log) -> LegStatus:
        final = log.block <= self._chain.block(self._payout_finality).number
        return LegStatus.CONFIRMED if final else LegStatus.SENT

    def _refused(self, refused: Reverts, terms: Terms, order: LegOrder, payment: calls.Payment) -> LegOutcome:
        """Done already is found, never paid again; anything else no retry can help."""
        if not refused.why.startswith("AlreadyDone"):
            why = f"{order.leg_id}: the contract refuses: {refused.why}"
            barred = self._barred(terms, payment)
            raise PayeeRefused(why, payee=barred) if barred else RailBug(why)
        found = self._settled(terms, order, payment)
        if found is None:
            raise RailOutcomeUnknown(f"{order.leg_id}: done already, says one node, and another that it is not")
        return found

    def _barred(self, terms: Terms, payment: calls.Payment) -> str | None:
        """Who of those that are paid it is whom alone the token refuses; while it is paused it refuses everybody."""
        payees = {"SELLER": (terms.seller, payment.to_seller), "BUYER": (terms.buyer, payment.to_buyer)}
        barred = [payee for payee, (wallet, _) in payees.items() if not self._takes(wallet)]
        return barred[0] if len(barred) == 1 and payees[barred[0]][1] else None

    def _takes(self, wallet: str) -> bool:
        questions = (calls.paused(), calls.is_blacklisted(wallet))
        return all(calls.numbers(self._chain.call(self._token, each)) == [0] for each in questions)

    def _outcome(self, tx: Tx, order: LegOrder) -> LegOutcome:
        first = tx.attempts[0].hash if tx.attempts else ""
        match tx.status:
            case TxStatus.FINAL:
                return LegOutcome(status=LegStatus.CONFIRMED, external_id=tx.mined_hash or first)
            case TxStatus.REVERTED:  # unless bytes that were given up have paid it, which were mined before
                _, payment, terms = self._call_of(order)
                refused = LegOutcome(status=LegStatus.REJECTED, external_id=tx.mined_hash or first, reason=tx.error)
                return self._settled(terms, order, payment) or refused
            case TxStatus.CANCELLED:
                raise RailOutcomeUnknown(f"{order.leg_id}: its nonce was given up; it may be sent again")
        return LegOutcome(status=LegStatus.SENT, external_id=tx.mined_hash or first, reason=tx.error)


def _missing(funding: Funding) -> int:
    """What of the payment the books do not have yet, in cents."""
    return funding.amount if funding.missing is None else funding.missing


def _next_try(tx: Tx | None) -> int:
    """The number of a postponement's next attempt. RailBug where that many came to nothing: a person has to look."""
    if tx is None:
        return 1
    if tx.status is not TxStatus.REVERTED:
        return tx.action.attempt
    about = {"escrowId": tx.action.escrow_id, "attempt": tx.action.attempt}
    logger.error("a postponement of the term came to nothing", extra=about)
    if tx.action.attempt >= MOST_POSTPONEMENTS:
        raise RailBug(f"{tx.action.escrow_id}: the term can't be postponed")
    return tx.action.attempt + 1


@contextmanager
def _plain() -> Iterator[None]:
    """The machine knows errors by the bare names of base.py: none of ours leaves under a name of its own."""
    try:
        yield
    except PayeeRefused as error:
        raise PayeeRefused(str(error), payee=error.payee) from None
    except RailBug as error:
        raise RailBug(str(error)) from None
    except RailOutcomeUnknown as error:
        raise RailOutcomeUnknown(str(error)) from None
