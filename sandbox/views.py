"""A customer's mailbox in the browser: be anybody, write to support over real SMTP, see what comes back."""

from typing import Any
from urllib.parse import quote

from csp.decorators import csp
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from inbox.models import Channel
from sandbox import reading, writing
from sandbox.forms import WhoForm, WriteForm
from sandbox.models import SandboxMail

SHOWN_MAILS = 300
SHOWN_PEOPLE = 50


@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Choose who to be."""
    form = WhoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["address"].lower()
        if form.cleaned_data["name"]:
            request.session[f"sandbox:{address}"] = form.cleaned_data["name"]
        return redirect("sandbox:write" if not of(address).exists() else "sandbox:mailbox", address)
    rows = (
        SandboxMail.objects.values("mailbox")
        .annotate(last=Max("pk"), unseen=Count("pk", filter=Q(seen=False)))
        .order_by("-last")[:SHOWN_PEOPLE]
    )
    known = [
        {"mailbox": row["mailbox"], "unseen": row["unseen"], "name": name_of(request, row["mailbox"])} for row in rows
    ]
    return render(request, "sandbox/people.html", {"form": form, "people": known, "support": support_address()})


@require_GET
def mailbox(request: HttpRequest, address: str) -> HttpResponse:
    return render(request, "sandbox/mailbox.html", frame(request, address))


@require_GET
def thread_list(request: HttpRequest, address: str) -> HttpResponse:
    """The list anew, or nothing when no mail came or was read since the page knew (`state`)."""
    context = frame(request, address)
    if request.GET.get("state") == context["state"]:
        return HttpResponse(status=204)
    context["open"] = _number(request.GET.get("open"))
    return render(request, "sandbox/_list.html", context)


@require_GET
def thread(request: HttpRequest, address: str, pk: int) -> HttpResponse:
    group = group_of(address, pk)
    unseen = [mail.pk for mail in group if not mail.seen]
    if unseen:
        SandboxMail.objects.filter(pk__in=unseen).update(seen=True)
    context = frame(request, address)
    context |= {"open": pk, "mails": [shown(mail) for mail in group], "last": group[-1].pk, "pk": pk}
    context["form"] = answer_form(request, address, group)
    context["answered"] = answerable(group).pk
    return render(request, "sandbox/thread.html", context)


@require_GET
def thread_news(request: HttpRequest, address: str, pk: int) -> HttpResponse:
    """What came into a thread after mail `after`."""
    after = _number(request.GET.get("after"))
    group = group_of(address, pk)
    news = [mail for mail in group if mail.pk > after]
    if not news:
        return HttpResponse(status=204)
    SandboxMail.objects.filter(pk__in=[mail.pk for mail in news]).update(seen=True)
    context = {"address": address, "pk": pk, "mails": [shown(mail) for mail in news], "last": news[-1].pk, "oob": True}
    context |= {"form": answer_form(request, address, group), "answered": answerable(group).pk}
    return render(request, "sandbox/_news.html", context)


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, address: str) -> HttpResponse:
    """A new mail, or with `answered` an answer."""
    mailbox_address(address)
    answered = of(address).filter(pk=_number(request.POST.get("answered"))).first()
    initial = {"name": name_of(request, address), "to": support_address()}
    form = WriteForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            sent = _send(address, form.cleaned_data, answered)
            request.session[f"sandbox:{address}"] = form.cleaned_data["name"]
            return redirect("sandbox:thread", address, sent.pk)
        except writing.NotSent as error:
            form.add_error(None, ValidationError(str(error)))
    context = frame(request, address) | {"form": form, "answered": answered.pk if answered else None}
    return render(request, "sandbox/write.html", context, status=422 if form.errors else 200)


def _send(address: str, data: dict[str, Any], answered: SandboxMail | None) -> SandboxMail:
    file = data["file"]
    files = [writing.Upload(file.name, file.content_type or "application/octet-stream", file.read())] if file else []
    raw = writing.compose(
        name=data["name"],
        address=address,
        to=data["to"],
        cc=data["cc"],
        subject=data["subject"],
        text=data["text"],
        answered=answered,
        files=files,
    )
    return writing.send(address, raw)


@require_GET
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]  # typed for views without arguments
    {
        "default-src": ["'none'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'unsafe-inline'"],
        "frame-ancestors": ["'self'"],
        "sandbox": ["allow-same-origin", "allow-popups"],
    }
)
def body(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail, for its frame: no script runs there, nothing is loaded from elsewhere."""
    message = reading.parse(get_object_or_404(SandboxMail, pk=pk).raw)
    base = reverse("sandbox:body", args=[pk]).removesuffix("body/") + "part/"
    return HttpResponse(reading.with_inline_images(reading.html_of(message), message, base))


