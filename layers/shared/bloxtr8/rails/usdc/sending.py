"""Sending, exactly once (rail-usdc.md): a nonce is reserved with the action, signed bytes are stored before they are
sent, and every step finds what the one before it did.

The contract's own lock on the action is the second one: what goes wrong with nonces costs time, never money.
"""

import datetime as dt
import logging
from dataclasses import replace

from bloxtr8 import clock
from bloxtr8.rails.base import RailBug, RailOutcomeUnknown
from bloxtr8.rails.usdc.book import Action, Attempt, Tx, TxBook, TxStatus
from bloxtr8.rails.usdc.chain import Chain, OutOfGas, Receipt, Tag
from bloxtr8.rails.usdc.signer import Signer

logger = logging.getLogger(__name__)
PATIENCE = dt.timedelta(seconds=60)
MOST_ATTEMPTS = 5
LEAST_TIP = 1_000_000  # wei a unit of gas: a thousandth of a gwei, which Base takes
LOW_CALLS = 20  # fewer calls than this in the signer's ether: somebody has to top it up
SELF_TRANSFER_GAS = 21_000
SIGNER_GONE = "SIGNER_GONE"
UNDONE_LOOK = dt.timedelta(minutes=10)  # of what is carried out and not finalized: some twenty minutes on Base
GONE_PATIENCE = dt.timedelta(hours=1)  # for bytes of a signer that is gone, which wait for a lower nonce of his


