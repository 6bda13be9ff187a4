"""A value without a form is shown by its repr, and one with a form by its HTML."""

from netwright.forms import html_form
from netwright.value import Value


class Plain(Value):
    number: int


class Shown(Value):
    text: str


@html_form.register
def _shown(value: Shown) -> str:
    return f"<b>{value.text}</b>"


def test_a_form_is_found_by_the_type():
    assert html_form(Plain(1)) == "" and Plain(1)._repr_mimebundle_() == {}
    assert Shown("x")._repr_mimebundle_() == {"text/html": "<b>x</b>", "text/plain": "Shown(text='x')"}


def test_a_form_holds_for_subclasses():
    class Special(Shown):
        pass

    assert html_form(Special("y")) == "<b>y</b>"
