"""Who a person is: states of sign-ins, links, tiers and grants, without AWS."""

import datetime as dt
import string
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bloxtr8.domain import people
from bloxtr8.entities import Deals, Identity, OAuthState, PlatformRole, Tier, User
from bloxtr8.errors import DomainError, Forbidden, Invalid

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
PAGE = "http://localhost:5173/callback"
UNRESERVED = string.ascii_letters + string.digits + "-._~"
VERIFIERS = st.text(UNRESERVED, min_size=43, max_size=128)
USER = "usr_01JDCZ0000000000000000000E"


def person(**fields: object) -> User:
    return User(**{"id": USER, "discord_id": "1", "username": "nova", "created_at": NOW} | fields)


def test_the_challenge_is_that_of_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert people.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(mine=VERIFIERS, other=VERIFIERS)
def test_only_the_verifier_of_the_challenge_finishes_a_sign_in(mine: str, other: str) -> None:
    state = people.open_state(people.DISCORD, PAGE, NOW, challenge=people.challenge_of(mine))
    assert people.check_login(state, mine, NOW) is state
    assume(mine != other)
    with pytest.raises(Invalid):
        people.check_login(state, other, NOW)


@given(seconds=st.integers(0, 3600))
def test_a_state_is_good_for_ten_minutes(seconds: int) -> None:
    state = people.open_state(people.ROBLOX, PAGE, NOW, user_id=USER)
    later = NOW + dt.timedelta(seconds=seconds)
    if seconds < 600:
        assert people.check_link(state, USER, later) is state
    else:
        with pytest.raises(Invalid):
            people.check_link(state, USER, later)


def test_a_link_keeps_a_verifier_of_our_own_and_a_sign_in_none() -> None:
    link = people.open_state(people.ROBLOX, PAGE, NOW, user_id=USER)
    login = people.open_state(people.DISCORD, PAGE, NOW, challenge="c" * 43)
    assert 43 <= len(link.verifier) <= 128
    assert set(link.verifier) <= set(UNRESERVED)
    assert (login.verifier, login.user_id, link.challenge) == (None, None, None)


@pytest.mark.parametrize("state", [None, "login", "of another"])
def test_every_bad_state_is_refused_with_the_same_words(state: str | None) -> None:
    states: dict[str | None, OAuthState | None] = {
        None: None,
        "login": people.open_state(people.DISCORD, PAGE, NOW, challenge="c" * 43),
        "of another": people.open_state(people.ROBLOX, PAGE, NOW, user_id=USER[:-1] + "F"),
    }
    with pytest.raises(Invalid) as refused:
        people.check_link(states[state], USER, NOW)
    assert refused.value.code == "STATE_INVALID"
    assert refused.value.detail == "This sign-in is no longer valid. Please start again."


@given(first=st.tuples(st.text(), st.none() | st.text()), second=st.tuples(st.text(), st.none() | st.text()))
def test_another_name_or_picture_looks_another_way(
    first: tuple[str, str | None], second: tuple[str, str | None]
) -> None:
    names = [first[0], second[0]]
    assume(not any("\n" in name for name in names))  # outside.text.clean leaves none
    same = (first[0], first[1] or "") == (second[0], second[1] or "")
    assert (people.seen_as(*first) == people.seen_as(*second)) is same


def test_staff_roles_are_read_from_the_row() -> None:
    staff = person(platform_roles=frozenset({"ARBITER"}))
    people.check_role(staff, PlatformRole.ARBITER, PlatformRole.PADMIN)
    for user, role in ((staff, PlatformRole.PADMIN), (person(), PlatformRole.ARBITER)):
        with pytest.raises(Forbidden):
            people.check_role(user, role)


class Life(RuleBasedStateMachine):
    """Whatever happens in whatever order: a tier stands on a link, a link on one marker, and an open deal on both."""

    def __init__(self) -> None:
        super().__init__()
        self.user = person()
        self.deals = Deals(user_id=USER)
        self.marks: dict[str, Identity] = {}
        self.frozen: str | None = None

    @rule(roblox_id=st.sampled_from(["7", "8"]))
    def link(self, roblox_id: str) -> None:
        with suppress(DomainError):
            mark = people.link_roblox(self.user, self.marks.get(roblox_id), roblox_id, "Builder", NOW)
            self.marks[roblox_id] = mark

    @rule()
    def unlink(self) -> None:
        linked = self.user.roblox_id
        with suppress(DomainError):
            people.unlink_roblox(self.user, self.deals)
            self.marks.pop(linked, None)

    @rule(tier=st.sampled_from(Tier), role=st.none() | st.sampled_from(PlatformRole), revoke=st.booleans())
    def grant(self, tier: Tier, role: PlatformRole | None, revoke: bool) -> None:
        with suppress(DomainError):
            people.grant(self.user, role, tier, revoke=revoke)

    @rule(banned=st.booleans())
    def ban(self, banned: bool) -> None:
        self.user.banned = banned

    @precondition(lambda self: self.user.tier is not Tier.TIER_0)
    @rule()
    def accept(self) -> None:
        self.deals.open += 1
        self.frozen = self.user.roblox_id

    @precondition(lambda self: self.deals.open > 0)
    @rule()
    def end(self) -> None:
        self.deals.open -= 1
        self.frozen = self.frozen if self.deals.open else None

    @invariant()
    def a_tier_stands_on_a_link(self) -> None:
        assert self.user.tier is Tier.TIER_0 or self.user.roblox_id is not None

    @invariant()
    def a_link_stands_on_its_marker(self) -> None:
        assert set(self.marks) == ({self.user.roblox_id} if self.user.roblox_id else set())

    @invariant()
    def an_open_deal_keeps_the_link(self) -> None:
        assert self.frozen is None or self.user.roblox_id == self.frozen

    @invariant()
    def what_is_allowed_would_pass(self) -> None:
        allowed = people.allowed_actions(self.user, self.deals, NOW)
        assert ("unlink_roblox" in allowed) == (self.user.roblox_id is not None and self.deals.open == 0)
        assert ("start_roblox_link" in allowed) == (self.user.roblox_id is None and not self.user.banned)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
