"""Short names for a script: what its own names are is nobody's business, and costs bytes.

`rjsmin` takes comments and blanks away; this gives the script's own variables a letter or two. It reads what the widget
is written in: `const`, `let`, arrow functions, methods, `catch` and `for`; no `var`, no label, no class, and semicolons
where statements end.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase, digits

KEYWORDS = frozenset(
    "async await break case catch class const continue debugger default delete do else export extends false finally "
    "for from function get if import in instanceof let new null of return set static super switch this throw true try "
    "typeof undefined var void while with yield arguments eval".split()
)
TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<number>\d[\w.]*)
    |(?P<mark>=>|\?\.(?!\d)|\.\.\.|&&|\|\||\?\?|[{}()\[\];,<>+\-*%&|^!~?:=.@\#])
    |(?P<blank>\s+)""",
    re.VERBOSE,
)
REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
VALUE_BEFORE = re.compile(r"[\w$)\]}\"'`]$")
OBJECT_BEFORE = frozenset(["(", ",", "=", ":", "[", "?", "return", "...", "const", "let", "&&", "||", "??", "of"])
PLAINER = {"true": "!0", "false": "!1", "const": "let"}
Token = tuple[str, str]  # kind, and what stands there


def tokens(code: str) -> Iterator[Token]:
    """The script in pieces; joined, they are the script."""
    at, before = 0, ""
    open_braces: list[int] = []  # for each template that is open: how many braces are open in its part
    while at < len(code):
        if code[at] == "`" or (code[at] == "}" and open_braces and open_braces[-1] == 0):
            if code[at] == "}":
                open_braces.pop()
            end = _template(code, at + 1)
            if code[end - 1] == "{":
                open_braces.append(0)
            kind, piece = "text", code[at:end]
        elif code[at] == "/":
            found = None if VALUE_BEFORE.search(before) and before not in KEYWORDS else REGEX.match(code, at)
            kind, piece = "text", found[0] if found else "/"
        else:
            found = TOKEN.match(code, at)
            if found is None:
                raise ValueError(f"cannot read {code[at : at + 20]!r}")
            kind, piece = str(found.lastgroup), found[0]
            if open_braces and piece in {"{", "}"}:
                open_braces[-1] += 1 if piece == "{" else -1
        yield kind, piece
        if kind != "blank":
            before = piece
        at += len(piece)


def _template(code: str, at: int) -> int:
    """Where the text of a template ends that goes on at `at`: behind its last quote, or behind `${`."""
    found = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL).match(code, at)
    if found is None:
        raise ValueError("a template has no end")
    return found.end()


@dataclass(slots=True)
class Scope:
    """From one token to another, both within: what is declared there, by its own name and by its short one."""

    start: int
    end: int
    names: dict[str, str] = field(default_factory=dict)


def short(code: str) -> str:
    """The same script with short names for its own variables. Properties, and names that it does not declare, stay."""
    found = [one for one in tokens(_plainer(list(tokens(code)))) if one[0] != "blank" or one[1]]
    solid = [at for at, (kind, _piece) in enumerate(found) if kind != "blank"]
    bare = [found[at] for at in solid]
    roles = _roles(found, solid)
    scopes = _scopes(bare, [roles.get(at, "") for at in solid])
    # Which scope each name is of: the innermost that declares it.
    owners: dict[int, Scope] = {}
    for scope in scopes:  # outer ones first
        for place in range(scope.start, scope.end + 1):
            if bare[place][1] in scope.names and roles.get(solid[place]) in {"variable", "both"}:
                owners[place] = scope
    _shorten(bare, scopes, owners)
    said = [piece for _kind, piece in found]
    for place, scope in owners.items():
        name = bare[place][1]
        said[solid[place]] = f"{name}:{scope.names[name]}" if roles[solid[place]] == "both" else scope.names[name]
    return "".join(said)


