"""What is published is what it costs, and it costs no more than it may."""

from onchain import gas


def test_the_published_table_is_what_the_chain_charges_and_within_the_limits() -> None:
    measured = gas.measure()

    assert {what: used for what, used in measured.items() if used > gas.LIMITS.get(what, used)} == {}
    assert gas.report(measured) == gas.REPORT.read_text()
