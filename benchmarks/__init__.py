"""Side-by-side timings, run by hand on an idle machine; never part of the tests."""
