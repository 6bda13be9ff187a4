"""From sizes that disagree to an error that names the edge and the mends that were tried."""
