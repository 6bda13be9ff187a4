"""Pictures of nets and runs in one look: `nw.plot.kernels(net, "conv1")`. Each is a figure of matplotlib."""

from netwright.show.plot.maps import feature_maps as feature_maps
from netwright.show.plot.maps import inner_values as inner_values
from netwright.show.plot.maps import kernels as kernels
