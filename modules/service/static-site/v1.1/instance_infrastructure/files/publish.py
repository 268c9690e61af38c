"""Renders the page of one instance: SITE_PAGE, a JSON object of texts, put into page.html with every text escaped."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from string import Template

import daemon
from serve import PUBLIC_FOLDER

TEMPLATE = Path(__file__).with_name("page.html")


def publish(place: daemon.Place) -> None:
    """Writes the page that the server shows from now on."""
    daemon.claim(place)
    texts = {name: html.escape(str(text)) for name, text in json.loads(os.environ["SITE_PAGE"]).items()}
    folder = place.folder / PUBLIC_FOLDER
    folder.mkdir(exist_ok=True)
    daemon.write(folder / "index.html", Template(TEMPLATE.read_text(encoding="utf-8")).substitute(texts))


if __name__ == "__main__":
    daemon.main({"publish": publish})
