"""What make function writes."""

from tools import function, template
from tools.template import Route

TEMPLATE = """Resources:
  # ====== people
  GetMeFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/get_me}

  # ====== offers

Outputs: {}
"""


def with_block(text: str, action: str, room: str, route: Route | None = None) -> str:
    return function.insert(text, room, function.block(action, room, "It does.", route))


def names(text: str) -> list[str]:
    return [line.strip(" :") for line in text.splitlines() if line.startswith(("  # ", "  ")) and line[2] not in " "]


def test_a_block_goes_to_its_alphabetical_place_in_the_section_of_its_room() -> None:
    text = with_block(TEMPLATE, "update_me", "people")
    text = with_block(text, "end_session", "people")
    text = with_block(text, "make_offer", "offers")
    text = with_block(text, "accept_offer", "offers")

    assert names(text) == [
        "# ====== people",
        "EndSessionFunction",
        "GetMeFunction",
        "UpdateMeFunction",
        "# ====== offers",
        "AcceptOfferFunction",
        "MakeOfferFunction",
    ]


def test_a_block_has_its_room_and_its_route() -> None:
    route = Route("POST", "/offers/{offer_id}/accept", public=False)

    made = template.functions(template.load(with_block(TEMPLATE, "accept_offer", "offers", route)))[1]

    assert (made.id, made.action, made.room, made.routes) == ("AcceptOfferFunction", "accept_offer", "offers", [route])


def test_what_it_does_may_hold_a_colon() -> None:
    text = function.insert(TEMPLATE, "offers", function.block("make_offer", "offers", "The terms: all # of them", None))
    assert template.functions(template.load(text))[1].properties["Description"] == "The terms: all # of them"


def test_a_public_route_asks_for_no_token() -> None:
    route = Route("POST", "/contracts/verify", public=True)

    made = template.functions(template.load(with_block(TEMPLATE, "verify_contract", "offers", route)))[1]

    assert made.routes == [route]
    assert function.http_event(route)["requestContext"]["authorizer"] is None
    assert "Authorization" not in function.http_event(route)["headers"]


def test_an_event_is_what_the_gateway_sends() -> None:
    event = function.http_event(Route("POST", "/offers/{offer_id}/accept", public=False))

    offer = event["pathParameters"]["offer_id"]
    assert offer.startswith("off_")
    assert event["path"] == f"/offers/{offer}/accept"
    assert event["requestContext"]["path"] == f"/v1{event['path']}"
    assert event["requestContext"]["resourcePath"] == event["resource"] == "/offers/{offer_id}/accept"
    assert event["requestContext"]["authorizer"]["userId"].startswith("usr_")
    assert event["headers"]["Idempotency-Key"]
