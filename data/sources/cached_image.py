"""Decode a source image, and make of it the image that a validator's cache holds."""

import io
import warnings

from PIL import Image, UnidentifiedImageError

from data.errors import SourceError

# A validator's cache is written with Pillow's defaults: JPEG at quality 75, 4:2:0.
_LOSSLESS = frozenset({"PNG"})
_FORMATS = ("JPEG", "PNG")  # of the data set and of validators' caches


def cached_image(source: bytes) -> Image.Image:
    """The image as a validator's cache holds it: decoded, saved with Pillow's defaults, decoded.

    A JPEG is thereby encoded a second time, at quality 75; a PNG stays as it is. EXIF orientation
    is not applied. The mode is kept (grey stays grey).

    Raises:
        SourceError: the bytes are no whole image, or one of more pixels than Pillow deems safe.
    """
    image = decoded(source)
    if image.format in _LOSSLESS:
        return image
    return saved_and_decoded(image, image.format)


def saved_and_decoded(image: Image.Image, file_format: str | None) -> Image.Image:
    """An image after it was saved with Pillow's defaults; it is closed.

    Raises:
        SourceError: it cannot be saved.
    """
    saved = io.BytesIO()
    try:
        image.save(saved, format=file_format)
    except Exception as error:  # noqa: BLE001  (as in `opened`)
        raise SourceError("source image", found=_message(error), expected="one to save") from None
    # the first image may take 36 MB, and is not needed beside the second
    image.close()
    return decoded(saved.getvalue())


def image_size(source: bytes) -> tuple[int, int]:
    """Width and height in pixels by an image file's header; nothing is decoded.

    Raises:
        SourceError: the bytes are no image, or one of more pixels than Pillow deems safe.
    """
    return opened(source).size


def _message(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"neither {' nor '.join(_FORMATS)}"  # its own message is an address in memory
    return " ".join(str(error).split()) or type(error).__name__


def decoded(raw: bytes) -> Image.Image:
    """Decode an image file's bytes.

    Raises:
        SourceError: they are no whole image, or one of more pixels than Pillow deems safe.
    """
    image = opened(raw)
    try:
        image.load()
    except Exception as error:  # noqa: BLE001  (as in `opened`)
        raise SourceError("source image", found=_message(error), expected="a whole image") from None
    return image


def opened(raw: bytes) -> Image.Image:
    """An image of which only the header is read.

    Raises:
        SourceError: the bytes are no image, or one of more pixels than Pillow deems safe.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Only these formats: decoders of others start programs or are little tested.
            return Image.open(io.BytesIO(raw), formats=_FORMATS)
    # Pillow's decoders raise almost anything on damaged files; bombs are warnings made errors.
    except Exception as error:  # noqa: BLE001
        raise SourceError("source image", found=_message(error), expected="a whole image") from None
