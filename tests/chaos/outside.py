"""The outside of a world: AWS, Stripe, the chain and Roblox as their doubles answer, with the world's luck between."""

import hashlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stripe
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError

from bloxtr8 import clock as house
from bloxtr8 import config, rails, screenings
from bloxtr8.aws_json import Answer, NoAnswer, Refused, Service
from bloxtr8.documents import pdf
from bloxtr8.entities import Escrow
from bloxtr8.errors import UpstreamFailed
from bloxtr8.outside import http
from bloxtr8.rails import stripe_client
from bloxtr8.rails.base import Funding, RailOutcomeUnknown, RailThrottled, Reclaims, ReclaimSeen
from bloxtr8.rails.usdc import balances
from local.doubles.stripe.double import StripeDouble
from local.motofix import direct
from tests import doubles
from tests.chaos.faults import Fault, Luck, Unlucky
from tests.chaos.machines import Machines, refusal
from tests.chaos.quick_table import QuickTable
from tests.emulator import Clock
from tests.functions import chain as chains

ROBLOX = "http://roblox.test"
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
SETTINGS = {
    "FUND_ESCROW_ARN": f"{ARN}fund_escrow",
    "SETTLE_ESCROW_ARN": f"{ARN}settle_escrow",
    "RENDER_CONTRACT_ARN": "render_contract",
    "USDC_ADDRESS": chains.TOKEN,
    "ESCROW_CONTRACT": chains.CONTRACT,
    "FEE_ADDRESS": chains.FEES,
    "CHAIN_ID": str(chains.CHAIN),
    "CHAIN_IDS": str(chains.CHAIN),
    "BUYER_FEE_BPS": "100",
    **dict.fromkeys(("TWO_PEOPLE_CENTS", "TWO_PEOPLE_BY_HAND_CENTS"), "500000"),  # so that some trades need two
    **dict.fromkeys(("ROBLOX_API_BASE", "ROBLOX_GROUPS_BASE", "ROBLOX_GAMES_BASE"), ROBLOX),
}


