"""What each method would take to reach a precision, and the cheapest of them."""

from ._advise import advise as advise
from ._cheapest import Cheapest as Cheapest
from ._device import DeviceModel as DeviceModel
from ._noise import Bias as Bias
from ._noise import Probe as Probe
from ._plan import Advice as Advice
from ._plan import Plan as Plan
from ._table import cells as cells
from ._table import headings as headings
from ._table import title as title
