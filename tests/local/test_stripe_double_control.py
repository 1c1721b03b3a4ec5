"""The control surface of the double, as tests and operators use it, and a browser's part in a payment."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from local.doubles.stripe import StripeDouble
from tests.local.stripe_platform import Platform, over_http


@pytest.fixture
def double() -> StripeDouble:
    return StripeDouble()


@pytest.fixture
def platform(double: StripeDouble) -> Iterator[Platform]:
    with over_http(double) as served:
        yield served


class Control:
    """The double's address, and JSON to and from its control surface."""

    def __init__(self, platform: Platform) -> None:
        self.base = platform.client._requestor.base_addresses["api"]

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = requests.request(method, f"{self.base}/_double{path}", json=body, timeout=5)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def control(platform: Platform) -> Control:
    return Control(platform)


def test_onboarding_lets_the_seller_be_paid(platform: Platform, control: Control) -> None:
    seller, paid = platform.seller(), platform.pay()
    assert control("POST", f"/accounts/{seller}/onboard")["payouts_enabled"] is True
    platform.transfer(str(paid.latest_charge), seller, 9_000)
    ledger = control("GET", "/ledger")
    assert ledger["accounts"][seller] == {"available": 0, "pending": 9_000}
    assert ledger["accounts"]["platform"] == {"available": 0, "pending": 680}
    assert ledger["sum"] == 0
    control("POST", f"/accounts/{seller}/onboard", {"succeeds": False})
    assert platform.client.v1.accounts.retrieve(seller).payouts_enabled is False


def test_time_is_advanced(platform: Platform, control: Control) -> None:
    refund = platform.refund(platform.pay("pm_card_bypassPending"), amount=100)
    control("POST", "/advance", {"seconds": 5})
    assert platform.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    for body in ({}, {"seconds": -1}, {"seconds": "soon"}):
        control("POST", "/advance", body, status=400)


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "payment_intents$", "method": "post", "kind": "500_after", "times": 1},
        {"path": "payment_intents$", "status": 500, "afterCommit": True},
    ],
)
def test_faults_are_planned(platform: Platform, control: Control, fault: dict[str, Any]) -> None:
    control("PUT", "/faults", fault, status=204)
    with pytest.raises(stripe.APIError):
        platform.open("key")
    assert len(platform.client.v1.payment_intents.list().data) == 1
    first = control("GET", "/calls")["calls"][0]
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/payment_intents", 500)
    assert (first["fault"], first["idempotencyKey"]) == ("500_after", "key")


def test_faults_are_cleared(platform: Platform, control: Control) -> None:
    control("PUT", "/faults", {"kind": "429", "times": None}, status=204)
    assert len(control("GET", "/faults")["faults"]) == 1
    control("DELETE", "/faults", status=204)
    assert platform.open().status == "requires_payment_method"


@pytest.mark.parametrize("body", [{"kind": "flood"}, {"status": 200}, {"kind": 503}, {"what": 1}, {"path": "("}])
def test_nonsense_is_400(control: Control, body: dict[str, Any]) -> None:
    assert control("PUT", "/faults", body, status=400)["error"]


def test_what_does_not_exist_is_404(control: Control) -> None:
    control("POST", "/accounts/acct_none/onboard", status=404)
    control("GET", "/nothing", status=404)


def test_webhooks_travel_as_told(double: StripeDouble, platform: Platform, control: Control) -> None:
    double.deliver_to(lambda body, headers: 200, ["whsec_1"])
    told = {"duplicate": 3, "shuffle": True, "drop": 2, "delaySeconds": 1.5, "paused": True}
    assert control("POST", "/webhooks", told) == told
    platform.open()
    double.deliver()
    (waiting,) = control("GET", "/outbox")["events"]
    assert (waiting["type"], waiting["attempts"]) == ("payment_intent.created", 0)
    control("POST", "/webhooks", {"duplicate": 1, "drop": 0, "delaySeconds": 0, "paused": False})
    double.deliver()
    assert control("GET", "/outbox") == {"events": []}
    for nonsense in ({"duplicate": "many"}, {"speed": 1}, {"drop": True}, {"duplicate": 0}, {"drop": -1}):
        control("POST", "/webhooks", nonsense, status=400)


