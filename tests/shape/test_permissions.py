"""What a function may do: no wildcard, no Scan, nothing that changes an audit entry; and all that its code calls."""

from collections.abc import Iterator
from typing import Any

from tests.shape.translated import translate
from tools import reach, template

NEVER = {"dynamodb:Scan", "dynamodb:UpdateItem", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete", "s3:DeleteObject"}
WRITERS = {"TableWritePolicy", "TableForgetPolicy"}
AUDIT = {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["AUDIT#*"]}}
DIGESTS = {"StringEquals": {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}}
SIGNERS = {"send_leg", "watch_chain_txs", "enforce_escrow_deadlines"}  # by hand: `sign` is a word of many
REACHES = {
    "TableReadPolicy": [
        f"bloxtr8.table.{name}" for name in ("find", "get", "load", "partition", "page", "due", "due_pages")
    ],
    "TableWritePolicy": ["bloxtr8.table.commit", "bloxtr8.table.remember"],
    "TableForgetPolicy": ["bloxtr8.table.take"],
    "ContractsReadPolicy": ["bloxtr8.documents.store.verify", "bloxtr8.documents.store.presign"],
    "ContractsWritePolicy": ["bloxtr8.documents.store.put"],
    "EvidenceReadPolicy": ["bloxtr8.documents.store.evidence_state", "bloxtr8.documents.store.presign_evidence_file"],
    "EvidenceWritePolicy": ["bloxtr8.documents.store.presign_evidence"],
    "WebhookBodiesPolicy": ["bloxtr8.documents.store.put_webhook"],
    "ChainSecretPolicy": ["bloxtr8.config.rpc_url"],
}
CALLS = {
    "commit deletes": "TableForgetPolicy",
    "secret tokens": "TokensSecretPolicy",
    "secret stripe": "StripeSecretPolicy",
    "secret chain": "ChainSecretPolicy",
    "secret discord": "DiscordSecretPolicy",
    "secret roblox": "RobloxSecretPolicy",
    ".put_events": "EventsPolicy",
    ".start_execution": "WorkPolicy",
    ".send_task_success": "WorkPolicy",
}


