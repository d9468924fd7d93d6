"""Two languages that lead to each other: on every page, and for search engines."""

# by Sphinx's name of the language; the keys of OTHER are those of the language that the toggle leads away from
LANGUAGES = {
    "en": {"folder": "en", "tag": "en", "locale": "en_US", "name": "English"},
    "zh_CN": {"folder": "zh", "tag": "zh-CN", "locale": "zh_CN", "name": "中文"},
}
OTHER = {"en": LANGUAGES["zh_CN"], "zh_CN": LANGUAGES["en"]}


def add_languages(app, pagename, templatename, context, doctree):
    """Tell the templates where this page is in either language: for links, and for search engines."""
    up = "../" * (pagename.count("/") + 1)
    here, other = LANGUAGES[app.config.language], OTHER[app.config.language]
    context["other"] = {**other, "url": f"{up}{other['folder']}/{pagename}.html"}
    base = app.config.html_baseurl.removesuffix(f"{here['folder']}/")  # search engines want whole addresses
    context["alternates"] = {
        here["tag"]: f"{base}{here['folder']}/{pagename}.html" if base else f"{pagename.rpartition('/')[2]}.html",
        other["tag"]: f"{base or up}{other['folder']}/{pagename}.html",
        "x-default": f"{base or up}index.html",
    }


def setup(app):
    app.connect("html-page-context", add_languages)
