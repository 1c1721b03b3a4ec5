"""Every hour: who has less than a day left to pay, hand over, sign or answer is reminded, once for each deadline."""

from bloxtr8 import reminding
from bloxtr8.actors import system
from bloxtr8.lambdas import schedule


def send_reminders() -> None:
    """Bounded, and safe twice at once: each reminder is one commit under its row's version."""
    reminding.remind(system("send_reminders"))


lambda_handler = schedule(send_reminders)
