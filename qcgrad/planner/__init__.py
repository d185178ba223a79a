"""What each method would take to reach a precision, and the cheapest of them."""

from ._advise import Advice as Advice
from ._advise import Plan as Plan
from ._advise import advise as advise
from ._cheapest import Cheapest as Cheapest
from ._device import DeviceModel as DeviceModel
from ._table import HEADINGS as HEADINGS
from ._table import cells as cells
from ._table import title as title
