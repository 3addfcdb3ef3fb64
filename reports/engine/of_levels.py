"""The seat of service levels: until there are policies to meet, there is no figure."""

from reports.engine.figures import Figure, empty
from reports.engine.groups import Key
from reports.engine.measures import measure
from reports.engine.question import Question


@measure("sla", "ratio")
def sla(question: Question, by: str | None) -> dict[Key, Figure]:
    """Null, and why."""
    return {} if by else {None: empty("sla", "ratio", "no_policy")}
