"""The journey of a parameter: file formats, layouts, the mapping from file to model, and the proof that it is right."""
