"""Finding files, in directories and on the Hub."""
