"""The groups of rows that actions decide on, each read in one or two round trips."""

from typing import Any, cast

from bloxtr8 import table
from bloxtr8.actors import Actor
from bloxtr8.domain import contracts, escrows, offers
from bloxtr8.domain.agreements import Deal
from bloxtr8.domain.contracts import ContractFile
from bloxtr8.domain.deals import Around
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.domain.lifecycle import Role
from bloxtr8.domain.offers import Bargain
from bloxtr8.entities import AssetGuard, Contract, Deals, Escrow, Listing, Offer, PlatformRole, User
from bloxtr8.errors import NotFound
from bloxtr8.ids import is_id, offer_place, ulid_of
from bloxtr8.table import Ref


def around(deal: Contract | Escrow) -> Around:
    """The rows around a deal, in one BatchGet."""
    return Around(*table.load(*places_around(deal)))


def places_around(deal: Contract | Escrow) -> tuple[Ref[Any], ...]:
    """Where they lie, in the order of Around's fields: for who reads them together with others."""
    root, depth = offer_place(deal.offer_id)
    asset_type, asset_id = _asset(deal)
    return (
        table.ref(Offer, root=root, depth=depth),
        table.ref(Offer, root=root, depth=0),
        table.ref(Listing, id=deal.listing_id),
        table.ref(Deals, user_id=deal.buyer_id),
        table.ref(Deals, user_id=deal.seller_id),
        table.ref(AssetGuard, asset_type=asset_type, asset_id=asset_id),
    )


def _asset(deal: Contract | Escrow) -> tuple[str, str]:
    if isinstance(deal, Escrow):
        return str(deal.asset_type), deal.asset_id
    return deal.terms["asset"]["type"], deal.terms["asset"]["id"]


def chain(offer_id: str) -> list[Offer]:
    """A whole chain of offers, the root first. Raises NotFound; whether `offer_id` itself is in it is the caller's
    to see."""
    if not is_id(offer_id, "off"):
        raise NotFound("There is no such offer.")
    found = table.partition(f"OFFER#{offer_place(offer_id)[0]}")
    if not found:
        raise NotFound("There is no such offer.")
    return cast(list[Offer], found)


def bargain(offer_id: str, actor: Actor) -> Bargain:
    """An offer of one of its parties, its chain and its listing. Raises NotFound, to outsiders too."""
    rows, offer = _offer(offer_id, actor)
    return Bargain(rows, offer, table.get(Listing, id=offer.listing_id))


def deal(offer_id: str, actor: Actor) -> Deal:
    """The same with both sides' profiles and volumes. Raises NotFound, to outsiders too."""
    rows, offer = _offer(offer_id, actor)
    listing, *people = table.load(
        table.ref(Listing, id=offer.listing_id),
        table.ref(User, id=offer.buyer_id),
        table.ref(User, id=offer.seller_id),
        table.ref(Deals, user_id=offer.buyer_id),
        table.ref(Deals, user_id=offer.seller_id),
    )
    return Deal(Bargain(rows, offer, listing), *people)


def _offer(offer_id: str, actor: Actor) -> tuple[list[Offer], Offer]:
    rows = chain(offer_id)
    offer = offers.pick(rows, offer_id)
    offers.side_of(offer, actor)
    return rows, offer


def contract(contract_id: str) -> ContractFile:
    """A contract with its signatures, in one Query. Raises NotFound."""
    if not is_id(contract_id, "con"):
        raise NotFound("There is no such contract.")
    found = ContractFile.of(table.partition(f"CONTRACT#{ulid_of(contract_id)}"))
    if found is None:
        raise NotFound("There is no such contract.")
    return found


def signing(contract_id: str, actor: Actor) -> tuple[Contract, User]:
    """A contract and the actor's profile, in one BatchGet. Raises NotFound where either is not there."""
    if not is_id(contract_id, "con"):
        raise NotFound("There is no such contract.")
    contract, user = table.load(table.ref(Contract, ulid=ulid_of(contract_id)), table.ref(User, id=actor.id))
    if contract is None or user is None:
        raise NotFound("There is no such contract.")
    return contract, user


def contract_for(contract_id: str, actor: Actor) -> ContractFile:
    """The same for a party or an arbiter (read from the user's row). Anybody else: NotFound."""
    file = contract(contract_id)
    if contracts.role_of(file.contract, actor) is Role.OUTSIDER:
        reader = table.get(User, id=actor.id)
        if PlatformRole.ARBITER not in reader.platform_roles:
            raise NotFound("There is no such contract.")
    return file


def escrow(escrow_id: str) -> EscrowFile:
    """Everything of an escrow in one Query. Raises NotFound."""
    if not is_id(escrow_id, "esc"):
        raise NotFound("There is no such escrow.")
    found = EscrowFile.of(table.partition(f"ESCROW#{ulid_of(escrow_id)}"))
    if found is None:
        raise NotFound("There is no such escrow.")
    return found


def sides(escrow: Escrow) -> tuple[User, User, Deals, Deals]:
    """The buyer's and the seller's profiles, and their volumes, in one BatchGet."""
    buyer, seller, buyer_deals, seller_deals = table.load(
        table.ref(User, id=escrow.buyer_id),
        table.ref(User, id=escrow.seller_id),
        table.ref(Deals, user_id=escrow.buyer_id),
        table.ref(Deals, user_id=escrow.seller_id),
    )
    return buyer, seller, buyer_deals, seller_deals


def escrow_for(escrow_id: str, actor: Actor, *staff: PlatformRole) -> EscrowFile:
    """The same for a party, or for staff of one of these roles (read from the user's row). Anybody else: NotFound."""
    return escrow_seen(escrow_id, actor, *staff)[0]


def escrow_seen(escrow_id: str, actor: Actor, *staff: PlatformRole) -> tuple[EscrowFile, list[Role]]:
    """The same, and as what the actor sees it: a party's role alone, or those of the named roles that he has."""
    file = escrow(escrow_id)
    role = escrows.role_of(file.escrow, actor)
    if role is not Role.OUTSIDER:
        return file, [role]
    reader = table.find(User, id=actor.id)
    roles = [] if reader is None else [Role(name) for name in staff if name in reader.platform_roles]
    if not roles:
        raise NotFound("There is no such escrow.")
    return file, roles
