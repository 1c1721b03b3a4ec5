"""Transfers to connected accounts, and their reversals."""

import copy

from local.doubles.stripe.errors import invalid, malformed
from local.doubles.stripe.ledger import PLATFORM
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import currency as booked_currency
from local.doubles.stripe.values import dollars, listed, merged, positive
from local.doubles.stripe.world import World


class Transfers:
    """A transfer with a source charge goes through while the charge is pending, and is available when it is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(
        self,
        *,
        currency: str,
        destination: str,
        amount: int | None = None,
        source_transaction: str | None = None,
        transfer_group: str | None = None,
        description: str | None = None,
        metadata: Object | None = None,
    ) -> Object:
        """POST /v1/transfers."""
        world = self._world
        booked_currency(currency)
        account = world.get("account", destination, "destination", label="destination")
        if (account["capabilities"] or {}).get("transfers") != "active":
            message = (
                "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
                "crypto_transfers, legacy_payments"
            )
            raise invalid(message, "insufficient_capabilities_for_transfer", "destination")
        if amount is None:
            raise malformed("Missing required param: amount.", "parameter_missing", "amount")
        available_on = 0
        if source_transaction is not None:
            charge = self._source(source_transaction, positive(amount), transfer_group)
            transfer_group = charge["transfer_group"] or transfer_group
            settled = world.get("balance_transaction", charge["balance_transaction"])["available_on"]
            available_on = settled if settled > world.now() else 0
        if not available_on and world.available() < positive(amount):
            message = (
                "You have insufficient available funds in your Stripe account. Try adding funds directly to your "
                "available balance by creating Charges using the 4000000000000077 test card."
            )
            raise invalid(message, "balance_insufficient")
        transfer = world.new(
            "transfer",
            "tr",
            amount=amount,
            amount_reversed=0,
            currency=currency.lower(),
            description=description,
            destination=destination,
            destination_payment=world.name("py"),
            metadata=merged({}, metadata),
            reversed=False,
            source_transaction=source_transaction,
            source_type="card",
            transfer_group=transfer_group,
        )
        transfer["reversals"] = listed(f"/v1/transfers/{transfer['id']}/reversals", [])
        transfer["balance_transaction"] = world.move(
            PLATFORM, -amount, "transfer", transfer["id"], against=destination, available_on=available_on
        )
        world.emit("transfer.created", transfer)
        return transfer

    def reverse(
        self, transfer_id: str, *, amount: int | None = None, description: str | None = None,
        metadata: Object | None = None,
    ) -> Object:  # fmt: skip
        """POST /v1/transfers/{id}/reversals: the money comes back from the connected account's balance."""
        world = self._world
        transfer = world.get("transfer", transfer_id)
        left = transfer["amount"] - transfer["amount_reversed"]
        if left == 0:
            raise invalid(f"Transfer {transfer_id} is already fully reversed.", "transfer_already_reversed")
        amount = left if amount is None else positive(amount)
        if amount > left:
            message = (
                f"Reversal amount ({dollars(amount)}) is greater than unreversed amount on transfer ({dollars(left)})"
            )
            raise invalid(message, param="amount")
        balance = world.ledger.balance(transfer["destination"], world.now())
        if balance.available + balance.pending < amount:
            message = "Insufficient funds in the connected account's Stripe balance to reverse this transfer."
            raise invalid(message, "balance_insufficient")
        reversal = world.new(
            "transfer_reversal",
            "trr",
            amount=amount,
            currency=transfer["currency"],
            metadata=merged({}, metadata),
            transfer=transfer_id,
        )
        settled = world.get("balance_transaction", transfer["balance_transaction"])["available_on"]
        reversal["balance_transaction"] = world.move(
            PLATFORM, amount, "transfer_refund", reversal["id"], against=transfer["destination"],
            available_on=settled if settled > world.now() else 0, description=description,
        )  # fmt: skip
        before = transfer["amount_reversed"]
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        transfer["reversals"]["data"].insert(0, copy.deepcopy(reversal))
        world.emit("transfer.reversed", transfer, {"amount_reversed": before})
        return reversal

    def _source(self, charge_id: str, amount: int, transfer_group: str | None) -> Object:
        """The charge that funds a transfer. What it was refunded and all it ever transferred is spent, reversed or not:
        Stripe may be more generous, the double never is."""
        charge = self._world.get("charge", charge_id, "source_transaction", label="charge")
        if charge["status"] != "succeeded":
            raise invalid("The source_transaction has to be a successful charge.", param="source_transaction")
        if transfer_group and charge["transfer_group"] and transfer_group != charge["transfer_group"]:
            message = "The transfer_group of a transfer has to match that of its source_transaction."
            raise invalid(message, param="transfer_group")
        drawn = sum(made["amount"] for made in self._world.all("transfer") if made["source_transaction"] == charge_id)
        if amount + drawn + charge["amount_refunded"] > charge["amount_captured"]:
            message = (
                "Transfers using this transaction as a source must not exceed the source amount of "
                f"{dollars(charge['amount_captured'])}. (There are already transfers using this source, amounting to "
                f"{dollars(drawn)}, and refunds of {dollars(charge['amount_refunded'])}.)"
            )
            raise invalid(message, param="amount")
        return charge
