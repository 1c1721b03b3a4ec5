"""The vault's terms as a contract prints them: checked, and as one text that a copy out of any PDF reader survives.

The text is JSON without spaces, so blanks and line breaks in a copy mean nothing. Its last field, `check`, is the start
of the sha256 of all before it: a lost or changed character is found, and the deposit address is a hash of the terms.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from bloxtr8 import addresses
from bloxtr8.rails.usdc import vault

FORMAT = "bloxtr8.vault.v1"  # no hyphen: at the end of a line a copy might lose it
NOBODY = "0x" + 40 * "0"
BPS = 10_000

_HASH = re.compile(r"0x[0-9a-f]{64}")
_TEXT = re.compile(r'\{"format":"bloxtr8\.vault\.v[^{}\[\]]*\}')
_KEYWORDS = re.compile(rb'/Keywords \((\{"format":"bloxtr8\.vault\.v[^(){}\\]*\})\)')
_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'))
_CHECK_LENGTH = 8


class Spoiled(ValueError):
    """The terms are missing, incomplete, changed or contradictory. The message is for the person who has them."""


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ValueError("not 32 bytes in hex")
    return text


Address = Annotated[str, AfterValidator(addresses.parse)]
Number = Annotated[int, Field(strict=True, ge=0, lt=2**64)]


class Vault(BaseModel):
    """`contract.terms["vault"]`: the chain, the contract, and the eight terms its deposit address is a hash of.

    Raises ValueError (pydantic's) for terms that the contract refuses: nobody's money would get out before the term.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=False)

    chain_id: Annotated[Number, Field(gt=0)]
    escrow_contract: Address
    escrow_id: Annotated[str, AfterValidator(_hash)]  # keccak256 of the `esc_…` id
    token: Address
    buyer: Address
    seller: Address
    fee_receiver: Address
    amount: Annotated[Number, Field(gt=0)]  # the gross, in the token's base units
    reclaim_after: Number  # unix seconds
    max_fee_bps: Annotated[int, Field(strict=True, ge=0, le=BPS)]

    @model_validator(mode="after")
    def _pays_somebody(self) -> Self:
        named = {"token": self.token, "buyer": self.buyer, "seller": self.seller}
        if self.max_fee_bps:
            named["feeReceiver"] = self.fee_receiver
        for name, address in named.items():
            if address == NOBODY:
                raise ValueError(f"{name} is nobody's address")
        return self

    @property
    def terms(self) -> vault.Terms:
        """As the rail has them."""
        return vault.Terms.from_json(self.model_dump(by_alias=True))

    @property
    def address(self) -> str:
        """The deposit address, with its checksum (EIP-55)."""
        return addresses.checksum(vault.address(self.terms))

    @property
    def shown(self) -> dict[str, Any]:
        """By their names on chain; addresses with their checksums."""
        found: dict[str, Any] = self.model_dump(by_alias=True)
        for name in ("escrowContract", "token", "buyer", "seller", "feeReceiver"):
            found[name] = addresses.checksum(found[name])
        return found


def write(terms: Vault) -> str:
    """The text: everything a reclaim needs, and what shows a change."""
    fields = {"format": FORMAT, "vault": terms.address, **terms.shown}
    return _sealed(json.dumps(fields, separators=(",", ":"))[:-1])


def read(text: str) -> Vault:
    """The terms in a copied text, whatever stands around them and wherever its lines were broken. Raises Spoiled."""
    plain = "".join(
        c for c in text.translate(_QUOTES) if not c.isspace() and unicodedata.category(c) not in {"Cf", "Cc"}
    )
    found = set(_TEXT.findall(plain))
    if len(found) > 1:
        raise Spoiled(
            "There is more than one text of vault terms here. Give the one of the contract's own section only."
        )
    if found:
        return _opened(found.pop())
    if FORMAT in plain:
        raise Spoiled("The vault terms are incomplete: copy everything from the opening { to the closing }.")
    raise Spoiled(f'There are no vault terms here: they start with {{"format":"{FORMAT}".')


def in_pdf(data: bytes) -> str:
    """The text that a contract carries among its properties (/Keywords), where no user's words can stand.

    Raises Spoiled for a file that has none: a contract by card, or one that another program has saved anew.
    """
    found = _KEYWORDS.search(data)
    if not found:
        raise Spoiled(
            "This file carries no vault terms. Either it is no contract in USDC, or another program has saved it anew: "
            'then copy the text that starts with {"format" out of it, and give that.'
        )
    return found[1].decode("ascii", "replace")


def from_json(fields: Mapping[str, Any]) -> Vault:
    """From the bare terms, as the API has them. Raises Spoiled, naming every field that is wrong."""
    try:
        return Vault.model_validate(dict(fields))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'terms'}: {_plain(e['msg'])}" for e in error.errors())
        raise Spoiled(f"The vault terms are incomplete or wrong. {wrong}.") from None


def _counts(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in {"Cf", "Cc"}


def _opened(text: str) -> Vault:
    start, _, rest = text.rpartition(',"check":')
    if not start.startswith(f'{{"format":"{FORMAT}",'):
        raise Spoiled("The vault terms are of another version, or their check is missing.")
    if _sealed(start) != f'{start},"check":{rest}':
        raise Spoiled("The vault terms were changed, or a character was lost in copying: their check does not fit.")
    try:
        fields = json.loads(start + "}")
    except ValueError:
        raise Spoiled("The vault terms are not JSON.") from None
    del fields["format"]
    printed = fields.pop("vault", None)
    terms = from_json(fields)
    if printed != terms.address:
        raise Spoiled(f"These terms are those of the deposit address {terms.address}, not of {printed}.")
    if write(terms) != text:
        raise Spoiled("The vault terms are not written as a contract writes them.")
    return terms


def _sealed(start: str) -> str:
    return f'{start},"check":"{hashlib.sha256(start.encode()).hexdigest()[:_CHECK_LENGTH]}"}}'


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
