"""The platform's logger: JSON lines with ids, never personal data, tokens or bodies.

An error rings its room's alarm (template.yaml). One that tells of what a commit writes is logged before that commit: a
run that ends between the two would leave people untold for ever, as the next finds nothing to do; told twice, or of
what another run did instead, is better. It names the escrow, since that is what people open, resume and decide.
"""

from aws_lambda_powertools import Logger

logger = Logger(service="bloxtr8")
