"""Maps the repository's folders to package names; everything else is in pyproject.toml.

The folder `src` *is* the package `triformers`, and `conversion` beside it is `triformers.conversion`: the two
halves of the project stand side by side in the repository and are one package when installed.
"""

from setuptools import find_packages, setup


def packages() -> list[str]:
    """Every package below the two mapped folders, by its import name."""
    library = ["triformers", *(f"triformers.{name}" for name in find_packages("src"))]
    conversion = [f"triformers.conversion.{name}" for name in find_packages("conversion")]
    return [*library, "triformers.conversion", *conversion]


setup(
    packages=packages(),
    package_dir={"triformers": "src", "triformers.conversion": "conversion"},
    package_data={"triformers": ["py.typed", "*.pyi"]},
)
