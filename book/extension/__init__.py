"""What this book adds to Sphinx, one concern a module; each has its own setup. Nothing here depends on Jupyter Book."""

from importlib import import_module

PARTS = [
    "shared", "widgets", "lighten", "checks", "figures", "questions", "search", "tables", "headings", "typography",
    "formulas", "theme", "toggle", "head",
]  # fmt: skip


def setup(app):
    for part in PARTS:
        import_module(f".{part}", __name__).setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
