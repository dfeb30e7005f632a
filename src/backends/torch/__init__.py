"""PyTorch's room. Shape letters: B batch, T target, S source, D width, N heads, H head size, L labels."""
