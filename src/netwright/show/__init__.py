"""Looking at nets and runs: the table of parts, the drawing, pictures, the report page, forms in a notebook."""

from netwright.show import forms as forms
