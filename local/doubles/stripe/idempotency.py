"""Idempotency keys: replay, mismatch, concurrent use and pruning, as Stripe documents them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from local.doubles.stripe.errors import ApiError, malformed
from local.doubles.stripe.messages import Answer

RETENTION_SECONDS = 86_400
MAX_LENGTH = 255

Fingerprint = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    fingerprint: Fingerprint
    answer: Answer
    at: int


class Keys:
    """What was asked and answered under each key of the last 24 hours."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._kept: dict[str, _Kept] = {}
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, key: str, fingerprint: Fingerprint) -> Answer | None:
        """The kept answer of an earlier request, or None where this one is to be executed: then `finish` must follow.

        Raises ApiError: 400 where the key was used with other parameters, 409 where a request with it still runs.
        After 24 hours a key is forgotten, so that the same request is a new one.
        """
        if len(key) > MAX_LENGTH:
            raise malformed(f"Idempotency keys can have at most {MAX_LENGTH} characters.")
        with self._lock:
            if key in self._running:
                message = (
                    "There is currently another in-progress request using this Idempotent Key (that probably means "
                    f"you submitted twice, and the other request is still going through): {key}."
                )
                raise ApiError(409, "idempotency_error", message, "idempotency_key_in_use", stored=False)
            kept = self._kept.get(key)
            if kept is None or self._now() - kept.at >= RETENTION_SECONDS:
                self._running.add(key)
                return None
            if kept.fingerprint != fingerprint:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{key}' if you meant to execute a different request."
                )
                raise ApiError(400, "idempotency_error", message, stored=False)
            return kept.answer

    def finish(self, key: str, fingerprint: Fingerprint, answer: Answer | None) -> None:
        """The request has ended. Its answer is kept, unless it is None: then the key is as if never used."""
        with self._lock:
            self._running.discard(key)
            if answer is not None:
                self._kept[key] = _Kept(fingerprint, answer, self._now())
            else:
                self._kept.pop(key, None)
