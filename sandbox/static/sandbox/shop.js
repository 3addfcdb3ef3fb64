// The shop: a cart that this browser keeps, and, as a single-page application, pages that are brought in.
const money = (amount) => `Rs ${amount.toLocaleString("en")}`;
const read = () => JSON.parse(sessionStorage.getItem("cart") || "{}");
const chat = (...call) => (window.RabtaQueue = window.RabtaQueue || []).push(call);

function show() {
  const prices = JSON.parse(document.body.dataset.prices);
  const cart = read();
  const lines = Object.entries(cart);
  const value = lines.reduce((sum, [slug, count]) => sum + prices[slug][1] * count, 0);
  const badge = document.getElementById("count");
  badge.textContent = lines.reduce((sum, [, count]) => sum + count, 0);
  badge.hidden = !lines.length;
  const total = document.getElementById("total");
  if (total) total.textContent = money(value);
  const list = document.getElementById("lines");
  if (list) {
    list.replaceChildren(...lines.map(([slug, count]) => {
      const line = document.createElement("li");
      const name = document.createElement("span");
      const price = document.createElement("span");
      name.textContent = `${count} × ${prices[slug][0]}`;
      price.textContent = money(prices[slug][1] * count);
      line.append(name, price);
      return line;
    }));
    document.getElementById("empty").hidden = lines.length > 0;
  }
  if (document.getElementById("thanks") && lines.length) {
    chat("track", "order", {value});
    sessionStorage.removeItem("cart");
    badge.hidden = true;
  }
  return {value, lines};
}

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add]");
  if (add) {
    const cart = read();
    cart[add.dataset.add] = (cart[add.dataset.add] || 0) + 1;
    sessionStorage.setItem("cart", JSON.stringify(cart));
    const {value, lines} = show();
    chat("track", "cart", {value, items: lines.length, last: add.dataset.add});
  }
  if (event.target.closest("[data-help]")) chat("open");
  const link = event.target.closest("a[href]");
  if (!link || !document.body.dataset.spa || link.hasAttribute("data-plain") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  go(link.href, true);
});

document.addEventListener("submit", (event) => {
  if (event.target.id === "who" && event.submitter?.value === "") chat("identify", null);
  if (event.target.id !== "pay" || !document.body.dataset.spa) return;
  event.preventDefault();
  go(`${event.target.action}?${new URLSearchParams(new FormData(event.target))}`, true);
});

async function go(address, push) {
  const text = await (await fetch(address)).text();
  const page = trusted ? new DOMParser().parseFromString(trusted.createHTML(text), "text/html") : new DOMParser().parseFromString(text, "text/html");
  if (push) history.pushState(null, "", address);
  document.title = page.title;
  document.querySelector("main").replaceWith(page.querySelector("main"));
  scrollTo(0, 0);
  show();
}
const trusted = window.trustedTypes?.createPolicy("shop", {createHTML: (text) => text});

addEventListener("popstate", () => document.body.dataset.spa && go(location.href, false));
show();
