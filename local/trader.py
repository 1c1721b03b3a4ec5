"""A person who uses the platform: signs in through Discord, links Roblox, trades. Through public routes only."""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from local.client import Http, Refused

if TYPE_CHECKING:
    from local.chain.wallet import Wallet

REDIRECT = "http://localhost:5173/callback"
PATIENCE_SECONDS = 60.0


@dataclass
class World:
    """The addresses of a running platform (stack.json), and what a person in it can reach besides the API."""

    addresses: dict[str, str]
    api: Http = field(init=False)
    discord: Http = field(init=False)
    roblox: Http = field(init=False)
    stripe: Http = field(init=False)
    local: Http = field(init=False)

    def __post_init__(self) -> None:
        for name in ("api", "discord", "roblox", "stripe", "local"):
            setattr(self, name, Http(self.addresses[name]))
        self.stripe.headers["Authorization"] = "Bearer sk_test_local"

    def group(self, group_id: str, owner: str, **more: Any) -> None:
        """Roblox: a group, and who owns it."""
        self.roblox.send("PUT", f"/_double/groups/{group_id}", {"owner": owner, **more})

    def move_clock(self, seconds: int) -> None:
        """Everybody's clock, so far ahead of the machine's."""
        self.local.send("PUT", "/_local/clock", {"offsetSeconds": seconds})

    def run(self, function: str) -> None:
        """Run a job now instead of when its rule would."""
        Http(self.addresses["lambda"]).send("POST", f"/2015-03-31/functions/{function}/invocations", {})

    def pay(self, payment_intent: str, card: str = "pm_card_visa") -> None:
        """Stripe: the buyer confirms the payment in the browser."""
        form = {"payment_method": card, "return_url": "http://localhost:5173/paid"}
        self.stripe.send("POST", f"/v1/payment_intents/{payment_intent}/confirm", form=form)

    def make_wallet(self, units: int = 0) -> "Wallet":
        """A new wallet with so much USDC, in base units, and ether for gas."""
        from local.chain.wallet import Wallet

        return Wallet(self.local.send("POST", "/_local/chain/wallets", {"units": units})["key"])

    def pay_usdc(self, to: str, units: int, sender: str | None = None) -> str:
        """A plain transfer of USDC: a withdrawal from an exchange, unless somebody sends it. The transaction's hash."""
        told = {"to": to, "units": units} | ({"from": sender} if sender else {})
        return str(self.local.send("POST", "/_local/chain/pay", told)["txHash"])


@dataclass
class Trader:
    """One person, by Discord id, Roblox id and name."""

    world: World
    name: str
    discord_id: str
    roblox_id: str
    tokens: dict[str, Any] = field(default_factory=dict)
    user_id: str = ""

    def sign_in(self) -> None:
        """Discord's OAuth with our own challenge, as a browser does it."""
        self.world.discord.send("PUT", f"/_double/users/{self.discord_id}", {"username": self.name})
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        start = self.world.api.get("/auth/discord", redirectUri=REDIRECT, challenge=challenge)
        code = self._approve(self.world.discord, start["url"], self.discord_id)
        body = {"code": code, "state": start["state"], "verifier": verifier}
        self.tokens = self.world.api.send("POST", "/auth/discord/finish", body)
        self.user_id = self.tokens["user"]["id"]

    def link_roblox(self) -> None:
        """Roblox's OAuth: from here on tier 1."""
        self.world.roblox.send("PUT", f"/_double/users/{self.roblox_id}", {"username": self.name})
        start = self.post("/me/roblox", {"redirectUri": REDIRECT})
        code = self._approve(self.world.roblox, start["url"], self.roblox_id)
        self.post("/me/roblox/finish", {"code": code, "state": start["state"]})

    def open_payout_account(self) -> str:
        """Stripe's onboarding, finished at once. Returns the account's id."""
        account = str(self.post("/me/payout-account", {"country": "US"})["accountId"])
        self.world.stripe.send("POST", f"/_double/accounts/{account}/onboard")
        self.until(lambda: self.get("/me/payout-account"), lambda found: found["payoutsEnabled"])
        return account

    def link_wallet(self, units: int = 0) -> "Wallet":
        """A new wallet with so much USDC, proven by its signature."""
        wallet = self.world.make_wallet(units)
        asked = self.post("/me/wallet/challenge", {"address": wallet.address})
        signature = wallet.sign(asked["message"])
        self.put("/me/wallet", {"address": wallet.address, "nonce": asked["nonce"], "signature": signature})
        return wallet

    def get(self, path: str, **query: Any) -> Any:
        """A GET with the bearer token."""
        return self._signed(lambda headers: self.world.api.send("GET", path, query=query or None, headers=headers))

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """A POST with the bearer token and an Idempotency-Key."""
        keyed = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._signed(lambda headers: self.world.api.send("POST", path, body, headers=headers | keyed))

    def put(self, path: str, body: Any) -> Any:
        """A PUT with the bearer token and an Idempotency-Key."""
        keyed = {"Idempotency-Key": str(uuid.uuid4())}
        return self._signed(lambda headers: self.world.api.send("PUT", path, body, headers=headers | keyed))

    def until(self, ask: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """Ask again and again until the answer is good. Raises TimeoutError with the last answer."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = ask()
            if good(found):
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"still {found}")
            time.sleep(0.1)

    def until_status(self, path: str, status: str) -> Any:
        """Ask until the object at `path` is in `status`."""
        return self.until(lambda: self.get(path), lambda found: found["status"] == status)

    def _signed(self, send: Callable[[dict[str, str]], Any]) -> Any:
        """Send with the access token; one that has expired is refreshed once."""
        try:
            return send({"Authorization": f"Bearer {self.tokens['accessToken']}"})
        except Refused as refusal:
            if refusal.status != 401:
                raise
        body = {"refreshToken": self.tokens["refreshToken"]}
        self.tokens |= self.world.api.send("POST", "/auth/refresh", body)
        return send({"Authorization": f"Bearer {self.tokens['accessToken']}"})

    def _approve(self, provider: Http, url: str, who: str) -> str:
        """The person clicks 'Authorize' on the provider's page; the code comes back in the redirect."""
        reply = provider.ask("GET", f"{url}&as={who}")
        return parse_qs(urlsplit(reply.headers["Location"]).query)["code"][0]
