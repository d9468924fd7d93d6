"""What plain Sphinx needs to know for what build.py has Jupyter Book do: the configuration that .ci/sphinx builds with.

BOOK_LANGUAGE, in the environment, names the language.
"""

import os
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book"))
from build import LANGUAGES, address  # noqa: E402

lang = os.environ["BOOK_LANGUAGE"]
config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
ours, settings = config["sphinx"]["config"], LANGUAGES[lang]
globals().update({**ours, **settings})

project, author, copyright = settings["html_title"], config["author"], config["copyright"]
extensions = [name for name in ours["extensions"] if name not in ("jupyter_book", "sphinx_comments")]
exclude_patterns = config["exclude_patterns"]
external_toc_path = str(ROOT / "book" / "_toc.yml")
nb_execution_mode = config["execute"]["execute_notebooks"]
myst_enable_extensions = config["parse"]["myst_enable_extensions"]
nitpicky = True
html_baseurl = address()
html_theme = "sphinx_book_theme"
html_theme_options = {
    **ours["html_theme_options"],
    **settings["html_theme_options"],
    "home_page_in_toc": config["html"]["home_page_in_navbar"],
    "path_to_docs": f"notebooks/{lang}",
    "repository_url": config["repository"]["url"],
    "repository_branch": config["repository"]["branch"],
}
