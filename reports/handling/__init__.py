"""Handle time without stopwatches: what agents had before them, shared out by rule, second by second.

`rows` makes the facts of tickets, `refreshing` keeps those of agents up to date; what is collected comes by `keeping`.
"""
