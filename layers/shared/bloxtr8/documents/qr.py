"""A text as a QR code: the squares, not a picture, so that the document draws them like everything else."""

import segno


def squares(text: str) -> tuple[tuple[bool, ...], ...]:
    """Row by row, dark is true, without the quiet zone. The same text makes the same squares.

    Raises ValueError (segno's) beyond 2,953 bytes. Lowest error correction: the text stands beside it, with a check.
    """
    code = segno.make_qr(text, error="l", boost_error=False, encoding="utf-8")
    return tuple(tuple(bool(square) for square in row) for row in code.matrix)
