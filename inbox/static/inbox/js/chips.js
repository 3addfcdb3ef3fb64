// What chosen macros do besides saying something stands in the composer as chips, with its draft: [id, name, deeds] each.
const place = form => form.querySelector(".macro-chips")

export const chips = form =>
  [...(place(form)?.children ?? [])].map(one => [one.querySelector("input").value, one.querySelector("b").textContent, one.querySelector(".deeds").textContent])

export function add(form, [id, name, deeds]) {
  if (!place(form) || chips(form).some(([other]) => other === String(id))) return
  const made = document.getElementById("macro-shape").content.firstElementChild.cloneNode(true)
  made.querySelector("b").textContent = name
  made.querySelector(".deeds").textContent = made.querySelector(".deeds").title = deeds
  made.querySelector("input").value = id
  place(form).append(made)
}

export function show(form, wanted) {
  if (!place(form)) return
  place(form).replaceChildren()
  for (const one of wanted) add(form, one)
}
