"""The user's side of a sign-in, and what the doubles saw of it."""

from urllib.parse import parse_qs, urlsplit

import urllib3

from local.doubles.web import Double

PAGE = "http://localhost:5173/callback"


def agree(url: str, user_id: str) -> str:
    """What the user's browser does at the provider's page; the code that comes back with the state of the URL."""
    answer = urllib3.request("GET", f"{url}&as={user_id}", redirect=False, retries=False)
    assert answer.status == 302, answer.data
    back = answer.headers["Location"]
    assert back.startswith(f"{PAGE}?")
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == parse_qs(urlsplit(url).query)["state"]
    return query["code"][0]


def paths(double: Double) -> list[str]:
    """The paths asked for so far, without those of the sign-in page."""
    return [call["path"] for call in double.calls if not call["path"].endswith("/authorize")]
