// Forms that are asked for again, with all that was typed, for other inputs: where a choice is made that these depend on
// (data-again: what a button named "do" would say), or where rows come and go. Then form.asked says where the focus goes.

// A list that has the focus
// changes with each letter and arrow: whoever chooses that way comes to an end, or goes on to the next, before it is made
// anew under their fingers.
const STILL = 700 // ms after a key
const choice = { field: null, timer: 0, key: -STILL }

function later() {
  clearTimeout(choice.timer)
  choice.timer = setTimeout(ask, STILL)
}

function ask() {
  const { field } = choice
  clearTimeout(choice.timer)
  choice.field = null
  if (!field?.form) return
  const button = Object.assign(document.createElement("button"), { name: "do", value: field.dataset.again, hidden: true, formNoValidate: true })
  field.form.append(button)
  field.form.requestSubmit(button)
  button.remove()
}

document.addEventListener("keydown", event => {
  if (!event.target.dataset?.again) return
  choice.key = event.timeStamp
  if (choice.field) later()
})

document.addEventListener("change", event => {
  if (!event.target.dataset?.again) return
  choice.field = event.target
  if (event.timeStamp - choice.key < STILL) later()
  else ask()
})

document.addEventListener("focusout", event => event.target === choice.field && ask())

document.addEventListener("submit", () => (choice.field = null), true) // what was chosen goes along

document.addEventListener("htmx:after:swap", () => {
  const id = document.querySelector("form.asked")?.dataset.focusOn
  if (id) document.getElementById(id)?.focus()
})
