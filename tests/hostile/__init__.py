"""Files that are not what they seem: a corpus, and a watched process that takes each through every public door."""