def test_banks_and_stripes_guard_act(double: StripeDouble, platform: Platform, control: Control) -> None:
    paid, reviewed = platform.pay(), platform.pay("pm_card_riskLevelElevated")
    dispute = control("POST", f"/charges/{paid.latest_charge}/dispute", {"reason": "duplicate"})
    assert control("POST", f"/disputes/{dispute['id']}/close", {"status": "won"})["status"] == "won"
    control("POST", f"/disputes/{dispute['id']}/close", {"status": "maybe"}, status=400)
    part = control("POST", f"/charges/{paid.latest_charge}/dispute", {"amount": 1_000, "inquiry": True})
    assert (part["status"], part["amount"]) == ("warning_needs_response", 1_000)
    assert control("POST", f"/disputes/{part['id']}/escalate")["status"] == "needs_response"
    control("POST", f"/disputes/{part['id']}/close", {"status": "lost"})
    assert control("POST", f"/disputes/{part['id']}/reinstate")["status"] == "won"
    control("POST", f"/charges/{paid.latest_charge}/dispute", {"size": 1_000}, status=400)
    warning = control("POST", f"/charges/{paid.latest_charge}/warning")
    assert platform.client.v1.radar.early_fraud_warnings.retrieve(warning["id"]).charge == paid.latest_charge
    control("POST", f"/reviews/{reviewed.review}/close")
    assert platform.client.v1.reviews.retrieve(str(reviewed.review)).open is False
    asked = platform.pay("pm_card_authenticationRequired")
    assert control("POST", f"/payment_intents/{asked.id}/authenticate")["status"] == "succeeded"
    control("POST", "/top_up", {"amount": 50_000})
    refund = platform.refund(asked)
    assert control("POST", f"/refunds/{refund.id}/fail")["status"] == "failed"
    session = platform.client.v1.identity.verification_sessions.create({"type": "document"})
    assert control("POST", f"/verification_sessions/{session.id}/decide")["status"] == "verified"
    control("POST", "/top_up", {"amount": 0}, status=400)
    assert double.ledger_sum() == 0


def test_the_seller_follows_his_link(platform: Platform, control: Control) -> None:
    seller = platform.seller()
    link = platform.client.v1.account_links.create(
        {
            "account": seller,
            "type": "account_onboarding",
            "refresh_url": "https://bloxtr8.example/again",
            "return_url": "https://bloxtr8.example/done",
        }
    )
    assert link.url.startswith(control.base)
    visit = requests.get(link.url, timeout=5, allow_redirects=False)
    assert (visit.status_code, visit.headers["Location"]) == (302, "https://bloxtr8.example/done")
    assert platform.client.v1.accounts.retrieve(seller).payouts_enabled is True
    assert requests.get(link.url, timeout=5, allow_redirects=False).status_code == 410


def test_a_link_expires(double: StripeDouble, platform: Platform) -> None:
    seller = platform.seller()
    link = platform.client.v1.account_links.create(
        {
            "account": seller,
            "type": "account_onboarding",
            "refresh_url": "https://x.example",
            "return_url": "https://x.example",
        }
    )
    double.advance(seconds=300)
    assert requests.get(link.url, timeout=5, allow_redirects=False).status_code == 410
    assert platform.client.v1.accounts.retrieve(seller).payouts_enabled is False


class Browser:
    """A buyer's browser: the publishable key and the client secret of one PaymentIntent."""

    def __init__(self, base: str, intent: stripe.PaymentIntent) -> None:
        self.url, self.secret = f"{base}/v1/payment_intents/{intent.id}", intent.client_secret
        self.headers = {"Authorization": "Bearer pk_test_1"}

    def confirm(self, card: str, **changes: Any) -> requests.Response:
        data = {"payment_method": card, "client_secret": self.secret} | changes
        return requests.post(self.url + "/confirm", data=data, headers=self.headers, timeout=5)


def test_a_browser_pays_with_the_client_secret(platform: Platform, control: Control) -> None:
    browser = Browser(control.base, platform.open())
    assert browser.confirm("pm_card_visa", client_secret="wrong").status_code == 400
    assert browser.confirm("pm_card_chargeDeclined").status_code == 402
    assert browser.confirm("pm_card_visa").json()["status"] == "succeeded"
    seen = requests.get(browser.url, params={"client_secret": browser.secret}, headers=browser.headers, timeout=5)
    assert seen.json()["status"] == "succeeded"


def test_a_browser_can_do_nothing_else(platform: Platform, control: Control) -> None:
    browser = Browser(control.base, platform.open())
    for method, path in (
        ("POST", "/refunds"),
        ("GET", "/payment_intents"),
        ("POST", browser.url[len(control.base) + 3 :]),
    ):
        answer = requests.request(method, f"{control.base}/v1{path}", headers=browser.headers, timeout=5)
        assert answer.status_code == 403, path


def test_the_sellers_balance_can_be_asked(double: StripeDouble, platform: Platform) -> None:
    seller, paid = platform.seller(), platform.pay()
    double.onboard(seller)
    platform.transfer(str(paid.latest_charge), seller, 9_000)
    balance = platform.client.v1.balance.retrieve({}, {"stripe_account": seller})
    assert [row.amount for row in balance.pending] == [9_000]
    with pytest.raises(stripe.InvalidRequestError):
        platform.client.v1.charges.list({}, {"stripe_account": seller})
