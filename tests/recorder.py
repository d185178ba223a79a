"""A backend that passes queries on and writes them down."""

import qcgrad as qg


class Recorder(qg.AbstractBackend):
    """Answers with another backend, granting `access`; `queries` holds what was asked, `answers` what was answered."""

    def __init__(self, inner, access=None):
        self.inner = inner
        self.access = inner.access if access is None else access
        self.queries, self.answers = [], []

    def answer(self, query, key):
        self.queries.append(query)
        self.answers.append(self.inner.answer(query, key))
        return self.answers[-1]
