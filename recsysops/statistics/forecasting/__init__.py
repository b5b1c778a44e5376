"""Expected values of a metric's series, and charts that say how far its last points are from them.

A series is equally spaced (days, hours), nan = missing or not to be learnt from. ``robust_seasonal``, ``mstl`` and
``prophet_forecast`` are forecasters of one signature; ``rolling_origin`` makes them forecast only what they have not
seen; ``choice`` takes the one of least pinball loss; ``control_charts`` judges what remains.
"""