def _shorten(bare: list[Token], scopes: list[Scope], owners: dict[int, Scope]) -> None:
    """Small letters for what is local, again and again; capitals and more for what is known everywhere."""
    foreign = KEYWORDS | {piece for place, (kind, piece) in enumerate(bare) if kind == "name" and place not in owners}
    top, *inner = scopes
    often = Counter(bare[place][1] for place, scope in owners.items() if scope is top)
    names = (one for one in _names(ascii_uppercase + "_$") if one not in foreign)
    top.names = dict(zip([name for name, _count in often.most_common()], names, strict=False)) | {
        name: "" for name in top.names if name not in often
    }
    taken = set(top.names.values())
    for scope in inner:
        around = {one for other in inner if other.start <= scope.start and scope.end <= other.end and other is not scope
                  for one in other.names.values()}  # fmt: skip
        free = (one for one in _names(ascii_lowercase) if one not in foreign | around | taken)
        for name in scope.names:
            scope.names[name] = next(free)


def _scopes(bare: list[Token], roles: list[str]) -> list[Scope]:
    """All scopes, outer ones first; the first is the whole script."""
    ends = _ends(bare)
    found: dict[tuple[int, int], Scope] = {(0, len(bare) - 1): Scope(0, len(bare) - 1)}

    def declare(start: int, end: int, names: list[str]) -> None:
        found.setdefault((start, end), Scope(start, end)).names.update(dict.fromkeys(names, ""))

    around: list[int] = []
    for place, (kind, piece) in enumerate(bare):
        after = bare[place + 1][1] if place + 1 < len(bare) else ""
        while around and ends[around[-1]] == place:
            around.pop()
        if place in ends:
            around.append(place)
            close = ends[place]
            behind = bare[close + 1][1] if piece == "(" and close + 1 < len(bare) else ""
            before = bare[place - 1][1] if place else ""
            if behind == "=>":
                declare(place, _arrow_end(bare, ends, close + 1), _bound(bare, roles, place, close))
            elif behind == "{" and before not in {"if", "for", "while", "switch"}:
                declare(place, ends[close + 1], _bound(bare, roles, place, close))
        if kind == "name" and after == "=>" and roles[place] == "variable":
            declare(place, _arrow_end(bare, ends, place + 1), [piece])
        elif piece in {"const", "let"} and kind == "name":
            start, end = _block(bare, ends, around)
            declare(start, end, _listed(bare, roles, ends, place + 1))
    return sorted(found.values(), key=lambda scope: (scope.start, -scope.end))


def _block(bare: list[Token], ends: dict[int, int], around: list[int]) -> tuple[int, int]:
    """Where what is declared here is known: the block, the loop, or the whole script."""
    for opened in reversed(around):
        if bare[opened][1] == "{":
            return opened, ends[opened]
        if bare[opened][1] == "(" and bare[opened - 1][1] == "for":
            body = ends[opened] + 1
            return opened, ends[body] if body in ends else _statement_end(bare, ends, body)
    return 0, len(bare) - 1


def _statement_end(bare: list[Token], ends: dict[int, int], place: int) -> int:
    while place < len(bare) - 1 and bare[place][1] not in {";", "}"}:
        place = ends.get(place, place) + 1
    return place - (bare[place][1] == "}")


def _arrow_end(bare: list[Token], ends: dict[int, int], arrow: int) -> int:
    """The last token of the function whose arrow this is."""
    place, choices = arrow + 1, 0
    if bare[place][1] == "{":
        return ends[place]
    while place < len(bare):
        kind, piece = bare[place]
        closes = piece in {",", ";", ")", "]", "}"} or (kind == "text" and piece.startswith("}"))
        if closes or (piece == ":" and not choices):
            break
        choices += (piece == "?") - (piece == ":")
        place = ends.get(place, place) + 1
    return place - 1