class Outside:
    """Everybody the platform talks to. `machines` and the two senders are the world's."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        clock: Clock,
        luck: Luck,
        machines: Machines,
        publish: Callable[[str, dict[str, Any]], None],
        invoke: Callable[[str, dict[str, Any]], None],
        table: QuickTable | None,
    ) -> None:
        self.luck = luck
        self.hidden: set[str] = set()  # assets that Roblox says nothing of
        self.objects: dict[tuple[str, str], tuple[bytes, dict[str, Any]]] = {}
        self.stripe = StripeDouble(lambda: clock.moment, opening_balance=100_000_000)
        self.chain = VaultChain()
        self.wallets = chains.Wallets()
        self.roblox = doubles.Roblox(doubles.still(clock))
        self._machines, self._publish, self._invoke = machines, publish, invoke
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        config.settings.cache_clear()
        self._tap_the_table(patch, table)
        self._tap_aws(patch)
        self._tap_stripe(patch)
        self._tap_the_chain(patch)
        self._tap_roblox(patch)
        patch.setattr(pdf, "render", lambda terms: b"%PDF-1.4 " + json.dumps(terms, sort_keys=True).encode())

    def _tap_the_table(self, patch: pytest.MonkeyPatch, table: QuickTable | None) -> None:
        plain = Service.ask

        def ask(service: Service, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
            def act() -> dict[str, Any]:
                quick = table is not None and service.name == "dynamodb"
                return table.ask(operation, arguments) if quick else plain(service, operation, arguments)

            name = "table" if service.name == "dynamodb" else "secrets"
            return self.luck.ask(f"{name}.{operation}", act, lambda fault: _of_aws(operation, fault))

        def post(service: Service, headers: Mapping[str, str], body: bytes, operation: str) -> Answer:
            found = direct.answer(f"{service.url}/", headers, body)
            assert found is not None, operation
            return Answer(*found)

        patch.setattr(Service, "ask", ask)
        patch.setattr(Service, "post", post)

    def _tap_aws(self, patch: pytest.MonkeyPatch) -> None:
        answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "StartExecution": lambda asked: self._machines.start(
                asked["stateMachineArn"], asked["name"], asked["input"]
            ),
            "DescribeExecution": lambda asked: self._machines.describe(asked["executionArn"]),
            "SendTaskSuccess": lambda asked: self._machines.answer(asked["taskToken"], asked["output"]),
            "PutEvents": self._put_events,
            "Invoke": self._invoked,
            "PutObject": self._put_object,
            "GetObject": self._get_object,
            "HeadObject": self._head_object,
        }

        def call(_: BaseClient, operation: str, asked: dict[str, Any]) -> Any:
            act = answers[operation]
            return self.luck.ask(f"aws.{operation}", lambda: act(asked), lambda fault: _of_botocore(operation, fault))

        patch.setattr(BaseClient, "_make_api_call", call)

    def _tap_stripe(self, patch: pytest.MonkeyPatch) -> None:
        plain = stripe_client.build("sk_test_local", http_client=self.stripe.http_client())
        self.plain_stripe = plain  # a buyer's browser talks to Stripe itself
        unlucky = Unlucky(plain, "stripe", self.luck, _of_stripe)
        patch.setattr(stripe_client, "client", lambda: unlucky)

    def _tap_the_chain(self, patch: pytest.MonkeyPatch) -> None:
        registry, unlucky = rails.get, Unlucky(self.chain, "usdc", self.luck, _of_the_rail)
        patch.setattr(rails, "get", lambda name: unlucky if name == chains.RAIL else registry(name))
        patch.setattr(balances, "at_finality", unlucky.at_finality)

        def of_wallet(address: str) -> dict[str, Any]:
            try:
                return self.luck.ask("screening.of_wallet", lambda: self.wallets.ask(address), _of_the_rail)
            except RailOutcomeUnknown:
                return self.wallets.ask(address) | {"risk": "UNKNOWN"}

        patch.setattr(screenings, "of_wallet", of_wallet)

    def _tap_roblox(self, patch: pytest.MonkeyPatch) -> None:
        doubles.shorten(patch, ROBLOX, self.roblox)
        plain = http.Talk.get

        def get(talk: http.Talk, url: str, headers: Mapping[str, str] | None = None) -> http.Answer:
            if any(asset in url for asset in self.hidden):
                raise UpstreamFailed("Roblox")
            return self.luck.ask(_asker(), lambda: plain(talk, url, headers), lambda _: UpstreamFailed("Roblox"))

        patch.setattr(http.Talk, "get", get)

    # --- AWS's answers

    def _put_events(self, asked: dict[str, Any]) -> dict[str, Any]:
        for entry in asked["Entries"]:
            self._publish(entry["DetailType"], json.loads(entry["Detail"]))
        return {"FailedEntryCount": 0, "Entries": [{}]}

    def _invoked(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._invoke(asked["FunctionName"], json.loads(asked["Payload"]))
        return {"StatusCode": 202}

    def _put_object(self, asked: dict[str, Any]) -> dict[str, Any]:
        place = asked["Bucket"], asked["Key"]
        if place in self.objects and asked.get("IfNoneMatch") == "*":
            raise refusal("PreconditionFailed", "PutObject")
        self.objects[place] = asked["Body"], asked
        return {}

    def _get_object(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._object(asked, "GetObject", "NoSuchKey")[0])}

    def _head_object(self, asked: dict[str, Any]) -> dict[str, Any]:
        body, about = self._object(asked, "HeadObject", "404")
        return {"ContentLength": len(body), "ChecksumSHA256": about.get("ChecksumSHA256")}

    def _object(self, asked: dict[str, Any], operation: str, code: str) -> tuple[bytes, dict[str, Any]]:
        try:
            return self.objects[asked["Bucket"], asked["Key"]]
        except KeyError:
            raise refusal(code, operation) from None


class VaultChain(chains.FakeChain):
    """The same chain with what a node tells of its vaults: their balances, and what was taken back after the term."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: dict[str, list[ReclaimSeen]] = {}

    def at_finality(self, vaults: list[str]) -> dict[str, int]:
        return {vault: int(self._vault(vault)["units"]) for vault in vaults}

    def take_back(self, escrow: Escrow) -> None:
        """After the term somebody sends what is left to the buyer."""
        place = str(chains.vault_row(escrow).external_id)
        self._taken.setdefault(place, []).append(self.reclaim(escrow))

    def reclaimed(self, funding: Funding) -> Reclaims:
        return Reclaims(seen=tuple(self._taken.get(str(funding.external_id), ())))


class Ids:
    """`ids.new` of a world: the same ids for the same seed."""

    def __init__(self, seed: Any) -> None:
        self._random = seed

    def new(self, prefix: str, at: Any = None) -> str:
        moment = int((at or house.now()).timestamp() * 1000)
        value = moment << 80 | self._random.getrandbits(80)
        return f"{prefix}_" + "".join(
            "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[value >> 5 * n & 31] for n in reversed(range(26))
        )


def token(*parts: object) -> str:
    """A name that is the same for the same seed."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _asker() -> str:
    """The function of the outside client that asks."""
    frame: Any = sys._getframe(2)
    file = frame.f_code.co_filename.rpartition("/")[2].removesuffix(".py")
    return f"roblox.{file}.{frame.f_code.co_name}"


def _of_aws(operation: str, fault: Fault) -> Exception:
    if fault is Fault.THROTTLED:
        return Refused(operation, "ThrottlingException", "chaos")
    return NoAnswer(f"{operation}: {fault}")


def _of_botocore(operation: str, fault: Fault) -> Exception:
    if fault in {Fault.LOST, Fault.LOST_AFTER}:
        return ConnectionClosedError(endpoint_url="https://aws.test")
    return refusal("ThrottlingException" if fault is Fault.THROTTLED else "InternalFailure", operation)


def _of_stripe(fault: Fault) -> Exception:
    if fault is Fault.THROTTLED:
        return stripe.RateLimitError("chaos", http_status=429)
    if fault is Fault.FAILED:
        return stripe.APIError("chaos", http_status=500)
    return stripe.APIConnectionError("chaos")


def _of_the_rail(fault: Fault) -> Exception:
    return RailThrottled("chaos") if fault is Fault.THROTTLED else RailOutcomeUnknown("chaos")
