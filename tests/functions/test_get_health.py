"""GET /health."""

from tests.emulator import Platform


def test_says_that_it_is_up_and_which_version(aws: Platform) -> None:
    answer = aws.call("get_health")
    assert (answer.status, answer.body) == (200, {"ok": True, "version": "dev"})


def test_a_page_of_the_allowed_origin_may_read_it(aws: Platform) -> None:
    assert aws.call("get_health").headers["Access-Control-Allow-Origin"] == "*"
