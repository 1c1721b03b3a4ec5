"""What a buyer needs to pay. The client secret is fetched each time, never stored and never recorded for a replay."""

from typing import Literal, Self

from bloxtr8 import addresses, config
from bloxtr8.domain.escrows import EscrowFile
from bloxtr8.entities import RailName
from bloxtr8.rails.base import PaymentInstructions
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
    """A plain transfer of USDC pays, from a wallet or an exchange. `amount` in cents, `amount_units` in base units.

    `uri` asks for it as EIP-681 has it, `qr` shows that as an SVG (a data URI); address, network and amount stand
    beside it as text, for wallets that read no URI.
    """

    rail: str
    chain_id: int
    network: str
    token: str
    deposit_addr: str
    amount: int
    amount_units: int
    amount_text: str
    currency: str
    uri: str
    qr: str
    finality: str
    expires_at: Moment

    @classmethod
    def of(cls, file: EscrowFile, found: PaymentInstructions) -> Self:
        terms = file.rail.terms  # type: ignore[attr-defined]
        token, vault = addresses.checksum(terms["token"]), addresses.checksum(found.external_id)
        uri = f"ethereum:{token}@{terms['chainId']}/transfer?address={vault}&uint256={terms['amount']}"
        return cls(
            rail=str(file.escrow.rail),
            chain_id=terms["chainId"],
            network=NETWORKS.get(terms["chainId"], f"chain {terms['chainId']}"),
            token=token,
            deposit_addr=vault,
            amount=file.escrow.gross,
            amount_units=terms["amount"],
            amount_text=f"{file.escrow.gross // 100}.{file.escrow.gross % 100:02} USDC",
            currency=str(file.escrow.currency),
            uri=uri,
            qr=_qr(uri),
            finality=config.settings().chain_finality,
            expires_at=file.escrow.fund_by,
        )


def of(file: EscrowFile, found: PaymentInstructions) -> "PaymentView | VaultPaymentView":
    """How the buyer pays, by the escrow's rail."""
    if file.escrow.rail == RailName.USDC_BASE:
        return VaultPaymentView.of(file, found)
    return PaymentView.of(str(file.escrow.rail), found)


def _qr(text: str) -> str:
    import segno

    return str(segno.make_qr(text, error="m").svg_data_uri(scale=4))


class OpeningView(View):
    """202: the rail is being opened; ask again."""

    status: Literal["RAIL_OPENING"] = "RAIL_OPENING"
