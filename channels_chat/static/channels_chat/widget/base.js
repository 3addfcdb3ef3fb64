// What all other pieces stand on: where the script came from, storage, words, elements.
// Every file here is a piece of one function (channels_chat/bundle.py); C holds the channel's settings, SHEET the style.
if (window.Rabta?.open) return; // loaded twice: the first is it
const tag = document.currentScript;
const given = tag?.dataset || {};
const BASE = new URL(tag?.src || C.base).origin;
const PAGE = given.mode === "page";
const KEY = `rabta:${C.token}:`;
const NOTHING = () => {};
const warn = (words) => console.warn(`Rabta: ${words}`); // for whoever builds the site
const dropped = (name) => warn(`${name} is dropped`);

// JSON in a storage that may be full, blocked or absent. localStorage is written to only once the visitor wrote, and by
// invitations that need it.
const storage = (kind) => ({
  get(name) {
    try { return JSON.parse(window[kind].getItem(KEY + name)); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value == null) window[kind].removeItem(KEY + name);
      else window[kind].setItem(KEY + name, JSON.stringify(value));
    } catch { /* then it is known to this page alone */ }
  },
  names(start) {
    try { return Object.keys(window[kind]).filter((name) => name.startsWith(KEY + start)).map((name) => name.slice(KEY.length)); }
    catch { return []; }
  },
});
const kept = storage("localStorage");
const visited = storage("sessionStorage");

// Letters and digits that nobody else has.
const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (256 + byte).toString(16).slice(1)).join("");

const spoken = (wanted) => C.langs.find((one) => wanted && wanted.toLowerCase().split("-")[0] === one.split("-")[0]);
let lang = spoken(given.locale) || spoken(document.documentElement.lang) || spoken(navigator.language) || C.langs[0];
const rtl = () => /^(ar|fa|he|ps|sd|ug|ur)/.test(lang);

// Our own word, with its marks filled in. Its key stands here as text: channels_chat/bundle.py makes it the word's place.
const t = (place, values) => C.words[lang][place].replace(/%\((\w+)\)s/g, (_, mark) => values?.[mark] ?? "");
// The organisation's word, kept by language.
const said = (texts) => texts?.[lang] || texts?.[C.langs[0]] || Object.values(texts || {})[0] || "";

// An element: h("div.row", {onclick, hidden, "aria-label"}, ...children). Text is always text.
const h = (name, props, ...kids) => {
  const [kind, ...classes] = name.split(".");
  const element = document.createElement(kind);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props || {})) {
    if (value == null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...kids.flat().filter((kid) => kid != null && kid !== false));
  return element;
};

const minutes = (seconds) => seconds < 90 ? t("minute") : t("minutes", {n: Math.round(seconds / 60)});
const clock = (at) => new Intl.DateTimeFormat(lang, {hour: "numeric", minute: "2-digit"}).format(at);
