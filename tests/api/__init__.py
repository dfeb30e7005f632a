"""The call surface of transformers 4.53.3, and how far this library keeps it."""
