"""The contract and its signatures."""

from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from bloxtr8.entities.base import (
    Entity,
    EnumAttribute,
    HasUlid,
    IntegerAttribute,
    Root,
    TextSetAttribute,
    TimeAttribute,
)
from bloxtr8.entities.market import Side
from bloxtr8.ids import ulid_of


class ContractStatus(StrEnum):
    PENDING_PDF = "PENDING_PDF"
    PENDING_SIGNATURE = "PENDING_SIGNATURE"
    EXECUTED = "EXECUTED"
    VOID = "VOID"


class SignMethod(StrEnum):
    API = "API"
    LINK = "LINK"
    DISCORD = "DISCORD"


class Contract(HasUlid, Root, discriminator="Contract"):
    """The accepted terms, frozen (D29). Everything later reads `terms`, never the listing or the profiles."""

    id = UnicodeAttribute()
    offer_id = UnicodeAttribute()
    listing_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    seller_id = UnicodeAttribute()
    status = EnumAttribute(ContractStatus, default=ContractStatus.PENDING_PDF)
    terms: Any = JSONAttribute()  # as documents.pdf.render takes them
    sha256 = UnicodeAttribute(null=True)
    size_bytes = IntegerAttribute(null=True)
    sign_by = TimeAttribute()
    signed_by = TextSetAttribute()  # the users of its Signature rows, so that signing reads one row
    reason = UnicodeAttribute(null=True)
    executed_at = TimeAttribute(null=True)
    reminded_of = TimeAttribute(null=True)  # `sign_by`, once its parties were reminded
    next_look = TimeAttribute(null=True)
    looks = IntegerAttribute(default=0)
    created_at = TimeAttribute()

    @property
    def escrow_id(self) -> str:
        return f"esc_{self.ulid}"


class Signature(Entity, discriminator="Signature"):
    """One party's consent to one sha256. Address and agent are kept as hashes only."""

    contract_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    side = EnumAttribute(Side)
    sha256 = UnicodeAttribute()
    method = EnumAttribute(SignMethod)
    address_hash = UnicodeAttribute(null=True)
    agent_hash = UnicodeAttribute(null=True)
    at = TimeAttribute()

    @property
    def contract_ulid(self) -> str:
        return ulid_of(self.contract_id)
