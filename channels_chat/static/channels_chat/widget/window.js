// The window in its shadow tree: no rule of the page reaches into it, none of ours reaches out.
let host, root, frame, panel;
const small = matchMedia("(max-width: 480px)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const full = () => PAGE || small.matches;

const dress = () => {
  frame.dir = rtl() ? "rtl" : "ltr";
  frame.lang = lang;
  frame.classList.toggle("dark", C.theme === "dark" || (C.theme !== "light" && dark.matches));
  panel?.setAttribute("aria-modal", String(full()));
};

const styled = () => {
  try {
    const sheetObject = new CSSStyleSheet();
    sheetObject.replaceSync(SHEET);
    root.adoptedStyleSheets = [sheetObject];
  } catch { root.append(h("style", null, SHEET)); } // an old browser
  const {fill, on, light, dark: shade} = C.colour;
  const set = (name, value) => frame.style.setProperty(name, value);
  set("--fill", fill);
  set("--on", on);
  set("--light", light);
  set("--shade", shade);
};

// Below <html>, where nothing that a page does to its body touches it.
const makeHost = () => {
  host = h("rabta-chat");
  root = host.attachShadow({mode: "open"});
  frame = h(`div.frame.${C.position}${PAGE ? ".page" : ""}`);
  root.append(frame);
  styled();
  dress();
  frame.append(...makeLauncher());
  ["keydown", "keyup", "keypress"].forEach((name) => frame.addEventListener(name, keys)); // the page's shortcuts are not meant
  ["pointerdown", "keydown"].forEach((name) => frame.addEventListener(name, allowSound));
  document.documentElement.append(host);
  dark.addEventListener("change", dress);
  small.addEventListener("change", dress);
  window.visualViewport?.addEventListener("resize", fit);
};

// A phone's keyboard covers the lower half: what is left is ours.
const fit = () => {
  if (!panel) return;
  const view = window.visualViewport;
  const covered = S.shown && full() && view && innerHeight - view.height > 80;
  panel.style.height = covered ? `${view.height}px` : "";
  panel.style.top = covered ? `${view.offsetTop}px` : "";
  settle();
};

const makePanel = () => {
  panel = h("section.panel", {
    role: "dialog", "aria-label": t("title"), hidden: true, tabIndex: -1,
    ondragover(event) { if (C.files && !foots.hidden) { event.preventDefault(); panel.classList.add("drop"); } },
    ondragleave(event) { if (!panel.contains(event.relatedTarget)) panel.classList.remove("drop"); },
    ondrop(event) { event.preventDefault(); panel.classList.remove("drop"); if (!foots.hidden) addFiles(event.dataTransfer.files); },
  }, makeHead(), makeThread(), makeComposer(), h("p.dropped", {"aria-hidden": "true"}, t("dropped")));
  frame.append(panel);
  dress();
};

const keys = (event) => {
  event.stopPropagation();
  if (event.type !== "keydown") return;
  if (event.key === "Escape") {
    if (sheet.away) sheet.away();
    else if (panel && !emoji.hidden) { toggleEmoji(false); emojiButton.focus(); }
    else if (panel && !menu.hidden) { toggleMenu(false); menuButton.focus(); }
    else if (S.shown && !PAGE) shut();
    else if (!teaser.hidden) dismiss();
  } else if (event.key === "Tab" && S.shown && (full() || sheet.away)) trap(event);
};

// While it fills the screen, Tab goes round within it.
const trap = (event) => {
  const within = sheet.away ? panel.querySelector(".sheet") : panel;
  const all = [...within.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']")]
    .filter((one) => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length);
  const ends = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (root.activeElement === ends[0] || !within.contains(root.activeElement)) { event.preventDefault(); ends[1]?.focus(); }
};

const openUp = (quiet) => {
  if (!host) { openUp.asked = true; return; }
  if (S.shown || (wire.over && !PAGE)) return;
  if (!panel) makePanel();
  S.shown = true;
  openUp.back = document.activeElement === host ? null : document.activeElement;
  visited.set("w", 1);
  panel.hidden = false;
  hideTeaser();
  join();
  draw();
  thread.below = true;
  settle();
  fit();
  if (!quiet) (foots.hidden ? panel.querySelector(".cards input, .cards select, .cards textarea") || panel : area).focus();
  emit("open");
};

const shut = () => {
  if (!S.shown || PAGE) return;
  S.shown = false;
  visited.set("w", null);
  panel.hidden = true;
  fit();
  draw();
  if (launcher.hidden) openUp.back?.focus?.();
  else launcher.focus();
  emit("close");
};

const draw = () => {
  if (!host) return;
  drawLauncher();
  if (S.shown) {
    const at = root.activeElement;
    drawHead();
    drawBanner();
    drawThread();
    drawComposer(drawCards());
    if (at?.isConnected && at !== root.activeElement) at.focus(); // its card was made anew
  }
  look();
  drawTitle();
};
