"""The Auto classes: from a checkpoint's `model_type`, or a configuration, to the class that it needs.

They are derived from the architectures' cards and from the one table in `tasks.py`; no framework is imported before
a class of it is asked for.
"""
