"""What the base classes of estimators promise to those who write one."""

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad.estimator import OneRoundEstimator
from qcgrad.objective import Reading
from qcgrad.queries import Access, Evaluate


class RandomDirection(OneRoundEstimator):
    """The slope along a direction that is drawn, as a gradient along it: `combine` finds it in the queries."""

    access = Access.single_copy
    is_random = True

    def plan(self, point, key):
        signs = jax.random.rademacher(key, (1, len(point.coordinates)), point.coordinates.dtype)
        steps = 1e-4 * jnp.concatenate([0 * signs, signs, -signs])
        return (Evaluate(point.objective.program, point.coordinates[None] + steps),)

    def combine(self, point, queries, answers):
        value, up, down = answers[0].mean
        signs = (queries[0].angles[1] - queries[0].angles[2]) / 2e-4
        gradient = ((up - down) / 2e-4)[:, None] * signs[None]
        # The same error in all components, one for each output.
        covariance = jnp.broadcast_to(jnp.outer(signs, signs), (len(up), len(signs), len(signs)))
        return Reading(value, gradient, jnp.ones_like(gradient), jnp.zeros_like(value), covariance=covariance)

    def value_query(self, point):
        return Evaluate(point.objective.program, point.coordinates[None])


OBJECTIVE = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ")
SHARED = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=2.0).ry(0, param=0), "Z")


def test_a_method_that_draws_its_questions_finds_them_in_its_queries():
    e = qg.estimate(OBJECTIVE, [0.5, 0.3], RandomDirection(), key=0)
    true = qg.estimate(OBJECTIVE, [0.5, 0.3], qg.Adjoint()).gradient
    along = e.gradient / abs(e.gradient)
    np.testing.assert_allclose(abs(e.gradient), abs(along @ true), atol=1e-6)


def test_covariances_pass_the_chain_rule_while_jax_traces():
    """Two gates of one parameter, scales 2 and 1: signs that agree give (2 + 1)^2, others (2 - 1)^2."""

    def variance(params, key):
        return qg.estimate(SHARED, params, RandomDirection(), key=key).variance

    for seed in range(4):
        plain = variance(jnp.array([0.4]), jax.random.key(seed))
        assert np.isclose(plain[0], 9) or np.isclose(plain[0], 1)
        np.testing.assert_allclose(jax.jit(variance)(jnp.array([0.4]), jax.random.key(seed)), plain)