class Sender:
    """The platform's signer at work. Every method raises RailThrottled and RailOutcomeUnknown."""

    def __init__(self, chain: Chain, signer: Signer, book: TxBook, finality: Tag) -> None:
        self._chain, self._signer, self._book, self._finality = chain, signer, book, finality

    def find(self, escrow_id: str, name: str) -> Tx | None:
        """An action's Tx as the chain has it now."""
        tx = self._book.find(escrow_id, name)
        return self.catch_up(tx) if tx else None

    def stored(self, escrow_id: str, name: str) -> Tx | None:
        """The same as it was written last; the chain is not asked."""
        return self._book.find(escrow_id, name)

    def rehearse(self, action: Action) -> Action:
        """The same with the gas it takes. Raises Reverts where it would be refused now."""
        self._chain.call(action.to, action.data, sender=self._signer.address)
        gas = self._chain.gas_of(action.to, action.data, self._signer.address)
        return replace(action, gas=gas + gas // 4)

    def begin(self, action: Action) -> Tx:
        """Reserves, signs, stores and sends a rehearsed action; goes on where an earlier try stopped."""
        return self.go_on(self._book.reserve(action, self._signer.address, self._first_nonce), action)

    def go_on(self, tx: Tx, action: Action) -> Tx:
        """The rest of the way. RailBug where the Tx is not of this very call."""
        if (tx.action.to, tx.action.data, tx.action.chain_id) != (action.to, action.data, action.chain_id):
            raise RailBug(f"{action.escrow_id}: action {action.name} was another call")
        if not tx.attempts and not tx.is_over:
            tx = self._give_up(tx) if self._is_gone(tx) else self._sign(tx)
            if not tx.attempts and not tx.is_over:
                raise RailOutcomeUnknown(f"{action.escrow_id}: nonce {tx.nonce} is of {tx.signer}, who may still sign")
        if tx.is_cancel and not tx.is_over:
            raise RailOutcomeUnknown(f"{action.escrow_id}: nonce {tx.nonce} is being given up")
        tx = self.catch_up(tx)
        return self._broadcast(tx) if tx.status is TxStatus.SIGNED else tx

    def catch_up(self, tx: Tx) -> Tx:
        """Asks for receipts over all attempts, and writes down what became of them."""
        if tx.is_over or not tx.attempts:
            return tx
        found = self._mined(tx)
        if found is None:
            return self._unmined(tx)
        receipt, cancel = found
        final = receipt.block <= self._chain.block(self._finality).number
        status = TxStatus.MINED
        if final:
            status = TxStatus.CANCELLED if cancel else TxStatus.FINAL if receipt.ok else TxStatus.REVERTED
        error = None if receipt.ok else "REVERTED"
        now = replace(tx, status=status, mined_hash=receipt.tx_hash, mined_block=receipt.block, error=error)
        return self._keep(tx, now, again=None if self._is_settled(now) else UNDONE_LOOK)

    def watch(self, tx: Tx) -> Tx:
        """What the job does for a Tx that is due: sends it again, pays more, fills the gap of a nonce nobody used."""
        if tx.is_over:
            return tx if tx.next_look is None else self._until_finalized(tx)
        if not tx.attempts:
            return self._give_up(tx)
        tx = self.catch_up(tx)
        if tx.is_over or tx.status is TxStatus.MINED:
            return tx
        self._warn(tx)
        if tx.status is TxStatus.SENT and clock.now() - tx.attempts[-1].at >= PATIENCE:
            tx = self._left_behind(tx) if self._is_gone(tx) else self._bump(tx)
        return self.catch_up(self._broadcast(tx))

    def _first_nonce(self) -> int:
        """What is mined, and what still waits at the node: neither number is handed out again."""
        address = self._signer.address
        return max(self._chain.nonce(address, "latest"), self._chain.nonce(address, "pending"))

    def _give_up(self, tx: Tx) -> Tx:
        """Nothing was signed and nobody goes on: its nonce is spent on nothing, or all later ones would wait for
        ever."""
        if clock.now() - tx.created_at < PATIENCE:
            return tx
        if self._is_gone(tx):
            return self._abandon(tx)
        logger.warning("a nonce is given up", extra=_about(tx))
        return self.catch_up(self._broadcast(self._sign(tx, cancel=True)))

    def _is_gone(self, tx: Tx) -> bool:
        """Whether another key signs now: nobody makes a new attempt for this nonce."""
        return tx.signer != self._signer.address

    def _left_behind(self, tx: Tx) -> Tx:
        """Stored bytes of a signer that is gone are sent as they are, until they are mined or their nonce is used.

        Only those that wait for a nonce of his which nobody will sign are abandoned: should somebody sign it after all,
        the contract's own lock on the action refuses the second.
        """
        age = clock.now() - tx.attempts[-1].at
        if age >= MOST_ATTEMPTS * PATIENCE:
            logger.error("a transaction of a signer that is gone is stuck", extra=_about(tx))
        if age < GONE_PATIENCE or self._chain.nonce(tx.signer, "latest") >= tx.nonce:
            return tx
        return self._abandon(tx)

    def _abandon(self, tx: Tx) -> Tx:
        """CANCELLED, so that the signer of today may carry the action out at a nonce of its own."""
        logger.warning("what a signer that is gone left behind is abandoned", extra=_about(tx))
        return self._stored(tx, self._book.abandon(tx, SIGNER_GONE))

    def _bump(self, tx: Tx) -> Tx:
        """A better price, five at most; after them only where no block takes the last one any more, since every later
        nonce waits for this one."""
        if len(tx.attempts) >= MOST_ATTEMPTS and self._chain.block("latest").base_fee <= tx.attempts[-1].cap:
            return tx
        return self._sign(tx, cancel=tx.is_cancel)

    def _sign(self, tx: Tx, *, cancel: bool = False) -> Tx:
        """One more attempt, stored. Of two that sign at once one wins, and both go on with what is stored."""
        cap, tip = self._fees(tx)
        to, data, gas = (
            (tx.signer, "0x", SELF_TRANSFER_GAS) if cancel else (tx.action.to, tx.action.data, tx.action.gas)
        )
        if self._is_gone(tx):
            raise RailBug(f"{tx.action.escrow_id}: nonce {tx.nonce} is of another signer, {tx.signer}")
        signed = self._signer.sign(
            {
                "chainId": tx.action.chain_id,
                "nonce": tx.nonce,
                "to": to,
                "value": 0,
                "data": data,
                "gas": gas,
                "maxFeePerGas": cap,
                "maxPriorityFeePerGas": tip,
            }
        )
        attempt = Attempt(hash=signed.hash, raw=signed.raw, cap=cap, tip=tip, at=clock.now(), cancel=cancel)
        return self._keep(tx, tx.with_attempt(attempt))

    def _fees(self, tx: Tx) -> tuple[int, int]:
        """maxFeePerGas and maxPriorityFeePerGas: an eighth more than the last attempt, which nodes ask of a
        replacement."""
        tip = max(self._chain.tip(), LEAST_TIP)
        cap = 2 * self._chain.block("latest").base_fee + tip
        if not tx.attempts:
            return cap, tip
        last = tx.attempts[-1]
        tip = max(tip, _eighth_more(last.tip))
        return max(cap, _eighth_more(last.cap), tip), tip

    def _broadcast(self, tx: Tx) -> Tx:
        """Sends the newest attempt's stored bytes. Without ether for gas it stays stored, and the alarm rings."""
        if tx.is_over or not tx.attempts:
            return tx
        try:
            self._chain.send(tx.attempts[-1].raw)
        except OutOfGas:
            logger.error("the signer has no ether for gas", extra=_about(tx))
            return self._keep(tx, tx)
        if tx.status is TxStatus.SIGNED:
            tx = self._keep(tx, replace(tx, status=TxStatus.SENT))
        return self.catch_up(tx)

    def _mined(self, tx: Tx) -> tuple[Receipt, bool] | None:
        """The receipt of whichever attempt was mined, and whether that one does nothing."""
        for attempt in reversed(tx.attempts):
            receipt = self._chain.receipt(attempt.hash)
            if receipt is not None:
                return receipt, attempt.cancel
        return None

    def _is_settled(self, tx: Tx) -> bool:
        """Whether what was carried out at `safe` is finalized, so that no re-org can undo it any more."""
        if tx.status is not TxStatus.FINAL or self._finality != "safe":
            return True
        return (tx.mined_block or 0) <= self._chain.block("finalized").number

    def _until_finalized(self, tx: Tx) -> Tx:
        """What is booked stays booked: where the chain has it no longer people hear of it, and its stored bytes are
        sent again. The contract carries the action out once."""
        found = self._mined(tx)
        if found is not None and found[0].ok:
            now = replace(tx, mined_hash=found[0].tx_hash, mined_block=found[0].block)
            return self._keep(tx, now, again=None if self._is_settled(now) else UNDONE_LOOK)
        logger.error("a call that was final is undone", extra=_about(tx))
        if found is None:
            self._chain.send(next(each.raw for each in tx.attempts if each.hash == tx.mined_hash))
        return self._keep(tx, tx, again=PATIENCE)

    def _unmined(self, tx: Tx) -> Tx:
        """In no block: a vanished one is sent again. Where its nonce was spent for good on something else, none of it
        can happen any more."""
        if self._chain.nonce(tx.signer, self._finality) > tx.nonce and self._mined(tx) is None:
            logger.error("another transaction took the nonce", extra=_about(tx))
            return self._keep(tx, replace(tx, status=TxStatus.CANCELLED, error="NONCE_TAKEN"))
        if tx.status is TxStatus.MINED:
            logger.warning("a transaction vanished from the chain", extra=_about(tx))
            return self._keep(tx, replace(tx, status=TxStatus.SIGNED, mined_hash=None, mined_block=None, error=None))
        return tx

    def _keep(self, before: Tx, after: Tx, again: dt.timedelta | None = None) -> Tx:
        """Writes it; where another was first, what that one wrote. `again`: when one that is over is looked at next."""
        wait = again if after.is_over else PATIENCE
        after = replace(after, next_look=clock.now() + wait if wait else None)
        if replace(after, next_look=before.next_look) == before and (before.next_look or clock.now()) > clock.now():
            return before  # nothing new, and its next look is still to come
        return self._stored(before, self._book.keep(after))

    def _stored(self, before: Tx, kept: Tx | None) -> Tx:
        """What this one wrote, else what another did."""
        kept = kept or self._book.find(before.action.escrow_id, before.action.name)
        if kept is None:
            raise RailBug(f"{before.action.escrow_id}: action {before.action.name} is gone")
        return kept

    def _warn(self, tx: Tx) -> None:
        if len(tx.attempts) >= MOST_ATTEMPTS:
            logger.error("a transaction is stuck", extra=_about(tx))
        call = tx.attempts[-1].cap * max(tx.action.gas, SELF_TRANSFER_GAS)
        if self._chain.ether(tx.signer) < LOW_CALLS * call:
            logger.error("the signer runs low on ether", extra=_about(tx))


def _eighth_more(fee: int) -> int:
    return fee * 1125 // 1000 + 1


def _about(tx: Tx) -> dict[str, str | int]:
    return {"escrowId": tx.action.escrow_id, "action": tx.action.name, "nonce": tx.nonce, "attempts": len(tx.attempts)}
