"""The whole platform on one machine, from template.yaml: `make local`, `make demo`, and the stack that tests start."""
