"""Addresses on chain: kept and compared in lower case, shown as EIP-55 writes them."""

import re

POSTPONEMENT_SECONDS = 90 * 86_400  # Escrow.POSTPONEMENT, of the term of what lies at such an address

_FORM = re.compile(r"0x[0-9a-fA-F]{40}")


def parse(text: str) -> str:
    """The address as it is kept. Raises ValueError for another form, or for capitals that are not its checksum's: one
    wrong letter would be another wallet. All in one case says nothing, and passes (EIP-55)."""
    if not _FORM.fullmatch(text):
        raise ValueError("is no address")
    if text[2:] not in {text[2:].lower(), text[2:].upper()} and text != checksum(text):
        raise ValueError("has a wrong checksum")
    return text.lower()


def checksum(address: str) -> str:
    """The address as people are shown it: capitals where its hash says so (EIP-55)."""
    letters = address[2:].lower()
    digest = keccak(letters.encode()).hex()
    return "0x" + "".join(
        letter.upper() if int(nibble, 16) > 7 else letter for letter, nibble in zip(letters, digest, strict=False)
    )


def escrow_key(escrow_id: str) -> str:
    """The chain's name of an escrow: keccak256 of its `esc_…` id, as 32 bytes in hex."""
    return "0x" + keccak(escrow_id.encode()).hex()


def keccak(data: bytes) -> bytes:
    """keccak256, as the chain has it (not SHA3-256). Imported here: most who show a person need none."""
    from Crypto.Hash import keccak as keccak_

    return keccak_.new(data=data, digest_bits=256).digest()
