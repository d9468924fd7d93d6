"""Explorers: widgets that run a model or a formula in the reader's browser, with or without a kernel.

Each is a Python class beside a JavaScript file of the same name; core.py and core.js hold what they share,
scatter.js the codes in space, normal.js Gaussians, drag.js what takes their curves by hand; scripts.py joins them.
"""

from genlib.explorer.ablation import AblationExplorer
from genlib.explorer.elbo import ElboExplorer
from genlib.explorer.kl import KLExplorer
from genlib.explorer.latent import LatentExplorer
from genlib.explorer.playground import Playground
from genlib.explorer.quiz import QuizExplorer
from genlib.explorer.reparameterization import ReparameterizationExplorer
from genlib.explorer.samples import SamplesExplorer
from genlib.explorer.training import TrainingExplorer

__all__ = [
    "AblationExplorer",
    "ElboExplorer",
    "KLExplorer",
    "LatentExplorer",
    "Playground",
    "QuizExplorer",
    "ReparameterizationExplorer",
    "SamplesExplorer",
    "TrainingExplorer",
]
