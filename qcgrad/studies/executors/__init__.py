"""Where the cells of a study are computed: this process, others on this machine, a cluster.

All have one method, `map`, that yields cells in the order in which they are done; none of them knows of a store.
"""

from ._attempt import Failure, Finished
from ._dask import Dask
from ._in_process import AbstractExecutor, InProcess
from ._processes import Processes

__all__ = ["AbstractExecutor", "Dask", "Failure", "Finished", "InProcess", "Processes"]
