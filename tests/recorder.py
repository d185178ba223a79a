"""A backend that passes queries on and writes them down."""

import qcgrad as qg


class Recorder(qg.AbstractBackend):
    """Answers with another backend, granting `access`; `queries` holds what was asked."""

    def __init__(self, inner, access=None):
        self.inner = inner
        self.access = inner.access if access is None else access
        self.queries = []

    def answer(self, query, key):
        self.queries.append(query)
        return self.inner.answer(query, key)
