"""A report: a network as one HTML page that needs nothing else. `document` is its data, `page` the text of the file."""

from archdsl.emit.report.document import Document, document
from archdsl.emit.report.page import page

__all__ = ["Document", "document", "page"]
