"""What everything that touches a disk stands on: errors, strict JSON, safe paths, the one save transaction."""
