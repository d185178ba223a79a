"""Networks: losses, and the backward passes that differentiate them."""

from .autodiff import Autodiff as Autodiff
from .loss import Loss as Loss
