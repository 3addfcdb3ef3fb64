// One message as an element.
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}،۔]/g;

// Text with its links to press; nothing in it is ever markup.
const linked = (text) => {
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(last, found.index), h("a", {href: found[0], target: "_blank", rel: "noopener noreferrer nofollow"}, found[0]));
    last = found.index + found[0].length;
  }
  return [...parts, text.slice(last)];
};

const size = (bytes) => {
  const unit = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(lang, {style: "unit", unit: unit[0], maximumFractionDigits: 1}).format(Math.max(0.1, bytes / unit[1]));
};

const safe = (address) => { try { return /^https?:$/.test(new URL(address, BASE).protocol) ? url(address) : null; } catch { return null; } };

const fileCard = (file) => {
  const props = {href: file.url && safe(file.url), target: "_blank", rel: "noopener", download: file.name};
  const card = () => h("a.file", props, icon("file"), h("span", null, h("b", {dir: "auto"}, file.name), h("small", {dir: "ltr"}, size(file.size))));
  if (!file.image || !props.href) return card();
  const shown = h("a.picture", {...props, download: null}, h("img", {src: props.href, alt: file.name, loading: "lazy", onload: settle, onerror: () => shown.replaceWith(card())}));
  return shown;
};

const buttons = (line) => {
  const {pressed, stays} = line.data; // `stays`: a survey, which is answered after the chat, and anew
  return h("div.choices", null, line.data.buttons.map((one) => h(pressed === one.key ? "button.on" : "button", {
    type: "button", disabled: !stays && (pressed != null || !live()), "aria-pressed": pressed != null ? String(pressed === one.key) : null,
    onclick() {
      write({t: "press", id: line.id, button: one.key});
      area?.focus();
    },
  }, one.label)));
};

const pageCard = ({data}) => h("div.card", null,
  h("b", {dir: "auto"}, data.title),
  data.text && h("p.clip", {dir: "auto"}, data.text),
  h("div.row", null,
    data.text && h("button.plain", {type: "button", onclick: () => sheet(data.title, h("p.long", {dir: "auto"}, linked(data.text)))}, t("read_page")),
    data.url && safe(data.url) && h("a.plain", {href: safe(data.url), target: "_blank", rel: "noopener"}, t("open_page"))));

const formCard = (line) => {
  const {title, fields, values, was} = line.data;
  if (values) {
    return h("div.card", null, h("b", {dir: "auto"}, title),
      h("dl", null, fields.filter((one) => values[one.key]).map((one) => [h("dt", null, one.label), h("dd", {dir: "auto"}, values[one.key] === true ? "✓" : values[one.key])])));
  }
  return asking({id: line.id, title, fields, values: was, button: t("send"), done(filled) { write({t: "form", id: line.id, values: filled}); }});
};

const PARTS = {buttons, form: formCard, page: pageCard};

const shownLine = (line) => h("div.line", null,
  line.text && !(line.kind === "page" && line.data.text === line.text) && h("p.bubble", {dir: "auto"}, linked(line.text)),
  (line.files || []).map(fileCard),
  line.data && PARTS[line.kind]?.(line));
