"""What everything that touches a disk stands on: strict JSON, safe paths, the save transaction."""
