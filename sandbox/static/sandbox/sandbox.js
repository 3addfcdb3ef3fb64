// A mail's frame is as high as its mail.
const fit = (frame) => {
  const page = frame.contentDocument;
  if (page?.documentElement) frame.style.blockSize = `${page.documentElement.scrollHeight + 2}px`;
};

document.addEventListener("load", (event) => {
  if (event.target instanceof HTMLIFrameElement) fit(event.target);
}, true);

addEventListener("load", () => document.querySelectorAll("iframe").forEach(fit));
addEventListener("resize", () => document.querySelectorAll("iframe").forEach(fit));
