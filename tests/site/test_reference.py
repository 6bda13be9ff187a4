"""Every public name is in the reference, on exactly one page, with what it says."""

import re

import netwright as nw


def test_every_public_name_is_in_exactly_one_group(site):
    reference = site("reference")
    names = reference.public_names()
    assert len({name.name for name in names}) == len(names)
    public = {name for name, value in vars(nw).items() if not name.startswith("_")}
    modules = {name for name in public if type(getattr(nw, name)).__name__ == "module"}
    assert {name.name for name in names if "." not in name.name} == public - modules
    assert {name.name.split(".")[0] for name in names if "." in name.name} <= modules
    pages = {name.name: reference.group_of(name) for name in names}
    assert [group.title for group in reference.GROUPS if group not in pages.values()] == [], "a group without a name"


def test_a_name_of_no_group_is_refused(site):
    reference = site("reference")
    try:
        reference.group_of(reference.Name("New", "netwright.somewhere.new"))
    except ValueError as error:
        assert str(error) == "nw.New of netwright.somewhere.new is in no group: mend GROUPS in docs/site/reference.py"
    else:
        raise AssertionError


def test_every_name_says_what_it_is_and_stands_on_its_page(site):
    reference = site("reference")
    pages = dict(reference.pages({}))
    assert set(pages) == {f"{group.file}.md" for group in reference.GROUPS} | {"index.md"}
    for name in reference.public_names():
        assert name.doc, f"nw.{name.name} has no docstring"
        text = pages[f"{reference.group_of(name).file}.md"]
        assert re.search(rf"^::::::\{{py:\w+\}} {re.escape(name.name)}(\(.*)?$", text, re.M), name.name
        assert f"`{name.name} <netwright.{name.name}>`" in pages["index.md"]
    assert not re.search(r"object at 0x|<class '|_MISSING", "".join(pages.values()))


def test_a_class_shows_what_it_adds_to_its_public_bases(site):
    reference = site("reference")
    public = {name.value: name.name for name in reference.public_names() if isinstance(name.value, type)}
    members = {kind: {name for _, name, _ in reference.members(kind, public)} for kind in (nw.Net, nw.Run, nw.Conv)}
    assert {"replace", "insert", "delete", "with_output", "paths", "plan"} <= members[nw.Net]
    assert members[nw.Conv] == set(), "how a layer is run is said by Leaf"
    kinds = {name: kind for kind, name, _ in reference.members(nw.Net, public)}
    assert (kinds["replace"], kinds["plan"]) == ("method", "property")


def test_a_name_links_the_pages_that_use_it(site):
    texts = {
        "book/05-lenet.ipynb": ("5 LeNet", "nw.Conv(20, 5)"),
        "docs/design.md": ("Design", "`nw.Conv`"),
        "docs/other.md": ("Other", "nw.ConvTranspose"),
    }
    used = site("reference").used_in("Conv", texts)
    assert used == ("```{div} nw-used\n**Used in** The book: [5](/book/05-lenet.ipynb). [Design](/docs/design.md)\n```")
    assert site("reference").used_in("Linear", texts) == ""


def test_a_signature_has_no_types_and_no_addresses(site):
    signature = site("reference").signature
    assert signature(nw.Conv).startswith("(out=FREE, kernel=3, *, stride=1")

    thing = object()

    def f(a: int, b=thing, *, c: str = "x" * 50, d=len) -> int:
        return a

    assert signature(f) == "(a, b=…, *, c=…, d=len)"
