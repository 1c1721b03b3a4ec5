"""Webhooks: an outbox that keeps each event until every endpoint answered 2xx, and a policy of bad luck."""

import json
import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from stripe import WebhookSignature

from local.doubles.stripe.messages import Object

Send = Callable[[bytes, dict[str, str]], int]

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 15
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 1, 60
_ROUND_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Policy:
    """How events travel. `duplicate`: times each is sent; `drop`: how many sendings get lost from now on."""

    duplicate: int = 1
    shuffle: bool = False
    drop: int = 0
    delay_seconds: float = 0
    paused: bool = False

    def __post_init__(self) -> None:
        if self.duplicate < 1 or self.drop < 0 or self.delay_seconds < 0:
            raise ValueError("duplicate is at least 1; drop and delay are not negative")


@dataclass(eq=False, slots=True)
class Endpoint:
    """A receiver and the secrets it may know: two while they are rolled."""

    send: Send
    secrets: list[str]


@dataclass(eq=False, slots=True)
class Parcel:
    """An event on its way; `retry_at` is for the background delivery alone."""

    event: Object
    payload: bytes
    created: int
    retry_at: int = 0
    attempts: int = 0
    last_status: int | None = None
    acknowledged: set[int] = field(default_factory=set)

    def view(self) -> Object:
        """What the control surface tells of it."""
        told = {"id": self.event["id"], "type": self.event["type"], "attempts": self.attempts}
        return {**told, "lastStatus": self.last_status, "object": self.event["data"]["object"].get("id")}


class Webhooks:
    """Keeps and delivers events. Times are Unix seconds: `now` is the double's, `receivers_now` the clock of who
    checks the signatures."""

    def __init__(self, now: Callable[[], int], receivers_now: Callable[[], int], seed: int) -> None:
        self.events: list[Object] = []
        self._now, self._receivers_now, self._random = now, receivers_now, random.Random(seed)
        self._endpoints: list[Endpoint] = []
        self._outbox: list[Parcel] = []
        self._policy = Policy()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # --- what happens inside the double

    def add(self, event: Object) -> None:
        payload = json.dumps(event, indent=2, ensure_ascii=False).encode()
        with self._lock:
            self.events.append(event)
            self._outbox.append(Parcel(event, payload, self._now()))

    def endpoint_count(self) -> int:
        return len(self._endpoints)

    # --- endpoints and policy

    def register(self, endpoint: str | Send, secrets: list[str]) -> None:
        """An endpoint: an address, or a function (body, headers) to a status. Raises ValueError without a secret."""
        if not secrets or not all(secret.startswith("whsec_") for secret in secrets):
            raise ValueError("an endpoint has secrets that start with whsec_")
        send = _poster(endpoint) if isinstance(endpoint, str) else endpoint
        with self._lock:
            self._endpoints.append(Endpoint(send, list(secrets)))

    def travel(self, **changes: Any) -> Policy:
        """Change the policy; what is not named stays."""
        with self._lock:
            self._policy = replace(self._policy, **changes)
            return self._policy

    def outbox(self) -> list[Object]:
        """The events that an endpoint has yet to acknowledge."""
        with self._lock:
            return [parcel.view() for parcel in self._outbox]

    # --- delivery

    def deliver(self, duplicate: int = 1, shuffle: bool = False, patient: bool = False) -> list[str]:
        """Send what is due once: the ids of events that some endpoint did not take. `patient` waits between retries.

        Handlers may call the double: no lock is held while an event is sent.
        """
        with self._lock:
            due, endpoints, policy = self._due(patient), list(self._endpoints), self._policy
        waiting = [(parcel, one) for parcel in due for one in range(len(endpoints)) if one not in parcel.acknowledged]
        rounds = waiting * max(duplicate, policy.duplicate)
        if shuffle or policy.shuffle:
            self._random.shuffle(rounds)
        for parcel, one in rounds:
            parcel.last_status = self._send(endpoints[one], parcel)
            if parcel.last_status // 100 == 2:
                parcel.acknowledged.add(one)
        with self._lock:
            return self._close(due, len(endpoints))

    def start(self, before_each_round: Callable[[], None]) -> None:
        """Deliver in the background until `stop`, with retries."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(before_each_round,), name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background delivery; what is in the outbox stays there."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = None

    def _run(self, before_each_round: Callable[[], None]) -> None:
        while not self._stopping.wait(_ROUND_SECONDS):
            before_each_round()
            self.deliver(patient=True)

    def _due(self, patient: bool) -> list[Parcel]:
        if self._policy.paused or not self._endpoints:
            return []
        now, delay = self._now(), self._policy.delay_seconds
        return [
            parcel
            for parcel in self._outbox
            if parcel.created + delay <= now and (not patient or parcel.retry_at <= now)
        ]

    def _close(self, due: list[Parcel], endpoints: int) -> list[str]:
        for parcel in due:
            parcel.attempts += 1
            pause = min(_FIRST_RETRY_SECONDS * 2 ** (parcel.attempts - 1), _LAST_RETRY_SECONDS)
            parcel.retry_at = self._now() + pause
        failed = [parcel for parcel in due if len(parcel.acknowledged) < endpoints]
        self._outbox = [parcel for parcel in self._outbox if parcel not in due or parcel in failed]
        return [parcel.event["id"] for parcel in failed]

    def _send(self, endpoint: Endpoint, parcel: Parcel) -> int:
        with self._lock:
            if self._policy.drop > 0:
                self._policy = replace(self._policy, drop=self._policy.drop - 1)
                return 0
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(parcel.payload, endpoint.secrets, self._receivers_now()),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            return endpoint.send(parcel.payload, headers)
        except Exception:  # a receiver that dies has not acknowledged: the event is sent again
            log.info("the receiver failed at %s", parcel.event["id"], exc_info=True)
            return 0


def signature(payload: bytes, secrets: list[str], timestamp: int) -> str:
    """The Stripe-Signature header: one v1 signature for each secret, and the v0 that test mode adds."""
    signed = [
        WebhookSignature.generate_signature_header(payload.decode(), secret, timestamp).partition(",")[2]
        for secret in secrets
    ]
    return ",".join([f"t={timestamp}", *signed, "v0=" + "0" * 64])


def _poster(url: str) -> Send:
    def post(body: bytes, headers: dict[str, str]) -> int:
        return requests.post(
            url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False
        ).status_code

    return post
