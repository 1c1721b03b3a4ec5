"""A chargeback: the payer's bank takes a card payment back, or asks whether it may (states.md, section 4)."""

from enum import StrEnum

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from bloxtr8.entities.base import EnumAttribute, IntegerAttribute, TimeAttribute
from bloxtr8.entities.escrow import EscrowRow


class ChargebackStatus(StrEnum):
    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"
    REINSTATED = "REINSTATED"  # lost, and won after all


class Chargeback(EscrowRow, discriminator="Chargeback"):
    """One dispute of the provider's, under its id; a payment can have several. Amounts in cents. The hold CHARGEBACK
    stands while one of them is OPEN."""

    id = UnicodeAttribute()
    charge_id = UnicodeAttribute()
    status = EnumAttribute(ChargebackStatus, default=ChargebackStatus.OPEN)
    amount = IntegerAttribute()
    fee = IntegerAttribute(default=0)  # of the bank, as far as it is booked
    inquiry = BooleanAttribute(default=False)  # the bank only asks: nothing is taken yet
    reason = UnicodeAttribute(null=True)  # what the payer told his bank: never the seller's to read
    next_look = TimeAttribute(null=True)
    looks = IntegerAttribute(default=0)
    unknown_since = TimeAttribute(null=True)  # given back, and Roblox does not say whose the asset is
    opened_at = TimeAttribute()
    closed_at = TimeAttribute(null=True)
