"""Checks of what users add, for their own test suites; ours uses them too."""

from .backends import check_backend as check_backend
from .estimators import check_estimator as check_estimator
from .rules import check_rule as check_rule
