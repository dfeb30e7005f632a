"""One folder per architecture; each folder's `CARD` says what it holds."""
