"""What a static page holds of the notebooks' widgets: their pictures, their state, and references to large buffers.

A notebook stores each widget's script with its state. A page takes the script from genlib/explorer instead, so that
what is changed there is on the page without executing the notebook again.

A large buffer, such as a model's weights, becomes a script of one call beside the languages' folders, named by the hash
of what it holds. Pages that show the same model, in either language, thus share one download. It is a classic script
because a page opened from a file may load nothing else.
"""

import base64
import hashlib
import json
import runpy
from functools import cache
from pathlib import Path

from common.pages import ROOT, STATE, VIEW
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

from . import shared

LARGE = 20_000  # bytes; what is smaller is not worth a request
PACKAGE = "genlib.explorer."
# A view's script is named like its Python file, but for these.
NAMES = {"playground._Pad": "pad", "playground._AutoencoderPanel": "panels", "playground._VAEPanel": "panels"}


class WidgetPictures(SphinxPostTransform):
    """Keep a widget's view beside its picture, for widgets.js to show; myst-nb alone would keep one of the two."""

    default_priority = 3  # before myst-nb chooses
    formats = ("html",)

    def run(self, **kwargs):
        for bundle in self.document.findall(nodes.container):
            if bundle.get("nb_element") == "mime_bundle":
                forms = {form["mime_type"]: form for form in bundle}
                if VIEW in forms and "image/png" in forms:
                    forms["image/png"] += forms[VIEW].children


@cache
def script(view):
    """The JavaScript of a view of the package, such as "kl._KLView", as it is now."""
    module = runpy.run_path(str(ROOT / "genlib" / "explorer" / "scripts.py"))["module"]  # import genlib needs torch
    try:
        return module(NAMES.get(view) or view.partition(".")[0])
    except FileNotFoundError as error:
        missing = f"there is no {Path(error.filename).name} in genlib/explorer for the widget {view}"
        raise ExtensionError(f"{missing}: if it was renamed, run `make notebooks`") from None


def move_state(app, pagename, templatename, context, doctree):
    """Take the state that myst-nb wants in the head out of it: layout.html puts it at the end of the body."""
    states = [js for js in context["script_files"] if js.attributes.get("type") == STATE]
    if not states:
        return
    # before MathJax, which keeps the browser busy for longer
    app.add_js_file("widgets.js", loading_method="defer", priority=400)
    context["script_files"] = [js for js in context["script_files"] if js not in states]
    state = json.loads(states[0].attributes["body"])
    up = "../" * pagename.count("/")
    for model in state["state"].values():
        name = model["state"].get("_anywidget_id", "")
        if name.startswith(PACKAGE):
            model["state"]["_esm"] = script(name.removeprefix(PACKAGE))
        for buffer in model.get("buffers", []):
            if len(buffer["data"]) * 3 / 4 > LARGE:
                data = buffer.pop("data")
                del buffer["encoding"]
                name = f"{hashlib.sha256(base64.b64decode(data)).hexdigest()[:16]}.js"
                shared.put(app, name, f'widgetBuffer("{name}", "{data}");\n'.encode())
                buffer["script"] = f"{up}{shared.FOLDER}/{name}"
    # No "<", so that nothing in it ends the script.
    context["widget_state"] = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("<", r"\u003c")


def setup(app):
    app.add_post_transform(WidgetPictures)
    app.connect("html-page-context", move_state, priority=900)  # after myst-nb has added it
