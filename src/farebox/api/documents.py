"""PDFs on the wire."""

from litestar import Response
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec

PDF = ResponseSpec(
    data_container=bytes,
    media_type="application/pdf",
    description="A4, accessible (PDF/UA-1).",
    generate_examples=False,
)

NAMED = [ResponseHeader(name="Content-Disposition", description="The file's name.", value="attachment")]


def pdf_answer(content: bytes, number: str) -> Response[bytes]:
    """A document as a file that is named after its number."""
    disposition = {"Content-Disposition": f'attachment; filename="{number}.pdf"'}
    return Response(content, media_type="application/pdf", headers=disposition)
