"""What a notebook shows of a value: its HTML, found by the value's type in one table that higher rooms fill.

Values are made on low floors, and what draws them is on a high one. So the function that is asked stands here, at the
ground: `Value` asks it for every value that a notebook shows, and `netwright.show.forms` registers a form for each
type that has one. A value whose HTML needs nothing but its own fields, such as a table of differences, has a
`_repr_html_` of its own instead.
"""

from functools import singledispatch


@singledispatch
def html_form(value: object) -> str:
    """The HTML of a value for a notebook; the empty text where its repr is all there is.

    Example:
        >>> html_form(3)
        ''
    """
    return ""