@require_GET
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail as it came over the wire."""
    return HttpResponse(bytes(get_object_or_404(SandboxMail, pk=pk).raw), content_type="text/plain; charset=utf-8")


@require_GET
def part(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One attachment; images are shown, all else is downloaded."""
    parts = reading.parts(reading.parse(get_object_or_404(SandboxMail, pk=pk).raw))
    if number >= len(parts):
        raise Http404
    kind = parts[number].get_content_type()
    picture = kind in {"image/png", "image/jpeg", "image/gif", "image/webp"}
    payload = parts[number].get_payload(decode=True)
    response = HttpResponse(payload, content_type=kind if picture else "application/octet-stream")
    if not picture:
        name = quote(parts[number].get_filename() or "file", safe="")
        response.headers["Content-Disposition"] = f"attachment; filename*=utf-8''{name}"
    return response


def of(address: str) -> Any:
    """The mails of one mailbox."""
    return SandboxMail.objects.filter(mailbox=address.lower())


def mailbox_address(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        raise Http404 from error
    return address.lower()


def frame(request: HttpRequest, address: str) -> dict[str, Any]:
    """What every page of a mailbox shows: whose it is, and its threads."""
    address = mailbox_address(address)
    mails = list(of(address).defer("raw").order_by("-pk")[:SHOWN_MAILS])[::-1]
    groups = reading.threads(mails)
    return {
        "address": address,
        "name": name_of(request, address),
        "groups": [
            {
                "last": group[-1],
                "first": group[0],
                "count": len(group),
                "unseen": _unseen(group),
                "ids": [mail.pk for mail in group],
            }
            for group in groups
        ],
        "state": f"{mails[-1].pk if mails else 0}-{_unseen(mails)}",
        "support": support_address(),
    }


def _unseen(mails: list[SandboxMail]) -> int:
    return sum(not mail.seen for mail in mails)


def group_of(address: str, pk: int) -> list[SandboxMail]:
    """The thread that a mail belongs to, oldest first. Raises Http404."""
    for group in reading.threads(of(mailbox_address(address)).order_by("pk")):
        if any(mail.pk == pk for mail in group):
            return group
    raise Http404


def shown(mail: SandboxMail) -> dict[str, Any]:
    """A mail as the page shows it."""
    message = reading.parse(mail.raw)
    return {
        "mail": mail,
        "to": str(message["To"] or ""),
        "cc": str(message["Cc"] or ""),
        "text": reading.text_of(message),
        "html": bool(reading.html_of(message)),
        "files": reading.files_of(message),
        "headers": [(name, str(value)) for name, value in message.items()],
    }


def answerable(group: list[SandboxMail]) -> SandboxMail:
    """What an answer answers: the last mail from somebody else, else the last."""
    return next((mail for mail in reversed(group) if not mail.sent), group[-1])


def answer_form(request: HttpRequest, address: str, group: list[SandboxMail]) -> WriteForm:
    mail = answerable(group)
    message = reading.parse(mail.raw)
    to = message["To"] if mail.sent else message["Reply-To"] or message["From"]
    others = [one for one in (message["Cc"].addresses if message["Cc"] else ()) if one.addr_spec.lower() != address]
    subject = mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"
    initial = {
        "name": name_of(request, address),
        "to": str(to or support_address()),
        "cc": ", ".join(str(one) for one in others),
        "subject": subject,
    }
    return WriteForm(initial=initial)


def name_of(request: HttpRequest, address: str) -> str:
    """How this person signed last."""
    kept = request.session.get(f"sandbox:{address}")
    if kept is not None:
        return str(kept)
    last = of(address).filter(sent=True).defer("raw").order_by("-pk").first()
    return last.sender if last else address.partition("@")[0].replace(".", " ").title()


def support_address() -> str:
    channel = Channel.objects.filter(kind="email").order_by("pk").first()
    return channel.addresses[0] if channel and channel.addresses else ""


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 16 else 0
