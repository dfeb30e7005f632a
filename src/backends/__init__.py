"""One room per framework, with the same files in each; what the three share is beside them."""
