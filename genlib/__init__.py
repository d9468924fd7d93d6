"""genlib: the tested code that the book's notebooks import.

data: MNIST. models: the networks and their shipped weights. losses: one number per image.
train: recipes and `fit`. measures: how good images are, beside anchors whose answer is known.
comparison: small models of three kinds and four sizes that chapter 4 draws from.
classifier: how the network that measures is trained. plots: the figures.
explorer: what can be moved, drawn or played, also in the static page.
"""

from genlib import anchors, measures, plots
from genlib.comparison import load_comparison
from genlib.data import load_mnist, to_img
from genlib.explorer import (
    AblationExplorer,
    ElboExplorer,
    KLExplorer,
    LatentExplorer,
    Playground,
    QuizExplorer,
    ReparameterizationExplorer,
    SamplesExplorer,
    TrainingExplorer,
)
from genlib.losses import autoencoder_loss, kl_normal, kl_to_standard_normal, squared_error, vae_loss
from genlib.models import CHOSEN_CODE, PCA, VAE, Autoencoder, load_pretrained, move_codes
from genlib.train import PRESETS, History, Recipe, fit

__all__ = [
    "CHOSEN_CODE",
    "PCA",
    "PRESETS",
    "VAE",
    "AblationExplorer",
    "Autoencoder",
    "ElboExplorer",
    "History",
    "KLExplorer",
    "LatentExplorer",
    "Playground",
    "QuizExplorer",
    "Recipe",
    "ReparameterizationExplorer",
    "SamplesExplorer",
    "TrainingExplorer",
    "anchors",
    "autoencoder_loss",
    "fit",
    "kl_normal",
    "kl_to_standard_normal",
    "load_comparison",
    "load_mnist",
    "load_pretrained",
    "measures",
    "move_codes",
    "plots",
    "squared_error",
    "to_img",
    "vae_loss",
]
