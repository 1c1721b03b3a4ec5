"""Before the buyer pays: everything that could have changed since the signatures is looked at again (api.md,
start_payment)."""

from bloxtr8 import assets, clock, depositing, rails, reads, screenings
from bloxtr8.actors import Actor
from bloxtr8.domain import escrow_moves, escrows, kyc, vaults, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.wallets import Risk
from bloxtr8.entities import StablecoinEscrow
from bloxtr8.errors import Expired, Unprocessable, UpstreamFailed
from bloxtr8.rails.base import FundingStatus, PaymentInstructions


def instructions(escrow_id: str, actor: Actor) -> tuple[EscrowFile, PaymentInstructions | None]:
    """How the buyer pays, the same each time; None while the rail is still being opened.

    Raises NotFound, Forbidden (not the buyer, BANNED, KYC_LIMIT, CARD_BLOCKED), InvalidState (on chain ALREADY_PAID
    too), Expired FUNDING_EXPIRED, Unprocessable (ASSET_NOT_OWNED, PAYOUT_NOT_READY) and UpstreamFailed. It moves and
    writes nothing.
    """
    file = reads.escrow(escrow_id)
    escrow, now = file.escrow, clock.now()
    escrow_moves.check("start_payment", file, escrows.party(escrow, actor), now)
    kyc.check_pays(escrow, *reads.sides(escrow), now)
    _check_asset(file)
    if file.rail.external_id is None:
        return file, None
    _check_wallet(file)
    rail = rails.get(str(escrow.rail))
    with rails.asked():
        payee = _payee(file)
        if payee is not None and not rail.destination_ready(payee):
            raise Unprocessable("The seller can't be paid out at the moment.", "PAYOUT_NOT_READY")
        found = rail.payment(depositing.order(file))
    if found.status is FundingStatus.CANCELED:  # at the provider, which counts as the deadline (states.md, section 4)
        raise Expired("This can't be paid any more.", "FUNDING_EXPIRED")
    if found.status is FundingStatus.PAID and isinstance(file.rail, StablecoinEscrow):
        raise vaults.already_paid()  # final, and recorded in a minute
    return file, found


def _payee(file: EscrowFile) -> str | None:
    """Where the seller will be paid, as it was frozen: his account, or his wallet."""
    if isinstance(file.rail, StablecoinEscrow):
        return str(file.rail.terms["seller"])
    return file.escrow.payout_account_id


def _check_wallet(file: EscrowFile) -> None:
    """On chain: nobody pays for a seller whose frozen wallet can't be paid now. It fails closed."""
    if not isinstance(file.rail, StablecoinEscrow):
        return
    risk = wallet_risk.risk(screenings.of_wallet(file.rail.terms["seller"]))
    if risk == Risk.UNKNOWN:
        raise UpstreamFailed("The seller's wallet can't be screened at the moment. Please try again.")
    if risk in {Risk.HIGH, Risk.SANCTIONED}:
        raise Unprocessable("The seller can't be paid out at the moment.", "PAYOUT_NOT_READY")


def _check_asset(file: EscrowFile) -> None:
    """Nobody pays for what the seller no longer owns."""
    seen = assets.look_again(file.escrow, file.escrow.seller_roblox_id)
    if not seen.verified:
        raise Unprocessable(
            "The seller does not own the asset any more.", "ASSET_NOT_OWNED", observedOwner=seen.owner_id
        )
