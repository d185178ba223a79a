from ._algorithms import EstimatorGradient as EstimatorGradient
from ._algorithms import TangentQGT as TangentQGT
from ._estimator_primitive import QcgradEstimator as QcgradEstimator
from ._exporter import to_qiskit as to_qiskit
from ._importer import from_circuit as from_circuit
from ._machine_learning import MachineLearningGradient as MachineLearningGradient
from ._machine_learning import MachineLearningQGT as MachineLearningQGT
from ._sampler_primitive import QcgradSampler as QcgradSampler
