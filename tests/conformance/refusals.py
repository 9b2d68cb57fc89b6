"""What an answer above 400 may mean: for writes and reads, whatever the product."""

from typing import Final

from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable

Errors = tuple[type[HeadraceError], ...]

# A lock or a limit hides behind 400, 403 or 409 with some products, so more than one may be right.
# Never right: doubt where the product said no, and a no where it may have happened.
WRITES: Final[dict[int, Errors]] = {
    400: (Rejected, Misconfigured, Unavailable),
    401: (Misconfigured, Unavailable),
    403: (Misconfigured, Unavailable),
    404: (Rejected, Misconfigured),
    409: (Rejected, Misconfigured, Unavailable),
    423: (Unavailable,),
    429: (Unavailable,),
    500: (InDoubt,),
    502: (InDoubt,),
    503: (InDoubt, Unavailable),
    504: (InDoubt,),
}
# A read moves nothing, so whatever it meets it leaves no doubt.
READS: Final[dict[int, Errors]] = WRITES | dict.fromkeys((500, 502, 503, 504), (Unavailable,))
