// The answer that a link names is sent by itself, so that one click in a mail is enough. But programs open links, too:
// scanners of mail, previews, fetchers that run scripts. So nothing is sent before a person shows to be there: by
// moving the pointer, touching, scrolling with it or pressing a key (events that no script of a page can make), or, on
// a screen that is touched and where nobody need do anything after the tap that brought them here, by having the page
// in front of them for some seconds. Without this script the button does it.
const MOMENT = 600; // milliseconds from the first sign of a person: enough to choose another answer
const LOOKED = 3000; // on a touch screen, without any sign

const form = document.querySelector("form[data-chosen]");

const begin = () => {
  const signs = ["pointermove", "pointerdown", "touchstart", "wheel", "keydown"];
  let sent = false;
  let looking = 0;

  const send = () => {
    if (sent || document.visibilityState !== "visible") return;
    sent = true;
    form.requestSubmit();
  };
  const seen = (event) => {
    if (!event.isTrusted) return;
    for (const sign of signs) removeEventListener(sign, seen, {capture: true});
    setTimeout(send, MOMENT);
  };
  const look = () => {
    clearTimeout(looking);
    if (document.visibilityState === "visible" && document.hasFocus()) looking = setTimeout(send, LOOKED);
  };

  for (const sign of signs) addEventListener(sign, seen, {capture: true, passive: true});
  form.addEventListener("submit", () => { sent = true; });
  if (matchMedia("(hover: none)").matches && !navigator.webdriver) {
    for (const change of ["focus", "blur", "pageshow"]) addEventListener(change, look);
    document.addEventListener("visibilitychange", look);
    look();
  }
};

if (form) begin();
