"""The API's document as a page, drawn by Swagger UI as Powertools ships it: nothing is fetched from anywhere."""

from pathlib import Path

from aws_lambda_powertools.event_handler.openapi import swagger_ui


def page(document: str) -> str:
    """A whole HTML page around an OpenAPI document (JSON text)."""
    assets = Path(swagger_ui.__file__).parent
    return swagger_ui.generate_swagger_html(
        spec=document.replace("<", "\\u003c"),  # a text of it can't end, or hide the end of, the page's script
        swagger_js=(assets / "swagger-ui-bundle.min.js").read_text(),
        swagger_css=(assets / "swagger-ui.min.css").read_text(),
        swagger_base_url="",
        oauth2_config=None,
    )
