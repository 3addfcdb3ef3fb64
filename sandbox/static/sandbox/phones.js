// A phone: Enter sends, chosen files are counted, and news wait while somebody has a menu open.
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !field.closest?.(".compose textarea")) return;
  event.preventDefault();
  field.form.requestSubmit(field.form.querySelector("button.main"));
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.type === "file") field.parentElement.querySelector("output").textContent = field.files.length || "";
});

// What is open stays open: a swap in between would take the form away under the hand.
document.addEventListener("htmx:before:request", (event) => {
  const polled = event.target;
  if (polled instanceof Element && polled.matches("#said, #log") && polled.querySelector("details[open]")) event.preventDefault();
});

const field = document.querySelector(".compose textarea");
if (field && matchMedia("(width >= 48rem)").matches) field.focus();
