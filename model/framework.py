"""Which build of MXNet is installed, told without importing it: that takes more than a second and 100 MB."""

from importlib import metadata

BUILDS = ("mxnet", "mxnet-cu112")  # for processors alone, and for NVIDIA's GPUs too


def framework() -> str:
    """Return the framework's name and version, `none` where it is not installed."""
    installed = [version for build in BUILDS if (version := _version(build))]
    return f"mxnet {installed[0]}" if installed else "none"


def _version(build: str) -> str:
    try:
        return metadata.version(build)
    except metadata.PackageNotFoundError:
        return ""
