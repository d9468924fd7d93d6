"""What the book sets in Sphinx, myst-nb and the theme, and what it changes in the pages that they have written."""

import re
from pathlib import Path

from common import repository

from . import head
from .toggle import LANGUAGES

HERE = Path(__file__).resolve().parent

LABELS = {
    "zh_CN": {
        "Link to this heading": "本节的链接",
        "Link to this image": "此图的链接",
        "Link to this table": "此表的链接",
        "Link to this term": "此条的链接",
        "Toggle primary sidebar": "展开或收起目录",
        "Toggle secondary sidebar": "展开或收起本页目录",
        "Main": "全书",
        "Page": "本页",
        "Color mode": "明暗模式",
        "System Settings": "跟随系统",
    }
}

VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>\s*')

# Sphinx's own makes a function of a string, which the page's policy refuses. Only Chinese has some, and no plurals.
ADD_TRANSLATIONS = """Documentation.addTranslations = ({ messages, locale }) => {
  Object.assign(Documentation.TRANSLATIONS, messages);
  Object.assign(Documentation, { LOCALE: locale, PLURAL_EXPR: () => 0 });
};"""


def configure(app, config):
    """Add our static files and templates here, as Jupyter Book treats a _static folder among the pages specially."""
    config.html_static_path.append(str(HERE / "_static"))
    config.templates_path.append(str(HERE / "_templates"))
    config.html_favicon = str(HERE / "_static" / "favicon.svg")
    if config.html_baseurl:  # as build.py gives it, with a slash at the end
        config.html_baseurl += f"{LANGUAGES[config.language]['folder']}/"
    options = config.html_theme_options
    if options.get("repository_url", "").startswith(repository.GITHUB):
        options["launch_buttons"] = {"colab_url": repository.COLAB}


def keep_outputs_apart(app):
    """Put the pictures taken from notebooks under this language's work folder, not between the two books."""
    config = app.env.mystnb_config
    app.env.mystnb_config = config.copy(output_folder=str(Path(app.doctreedir).parent / "outputs"))


def finish_pages(app, exception):
    """Change in the written pages what the theme and myst-nb fix there, and protect them as they are then."""
    if exception:
        return
    labels = LABELS.get(app.config.language, {})
    pattern = re.compile(f'(?<=[el]=")({"|".join(map(re.escape, labels)) or "(?!)"})(?=")')
    for page in Path(app.outdir).glob("*.html"):
        text = page.read_text(encoding="utf-8").replace(' onclick="window.print()"', "")  # book.js does it
        text = text.replace(' aria-label="Toggle hidden content"', "")  # "Show code" and "Hide code" say more
        first, *rest = VIEWPORT.split(text)
        text = first + (VIEWPORT.search(text)[0] if rest else "") + "".join(rest)  # the theme repeats Sphinx's
        text = text.replace("<html ", '<html data-theme="light" ', 1)  # which colours code and links
        page.write_text(head.protect(pattern.sub(lambda match: labels[match[1]], text)), encoding="utf-8")


def setup(app):
    app.connect("config-inited", configure)
    app.connect("builder-inited", keep_outputs_apart, priority=600)  # after myst-nb has made its settings
    app.connect("build-finished", finish_pages, priority=900)  # what comes after would not match the hashes
    app.add_css_file("book.css")
    app.add_js_file(None, body=ADD_TRANSLATIONS, priority=300)  # after doctools.js, before translations.js
    app.add_js_file("book.js", loading_method="defer")
