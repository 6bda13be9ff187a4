"""Dates: days since 1970, and the place in the year, the week and the day."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
import torch

from messages import message
from netwright.codecs.table.date import Date

PLAIN = Date(0, 1)


def test_forms_of_one_day():
    day = datetime.date(2024, 5, 31)
    forms = (day, datetime.datetime(2024, 5, 31), np.datetime64("2024-05-31"), pd.Timestamp("2024-05-31"), "2024-05-31")
    encoded = PLAIN.encode_all(forms)
    assert encoded.shape == (5, 7)
    assert torch.equal(encoded, encoded[:1].expand(5, 7))
    assert encoded[0, 0] == (day - datetime.date(1970, 1, 1)).days


def test_turns():
    noon = PLAIN.encode(datetime.datetime(1970, 1, 1, 18))
    assert noon.tolist()[5:] == pytest.approx([-1, 0], abs=1e-6)  # three quarters of a day
    a, b = PLAIN.encode_all([datetime.date(2024, 1, 1), datetime.date(2024, 1, 8)])
    assert a[3:].tolist() == pytest.approx(b[3:].tolist(), abs=1e-5)  # the same day of the week
    late, early = PLAIN.encode_all([datetime.date(2023, 12, 31), datetime.date(2024, 1, 1)])
    assert math.dist(late[1:3].tolist(), early[1:3].tolist()) < 0.02


def test_a_zone_is_not_read():
    zone = datetime.timezone(datetime.timedelta(hours=5))
    here = datetime.datetime(2024, 5, 31, 9)
    assert torch.equal(PLAIN.encode(here), PLAIN.encode(here.replace(tzinfo=zone)))


def test_fit():
    codec = Date().fit([datetime.date(1970, 1, 1), datetime.date(1970, 1, 3)])
    assert codec == Date(1.0, 1.0)
    assert codec.encode(datetime.date(1970, 1, 4))[0] == 2
    assert (codec.encoded, codec.decoded) == ("7", "7")


def test_errors():
    for raw in ("yesterday", 3, None, pd.NaT):
        assert message(PLAIN.encode_all, [datetime.date(2024, 1, 1), raw]).startswith(
            "this is no date\n  where:    row 1\n"
            "  expected: a date or a time, or a text such as '2024-05-31' or '2024-05-31T18:30'\n"
        )
    assert message(PLAIN.decode, torch.zeros(7)) == (
        "a date is an input, and no answer of a net\n"
        "  got:      Date(0.0, 1.0)\n"
        "  mend:     nw.Number() of the days since a day"
    )
