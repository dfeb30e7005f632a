"""Training: what each framework's users need around their own loop."""
