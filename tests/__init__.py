"""Tests, by property and not by model; `specs/<arch>.py` says what is particular to an architecture."""
