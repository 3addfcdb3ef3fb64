"""Other people's platforms, as faithful to the wire as their documentation lets us be: what Rabta sends is checked as
the platform would, and what its customers write comes by webhook or poll with the platform's own rules.

`core` is what they share; a module each knows one platform: its API (views) and what a customer can do there.
"""
