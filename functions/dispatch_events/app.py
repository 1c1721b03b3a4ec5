"""The table's stream: what was committed makes sagas.react look, and goes on to EventBridge as ids (D24)."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from bloxtr8 import dispatching
from bloxtr8.actors import system

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def dispatch_events(record: DynamoDBRecord) -> None:
    """One new row: an audit entry or a webhook event (the filter lets nothing else through)."""
    dispatching.dispatch(record.raw_event["dynamodb"]["NewImage"], system("dispatch_events"))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Rows that failed are reported, and the stream brings them again."""
    return dict(process_partial_response(event, dispatch_events, processor, context))
