"""A Sphinx extension: pictures of notebooks keep their alternative text.

`plots.show` stores the text with the picture's output. myst-nb reads only width and height from
there, so this adds the rest. Pictures without a text, and a notebook that is too large, are
warnings, which the build turns into errors.
"""

from functools import wraps

from myst_nb.core.render import NbElementRenderer
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def with_alternative_text(render):
    """Wrap `NbElementRenderer.render_image` so that its picture says what is seen."""

    @wraps(render)
    def render_image(self, data):
        found = render(self, data)
        alt = data.output_metadata.get(data.mime_type, {}).get("alt")
        for node in found:
            if alt:
                node["alt"] = alt
            elif not node.get("alt"):
                LOGGER.warning(
                    "a picture without alternative text: end its cell in plots.show(figure, alt=…)",
                    location=(self.renderer.document["source"], data.line),
                    type="figures",
                )
            # A fixed height would stretch the picture where the screen is narrower.
            node.attributes.pop("height", None)
        return found

    render_image.adds_text = True
    return render_image


def setup(app):
    if not hasattr(NbElementRenderer.render_image, "adds_text"):
        NbElementRenderer.render_image = with_alternative_text(NbElementRenderer.render_image)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
