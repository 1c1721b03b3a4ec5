"""A person's wallet: the message that proves it, its risk while it is fresh, and whose it may become."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloxtr8 import addresses, clock
from bloxtr8.domain import wallets
from bloxtr8.domain.wallets import Risk
from bloxtr8.entities import Deals, Identity, Tier, User
from bloxtr8.errors import Conflict, DomainError, Unauthenticated, Unavailable, Unprocessable, UpstreamFailed

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
USER = "usr_01JDCZ0000000000000000000E"
ADDRESSES = st.integers(1 << 150, (1 << 158) - 1).map(lambda number: "0x" + number.to_bytes(20).hex())
WALLET = "0x" + "ab" * 20
# The grammar of EIP-4361, with what it leaves to choose as it is chosen here.
MESSAGE = re.compile(
    r"(?P<domain>[a-z0-9.-]+) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?P<statement>[ -~]+)\n\n"
    r"URI: (?P<uri>https://[a-z0-9.-]+)\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain>[0-9]+)\n"
    r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,})\n"
    r"Issued At: (?P<issued>\S+)\n"
    r"Expiration Time: (?P<expires>\S+)\n"
    r"Request ID: (?P<request>[A-Za-z0-9_]+)"
)


def person(**fields: object) -> User:
    return User(**{"id": USER, "discord_id": "1", "username": "nova", "tier": Tier.TIER_1, "created_at": NOW} | fields)


def evidence(risk: Risk, at: dt.datetime = NOW, *lists: str) -> dict[str, object]:
    return {"risk": str(risk), "source": "s", "version": "v", "at": clock.iso(at), "lists": list(lists)}


@given(address=ADDRESSES)
def test_the_message_is_read_by_the_grammar_and_says_who_and_which(address: str) -> None:
    row = wallets.challenge(person(), addresses.checksum(address), NOW)
    found = MESSAGE.fullmatch(row.message)
    assert found is not None
    assert (found["address"].lower(), found["nonce"], found["request"]) == (address, row.nonce, USER)
    assert clock.parse(found["expires"]) - clock.parse(found["issued"]) == dt.timedelta(minutes=10)
    assert clock.parse(found["expires"]) == row.expires_at


@given(seconds=st.integers(0, 3600))
def test_a_challenge_is_good_for_ten_minutes(seconds: int) -> None:
    row = wallets.challenge(person(), WALLET, NOW)
    later = NOW + dt.timedelta(seconds=seconds)
    if seconds < 600:
        assert wallets.check_challenge(row, USER, WALLET, later) is row
    else:
        with pytest.raises(Unauthenticated):
            wallets.check_challenge(row, USER, WALLET, later)


def test_every_bad_challenge_is_refused_with_the_same_words() -> None:
    row = wallets.challenge(person(), WALLET, NOW)
    said = set()
    for back in ((None, USER, WALLET), (row, USER[:-1] + "F", WALLET), (row, USER, "0x" + "cd" * 20)):
        with pytest.raises(Unauthenticated) as refused:
            wallets.check_challenge(*back, NOW)
        said.add((refused.value.code, refused.value.detail))
    assert len(said) == 1


@given(risk=st.sampled_from(Risk), hours=st.integers(0, 72))
def test_an_old_risk_is_unknown(risk: Risk, hours: int) -> None:
    user = person(wallet=WALLET, wallet_screening=evidence(risk))
    assert wallets.risk_of(user, NOW + dt.timedelta(hours=hours)) is (risk if hours < 24 else Risk.UNKNOWN)


def test_who_has_no_wallet_has_no_risk() -> None:
    assert wallets.risk_of(person(), NOW) is None
    assert wallets.risk_of(person(wallet=WALLET), NOW) is Risk.UNKNOWN


@pytest.mark.parametrize(
    ("found", "refusal"),
    [
        (evidence(Risk.SANCTIONED, NOW, "a list"), Unprocessable),
        (evidence(Risk.UNKNOWN, NOW, "a list"), UpstreamFailed),
        (evidence(Risk.UNKNOWN, NOW), Unavailable),
    ],
)
def test_a_refused_wallet_leaves_the_person_as_he_was(found: dict[str, object], refusal: type[DomainError]) -> None:
    user = person()
    with pytest.raises(refusal):
        wallets.link(user, Deals(user_id=USER), None, WALLET, found, NOW)
    assert (user.wallet, user.wallet_screening) == (None, None)


def test_only_somebody_elses_marker_is_in_the_way() -> None:
    user, deals, low = person(), Deals(user_id=USER), evidence(Risk.LOW, NOW, "a list")
    mine = wallets.link(user, deals, None, WALLET, low, NOW)
    assert mine is not None
    assert (mine.provider, mine.value, mine.user_id) == ("WALLET", WALLET, USER)
    assert wallets.link(user, deals, mine, WALLET, low, NOW) is None
    theirs = Identity(provider="WALLET", value=WALLET, user_id=USER[:-1] + "F")
    with pytest.raises(Conflict) as taken:
        wallets.link(user, deals, theirs, WALLET, low, NOW)
    assert taken.value.code == "WALLET_TAKEN"


def test_what_is_open_keeps_the_wallet() -> None:
    user, deals = person(wallet=WALLET), Deals(user_id=USER, open=1)
    for move in (
        lambda: wallets.link(user, deals, None, "0x" + "cd" * 20, evidence(Risk.LOW), NOW),
        lambda: wallets.unlink(user, deals),
        lambda: wallets.check_unlinkable(user, deals),
    ):
        with pytest.raises(Conflict) as refused:
            move()
        assert refused.value.code == "HAS_OPEN_DEALS"
    assert user.wallet == WALLET
