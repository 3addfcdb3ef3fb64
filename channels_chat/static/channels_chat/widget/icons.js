// Drawings on a grid of 24, as Lucide draws them.
const ROUND = "M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0M9 9h.01M15 9h.01";
const DRAWN = {
  chat: "M7.9 20A9 9 0 1 0 4 16.1L2 22Z",
  close: "M18 6 6 18M6 6l12 12",
  down: "m6 9 6 6 6-6",
  more: "M12 12h.01M19 12h.01M5 12h.01",
  send: "m5 12 7-7 7 7M12 19V5",
  clip: "m21.4 11.1-9.2 9.2a6 6 0 0 1-8.5-8.5l8.6-8.6a4 4 0 1 1 5.7 5.7l-8.6 8.6a2 2 0 0 1-2.8-2.8l8.5-8.5",
  smile: `${ROUND}M8 14s1.5 2 4 2 4-2 4-2`,
  rate1: `${ROUND}M7.5 17s1.5-3.5 4.5-3.5 4.5 3.5 4.5 3.5`,
  rate2: `${ROUND}M8 16s1.5-1.6 4-1.6 4 1.6 4 1.6`,
  rate3: `${ROUND}M8 15h8`,
  rate5: `${ROUND}M7.3 13.5a4.8 4.8 0 0 0 9.4 0z`,
  file: "M15 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V7zM14 2v4a2 2 0 0 0 2 2h4",
  one: "M20 6 9 17l-5-5",
  two: "M18 6 7 17l-5-5M22 10l-7.5 7.5L13 16",
  wait: "M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0M12 6v6l4 2",
  bot: "M12 8V4H8M4 8h16v12H4zM2 14h2M20 14h2M15 13v2M9 13v2",
};
const SVG = "http://www.w3.org/2000/svg";

const icon = (name) => {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", DRAWN[name]);
  svg.append(path);
  return svg;
};

// A button that is a drawing.
const tool = (name, label, onclick, more) => h("button.tool", {type: "button", "aria-label": label, title: label, onclick, ...more}, icon(name));

const url = (path) => new URL(path, BASE).href;

// The face of whoever says something: their picture, else their first letter; the bot's drawing.
const face = (who, bot) => {
  const round = h("span.face", {"aria-hidden": "true"}, bot ? icon("bot") : (who?.name || C.name || "·").trim()[0].toUpperCase());
  if (who?.face) round.append(h("img", {src: url(who.face), alt: "", onerror: (event) => event.target.remove()}));
  return round;
};
