"""Draw 64 images from one of several small models, count the digits, and see what the measures say of such images."""

import anywidget
import torch
import traitlets
from torch import nn

from genlib import measures
from genlib.comparison import ANCHORS, KINDS, MEASURES, ORIGINS, SIZES
from genlib.explorer import core, scripts
from genlib.models import load_pretrained
from genlib.plots import NEGATIVE, POSITIVE, image_grid

COUNT = 64  # images drawn at a time


class _SamplesView(anywidget.AnyWidget):
    """A grid of drawn images, the choices that led to them, and a table of scores."""

    _esm = scripts.module("samples")
    kinds = traitlets.List(list(KINDS)).tag(sync=True)
    sizes = traitlets.List(list(SIZES)).tag(sync=True)
    origins = traitlets.List(list(ORIGINS)).tag(sync=True)
    kind = traitlets.Unicode("vae").tag(sync=True)
    size = traitlets.Int(20).tag(sync=True)
    origin = traitlets.Unicode("prior").tag(sync=True)
    layers = traitlets.Dict().tag(sync=True)  # "<kind>.<size>": spec of its decoder, offsets into weights
    densities = traitlets.Dict().tag(sync=True)  # "<kind>.<size>.<origin>": [components, byte offset into weights]
    weights = traitlets.Bytes().tag(sync=True)  # of all decoders and densities
    classifier_layers = traitlets.List().tag(sync=True)
    classifier_weights = traitlets.Bytes().tag(sync=True)
    threshold = traitlets.Float(measures.THRESHOLD).tag(sync=True)
    measures = traitlets.List(list(MEASURES)).tag(sync=True)
    scores = traitlets.Dict().tag(sync=True)  # "<kind>.<size>.<origin>" or an anchor: numbers in the order of measures
    colors = traitlets.List([POSITIVE, NEGATIVE]).tag(sync=True)  # of what is recognised, and of what is not


class SamplesExplorer(core.Explorer):
    """Choose a model, a size of code and a density of codes; 64 images are drawn, and may be judged by the classifier.

    models, anchors: as `load_comparison` gives them. The images are drawn, decoded and read by the shipped classifier
    in the browser, anew each time; the scores beside them are of 5000 images. Raises ValueError for other models.
    """

    figsize = (6, 6)

    def __init__(self, models, anchors):
        if set(models) != set(KINDS) or any(set(of) != set(SIZES) for of in models.values()) or not anchors:
            got = {kind: sorted(of) for kind, of in models.items()}
            raise ValueError(f"SamplesExplorer: got models {got}, expected of {KINDS} the sizes {SIZES}, and anchors")
        layers, densities, weights, scores = {}, {}, bytearray(), {}
        for kind, size in ((kind, size) for kind in KINDS for size in SIZES):
            one, place = models[kind][size], f"{kind}.{size}"
            spec, packed = core.pack_layers(one.decoder)
            start = len(weights)
            layers[place] = [{**s, "offset": s["offset"] + start, "bias": s["bias"] + start} for s in spec]
            weights += packed
            for origin, density in one.origins.items():
                parts = density.mixture_distribution.probs, *_gaussians(density)
                densities[f"{place}.{origin}"] = [len(parts[0]), len(weights)]
                weights += b"".join(part.float().numpy().astype("<f4").tobytes() for part in parts)
                scores[f"{place}.{origin}"] = [one.scores[origin][name] for name in MEASURES]
        classifier = load_pretrained("classifier")
        reader, reader_weights = core.pack_layers(nn.Sequential(*classifier.body, classifier.head))
        scores |= {name: [anchors[name][measure] for measure in MEASURES] for name in ANCHORS}
        self.view = _SamplesView(
            layers=layers,
            densities=densities,
            weights=bytes(weights),
            classifier_layers=reader,
            classifier_weights=reader_weights,
            scores={name: [float(f"{value:.4g}") for value in values] for name, values in scores.items()},
        )
        self._models = models
        super().__init__([self.view])

    def __repr__(self):
        return f"SamplesExplorer({self.view.kind!r}, {self.view.size}, {self.view.origin!r})"

    @torch.no_grad()
    def _draw(self, figure):
        one = self._models[self.view.kind][self.view.size]
        state = torch.random.get_rng_state()
        torch.manual_seed(0)
        z = one.origins[self.view.origin].sample((COUNT,))
        torch.random.set_rng_state(state)
        image_grid(one.decoder(z).clamp(-1, 1).split(8), ax=figure.subplots())


def _gaussians(density):
    """The means (K, d) and Cholesky factors (K, d, d) of a mixture."""
    return density.component_distribution.loc, density.component_distribution.scale_tril
