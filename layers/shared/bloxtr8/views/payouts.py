"""The seller's account at Stripe, as its owner sees it. Apart from people.py: it needs the card rail's types."""

from typing import Self

from bloxtr8.entities import User
from bloxtr8.rails.stripe_accounts import AccountStatus, OnboardingLink
from bloxtr8.shapes import Moment, View
from bloxtr8.views.people import PayoutAccount


class OpenedAccount(View):
    """The link leads to Stripe's own pages, once and within minutes: never stored."""

    account_id: str
    onboarding_url: str
    expires_at: Moment

    @classmethod
    def of(cls, account_id: str, link: OnboardingLink) -> Self:
        return cls(account_id=account_id, onboarding_url=link.url, expires_at=link.expires_at)


class PayoutStatus(PayoutAccount):
    """What Stripe says now; `requirements` are its names of what it still wants to know."""

    payouts_enabled: bool
    requirements: list[str]

    @classmethod
    def of(cls, user: User, status: AccountStatus) -> Self:
        return cls(
            account_id=user.payout_account_id,
            country=user.payout_country,
            ready=status.ready,
            payouts_enabled=status.payouts_enabled,
            requirements=list(status.requirements),
        )
