"""A picture is a whole SVG; that of a container is for a page, which has the style."""

import xml.etree.ElementTree as ET

import netwright as nw
from netwright.show.draw.picture import MARGIN, NetPicture, inside_of, picture, view_of

NET = nw.Chain(block=nw.Chain(nw.Linear(4), nw.relu), last=nw.tanh, input=4)


def test_a_picture_of_a_net_is_complete() -> None:
    found = picture(NET, 1, 900)
    root = ET.fromstring(found.svg)
    assert (root.attrib["width"], root.attrib["height"]) == (str(found.width), str(found.height))
    assert root.attrib["aria-label"] == "a net of 3 parts" and "<style>" in found.svg and found.width_asked == 900


def test_paths_in_the_picture_of_a_container_begin_there() -> None:
    svg = inside_of(view_of(NET.plan, 900), NET["block"], "block", 900)
    assert 'data-path="linear1"' in svg and 'data-path="block' not in svg and "<style>" not in svg


def test_narrow_pictures_flow_down() -> None:
    assert view_of(NET.plan, 360).down and not view_of(NET.plan, 1120).down
    assert picture(NET, 1, 360).height > picture(NET, 1, 1120).height


def test_a_picture_has_a_margin() -> None:
    found = NetPicture.of([], 100, 50, 360, "nothing")
    assert (found.width, found.height) == (100 + 2 * MARGIN, 50 + 2 * MARGIN)
