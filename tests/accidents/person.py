"""A person at the screen, without a browser: logs in, opens pages, posts forms as the page would."""

import re

import requests

TIMEOUT = 20


class Person:
    """Someone logged in. `answers` of the methods are those of `requests`."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.session = requests.Session()
        page = self.get("/accounts/login/")
        assert page.status_code == 200, page.text[:2000]
        entered = self.post("/accounts/login/", login=email, password=password)
        assert entered.status_code == 200 and "/accounts/login/" not in entered.url, entered.text[:2000]

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=TIMEOUT)

    def post(self, path: str, **fields: str) -> requests.Response:
        token = self.session.cookies.get("csrftoken") or ""
        fields = {**fields, "csrfmiddlewaretoken": token}
        return self.session.post(f"{self.url}{path}", data=fields, headers={"Referer": self.url}, timeout=TIMEOUT)

    def answer(self, ticket: int, text: str, client_id: str) -> requests.Response:
        """Send a reply from the composer; `client_id` is what the page made for this form."""
        return self.post(f"/tickets/{ticket}/messages/", kind="reply", text=text, client_id=client_id)

    def problems(self) -> str:
        """What the strip on the main screen says, as text."""
        page = self.get("/problems/")
        assert page.status_code == 200, page.text[:2000]
        said = re.findall(r"<li[^>]*>(.*?)</li>", page.text, re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", " ".join(said)).split())
