"""A double of Stripe for the tests and for the local stack (rail-stripe.md, The test double)."""

from local.doubles.stripe.double import StripeDouble

__all__ = ["StripeDouble"]
