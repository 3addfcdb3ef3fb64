// Passkeys: <form data-passkey="create|get"> asks the browser, puts its answer into the field `credential`, and is sent.
// What to ask for stands in the JSON named by data-options; without it (before log-in) the form's own address tells.
/* global webauthnJSON */
const RESIDENT = { residentKey: "required", requireResidentKey: true, userVerification: "required" }

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent)
  const answer = await fetch(form.action, { headers: { accept: "application/json" } })
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  return (await answer.json()).request_options
}

async function credential(form) {
  const options = await optionsOf(form)
  if (form.dataset.passkey === "get") return webauthnJSON.get(options)
  const alone = form.elements.passwordless?.checked
  Object.assign(options.publicKey.authenticatorSelection, alone ? RESIDENT : { residentKey: "discouraged", requireResidentKey: false })
  return webauthnJSON.create(options)
}

document.addEventListener("submit", async event => {
  const form = event.target
  const field = form.elements?.credential
  if (!form.matches?.("[data-passkey]") || field.value) return
  event.preventDefault()
  const trouble = form.querySelector("[data-trouble]")
  trouble.hidden = true
  if (!window.PublicKeyCredential) {
    trouble.textContent = trouble.dataset.unable
    trouble.hidden = false
    return
  }
  try {
    field.value = JSON.stringify(await credential(form))
  } catch (error) {
    console.info(error)
    trouble.textContent = trouble.dataset.refused
    trouble.hidden = false
    return
  }
  form.requestSubmit()
})
