"""Sphinx's configuration; names without capitals are its own."""

from pathlib import Path

HERE = Path(__file__).parent

project = "LesionGAN"
author = "The LesionGAN authors"
html_title = "LesionGAN"
extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_external_toc",
    "deploy.site.diagrams",
    "deploy.site.api_page",
]
external_toc_path = str(HERE / "toc.yml")
exclude_patterns = ["notebooks"]
myst_heading_anchors = 3
html_theme = "furo"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
copybutton_exclude = ".linenos, .gp, .go"