def statements(deployed: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(resource, statement) of every identity's policy; those of keys, buckets and queues are not."""
    for name, resource in deployed["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents.append(properties["PolicyDocument"])
        elif resource["Type"] != "AWS::IAM::Role":
            continue
        for document in documents:
            for statement in listed(document["Statement"]):
                yield name, statement


def listed(value: Any) -> list[Any]:
    """IAM writes a single thing without its brackets."""
    return value if isinstance(value, list) else [value]


def too_much(deployed: dict[str, Any]) -> list[str]:
    """Allowed actions that no function needs."""
    wrong = []
    for name, statement in statements(deployed):
        if statement["Effect"] != "Allow":
            continue
        for action in listed(statement["Action"]):
            if "*" in action or action in NEVER or (action == "dynamodb:DeleteItem" and name != "TableForgetPolicy"):
                wrong.append(f"{name}: {action}")
        if "*" in listed(statement["Resource"]):
            wrong.append(f"{name}: {', '.join(listed(statement['Action']))} on everything")
    return wrong


def signs_freely(deployed: dict[str, Any]) -> list[str]:
    """Statements that let a function sign with a key, and more than digests of transactions."""
    return [
        f"{name}: {statement.get('Condition')}"
        for name, statement in statements(deployed)
        if "kms:Sign" in listed(statement["Action"])
        and (statement.get("Condition") != DIGESTS or statement["Resource"] != {"Fn::GetAtt": ["SignerKey", "Arn"]})
    ]


def audit_unprotected(deployed: dict[str, Any]) -> set[str]:
    """The policies that let a function write, yet do not deny it the audit entries."""
    denied = {
        name
        for name, statement in statements(deployed)
        if statement["Effect"] == "Deny"
        and {"dynamodb:UpdateItem", "dynamodb:DeleteItem"} <= set(statement["Action"])
        and statement.get("Condition") == AUDIT
    }
    return WRITERS - denied


def misfit(function: template.Function) -> list[str]:
    """Policies that the code needs and the block lacks (the local platform checks none), and the other way round."""
    granted = {policy["Ref"] for policy in function.properties.get("Policies", []) if "Ref" in policy} - {
        "SignerPolicy"
    }
    needed = {CALLS[call] for call in reach.uses(function.action) & CALLS.keys()}
    needed |= {policy for policy, names in REACHES.items() if reach.reaches(function.action, *names)}
    lacks = [f"{function.id} lacks {policy}" for policy in sorted(needed - granted)]
    return lacks + [f"{function.id} never uses {policy}" for policy in sorted(granted - needed)]


def test_no_function_may_do_what_none_needs(deployed: dict[str, Any]) -> None:
    assert too_much(deployed) == []


def test_audit_entries_can_not_be_changed_or_deleted(deployed: dict[str, Any]) -> None:
    assert audit_unprotected(deployed) == set()


def test_the_signers_key_signs_digests_of_transactions_and_nothing_else(deployed: dict[str, Any]) -> None:
    assert signs_freely(deployed) == []
    key = deployed["Resources"]["SignerKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_SECG_P256K1", "SIGN_VERIFY")
    refused = [one for one in key["KeyPolicy"]["Statement"] if one["Effect"] == "Deny"]
    assert [(one["Action"], one["Condition"]) for one in refused] == [
        ("kms:Sign", {"StringNotEquals": {"kms:MessageType": "DIGEST"}})
    ]


def test_only_what_sends_on_chain_may_sign(written: dict[str, Any]) -> None:
    signers = {
        it.action for it in template.functions(written) if {"Ref": "SignerPolicy"} in it.properties.get("Policies", [])
    }
    assert signers == SIGNERS


def test_every_function_may_do_what_its_code_calls_and_no_more(written: dict[str, Any]) -> None:
    assert [line for function in template.functions(written) for line in misfit(function)] == []


def test_a_policy_too_few_or_too_many_is_found() -> None:
    policies = [{"Ref": "TableForgetPolicy"}]
    health = template.Function("GetHealthFunction", {"CodeUri": "functions/get_health", "Policies": policies})
    login = template.Function(
        "AuthorizeRequestFunction", {"CodeUri": "functions/authorize_request", "Policies": policies}
    )

    assert misfit(health) == ["GetHealthFunction never uses TableForgetPolicy"]
    assert misfit(login) == [
        "AuthorizeRequestFunction lacks TableReadPolicy",
        "AuthorizeRequestFunction lacks TokensSecretPolicy",
        "AuthorizeRequestFunction never uses TableForgetPolicy",
    ]


WRONG = """
Transform: AWS::Serverless-2016-10-31
Resources:
  TableWritePolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: ["dynamodb:PutItem", "dynamodb:DeleteItem"], Resource: "arn:t"}
  AcceptOfferFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.lambda_handler
      CodeUri: functions/accept_offer
      Policies:
        - Statement:
            - {Effect: Allow, Action: ["dynamodb:Scan", "s3:*"], Resource: "*"}
            - {Effect: Allow, Action: "kms:Sign", Resource: "arn:k"}
"""


def test_a_wrong_policy_is_found() -> None:
    deployed = translate(template.load(WRONG))

    assert sorted(too_much(deployed)) == [
        "AcceptOfferFunctionRole: dynamodb:Scan",
        "AcceptOfferFunctionRole: dynamodb:Scan, s3:* on everything",
        "AcceptOfferFunctionRole: s3:*",
        "TableWritePolicy: dynamodb:DeleteItem",
    ]
    assert audit_unprotected(deployed) == WRITERS
    assert signs_freely(deployed) == ["AcceptOfferFunctionRole: None"]
