// Fields: before a chat, when nobody is here, and those that agents and the bot send.
const KINDS = {email: "email", phone: "tel", check: "checkbox"};
let typed = {}; // inputs by form and name: one that is made anew before it was sent has what was typed, and the caret

const makeInput = ({key: name, kind, required, options}, value = "") => {
  const props = {name, required, value, dir: "auto", maxLength: 2000, checked: value === true};
  if (kind === "area") return h("textarea", {...props, rows: 3});
  if (kind === "choice") return h("select", {name, required}, h("option", {value: ""}, t("choose")), options.map((option) => h("option", {value: option.key || option}, option.label ? said(option.label) : option)));
  return h("input", {...props, type: KINDS[kind] || "text", autocomplete: {name: "name", email: "email", phone: "tel"}[name] || "off"});
};

const field = (id, one, value) => {
  const label = typeof one.label === "string" ? one.label : said(one.label);
  const input = typed[id + one.key] ||= makeInput(one, value);
  if (one.kind === "check") return h("label.check", null, input, h("span", null, label));
  return h("label.field", null, h("span", null, label, one.required && h("i", {"aria-hidden": "true"}, " *")), input);
};

// A card that asks for fields: `done` gets {key: value}. What is missing is said beside it.
const asking = ({id, title, fields, button, done, values}) => {
  const error = h("p.error", {role: "alert", hidden: true});
  return h("form.card.ask", {noValidate: true, onsubmit(event) {
    event.preventDefault();
    const filled = {};
    for (const input of event.target.querySelectorAll("input, select, textarea")) {
      const empty = input.type === "checkbox" ? !input.checked : !input.value.trim();
      const wrong = (input.required && empty) || !input.checkValidity();
      if (wrong) {
        error.textContent = empty ? t("required") : input.validationMessage;
        error.hidden = false;
        input.setAttribute("aria-invalid", "true");
        input.focus();
        return;
      }
      input.removeAttribute("aria-invalid");
      filled[input.name] = input.type === "checkbox" ? input.checked : input.value.trim();
    }
    typed = {};
    done(filled);
  }}, title && h("p.lead", {dir: "auto"}, title), fields.map((one) => field(id, one, values?.[one.key])), error, h("button.main", {type: "submit"}, button));
};

const claims = () => ({...(S.user || {}), ...(visited.get("f") || {})});
const unknown = (fields) => fields.filter((one) => !S.user?.[one.key]);

const beginCard = () => {
  const fields = S.known ? [] : unknown(C.prechat);
  const topics = C.topics.length ? [{key: "_topic", kind: "choice", label: t("topic"), required: true, options: C.topics}] : [];
  const consent = C.consent && !S.known ? [{key: "_consent", kind: "check", label: t("consent"), required: true}] : [];
  return asking({id: "b", title: t("before"), fields: [...fields, ...topics, ...consent], values: claims(), button: t("start"), done(filled) {
    const {_topic = "", _consent = false, ...rest} = filled;
    visited.set("f", {...visited.get("f"), ...rest});
    begin({fields: {...rest, ...known(C.prechat)}, topic: _topic, consent: _consent});
    setTimeout(() => area.focus(), 50); // once it is shown
  }});
};

// What the site said of the visitor in place of these fields.
const known = (fields) => Object.fromEntries(fields.filter((one) => S.user?.[one.key]).map((one) => [one.key, S.user[one.key]]));

const offlineCard = (id, title) => asking({
  id, title,
  fields: [...unknown(C.offline), {key: "_text", kind: "area", label: t("message"), required: true},
    ...(C.consent && !S.known ? [{key: "_consent", kind: "check", label: t("consent"), required: true}] : [])],
  values: claims(), button: t("send"),
  done({_text, _consent, ...rest}) {
    visited.set("f", {...visited.get("f"), ...rest});
    write({t: "offline", fields: {...rest, ...known(C.offline)}, text: _text, consent: _consent});
  },
});

// When it opens again, in the visitor's own time: from the hours of the channel's settings.
const opens = () => {
  if (!C.hours?.days) return "";
  let now;
  try { now = new Intl.DateTimeFormat("en", {timeZone: C.hours.zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23"}).formatToParts(); }
  catch { return ""; }
  const part = (type) => now.find((one) => one.type === type).value;
  const today = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(part("weekday"));
  const minute = part("hour") * 60 + +part("minute");
  for (let ahead = 0; ahead < 8; ahead += 1) {
    const starts = (C.hours.days[(today + ahead) % 7] || []).map(([from]) => from.split(":")[0] * 60 + +from.split(":")[1] + ahead * 1440);
    const next = starts.sort((one, other) => one - other).find((start) => start > minute);
    if (next == null) continue;
    const at = Date.now() + (next - minute) * 6e4;
    return t("back", {when: new Intl.DateTimeFormat(lang, {weekday: "long", hour: "numeric", minute: "2-digit"}).format(at - (at % 6e4))});
  }
  return "";
};
