"""The table of docs/operations.md: what each variant of the stack costs an hour while nothing runs."""

from docs import variants
from docs.tables import markdown

# US dollars in us-east-1, from AWS's own pages of prices; other regions differ by some tens of percent.
PRICED_ON = "May 2026"
ENDPOINT_PRICES = "https://aws.amazon.com/privatelink/pricing/"
KEY_PRICES = "https://aws.amazon.com/kms/pricing/"
ENDPOINT_HOUR = 0.01
"""Of an interface endpoint in one zone. Endpoints of the kind Gateway cost nothing."""
KEY_MONTH = 1.0
"""Of a key that the account made; each of the first two rotations adds as much."""
HOURS_OF_A_MONTH = 730

_NETWORKS = {
    "`Network=public`": {"Network": "public"},
    "`Network=private`": {"Network": "private"},
    "`Network=private`, `FunctionsInVpc=true`": {"Network": "private", "FunctionsInVpc": "true"},
}


def idle_costs() -> str:
    """Return what endpoints and key cost, by network, key and number of zones."""
    rows = [
        [network, "made by the stack" if key else "AWS's, or a given one", *_cells(settings, key)]
        for network, settings in _NETWORKS.items()
        for key in ("", "create")
    ]
    table = markdown(["network", "key", "1 zone", "2 zones", "3 zones"], rows)
    sources = f"[endpoints]({ENDPOINT_PRICES}) and [keys]({KEY_PRICES})"
    told = f"US dollars an hour in us-east-1, by the prices of {PRICED_ON} for {sources}, which may change."
    return f"{table}\n\n{told}"


def hourly(values: variants.Values) -> float:
    """Return the US dollars that a stack with these parameters costs an hour while nothing runs."""
    resources = variants.resources(values)
    zones = sum(each["Type"] == "AWS::EC2::Subnet" for each in resources.values())
    endpoints = sum(
        each["Type"] == "AWS::EC2::VPCEndpoint" and each["Properties"]["VpcEndpointType"] == "Interface"
        for each in resources.values()
    )
    keys = sum(each["Type"] == "AWS::KMS::Key" for each in resources.values())
    cost: float = endpoints * zones * ENDPOINT_HOUR + keys * KEY_MONTH / HOURS_OF_A_MONTH
    return cost


def _cells(settings: dict[str, str], key: str) -> list[str]:
    costs = [hourly(variants.chosen(**settings, KmsKeyArn=key, Zones=zones)) for zones in (1, 2, 3)]
    return [f"{cost:.3f}" if cost else "0" for cost in costs]
