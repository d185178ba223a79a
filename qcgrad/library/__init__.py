"""The circuits that come with qcgrad: programs with exact values to compare with, and families to make more of."""

from ._circuits import LibraryCircuit as LibraryCircuit
from ._circuits import is_file_name as is_file_name
from ._circuits import list_circuits as list_circuits
from ._circuits import load_circuit as load_circuit
from ._expressivity import Expressivity as Expressivity
from ._expressivity import expressivity as expressivity
from ._expressivity import lie_algebra_dimension as lie_algebra_dimension
from ._families import commuting_blocks as commuting_blocks
from ._families import commuting_generators as commuting_generators
from ._families import iqp as iqp
from ._families import stabilizer_logical as stabilizer_logical
from ._generators import translations as translations
