"""The emulated AWS: starts it and makes, through its API, the resources the template asks for."""

import json
import secrets
from typing import Any

import boto3
from botocore.config import Config

from local import motofix
from local.motofix import server
from local.resources import ACCOUNT, REGION, Machine, Platform, Rule

ROLE = f"arn:aws:iam::{ACCOUNT}:role/local"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class Aws:
    """A running emulator with the platform's resources in it."""

    def __init__(self, platform: Platform, secret_values: dict[str, dict[str, Any]], port: int = 0) -> None:
        motofix.apply()
        self._server = server.start(port)
        self.url = self._server.url
        self._clients: dict[str, Any] = {}
        try:
            self._make(platform, secret_values)
        except BaseException:
            self.close()
            raise

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator; one per service, safe in any thread."""
        if service not in self._clients:
            session: Any = boto3.Session(
                CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
            )
            config = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
            self._clients[service] = session.client(service, endpoint_url=self.url, config=config)
        return self._clients[service]

    def close(self) -> None:
        """Stop it; everything in it is gone."""
        for client in self._clients.values():
            client.close()
        server.stop(self._server)

    def _make(self, platform: Platform, secret_values: dict[str, dict[str, Any]]) -> None:
        self._secret_values = secret_values
        makers = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SQS::Queue": self._queue,
            "AWS::SNS::Topic": self._topic,
            "AWS::KMS::Key": self._key,
            "AWS::SecretsManager::Secret": self._secret,
            "AWS::Events::EventBus": self._bus,
            "AWS::SSM::Parameter": self._parameter,
        }
        for kind, make in makers.items():
            for name, properties in platform.of(kind).items():
                make(name, dict(properties))
        for rule in platform.rules:
            self._rule(rule)
        for machine in platform.machines:
            self._machine(machine)

    def _table(self, _: str, properties: dict[str, Any]) -> None:
        client = self.client("dynamodb")
        name, ttl = properties["TableName"], properties.pop("TimeToLiveSpecification", None)
        recovery = properties.pop("PointInTimeRecoverySpecification", None)
        if "StreamSpecification" in properties:
            properties["StreamSpecification"] = {**properties["StreamSpecification"], "StreamEnabled": True}
        properties.pop("SSESpecification", None)
        client.create_table(**properties)
        if ttl:
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
        if recovery:
            client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)

    def _bucket(self, _: str, properties: dict[str, Any]) -> None:
        client, name = self.client("s3"), properties["BucketName"]
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=bool(properties.get("ObjectLockEnabled", False)))
        if versioning := properties.get("VersioningConfiguration"):
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)

    def _key(self, name: str, properties: dict[str, Any]) -> None:
        wanted = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Description": ""}
        made = self.client("kms").create_key(**{key: properties.get(key, default) for key, default in wanted.items()})
        self.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=made["KeyMetadata"]["KeyId"])

    def _secret(self, _: str, properties: dict[str, Any]) -> None:
        value = dict(self._secret_values.get(properties["Name"].rsplit("/", 1)[-1], {}))
        if generate := properties.get("GenerateSecretString"):
            drawn = secrets.token_hex(int(generate.get("PasswordLength", 32)) // 2)
            value = {
                **json.loads(generate.get("SecretStringTemplate", "{}")),
                generate["GenerateStringKey"]: drawn,
                **value,
            }
        self.client("secretsmanager").create_secret(Name=properties["Name"], SecretString=json.dumps(value))

    def _queue(self, _: str, properties: dict[str, Any]) -> None:
        self.client("sqs").create_queue(QueueName=properties["QueueName"])

    def _topic(self, _: str, properties: dict[str, Any]) -> None:
        self.client("sns").create_topic(Name=properties["TopicName"])

    def _bus(self, _: str, properties: dict[str, Any]) -> None:
        self.client("events").create_event_bus(Name=properties["Name"])

    def _parameter(self, _: str, properties: dict[str, Any]) -> None:
        self.client("ssm").put_parameter(Name=properties["Name"], Value=properties["Value"], Type=properties["Type"])

    def _rule(self, rule: Rule) -> None:
        when = {"ScheduleExpression": rule.schedule} if rule.schedule else {"EventPattern": json.dumps(rule.pattern)}
        state = "ENABLED" if rule.enabled else "DISABLED"
        self.client("events").put_rule(Name=rule.name, EventBusName=rule.bus, State=state, **when)
        self.client("events").put_targets(Rule=rule.name, EventBusName=rule.bus, Targets=rule.targets)

    def _machine(self, machine: Machine) -> None:
        self.client("stepfunctions").create_state_machine(
            name=machine.name, definition=json.dumps(machine.definition), roleArn=ROLE
        )
