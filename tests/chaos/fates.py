"""What kind of trade it is, what its people prefer and what befalls it: so that every way to an end is walked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bloxtr8.entities import RailName
from tests.chaos import doing, mischief

if TYPE_CHECKING:
    from tests.chaos.people import Trade

type Option = tuple[float, Callable[[], object]]


@dataclass(frozen=True)
class Fate:
    """One kind of trade. `prefers` multiplies how likely an act is; 0 is never. What `befalls` it happens once, when
    its time has come (mischief.BEFALLS): at one of its people's turns, or right then. `endless`: nobody of the staff
    decides until its limit was reached."""

    name: str
    rail: RailName = RailName.STRIPE
    prefers: dict[str, float] = field(default_factory=dict)
    befalls: tuple[str, ...] = ()
    pay: str = "plainly"
    asset: str = "GROUP"
    parts: int = 0  # in how many milestones the price comes
    asset_first: bool = False  # the first of them hands the asset over
    endless: bool = False

    @property
    def currency(self) -> str:
        return "USD" if self.rail is RailName.STRIPE else "USDC"

    def options(self, trade: "Trade") -> list[Option]:
        """What may be done now, and how likely."""
        found = [
            (weight * self.prefers.get(name, 1.0), act)
            for weight, name, act in doing.possible(trade)
            if self.prefers.get(name, 1.0)
        ]
        return found + [(8.0, self._befall(trade, name)) for name in self._due(trade, at_once=False)]

    def at_once(self, trade: "Trade") -> None:
        """What befalls it between any two steps."""
        for name in self._due(trade, at_once=True):
            self._befall(trade, name)()

    def pending(self, trade: "Trade") -> bool:
        """Whether something can still befall it now."""
        return bool(self._due(trade, at_once=False))

    def _due(self, trade: "Trade", *, at_once: bool) -> list[str]:
        left = [name for name in self.befalls if name not in trade.marks]
        return [name for name in left if (of := mischief.BEFALLS[name]).at_once == at_once and of.when(trade)]

    def _befall(self, trade: "Trade", name: str) -> Callable[[], object]:
        def happen() -> None:
            trade.marks.add(name)
            mischief.BEFALLS[name].act(trade)

        return happen


CARD, USDC = RailName.STRIPE, RailName.USDC_BASE
_QUARREL = {"dispute": 15.0, "confirm": 0.2, "take back": 0.4}
_BARGAIN = {"propose": 15.0, "agree": 3.0, "confirm": 0.3}
_STAY = {"cancel": 0.0, "dispute": 0.2, "refund": 0.2}
_SLOW = {"confirm": 0.1, "reject": 0.0, "dispute": 0.0, "refund": 0.0, "propose": 0.0, "cancel": 0.0}
_NO_BUYER = _SLOW | {"confirm": 0.0}
_NO_SELLER = {"deliver": 0.0, "mark": 0.0, "dispute": 0.0, "refund": 0.0, "propose": 0.0}

_ENDLESS = _NO_SELLER | _STAY | {"dispute": 40.0, "take back": 0.0, "refund": 0.0}
_PART_LATER = "a part refunded by hand once delivered"
_PASSES_ON = _NO_BUYER | {"reject": 40.0, "take back": 40.0}
_AGREED = _SLOW | {"confirm": 0.0, "propose": 15.0, "agree": 15.0}
_NO_ACCOUNT = "account closed before the split"
_PARTLY = {"cancel": 0.0, "dispute": 0.0, "refund": 0.0, "propose": 0.0, "reject": 0.0, "release a part": 0.0}
_RELEASED = ("account closed for long", "released as it is seen", "disputed as it waits", "rollback in a dispute")
_SENT_BACK = ("account closed for long", "a part refunded by hand as it waits", "rollback once the buyer has his part")
_HELD_ON = _NO_BUYER | {"withdraw": 0.0, "decline": 0.0, "void": 0.0}  # until it is delivered
_SILENT = {"accept": 0.0, "counter": 0.0, "decline": 0.0, "withdraw": 0.0}

FATES = (
    Fate("card", CARD, _STAY, ("frozen as it is sent",)),
    Fate("usdc", USDC, _STAY, ("frozen as it is planned",)),
    Fate("declined first, then charged back", CARD, _STAY, ("chargeback won",), "declined first"),
    Fate("in two parts, quarrelled over", USDC, _QUARREL, (), "in two"),
    Fate("a card that takes nothing back", CARD, {"refund": 8.0, "cancel": 0.0}, (), "pm_card_refundFail"),
    Fate("charged back and lost", CARD, _STAY, ("chargeback lost",)),
    Fate("banned as they bargain", USDC, {"counter": 4.0}, ("banned as they bargain",)),
    Fate("too much", USDC, {}, ("paid late", "banned"), "too much"),
    Fate("a slow bank", CARD, _SLOW, (), "slowly"),
    Fate("from elsewhere", USDC, _STAY, (), "elsewhere"),
    Fate("charged back after the end", CARD, _STAY, ("late chargeback lost",)),
    Fate("banned as they sign", CARD, _STAY, ("banned as they sign",)),
    Fate("a risky buyer", USDC, _STAY, (), "risky"),
    Fate("quarrelled over", CARD, _QUARREL, ("banned",)),
    Fate("a risky payee", USDC, _SLOW, ("payee risky",)),
    Fate("bargained over", CARD, _BARGAIN, ("inquiry",)),
    Fate("reclaimed", USDC, _SLOW, ("reclaimed",)),
    Fate("never paid", CARD, {"cancel": 0.0}, ("banned before he pays",), "never"),
    Fate("sent back by hand", CARD, _SLOW, ("refunded by hand",)),
    Fate("lost in a fork", USDC, _SLOW, ("lost in a fork",)),
    Fate("warned of, refund comes back", CARD, {"refund": 8.0, "cancel": 0.0}, ("refund comes back", "warning")),
    Fate("dusted, and rolled back", USDC, _SLOW, ("dusted", "rollback")),
    Fate("a seller who does nothing", CARD, _NO_SELLER | {"cancel": 0.0}),
    Fate("a buyer who does nothing", CARD, _NO_BUYER, ("account closed", "warned as it waits")),
    Fate("a payee whom the token refuses", USDC, _SLOW, ("payee refused",)),
    Fate("reviewed", CARD, _SLOW, ("review", "late chargeback won"), "pm_card_riskLevelElevated"),
    Fate("bargained over, on chain", USDC, _BARGAIN, ("banned",)),
    Fate("paid late", CARD, {"cancel": 0.3}, (), "late"),
    Fate("paid late, on chain", USDC, {"cancel": 0.3}, ("dusted",), "late"),
    Fate("a game, sold on", CARD, _SLOW, ("sold on",), asset="GAME"),
    Fate("Roblox is silent", USDC, _SLOW, ("Roblox gone",)),
    Fate("a part charged back", CARD, _STAY, ("part charged back",)),
    Fate("bank disputes at once", CARD, _STAY, (), "pm_card_createDispute"),
    Fate("refund under way for long", CARD, {"refund": 8.0, "cancel": 0.0}, (), "pm_card_pendingRefund"),
    Fate("a part sent back by hand", CARD, _STAY, ("a part refunded by hand", "another part refunded by hand")),
    Fate("Roblox is silent for long", CARD, _SLOW, ("Roblox gone for long",)),
    Fate("locked", USDC, _SLOW, ("locked",)),
    Fate("a contract that nobody signs", USDC, {"sign": 0.0, "sign by link": 0.3, "void": 0.0}),
    Fate("cancelled on chain", USDC, {"cancel": 6.0}, ("paid late",)),
    Fate("warned of by the issuer", CARD, _STAY, (), "pm_card_createIssuerFraudWarning"),
    Fate("in three parts", CARD, _STAY, ("frozen as it is planned",), parts=3),
    Fate("in two parts on chain", USDC, _STAY, ("frozen as it is sent",), parts=2),
    Fate("in parts, quarrelled over", CARD, _QUARREL | {"release a part": 8.0}, ("banned",), parts=4),
    Fate("in parts on chain, bargained over", USDC, _BARGAIN | {"release a part": 8.0}, parts=3),
    Fate("in parts, charged back", CARD, _STAY | {"release a part": 4.0}, ("part charged back",), parts=3),
    Fate("in parts, answered by nobody", USDC, _NO_BUYER, ("reclaimed",), parts=2),
    Fate("a game", USDC, _STAY, asset="GAME"),
    Fate("charged back as it is paid", CARD, _STAY, ("account closed", "charged back as it waits", "banned")),
    Fate("split, and charged back between", CARD, _AGREED, (_NO_ACCOUNT, "charged back between two legs")),
    Fate("warned of, and charged back", CARD, _STAY, ("warning", "chargeback won")),
    Fate("a game that goes astray", CARD, _STAY, ("sold on",), asset="GAME"),
    Fate("asked about at once", CARD, _STAY, (), "pm_card_createDisputeInquiry"),
    Fate("refund that comes back", CARD, {"refund": 8.0, "cancel": 0.0}, ("refund comes back",)),
    Fate("in parts, sent back by hand", CARD, _STAY, ("refunded by hand after a part was paid",), parts=3),
    Fate("sent back by hand after the end", CARD, _STAY, ("refunded by hand after the end",)),
    Fate("quarrelled over, a part sent back by hand", CARD, _QUARREL, (_PART_LATER,)),
    Fate("a part sent back by hand at once", CARD, _STAY, ("a part refunded by hand at the start",)),
    Fate("in parts, a part sent back by hand", CARD, _BARGAIN, ("a part refunded by hand",), parts=3),
    Fate("sent back by hand, then by the bank", CARD, _SLOW, (_PART_LATER, "late chargeback lost")),
    Fate("sent back by hand, which comes back", CARD, _SLOW, (_PART_LATER, "its refund comes back")),
    Fate("sent back by hand, asked about", CARD, _SLOW, ("inquiry", _PART_LATER)),
    Fate("lost before the release, and won after all", CARD, _HELD_ON, ("chargeback lost, given back",)),
    Fate("lost after the release, and won after all", CARD, _STAY, ("late chargeback lost, given back",)),
    Fate("in parts, lost, and won after all", CARD, _STAY, ("late chargeback lost, given back",), parts=3),
)
# Places that are seldom come to: of every world's trades four are of these, so that few worlds meet all faults there.
SELDOM = (
    Fate("lost in the end", CARD, _STAY, ("late chargeback lost",)),
    Fate("a dispute without end", USDC, _ENDLESS, endless=True),
    Fate("a dispute by card without end", CARD, _ENDLESS, endless=True),
    Fate("a review without end", CARD, _SLOW, ("review",), endless=True),
    Fate("cancelled before it was paid", CARD, {"extend": 2.0, "cancel": 8.0, "pay": 0.0}),
    Fate("cancelled on chain before it was paid", USDC, {"cancel": 8.0, "pay": 0.0}),
    Fate("an offer that nobody answers", CARD, _SILENT),
    Fate("lost in the end, on another card", CARD, _STAY, ("late chargeback lost",), "declined first"),
    Fate("in and out of a fork", USDC, _SLOW, ("lost in a fork",)),
    Fate("rejected, passed on and taken back", CARD, _PASSES_ON, ("passed on",)),
    Fate("rejected, passed on and taken back on chain", USDC, _PASSES_ON, ("passed on",)),
    Fate("handed over unseen, a part charged back", CARD, _HELD_ON, ("part charged back, unseen",)),
    Fate("released unproven, rolled back in a dispute", CARD, _PARTLY, _RELEASED, parts=2, asset_first=True),
    Fate("rolled back once a part was sent back", CARD, _STAY, _SENT_BACK),
)
EACH_TIME = 4


def of_world(number: int, trades: int) -> list[Fate]:
    """The fates of a world's trades; all of them come round."""
    seldom = min(EACH_TIME, trades // 2)
    found = [SELDOM[(number * seldom + n) % len(SELDOM)] for n in range(seldom)]
    rest = trades - seldom
    return found + [FATES[(number * rest + n) % len(FATES)] for n in range(rest)]
