"""The call that sends what is left in a vault back to the buyer, once the term has passed. Pure."""

from bloxtr8 import addresses
from bloxtr8.rails.usdc import vault

TERMS = "(bytes32,address,address,address,address,uint128,uint64,uint16)"  # Escrow.Terms
FUNCTION = f"reclaim({TERMS},address)"
ETHER = "0x" + 40 * "0"  # as `token`: ether that was sent there


def call_data(terms: vault.Terms, token: str) -> str:
    """What the escrow contract is sent, in hex. `token`: what to send back, by its contract's address, or ETHER."""
    selector = addresses.keccak(FUNCTION.encode())[:4]
    return "0x" + (selector + terms.encoded() + bytes.fromhex(token[2:]).rjust(32, b"\0")).hex()
