// Where the visitor writes.
const EMOJI = [..."😀😁😂🙂😍😘😎🤔😅😢😭😡😴🤝🙏👍👎👏👋💪👌🎉🔥⭐✅❌❓📦🚚📷🌹💖"];
const MOST = 5000;
let area, foots, sendButton, emoji;

const grow = () => {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 120)}px`;
};

const drawSend = () => {
  sendButton.disabled = sendingFiles() || !(area.value.trim() || files.list.some((one) => one.file));
};

// What is typed is told at most once a second; the words themselves only where the settings say so.
const typing = () => {
  drawSend();
  grow();
  if (!S.known && !live()) return;
  typing.timer ||= setTimeout(() => {
    typing.timer = 0;
    const text = area.value.trim();
    const told = C.preview ? text.slice(0, 500) : text && "…";
    if (told !== typing.told || !C.preview) send({t: "typing", text: told});
    typing.told = told;
  }, 1000);
};

const submit = () => {
  const text = area.value.trim();
  if (sendButton.disabled) return;
  const parts = text.match(/[^]{1,5000}/g) || [""]; // what is too long for one message becomes several
  parts.forEach((part, index) => speak(part, index < parts.length - 1 ? [] : takeFiles()));
  area.value = "";
  clearTimeout(typing.timer);
  typing.timer = 0;
  typing.told = "";
  thread.below = true;
  visited.set("t", null);
  drawFiles();
  grow();
  area.focus();
};

const insert = (text) => {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  typing();
};

const toggleEmoji = (on) => {
  emoji.hidden = !on;
  emojiButton.setAttribute("aria-expanded", String(on));
  if (on) emoji.firstChild.focus();
};
let emojiButton;

const makeComposer = () => {
  const input = h("input", {type: "file", multiple: true, hidden: true, onchange() { addFiles(input.files); input.value = ""; }});
  files.box = h("div.chips");
  area = h("textarea", {
    rows: 1, dir: "auto", placeholder: t("placeholder"), "aria-label": t("message"), value: visited.get("t") || "",
    oninput() { typing(); visited.set("t", area.value.slice(0, MOST) || null); },
    onkeydown(event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    },
    onpaste(event) {
      if (event.clipboardData?.files.length) { event.preventDefault(); addFiles(event.clipboardData.files); }
    },
  });
  emoji = h("div.emoji", {hidden: true, role: "group", "aria-label": t("emoji"), onkeydown(event) {
    const all = [...emoji.children];
    const step = {ArrowRight: rtl() ? -1 : 1, ArrowLeft: rtl() ? 1 : -1, ArrowDown: 8, ArrowUp: -8}[event.key];
    if (step) { event.preventDefault(); all[all.indexOf(root.activeElement) + step]?.focus(); }
  }}, EMOJI.map((one, index) => h("button", {type: "button", tabIndex: index ? -1 : 0, onclick() { insert(one); toggleEmoji(false); }}, one)));
  emojiButton = tool("smile", t("emoji"), () => toggleEmoji(emoji.hidden), {"aria-expanded": "false"});
  sendButton = tool("send", t("send"), submit, {disabled: true});
  sendButton.classList.add("go");
  foots = h("div.foot", null,
    h("button.human", {type: "button", hidden: true, onclick: () => write({t: "human", chat: S.chat.id})}, t("human")),
    files.box, emoji,
    h("div.write", null, area,
      h("div.row", null, C.files && tool("clip", t("attach"), () => input.click()), C.files && input, emojiButton, h("span.gap"), sendButton)));
  return foots;
};

const drawComposer = (names) => {
  foots.hidden = wire.over || names.some((name) => /begin|offline|left/.test(name));
  foots.firstChild.hidden = S.chat?.state !== "bot";
  pushFiles();
};
