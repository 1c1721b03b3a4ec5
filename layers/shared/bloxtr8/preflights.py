"""check_transfer: Roblox, wallets and the payout account are asked; nothing is written and nothing moves (M54)."""

from bloxtr8 import assets, screenings, table
from bloxtr8.domain import preflight, wallet_risk
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.preflight import Check
from bloxtr8.entities import Escrow, StablecoinEscrow, User
from bloxtr8.outside import roblox_members


def checks(file: EscrowFile) -> list[Check]:
    """Everything that is known to stand in the way. Raises UpstreamFailed where Roblox does not answer."""
    escrow = file.escrow
    seen = assets.look_again(escrow, escrow.seller_roblox_id)
    return [*preflight.of_asset(escrow, seen), *_of_move(escrow), *preflight.of_accounts(), *_of_money(file)]


def _of_move(escrow: Escrow) -> list[Check]:
    if preflight.is_group(escrow):
        return preflight.of_group(roblox_members.is_member(escrow.asset_id, escrow.buyer_roblox_id))
    return preflight.of_game(roblox_members.owns_a_group(escrow.buyer_roblox_id))


def _of_money(file: EscrowFile) -> list[Check]:
    if isinstance(file.rail, StablecoinEscrow):
        terms = file.rail.terms
        risks = [wallet_risk.risk(screenings.of_wallet(terms[side])) for side in ("buyer", "seller")]
        return preflight.of_wallets(*risks)
    seller = table.get(User, id=file.escrow.seller_id)
    return preflight.of_payout(seller.payouts_ready and seller.payout_account_id == file.escrow.payout_account_id)
