"""template.yaml as the other tools and the shape tests read it: every function with its room and its edges."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "template.yaml"
ROOMS = ("people", "listings", "offers", "contracts", "escrow", "money", "webhooks", "staff", "oversight")
FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True)
class Route:
    """A method and path of the API. `public`: the gateway asks for no token."""

    method: str
    path: str
    public: bool


@dataclass(frozen=True)
class Function:
    """An `AWS::Serverless::Function` of the template."""

    id: str
    properties: dict[str, Any]

    @property
    def action(self) -> str:
        """Its one name: the folder under functions/."""
        return Path(str(self.properties["CodeUri"])).name

    @property
    def room(self) -> str:
        """The section it belongs to: the owner of its log group."""
        group = self.properties.get("LoggingConfig", {}).get("LogGroup", {})
        return str(group.get("Ref", "")).removesuffix("Logs").lower()

    @property
    def app(self) -> Path:
        """The file of its handler."""
        return ROOT / str(self.properties["CodeUri"]) / "app.py"

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """What invokes it: name → {Type, Properties}."""
        return dict(self.properties.get("Events", {}))

    @property
    def routes(self) -> list[Route]:
        """Its paths in the API; most functions have one."""
        return [
            Route(
                method=str(event["Properties"]["Method"]).upper(),
                path=str(event["Properties"]["Path"]),
                public=event["Properties"].get("Auth", {}).get("Authorizer") == "NONE",
            )
            for event in self.events.values()
            if event["Type"] == "Api"
        ]


def load(text: str | None = None) -> dict[str, Any]:
    """The template as a dict, with `!Ref X` as {"Ref": "X"} and so on."""
    parsed: dict[str, Any] = yaml_parse(PATH.read_text() if text is None else text)
    return parsed


def functions(template: dict[str, Any]) -> list[Function]:
    """All functions, in the template's order: by room, then by name."""
    return [
        Function(name, resource["Properties"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == FUNCTION
    ]


def function_id(action: str) -> str:
    """`accept_offer` → `AcceptOfferFunction`."""
    return "".join(word.capitalize() for word in action.split("_")) + "Function"
