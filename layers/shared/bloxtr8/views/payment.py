"""What a buyer needs to pay. The client secret is fetched each time, never stored and never recorded for a replay."""

from typing import Literal, Self

from bloxtr8 import addresses, config
from bloxtr8.domain import vaults
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import StablecoinEscrow
from bloxtr8.rails.base import PaymentInstructions
from bloxtr8.rails.usdc import vault
from bloxtr8.shapes import Moment, View

NETWORKS = {8453: "Base", 84532: "Base Sepolia", 31337: "Anvil (local)"}


class PaymentView(View):
    """Amount in minor units."""

    rail: str
    payment_intent_id: str
    client_secret: str | None
    amount: int
    currency: str

    @classmethod
    def of(cls, rail: str, found: PaymentInstructions) -> Self:
        return cls(
            rail=rail,
            payment_intent_id=found.external_id,
            client_secret=found.client_secret,
            amount=found.amount,
            currency=found.currency,
        )


class VaultPaymentView(View):
    """A plain transfer of USDC pays, from a wallet or an exchange. `amount` is the gross, in cents.

    In base units: `total_units` are to come in all, `paid_units` have arrived for it, `amount_units` are missing still.
    `uri` asks for those as EIP-681 has it, `qr` shows that as an SVG (a data URI); address, network and amount stand
    beside it as text, for wallets that read no URI.
    """

    rail: str
    chain_id: int
    network: str
    token: str
    deposit_addr: str
    amount: int
    total_units: int
    paid_units: int
    amount_units: int
    amount_text: str
    currency: str
    uri: str
    qr: str
    finality: str
    expires_at: Moment

    @classmethod
    def of(cls, file: EscrowFile, rail: StablecoinEscrow, found: PaymentInstructions) -> Self:
        terms, missing = vault.Terms.from_json(rail.terms), vaults.missing(file.escrow, rail)
        uri = vault.payment_uri(terms, found.external_id, missing)
        return cls(
            rail=str(file.escrow.rail),
            chain_id=terms.chain_id,
            network=NETWORKS.get(terms.chain_id, f"chain {terms.chain_id}"),
            token=addresses.checksum(terms.token),
            deposit_addr=addresses.checksum(found.external_id),
            amount=file.escrow.gross,
            total_units=terms.amount,
            paid_units=vaults.counted(file.escrow, rail),
            amount_units=missing,
            amount_text=_text(missing),
            currency=str(file.escrow.currency),
            uri=uri,
            qr=_qr(uri),
            finality=config.settings().chain_finality,
            expires_at=file.escrow.fund_by,
        )


def of(file: EscrowFile, found: PaymentInstructions) -> "PaymentView | VaultPaymentView":
    """How the buyer pays, by the escrow's rail."""
    if isinstance(file.rail, StablecoinEscrow):
        return VaultPaymentView.of(file, file.rail, found)
    return PaymentView.of(str(file.escrow.rail), found)


def _text(units: int) -> str:
    """With two decimals, more only where there is less than a cent."""
    whole, part = divmod(units, 10**6)
    digits = f"{part:06}"
    return f"{whole}.{digits[:2]}{digits[2:].rstrip('0')} USDC"


def _qr(text: str) -> str:
    import segno

    return str(segno.make_qr(text, error="m").svg_data_uri(scale=4))


class OpeningView(View):
    """202: the rail is being opened; ask again."""

    status: Literal["RAIL_OPENING"] = "RAIL_OPENING"
