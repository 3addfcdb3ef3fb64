// What the way of answering that is chosen takes (inbox/fitting.py): read from #way and, where the fields beside the text
// choose another, from what stands in it. Files that cannot go along say so at once, and again when the way changes.
import { composer, formOf, kindOf, problemOf } from "./drafts.js"

const chosen = form =>
  form.querySelector("[name='option.way']:checked")?.value ?? [...form.querySelectorAll("#option-panel [data-way]")].find(one => one.value)?.dataset.way

export function takes(form) {
  const way = form?.querySelector("#way")
  if (!way || kindOf(form) === "note") return null
  const name = chosen(form)
  return ([...way.children].find(one => name && one.value === name) ?? way).dataset
}

// Why a file cannot go along; empty if it can.
export function unfit(form, { name, type, size }) {
  const told = takes(form)
  if (!told?.files) return ""
  const kind = type.split(";")[0].trim().toLowerCase() || "application/octet-stream"
  const rule = JSON.parse(told.files).find(([beginning]) => kind.startsWith(beginning))
  if (!rule) return told.refusal.replace("{name}", () => name)
  return size > rule[1] ? told.large.replace("{name}", () => name).replace("{most}", () => rule[2]) : ""
}

function judge() {
  const form = composer()
  const told = takes(form)
  if (!form) return
  const clip = form.querySelector(".clip")
  if (clip) {
    clip.toggleAttribute("data-off", Boolean(told?.files) && told.files === "[]")
    clip.title = told?.said ? `${clip.dataset.said} · ${told.said}` : clip.dataset.said
    clip.querySelector(".visually-hidden").textContent = clip.title
  }
  for (const box of form.querySelectorAll(".uploads [data-upload][data-type]")) {
    const why = unfit(form, { name: box.querySelector(".truncate").textContent, type: box.dataset.type, size: Number(box.dataset.size) })
    box.classList.toggle("bad", Boolean(why))
    const words = box.querySelector(".unfit") ?? Object.assign(document.createElement("span"), { className: "unfit" })
    if (words.textContent !== why) words.textContent = why
    why ? box.lastElementChild.before(words) : words.remove()
  }
}

// Where no file goes along there is nothing to choose: the button says why.
document.addEventListener("click", event => {
  const form = event.target.name === "files" && formOf(event.target)
  const told = form && takes(form)
  if (told?.files !== "[]") return
  event.preventDefault()
  const problem = problemOf(form)
  problem.textContent = told.refusal.replace("{name}", "")
  problem.hidden = false
})

document.addEventListener("change", event => event.target.closest?.("#composer") && judge())
document.addEventListener("rabta:files", judge)
document.addEventListener("htmx:after:swap", judge)
judge()
