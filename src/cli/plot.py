"""A picture of how far the frameworks are apart, layer by layer."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ..conversion.verify import Agreement
from ..files.errors import FileError, MissingDependencyError, three_beats

#: Where an error of zero is drawn, for a logarithm has no place for it.
LOWEST = 1e-18


def check_plot(path: Path) -> None:
    """Refuse a picture that could not be drawn, before anything is computed for it.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        FileError: The folder does not exist, or the ending is that of no format.
    """
    if importlib.util.find_spec("matplotlib") is None:
        remedy = "Run: pip install 'triformers[examples]'."
        raise MissingDependencyError(three_beats("--plot needs matplotlib, which is not installed", "it to be", remedy))
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".") not in formats:
        expected = f"an ending such as .png, .svg or .pdf, not {path.suffix!r}"
        raise FileError(three_beats(f"{path} names no format of a picture", expected, "Correct --plot."))
    if not path.parent.is_dir():
        raise FileError(
            three_beats(f"there is no folder {path.parent}", "an existing one", "Create it, or correct --plot.")
        )


def plot_agreement(agreement: Agreement, path: Path, title: str) -> None:
    """Draw the error of every output of every run, with the band that float64 must stay within.

    Args:
        agreement: The runs, compared.
        path: The file to write; its ending says the format.
        title: What stands above.
    """
    from matplotlib.figure import Figure  # without pyplot: no window, no state

    names = list(agreement.errors)
    figure = Figure(figsize=(max(6.0, 0.4 * len(names) + 2), 4.5), layout="constrained")
    axes = figure.add_subplot()
    for run in next(iter(agreement.errors.values()), {}):
        sizes = [max(agreement.errors[name][run], LOWEST) for name in names]
        axes.plot(range(len(names)), sizes, marker="o", linestyle="-" if run in agreement.judged else ":", label=run)
    axes.axhline(agreement.band, color="black", linewidth=0.8, label=f"allowed in float64: {agreement.band:g}")
    axes.set_yscale("log")
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
    axes.set_ylabel(f"relative error to {agreement.truth}")
    axes.set_title(title)
    axes.legend()
    figure.savefig(path)
