"""The script of a drawing's page in a browser: opening and folding, the search, copied paths, the mouse."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from netwright.show.draw.page import document, page
from netwright.show.draw.picture import picture

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), "")
pytestmark = pytest.mark.skipif(not BROWSER, reason="needs the browser Chromium or Chrome")

BLOCK = nw.Chain(nw.Linear(4), nw.relu)
NET = nw.initialize(nw.Chain(nw.Repeat(9, BLOCK), nw.Residual([BLOCK, nw.tanh]), nw.Linear(2), input=4), seed=0)
ACTS = """
<script>
const root = document.querySelector(".nw-drawing"), said = {}, copied = [];
Object.defineProperty(navigator, "clipboard", {value: {
  writeText: text => { copied.push(text); return Promise.resolve(); }}});
const [search, foldAll] = root.querySelectorAll(".nw-bar input, .nw-bar button");
const about = () => root.querySelector(".nw-about").textContent;
const part = path => [...root.querySelectorAll(".part, .opened")].find(
  one => one.dataset.path === path && one.getBoundingClientRect().width > 0);
const opened = () => [...root.querySelectorAll(".nw-inside")].map(one => one.dataset.path);
const press = (where, key) => where.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const hover = path => part(path).dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
const click = one => one.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const button = text => [...root.querySelectorAll(".nw-about button, .nw-inside button")].find(
  one => one.textContent === text);
const type = text => { search.value = text; search.dispatchEvent(new Event("input", {bubbles: true})); };
const hits = () => [...root.querySelector(".nw-hits").children].map(one => one.textContent);
const act = async () => {
  said.first = about();
  hover("linear1");
  said.hovered = [about(), part("linear1").getAttribute("tabindex")];
  click(part("residual1"));
  said.opened = [opened(), part("residual1").classList.contains("nw-open"), about()];
  hover("linear1");
  said.pinned = about();
  click(part("residual1"));
  said.folded = [opened(), part("residual1").classList.contains("nw-open")];
  press(root, "Escape");
  hover("linear1");
  said.free = about();
  part("repeat1/1").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
  said.by_key = opened();
  click(foldAll);
  said.all_folded = [opened(), about()];
  type("TANH");
  said.hits = hits();
  press(search, "Enter");
  said.revealed = [opened(), root.querySelector(".nw-found").dataset.path, about()];
  type("relu");
  said.many = hits();
  type("repeat1/7/relu1");
  press(search, "Enter");
  said.copy_of = [opened(), root.querySelector(".nw-found").dataset.path];
  type("");
  said.none = hits();
  click(button("copy path"));
  await Promise.resolve();
  said.copied = [copied, [...root.querySelectorAll("button")].some(one => one.textContent === "copied")];
  await new Promise(done => setTimeout(done, 1500));
  said.later = [...root.querySelectorAll("button")].some(one => one.textContent === "copied");
  click(button("fold"));
  said.one_folded = opened();
};
act().catch(error => { said.error = String(error); }).then(() => {
  const seen = document.createElement("pre");
  seen.id = "said";
  seen.textContent = JSON.stringify(said);
  document.body.append(seen);
});
</script>
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page shows after each act of its reader."""
    folder: Path = tmp_path_factory.mktemp("browser")
    text = document("a net", page(NET, picture(NET, 1, 1120), picture(NET, 1, 360)))
    (folder / "net.html").write_text(text.replace("</body>", f"{ACTS}</body>") if "</body>" in text else text + ACTS)
    run = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"]
    run += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=10000", "--dump-dom"]
    done = subprocess.run([*run, (folder / "net.html").as_uri()], capture_output=True, timeout=120, check=True)
    found = re.search(r'<pre id="said">(.*?)</pre>', done.stdout.decode(), flags=re.S)
    assert found is not None, done.stderr.decode()[-2000:]
    return json.loads(unescape(found[1]))


def test_what_is_under_the_mouse_is_told_until_a_part_is_chosen(said: dict[str, Any]) -> None:
    assert "error" not in said, said["error"]
    assert said["first"] == "Click a container to open it, a part to keep what is said about it."
    text, index = said["hovered"]
    assert text.startswith("linear1  Linear(2)  (2,)  copy path") and "weight(2, 4)" in text and index == "0"
    assert said["pinned"].startswith("residual1 ") and said["free"] == text


def test_a_container_opens_and_folds(said: dict[str, Any]) -> None:
    assert said["opened"][:2] == [["residual1"], True] and said["opened"][2].startswith("residual1 ")
    assert said["folded"] == [[], False]
    assert said["by_key"] == ["repeat1/1"]
    assert said["all_folded"] == [[], said["first"]]


def test_the_search_opens_what_a_part_is_in(said: dict[str, Any]) -> None:
    (tanh,) = [path for path in NET.paths if path.endswith("tanh1")]
    assert said["hits"] == [tanh]
    assert said["revealed"][0][0] == "residual1" and said["revealed"][1] == tanh
    assert said["revealed"][2].startswith(f"{tanh}  ")
    count = sum("relu" in path for path in NET.paths)
    assert len(said["many"]) == 9 and said["many"][-1] == f"{count - 8} more" and said["none"] == []
    assert "repeat1/1" in said["copy_of"][0] and said["copy_of"][1] == "repeat1/1/relu1"  # equal parts are drawn once


def test_a_path_is_copied(said: dict[str, Any]) -> None:
    assert said["copied"] == [["repeat1/7/relu1"], True] and said["later"] is False
    assert len(said["one_folded"]) == len(said["copy_of"][0]) - 1
