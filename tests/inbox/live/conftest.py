from tests.cast import bilal, omar, sana, support, team, zoya

__all__ = ["bilal", "omar", "sana", "support", "team", "zoya"]
