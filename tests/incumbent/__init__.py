"""What is written here, read back by transformers 4.53.3 in an environment of its own: `make test-incumbent`."""
