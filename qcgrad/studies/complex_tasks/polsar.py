"""Polarimetric radar: classes that differ in the covariance of what is scattered back."""

import numpy as np
from jaxtyping import Inexact

from .task import Task, accuracy, circular, class_targets, require_counts


def polsar(
    seed: int,
    count: int,
    looks: int = 4,
    classes: int = 3,
    channels: int = 3,
    covariances: Inexact[np.ndarray, "C p p"] | None = None,
) -> Task:
    r"""Multilook coherency matrices, complex Wishart around the covariance of their class.

    .. math:: T = \frac1L \sum_{l=1}^L k_l k_l^H, \qquad k_l \sim \mathcal{CN}(0, \Sigma_c), \qquad
        \mathbb E[T] = \Sigma_c, \quad \mathbb E|T_{ij} - \Sigma_{ij}|^2 = \Sigma_{ii}\Sigma_{jj}/L .

    Args:
        seed: of class covariances, labels and speckle.
        count: number N of matrices.
        looks: L, averaged scattering vectors; below `channels` the matrices are singular.
        classes: C; ignored where covariances are given.
        channels: p polarisations (3 for monostatic radar); ignored where covariances are given.
        covariances: Sigma_c, (C, p, p), Hermitian and positive semidefinite. None: random ones,
            \(\Sigma = pGG^H/\mathrm{tr}\,GG^H\) with a circular Gaussian G, all of one total power p.

    Returns:
        x (N, p(p+1)/2) complex, the entries of T on and above the diagonal, row by row; y (N, C) real, one-hot minus
        1/C; the metric is `accuracy`, 1/C by guessing.

    Raises:
        ValueError: a count below 1, or covariances that are no Hermitian positive semidefinite matrices.

    Cost: O(N L p^2).

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.complex_tasks import polsar
        >>> task = polsar(seed=0, count=10_000, looks=2, covariances=np.array([[[2.0, 1j], [-1j, 1.0]]]))
        >>> bool(np.all(abs(task.x.mean(axis=0) - [2, 1j, 1]) < 0.05))
        True

    References:
        N. R. Goodman, "Statistical analysis based on a certain multivariate complex Gaussian distribution", Ann. Math.
        Statist. 34 (1963); J.-S. Lee and E. Pottier, Polarimetric Radar Imaging, CRC Press 2009.
    """
    require_counts(count=count, looks=looks, classes=classes, channels=channels)
    rng = np.random.default_rng(seed)
    if covariances is None:
        mixing = circular(rng, classes, channels, channels)
        covariances = mixing @ mixing.conj().swapaxes(1, 2)
        covariances *= channels / np.trace(covariances, axis1=1, axis2=2).real[:, None, None]
    roots = _roots(np.asarray(covariances))
    classes, channels = roots.shape[:2]
    labels = rng.integers(classes, size=count)
    vectors = circular(rng, count, looks, channels) @ roots[labels].swapaxes(1, 2)
    coherency = np.einsum("nli,nlj->nij", vectors, vectors.conj()) / looks
    y = class_targets(labels, classes)
    return Task(coherency[:, *np.triu_indices(channels)], y, y, accuracy)


def _roots(covariances):
    """A with A A^H = Sigma for each class; from eigenvalues, since Sigma may be singular."""
    if covariances.ndim != 3 or covariances.shape[1] != covariances.shape[2] or not covariances.size:
        raise ValueError(f"covariances have shape {covariances.shape}: give (C, p, p), a matrix for each class")
    size = np.abs(covariances).max()
    if not np.allclose(covariances, covariances.conj().swapaxes(1, 2), rtol=0, atol=1e-10 * size):
        raise ValueError("covariances must be Hermitian; give (S + S^H) / 2 if they should be")
    values, vectors = np.linalg.eigh(covariances)
    if values.min() < -1e-10 * size:
        raise ValueError(f"covariances must be positive semidefinite, but an eigenvalue is {values.min():.2g}")
    return vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
