"""Webhooks on their way to the platform, signed as their senders sign them, and sent again until they are taken."""

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.functions import chain as chains
from tests.functions import hooks as providers
from tests.functions import webhooks

if TYPE_CHECKING:
    from tests.chaos.world import World

TRIES = 12
FIRST_PAUSE_SECONDS = 60


class Hooks:
    """Both senders."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def stripe(self, event: dict[str, Any], tries: int = 0) -> None:
        """One delivery of an event."""
        raw = json.dumps(event).encode()
        headers = webhooks.signed(self._world.platform, raw)
        self._deliver("receive_stripe_event", raw, headers, tries, functools.partial(self.stripe, event, tries + 1))

    def chain(self, vault: str, tx: str, index: int, tries: int = 0) -> None:
        """One delivery of a transfer's log."""
        log = providers.log(vault, token=chains.TOKEN, tx=tx, index=index)
        raw = providers.raw(providers.custom(log))
        again = functools.partial(self.chain, vault, tx, index, tries + 1)
        self._deliver("receive_chain_event", raw, providers.alchemy_signed(raw), tries, again)

    def _deliver(self, action: str, raw: bytes, headers: dict[str, str], tries: int, again: Callable[[], None]) -> None:
        answer = self._world.call(action, None, raw=raw, headers=headers)
        taken = answer is not None and answer.status == 200
        if not taken and tries < TRIES:
            self._world.later(FIRST_PAUSE_SECONDS * 2**tries, f"{action} again", again)
