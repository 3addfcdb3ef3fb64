// Ask before what cannot be undone. Every page has the dialog (shell.html).
const dialog = document.getElementById("confirm")
let asking = null

// A form or button with data-confirm is sent once its question was answered with yes: by a button of the same name.
document.addEventListener("submit", event => {
  const text = event.submitter?.dataset.confirm || event.target.dataset.confirm
  if (!text || !dialog || asking === event.target) return
  event.preventDefault()
  event.stopImmediatePropagation()
  const { target: form, submitter } = event
  dialog.querySelector("#confirm-text").textContent = text
  dialog.querySelector("#confirm-yes").textContent = (submitter ?? form.querySelector("button")).textContent.trim()
  dialog.returnValue = ""
  dialog.showModal()
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return
    asking = form
    form.requestSubmit(submitter)
    asking = null
  }, { once: true })
}, true)
