"""The learned slopes of PReLU: what they begin at."""

import netwright as nw


def test_learned_slopes_begin_at_a_quarter():
    assert nw.initialize(nw.Chain(nw.PReLU(), input=(5, 3))).arrays["prelu1/weight"].tolist() == [0.25] * 3
    assert nw.initialize(nw.Chain(nw.PReLU(per_feature=False), input=(5, 3))).arrays["prelu1/weight"].tolist() == [0.25]
