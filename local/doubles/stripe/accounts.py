"""Connected accounts, their onboarding, and customers."""

from typing import Any

from local.doubles.stripe import schema
from local.doubles.stripe.errors import invalid, malformed
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import merged
from local.doubles.stripe.world import World

_LINK_SECONDS = 300
_DUE = ["business_profile.url", "external_account", "individual.verification.document", "tos_acceptance.date"]
COUNTRIES = frozenset(
    ["AE", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR"]
    + ["HK", "HR", "HU", "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "MX", "MY", "NL", "NO", "NZ", "PL", "PT", "RO"]
    + ["SE", "SG", "SI", "SK", "TH", "US"]
)
_CONTROLLER = {
    "fees": {"payer": "account"},
    "losses": {"payments": "stripe"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "full"},
}
_EXPRESS: Object = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "stripe_dashboard": {"type": "express"},
}


class Accounts:
    """An account can do nothing until its owner finished Stripe's onboarding."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._links: dict[str, tuple[str, int, str]] = {}  # token to (account, expires at, return url)

    def create(
        self,
        *,
        controller: Object | None = None,
        type: str | None = None,
        capabilities: Object | None = None,
        country: str = "US",
        email: str | None = None,
        business_type: str | None = None,
        business_profile: Object | None = None,
        default_currency: str = "usd",
        metadata: Object | None = None,
    ) -> Object:
        """POST /v1/accounts."""
        if controller is not None and type is not None:
            message = (
                "You may not provide the `type` parameter and `controller` parameters simultaneously. They are "
                "logically equivalent."
            )
            raise malformed(message)
        if country not in COUNTRIES:
            message = f"{country} is not currently supported by Stripe."
            raise invalid(message, "country_unsupported", "country")
        chosen = _EXPRESS if type == "express" else controller or {}
        control = {**_CONTROLLER, **chosen}
        if control["losses"]["payments"] == "application" and control["fees"]["payer"] != "application":
            raise invalid("When `controller[losses][payments]` is application, `controller[fees][payer]` must be too.")
        express = {name: control[name] for name in _EXPRESS} == _EXPRESS
        requested = {name: asked.get("requested") for name, asked in (capabilities or {}).items()}
        account = self._world.new(
            "account",
            "acct",
            business_profile={**schema.blank("account", "business_profile"), **(business_profile or {})},
            business_type=business_type,
            capabilities={name: "inactive" for name, wanted in requested.items() if wanted},
            charges_enabled=False,
            controller={"is_controller": True, "type": "application", **control},
            country=country,
            default_currency=default_currency,
            details_submitted=False,
            email=email,
            metadata=merged({}, metadata),
            payouts_enabled=False,
            requirements=_requirements(_DUE, "requirements.past_due"),
            type="express" if express else "none",
        )
        for absent in ("company", "individual"):
            account.pop(absent, None)
        self._updated(account)
        return account

    def update(
        self,
        account_id: str,
        *,
        email: str | None = None,
        business_profile: Object | None = None,
        capabilities: Object | None = None,
        metadata: Object | str | None = None,
    ) -> Object:
        """POST /v1/accounts/{id}. A capability that is newly requested is active where onboarding is done."""
        account = self._world.get("account", account_id)
        account["business_profile"].update(business_profile or {})
        account["email"] = email or account["email"]
        account["metadata"] = merged(account["metadata"], metadata)
        for name, asked in (capabilities or {}).items():
            if asked.get("requested"):
                account["capabilities"].setdefault(name, "active" if account["payouts_enabled"] else "inactive")
            else:
                account["capabilities"].pop(name, None)
        self._updated(account)
        return account

    def link(
        self,
        *,
        account: str,
        type: str,
        refresh_url: str | None = None,
        return_url: str | None = None,
        collect: str | None = None,
        collection_options: Object | None = None,
    ) -> Object:
        """POST /v1/account_links: one visit, five minutes. Over HTTP the link leads to the double's own page."""
        self._world.get("account", account, "account")
        for name, value in (("refresh_url", refresh_url), ("return_url", return_url)):
            if value is None:
                raise malformed(f"Missing required param: {name}.", "parameter_missing", name)
        token, expires_at = self._world.name("link"), self._world.now() + _LINK_SECONDS
        self._links[token] = account, expires_at, str(return_url)
        base = (
            self._world.base_url + "/_double/onboarding"
            if self._world.base_url
            else "https://connect.stripe.com/setup/e"
        )
        made = {"object": "account_link", "created": self._world.now(), "expires_at": expires_at}
        return {**made, "url": f"{base}/{account}/{token}"}

    def visit(self, token: str) -> str:
        """The owner follows his link and answers all questions: the address he is sent back to. Raises LookupError
        where the link is used, expired or was never made."""
        account_id, expires_at, return_url = self._links.pop(token)
        if expires_at <= self._world.now():
            raise LookupError("the link has expired")
        self.onboard(account_id)
        return return_url

    def onboard(self, account_id: str, succeeds: bool = True) -> Object:
        """Stripe is content with the account (or no longer): capabilities, payouts, the events that tell."""
        account = self._world.get("account", account_id)
        due = [] if succeeds else ["individual.verification.document"]
        account.update(
            capabilities=dict.fromkeys(account["capabilities"], "active" if succeeds else "inactive"),
            charges_enabled=succeeds,
            details_submitted=True,
            payouts_enabled=succeeds,
            requirements=_requirements(due, None if succeeds else "requirements.past_due"),
        )
        for name, status in account["capabilities"].items():
            self._world.emit("capability.updated", self._capability(account, name, status), account=account_id)
        self._updated(account)
        return account

    def _capability(self, account: Object, name: str, status: str) -> Object:
        needs = {**_requirements(account["requirements"]["currently_due"], None), "errors": []}
        made = {"id": name, "object": "capability", **schema.blank("capability"), "account": account["id"]}
        return {**made, "requested": True, "requested_at": account["created"], "requirements": needs, "status": status}

    def _updated(self, account: Object) -> None:
        self._world.emit("account.updated", account, account=account["id"])


class Customers:
    """Buyers as the platform knows them at Stripe."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(
        self, *, email: str | None = None, name: str | None = None, description: str | None = None,
        phone: str | None = None, metadata: Object | None = None,
    ) -> Object:  # fmt: skip
        """POST /v1/customers."""
        fields: dict[str, Any] = {"email": email, "name": name, "description": description, "phone": phone}
        customer = self._world.new(
            "customer", "cus", balance=0, delinquent=False, metadata=merged({}, metadata), tax_exempt="none", **fields
        )
        for absent in ("default_currency", "cash_balance", "tax", "invoice_credit_balance"):
            customer.pop(absent, None)
        self._world.emit("customer.created", customer)
        return customer

    def update(
        self, customer_id: str, *, email: str | None = None, name: str | None = None, description: str | None = None,
        phone: str | None = None, metadata: Object | str | None = None,
    ) -> Object:  # fmt: skip
        """POST /v1/customers/{id}."""
        customer = self._world.get("customer", customer_id)
        fields = {"email": email, "name": name, "description": description, "phone": phone}
        customer.update({key: value or None for key, value in fields.items() if value is not None})
        customer["metadata"] = merged(customer["metadata"], metadata)
        self._world.emit("customer.updated", customer)
        return customer


def _requirements(due: list[str], disabled: str | None) -> Object:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": disabled,
        "errors": [],
        "eventually_due": list(due),
        "past_due": list(due),
        "pending_verification": [],
    }
