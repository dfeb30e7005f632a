"""TensorFlow's format, `tf_model.h5`: an HDF5 file of weights in the groups of Keras 2.

What Keras 2 writes (`Model.save_weights` of tf-keras): attributes `layer_names`, `backend` and `keras_version` at the
root; one group for each of the model's outermost layers, its attribute `weight_names` listing the layer's weights; and
each weight as a dataset of that name within the group: `bert/tf_bert_model/bert/pooler/dense/kernel:0`, where the
second word is the model's own name. A list of more than 64512 bytes is split into `weight_names0`, `weight_names1`.
A layer that two others hold is listed under both. The shards of transformers 4.x have neither groups nor the model's
name: `bert/pooler/dense/kernel:0` is their whole path.

A weight is called here what both forms agree on, `bert/pooler/dense/kernel:0`.

HDF5 can do far more: links into other files, data kept in other files, filters that inflate. Keras uses none of it, so
all of it is refused. The HDF5 library never sees a file from elsewhere: its answer to a damaged one has too often been
a crash or a loop without end, and a process for each file to crash in would cost more than the load. So the few
structures that lead to an array are read here, and the numbers are mapped.

reading.py    the weights of a file, each a tensor
structure.py  objects as lists of messages
groups.py     names that lead to objects
dense.py      the same, where there are many
types.py      types of numbers
writing.py    the file that Keras would write, through h5py
"""

from triformers.conversion.formats.hdf5.reading import read_hdf5
from triformers.conversion.formats.hdf5.types import TYPES
from triformers.conversion.formats.hdf5.writing import MAX_ATTRIBUTE, SparseFile, write_hdf5

__all__ = ["MAX_ATTRIBUTE", "TYPES", "SparseFile", "read_hdf5", "write_hdf5"]
