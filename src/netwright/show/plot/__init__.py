"""Pictures of nets and runs in one look: `nw.plot.kernels(net, "conv1")`. Each is a figure of matplotlib."""

from netwright.show.plot.attention import attention_heads as attention_heads
from netwright.show.plot.computation import computational_graph as computational_graph
from netwright.show.plot.connectivity import connectivity as connectivity
from netwright.show.plot.curves import learning_curves as learning_curves
from netwright.show.plot.curves import prediction_curve as prediction_curve
from netwright.show.plot.curves import rate_sweep as rate_sweep
from netwright.show.plot.descent import descent_paths as descent_paths
from netwright.show.plot.maps import feature_maps as feature_maps
from netwright.show.plot.maps import inner_values as inner_values
from netwright.show.plot.maps import kernels as kernels
from netwright.show.plot.measured import calibration_curve as calibration_curve
from netwright.show.plot.measured import confusion_matrix as confusion_matrix
from netwright.show.plot.measured import precision_recall_curve as precision_recall_curve
from netwright.show.plot.measured import rejection_curve as rejection_curve
from netwright.show.plot.measured import roc_curve as roc_curve
from netwright.show.plot.sizes import growth as growth
from netwright.show.plot.sizes import receptive_field as receptive_field
from netwright.show.plot.sizes import throughput as throughput
from netwright.show.plot.surface import loss_surface as loss_surface
from netwright.show.plot.things import boxes as boxes
from netwright.show.plot.things import mask as mask
from netwright.show.plot.unrolled import unrolled as unrolled