def _listed(bare: list[Token], roles: list[str], ends: dict[int, int], place: int) -> list[str]:
    """Names that a `let` declares: `one`, `{two, three: four} = …`, several with commas between."""
    names: list[str] = []
    while True:
        if place in ends:
            names += _bound(bare, roles, place, ends[place])
            place = ends[place] + 1
        else:
            names.append(bare[place][1])
            place += 1
        while place < len(bare) and bare[place][1] not in {",", ";", "of", "in"} and bare[place][1] not in {")", "}"}:
            place = ends.get(place, place) + 1
            if bare[place - 1][1] == "=>":  # the body of a function has commas of its own
                place = _arrow_end(bare, ends, place - 1) + 1
        if place >= len(bare) or bare[place][1] != ",":
            return names
        place += 1


def _bound(bare: list[Token], roles: list[str], start: int, end: int) -> list[str]:
    """Names bound between the brackets of parameters or of a pattern, without those in their defaults."""
    names, place, default = [], start + 1, False
    while place < end:
        piece = bare[place][1]
        if piece == ",":
            default = False
        elif piece == "=":
            default = True
        elif not default and roles[place] in {"variable", "both"} and piece not in KEYWORDS:
            names.append(piece)
        elif default and piece in {"(", "[", "{"}:
            depth = 1
            while depth:
                place += 1
                depth += (bare[place][1] in {"(", "[", "{"}) - (bare[place][1] in {")", "]", "}"})
        place += 1
    return names


def _ends(bare: list[Token]) -> dict[int, int]:
    """For each opening bracket, and each `${` of a template, where it is closed."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for place, (kind, piece) in enumerate(bare):
        if (kind == "mark" and piece in {")", "]", "}"}) or (kind == "text" and piece.startswith("}")):
            ends[opened.pop()] = place
        if (kind == "mark" and piece in {"(", "[", "{"}) or (kind == "text" and piece.endswith("${")):
            opened.append(place)
    return ends


def _plainer(found: list[Token]) -> str:
    """The same in fewer letters: `(one)=>` as `one=>`, no semicolon before a brace, `!0` for true."""
    said: list[str] = []
    for at, (kind, piece) in enumerate(found):
        before = found[at - 1][1] if at else ""
        after = found[at + 1][1] if at + 1 < len(found) else ""
        if piece == ";" and after == "}" and before != ")":
            continue
        if (
            piece == "("
            and [one for _kind, one in found[at + 2 : at + 4]] == [")", "=>"]
            and found[at + 1][0] == "name"
        ):
            piece = " " if before.isalpha() else ""
        elif piece == ")" and after == "=>" and at > 1 and found[at - 2][1] == "(" and found[at - 1][0] == "name":
            continue
        elif kind == "name" and before != "." and after != ":" and piece in PLAINER:
            piece = PLAINER[piece]
        said.append(piece)
    return "".join(said)


def _roles(found: list[Token], solid: list[int]) -> dict[int, str]:
    """What each name is: a `variable`, a `property`, or `both`, alone within the braces of an object or a pattern."""
    roles: dict[int, str] = {}
    inside: list[str] = []  # the brackets around; "o" for the braces of an object
    for place, at in enumerate(solid):
        kind, piece = found[at]
        before = found[solid[place - 1]][1] if place else ""
        after = found[solid[place + 1]][1] if place + 1 < len(solid) else ""
        if kind == "name":
            first = bool(inside) and inside[-1] == "o" and (before in {"{", ","} or before in {"get", "set", "async"})
            if before in {".", "?."} or (first and after in {":", "("}):
                roles[at] = "property"
            else:
                roles[at] = "both" if first and after in {",", "}", "="} else "variable"
        elif piece == "{":
            inside.append("o" if before in OBJECT_BEFORE or before.endswith("${") else "{")
        elif piece in {"(", "["}:
            inside.append(piece)
        elif piece in {")", "]", "}"} and inside or kind == "text" and piece.startswith("}"):
            inside.pop()
        if kind == "text" and piece.endswith("${"):
            inside.append("$")
    return roles


def _names(first: str) -> Iterator[str]:
    for length in itertools.count(1):
        for start in first:
            for rest in itertools.product(ascii_lowercase + digits + ascii_uppercase, repeat=length - 1):
                yield start + "".join(rest)
