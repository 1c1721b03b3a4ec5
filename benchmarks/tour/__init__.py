"""What is recorded: a trade by card from listing to payout (trade 1), then every other action at least once."""

from collections.abc import Callable

from benchmarks.tour import card, disputes, usdc
from benchmarks.tour.acts import Tell, quiet
from local.demo import stories
from local.demo.stories import Cast, Trade
from local.stack import Stack
from local.trader import World

# Each takes the two to places that no chapter before it was at. A new action goes into one of them.
CHAPTERS: tuple[Callable[[Stack, Cast], None], ...] = (
    usdc.wallets,  # while no deal is open
    card.people,
    card.listings,
    card.offers,
    card.contracts,
    card.lists,
    card.lapse,
    card.refund,
    card.in_parts,
    card.park,
    disputes.decided,
    disputes.rejected,
    disputes.watched,
    disputes.settled,
    disputes.reminded,
    usdc.trade,
    usdc.stopped,
    usdc.returned,
    disputes.reconciled,
    usdc.leave,
)


def play(stack: Stack, trade: Callable[[int], None], tell: Tell) -> None:
    """Play it all; `trade(n)` is told when trade n begins, with 0 for what belongs to none."""
    cast = stories.meet(World(stack.addresses), tell)
    trade(1)
    first = Trade("Neon Harbour Roleplay", expected="RELEASED")
    stories.agree(cast, first, "7001", tell)
    stories.fund(cast, first, tell)
    stories.deliver_and_release(cast, first, "7001", tell)
    trade(0)
    stories.look_back(cast, first)
    for chapter in CHAPTERS:
        tell(f"the other actions: {chapter.__module__.rpartition('.')[2]}.{chapter.__name__}")
        for person in (cast.seller, cast.buyer):
            person.sign_in()  # the chapter before may have taken weeks
        chapter(stack, cast)


__all__ = ["CHAPTERS", "play", "quiet"]
