"""The real SAM transform, without AWS."""

import copy
import os
from typing import Any

from samtranslator.translator.transform import transform

ELSEWHERE = {"Bucket": "built", "Key": "code"}  # the transform wants code that is uploaded already
LOCAL_CODE = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


class NoManagedPolicies:
    """In the place of a call to IAM for the policies AWS manages; the template names its own by Ref."""

    def load(self) -> dict[str, str]:
        return {}


def translate(written: dict[str, Any]) -> dict[str, Any]:
    """A SAM template as CloudFormation, its parameters at their defaults."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    source = copy.deepcopy(written)
    for resource in source["Resources"].values():
        if resource["Type"] in LOCAL_CODE:
            resource["Properties"][LOCAL_CODE[resource["Type"]]] = ELSEWHERE
    defaults = {name: str(about.get("Default", "")) for name, about in source.get("Parameters", {}).items()}
    return dict(transform(source, defaults, NoManagedPolicies()))
