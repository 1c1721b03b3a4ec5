"""Identity verification sessions."""

from local.doubles.stripe.errors import invalid
from local.doubles.stripe.messages import Object
from local.doubles.stripe.values import merged
from local.doubles.stripe.world import World


class Identity:
    """A session waits for the person's documents; the verdict is given from outside the API."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(
        self, *, type: str = "document", client_reference_id: str | None = None, options: Object | None = None,
        return_url: str | None = None, metadata: Object | None = None,
    ) -> Object:  # fmt: skip
        """POST /v1/identity/verification_sessions."""
        session = self._world.new(
            "identity.verification_session",
            "vs",
            client_reference_id=client_reference_id,
            metadata=merged({}, metadata),
            options=options or {},
            status="requires_input",
            type=type,
        )
        session["client_secret"] = self._world.secret(session["id"])
        session["url"] = f"https://verify.stripe.com/start/{session['id']}"
        self._world.emit("identity.verification_session.created", session)
        return session

    def cancel(self, session_id: str) -> Object:
        """POST /v1/identity/verification_sessions/{id}/cancel."""
        return self._move(session_id, "canceled")

    def decide(self, session_id: str, succeeds: bool = True, code: str = "document_expired") -> Object:
        """The person showed documents: verified, or asked again with an error code (not an API call)."""
        session = self._world.get("identity.verification_session", session_id)
        session["last_error"] = None if succeeds else {"code": code, "reason": "The document could not be accepted."}
        if succeeds:
            session["last_verification_report"] = self._world.name("vr")
        return self._move(session_id, "verified" if succeeds else "requires_input")

    def _move(self, session_id: str, status: str) -> Object:
        session = self._world.get("identity.verification_session", session_id)
        if session["status"] != "requires_input":
            message = f"This VerificationSession has a status of {session['status']}."
            raise invalid(message, "verification_session_unexpected_state")
        session.update(status=status)
        if status != "requires_input":
            session.update(client_secret=None, url=None)
        self._world.emit(f"identity.verification_session.{status}", session)
        return session
