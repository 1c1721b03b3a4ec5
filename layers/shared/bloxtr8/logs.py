"""The platform's logger: JSON lines with ids, never personal data, tokens or bodies."""

from aws_lambda_powertools import Logger

logger = Logger(service="bloxtr8")
