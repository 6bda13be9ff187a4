"""Named, varying and derived sizes: their arithmetic, their notation, and how they are found from each other."""
