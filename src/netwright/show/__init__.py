"""Looking at nets and runs: the table of parts, the drawing, pictures of arrays, the report page."""
