"""One client of each service, as a product would keep them."""

import functools
from typing import Any

import boto3
from botocore.config import Config


@functools.cache
def client(service: str) -> Any:
    return boto3.client(service, config=Config(retries={"total_max_attempts": 3}))
