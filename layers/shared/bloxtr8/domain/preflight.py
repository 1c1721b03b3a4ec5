"""Before money or asset moves: what is known to stand in the transfer's way (api.md, check_transfer; M54).

`ok` None: nobody but the person can know; `detail` says what to see to.
"""

from typing import NamedTuple

from bloxtr8.domain.wallets import Risk
from bloxtr8.entities import AssetType, Escrow, Snapshot


class Check(NamedTuple):
    """One thing a transfer needs."""

    code: str
    ok: bool | None
    detail: str


def of_asset(escrow: Escrow, seen: Snapshot) -> list[Check]:
    """Roblox shows a person as the owner, who is the seller (or the buyer already), and no lock."""
    parties = {escrow.seller_roblox_id, escrow.buyer_roblox_id}
    return [
        Check(
            "ASSET_HAS_OWNER",
            seen.owner_id is not None,
            "On Roblox somebody owns it; nobody's can be claimed by any member.",
        ),
        Check("ASSET_NOT_LOCKED", not seen.locked, "Roblox has not locked it; a locked group can't change hands."),
        Check(
            "SELLER_OWNS_ASSET", seen.owner_id in parties, "Roblox shows the seller as its owner, or the buyer already."
        ),
    ]


def of_group(is_member: bool) -> list[Check]:
    """Roblox refuses a new owner who is no member (change-owner, error 15)."""
    return [
        Check("BUYER_IN_GROUP", is_member, "The buyer is a member of the group: only a member can be made its owner.")
    ]


def of_game(owns_a_group: bool) -> list[Check]:
    """A game moves to a group only, and how lately it moved, Roblox tells nobody."""
    return [
        Check("BUYER_HAS_GROUP", owns_a_group, "The buyer owns a group: a game can be moved to a group only."),
        Check(
            "GAME_TRANSFER_RULES",
            None,
            "Roblox asks for a verified e-mail address; a request expires after 7 days; once moved, it stays for 30.",
        ),
    ]


def of_accounts() -> list[Check]:
    """Roblox asks for it at the transfer (change-owner, error 25), and shows it to nobody before."""
    return [
        Check(
            "TWO_STEP_VERIFICATION", None, "The seller has 2-step verification on: Roblox asks for it at the transfer."
        )
    ]


def of_wallets(buyer: Risk, seller: Risk) -> list[Check]:
    """Over Base: money comes from the one wallet and goes to the other."""
    return [
        Check("WALLET", _usable(buyer), "The buyer's wallet is clean: only then is his payment held."),
        Check("PAYOUT", _usable(seller), "The seller's wallet is clean: only then can he be paid."),
    ]


def of_payout(ready: bool) -> list[Check]:
    """By card."""
    return [Check("PAYOUT", ready, "The seller's payout account is ready.")]


def _usable(risk: Risk) -> bool | None:
    return None if risk is Risk.UNKNOWN else risk is Risk.LOW


def is_group(escrow: Escrow) -> bool:
    """Whether a group itself is sold."""
    return escrow.asset_type is AssetType.GROUP
