"""Intervals of shares, the same wherever a share is shown."""

from __future__ import annotations

from math import sqrt

Z95 = 1.96


def wilson(part: float, whole: float) -> tuple[float, float]:
    """95 % Wilson score interval of a share (Wilson 1927). Weighted counts: both scaled to effective size."""
    share = part / whole
    spread = Z95 * sqrt(share * (1 - share) / whole + Z95**2 / (4 * whole**2))
    scale = 1 + Z95**2 / whole
    centre = share + Z95**2 / (2 * whole)
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
