"""The files of `torch.save`, read and written without PyTorch, and without running what is in them.

reading.py    which form a file is in, and the state dict in it
archive.py    the zip archive: records
machine.py    the pickle: instructions
words.py      the pickle: what it may name
placing.py    tensors as arrays that map the file
writing.py    the archive, written in one stream
refusals.py   how all of them refuse
"""

from triformers.conversion.formats.pickled.reading import HEAD_BYTES, is_pickled, read_pickled
from triformers.conversion.formats.pickled.writing import write_pickled

__all__ = ["HEAD_BYTES", "is_pickled", "read_pickled", "write_pickled"]
