"""One client of each service, as a product would keep them."""

import functools
from typing import Any

import boto3


@functools.cache
def client(service: str) -> Any:
    return boto3.client(service)
