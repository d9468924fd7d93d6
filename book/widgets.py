"""What a static page holds of the notebooks' widgets: their pictures, their state, and references to large buffers.

A large buffer, such as a model's weights, becomes a script of one call beside the languages' folders, named by the hash
of what it holds. Pages that show the same model, in either language, thus share one download. It is a classic script
because a page opened from a file may load nothing else.
"""

import base64
import hashlib
import json

import shared
from docutils import nodes
from pages import STATE, VIEW
from sphinx.transforms.post_transforms import SphinxPostTransform

LARGE = 20_000  # bytes; what is smaller is not worth a request


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
