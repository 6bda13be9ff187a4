"""What the search of the site knows: the sections and entries of every page, with their words."""

PAGE = """<html><body><article><section id="folds"><h1>Folds<a class="headerlink">¶</a></h1><p>A state.</p>
<section id="the-loop"><h2>The loop</h2><p>Its states, unrolled.</p><svg><text>drawn</text></svg></section>
<dl class="py class"><dt class="sig" id="netwright.Fold"><span class="sig-name">Fold</span>(body)</dt>
<dd><p>Runs along a sequence.</p></dd></dl></section></article></body></html>"""


def test_every_section_has_its_own_words(site, tmp_path):
    (tmp_path / "_modules").mkdir()
    (tmp_path / "_modules" / "code.html").write_text(PAGE)
    (tmp_path / "folds.html").write_text(PAGE)
    found = site("search").index(tmp_path)
    assert [page["name"] for page in found["pages"]] == ["folds"]
    assert [(s["anchor"], s["heading"]) for s in found["sections"]] == [
        ("netwright.Fold", "nw.Fold"),
        ("the-loop", "The loop"),
        ("", "Folds"),
    ]
    numbers, counts = found["words"]["state"]
    assert numbers == [1, 2] and counts == [1, 1], "`states` and `state` are one word"
    numbers, counts = found["words"]["fold"]
    assert numbers == [0, 1, 2] and counts[2] == counts[0] > counts[1], "the headings count"
    assert found["words"]["loop"][0] == [1] and "drawn" not in found["words"]


def test_the_index_is_a_script_that_a_page_on_a_disk_can_load(site, tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "folds.html").write_text(PAGE)
    site("search").write_index(tmp_path)
    assert (tmp_path / "_static" / "sections.js").read_text().startswith('const SECTIONS = {"pages":[{"name":"folds"')
