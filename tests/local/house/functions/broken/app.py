"""A function whose package forgot something."""

import nothing_of_that_name

lambda_handler = nothing_of_that_name.handler
