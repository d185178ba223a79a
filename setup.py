"""What pyproject.toml cannot say: the circuits at the repository's root, and the native engine."""

import contextlib
import hashlib
import os
import platform
import shutil
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

families = [f.name for f in Path("circuits").iterdir() if f.is_dir() and not f.name.startswith(("_", "."))]
native = Path("qcgrad/simulators/statevector/native")

# NaN must reach the caller, so no -ffast-math: only what changes results by rounding alone.
flags = ["-std=c++17", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
flags += ["-fvisibility-inlines-hidden", "-pthread"]
# One kernel source, compiled once for each instruction set; the engine picks one when it starts.
instruction_sets = {
    "kernels_avx2.cc": ["-mavx2", "-mfma", "-mpopcnt"],
    "kernels_avx512.cc": [
        "-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mpopcnt", "-mprefer-vector-width=512",
    ],
}  # fmt: skip


def digest_of_sources(ext) -> str:
    """What the engine answers to the question what it was built from; studies keep results under it."""
    digest = hashlib.sha256()
    for source in sorted([*ext.sources, *ext.depends]):
        content = Path(source).read_bytes()
        digest.update(b"%s:%d:" % (Path(source).name.encode(), len(content)) + content)
    return digest.hexdigest()


class BuildNative(build_ext):
    """Builds the engine with the flags that each source needs. Where that fails, the package installs without it."""

    def build_extension(self, ext):
        import jax

        if os.environ.get("CXX"):
            self.compiler.set_executable("compiler_so_cxx", [os.environ["CXX"], "-fPIC"])
        include = [jax.ffi.include_dir()]
        is_x86 = platform.machine().lower() in ("x86_64", "amd64")
        macros = [("QCGRAD_SOURCES", f'"{digest_of_sources(ext)}"')]
        if is_x86:
            macros.append(("QCGRAD_HAVE_X86_KERNELS", None))
        objects = []
        for source in ext.sources:
            extra = instruction_sets.get(Path(source).name)
            if extra is None or is_x86:
                objects += self.compiler.compile(
                    [source],
                    output_dir=self.build_temp,
                    macros=macros,
                    include_dirs=include,
                    extra_postargs=[*flags, *(extra or [])],
                    depends=ext.depends,
                )
        target = self.get_ext_fullpath(ext.name)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        self.compiler.link_shared_object(objects, target, extra_postargs=["-pthread"], target_lang="c++")
        # Beside the sources too: whatever runs in a checkout, its tests for one, imports the package from there.
        beside = native.parent / Path(target).name
        if Path(target).resolve() != beside.resolve():
            with contextlib.suppress(OSError):
                # Renamed into place: processes that run the old engine keep it, where a copy over it would crash them.
                fresh = beside.with_suffix(".new")
                shutil.copy2(target, fresh)
                fresh.replace(beside)


engine = Extension(
    "qcgrad.simulators.statevector._native",
    sources=sorted(str(f) for f in native.glob("*.cc")),
    depends=sorted(str(f) for f in native.glob("*.h")),
    language="c++",
    optional=True,
)

setup(
    packages=[*find_packages(include=["qcgrad*"]), "qcgrad.circuits", *(f"qcgrad.circuits.{f}" for f in families)],
    package_dir={"qcgrad.circuits": "circuits"},
    package_data={
        "qcgrad": ["py.typed", "**/*.pyi"],
        "qcgrad.studies.render": ["page.*"],
        "qcgrad.circuits": ["README.md"],
        **{f"qcgrad.circuits.{f}": ["*.qasm", "*.toml"] for f in families},
    },
    ext_modules=[engine],
    cmdclass={"build_ext": BuildNative},
)
