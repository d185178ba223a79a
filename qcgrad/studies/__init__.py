"""Scaling studies: what to compute, computing and keeping it, and what it shows.

Import from the modules: `spec`, `plan`, `cells`, `run`, `store`, `scaling`, `report`, `plots`; tangent kernels:
`ntk_convergence`; synthetic data for complex networks: `complex_tasks`.
"""
