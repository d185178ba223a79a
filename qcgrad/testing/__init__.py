"""Checks of what users add, for their own test suites; ours uses them too."""

from ._backends import check_backend as check_backend
from ._estimators import check_estimator as check_estimator
from ._rules import check_rule as check_rule
