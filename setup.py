"""What pyproject.toml cannot say: the circuits at the repository's root are packages of data."""

from pathlib import Path

from setuptools import find_packages, setup

families = [f.name for f in Path("circuits").iterdir() if f.is_dir() and not f.name.startswith(("_", "."))]

setup(
    packages=[*find_packages(include=["qcgrad*"]), "qcgrad.circuits", *(f"qcgrad.circuits.{f}" for f in families)],
    package_dir={"qcgrad.circuits": "circuits"},
    package_data={"qcgrad.circuits": ["README.md"], **{f"qcgrad.circuits.{f}": ["*.qasm", "*.toml"] for f in families}},
)
