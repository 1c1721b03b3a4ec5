"""What the product has to know about a chain: its settings, and who its signer is."""

from typing import TYPE_CHECKING

from eth_utils.crypto import keccak

if TYPE_CHECKING:
    from local.chain.chain import Chain


def environment(chain: "Chain", key_id: str, finality: str = "latest") -> dict[str, str]:
    """The environment of functions on this chain. `key_id` is the signer's in KMS; `finality` a tag of blocks."""
    return {
        "CHAIN_RPC_URL": chain.url,
        "CHAIN_ID": str(chain.id),
        "CHAIN_IDS": str(chain.id),
        "USDC_ADDRESS": chain.usdc,
        "ESCROW_CONTRACT": chain.escrow,
        "FEE_ADDRESS": chain.roles.fees,
        "SANCTIONS_ORACLE": chain.oracle,
        "SIGNER_KEY_ID": key_id,
        "CHAIN_FINALITY": finality,
        "PAYOUT_FINALITY": finality,
    }


def parameters(chain: "Chain", finality: str = "latest") -> dict[str, str]:
    """The same as parameters of template.yaml, which has its own key; the node's URL is in the secret `chain`."""
    return {
        "ChainId": str(chain.id),
        "AllowedChainIds": str(chain.id),
        "UsdcAddress": chain.usdc,
        "EscrowContract": chain.escrow,
        "FeeAddress": chain.roles.fees,
        "SanctionsOracle": chain.oracle,
        "ChainFinality": finality,
        "PayoutFinality": finality,
    }


def addresses(chain: "Chain") -> dict[str, str]:
    """What stack.json says of it."""
    return {"rpc": chain.url, "chainId": str(chain.id), "usdc": chain.usdc, "escrowContract": chain.escrow}


def address_of(public_key: bytes) -> str:
    """The account of a secp256k1 key, lower-case, from what GetPublicKey answers (DER, which ends in X and Y)."""
    return "0x" + keccak(public_key[-64:])[12:].hex()
