"""Tools that keep the numbers of runs, each behind one interface."""
