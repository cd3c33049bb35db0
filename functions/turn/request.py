"""What another run was asked to do; knows nothing of AWS."""

from contract import strict_json
from contract.strict_json import JsonError


def trained_file(text: str) -> str:
    """Return the name of the (first) file that a request trains on; empty: it trains on none."""
    try:
        request = strict_json.parse(text or "null")
    except JsonError:
        return ""
    if not isinstance(request, dict) or request.get("action") not in ("train", "tune"):
        return ""
    data = request.get("data")
    first = data[0] if isinstance(data, list) and data else data
    return first.rsplit("/", 1)[-1] if isinstance(first, str) else ""
