// Files for the composer: chosen, dropped or pasted, sent at once with their progress, named in the form when done.
import { composer, formOf, keep } from "./drafts.js"
import { unfit } from "./fitting.js"
import { surface } from "./surface.js"

const words = document.getElementById("words").dataset
const csrf = form => form.querySelector("[name=csrfmiddlewaretoken]").value

function lock(form) {
  const busy = Boolean(form.querySelector("[data-uploading]"))
  for (const button of form.querySelectorAll("#send-note, [name=status], [name=later], [data-sends]")) button.disabled = busy
  if (!busy && form.isConnected) keep(form, true)
}

function chip(name) {
  const box = document.createElement("span")
  box.className = "file"
  box.dataset.uploading = ""
  const label = document.createElement("span")
  label.className = "truncate"
  label.dir = "auto"
  label.textContent = name
  const bar = document.createElement("progress")
  bar.max = 1
  bar.value = 0
  bar.setAttribute("aria-label", name)
  box.append(label, bar)
  return box
}

function failed(box, text) {
  delete box.dataset.uploading
  box.classList.add("bad")
  box.querySelector("progress").remove()
  const button = document.createElement("button")
  button.type = "button"
  button.className = "text-button"
  button.dataset.removeUpload = ""
  button.textContent = words.remove
  box.append(Object.assign(document.createElement("span"), { className: "unfit", textContent: text }), button)
}

const PICTURE = /^image\/(png|jpeg|gif|webp)$/

// `point` is where a picture is to stand in a text with formatting (true: at the cursor).
function send(form, file, point) {
  const box = chip(file.name)
  form.querySelector(".uploads").append(box)
  const why = unfit(form, file)
  if (why) return failed(box, why)
  lock(form)
  const body = new FormData()
  body.append("file", file, file.name)
  const request = new XMLHttpRequest() // fetch cannot say how far an upload is
  request.open("POST", form.dataset.uploads)
  request.setRequestHeader("X-CSRFToken", csrf(form))
  request.setRequestHeader("HX-Request", "true")
  request.upload.onprogress = event => (box.querySelector("progress").value = event.loaded / event.total)
  request.onload = () => {
    if (request.status === 201) taken(form, box, request.responseText, point)
    else failed(box, request.status === 413 ? words.tooLarge : words.notUploaded)
    lock(form)
  }
  request.onerror = () => {
    failed(box, words.notUploaded)
    lock(form)
  }
  request.send(body)
}

function taken(form, box, answer, point) {
  const name = box.querySelector(".truncate").textContent
  const shape = document.createElement("template")
  shape.innerHTML = answer
  const chip = shape.content.firstElementChild
  box.replaceWith(shape.content)
  if (point && form.isConnected && chip?.dataset.cid) surface(form).picture?.({ cid: chip.dataset.cid, name }, point === true ? null : point)
}

const sendAll = (form, files, point) => [...files].forEach(file => send(form, file, PICTURE.test(file.type) && point))
const inText = element => Boolean(element.closest?.(".prose"))
const carries = event => [...(event.dataTransfer?.types ?? [])].includes("Files")

document.addEventListener("change", event => {
  if (event.target.name !== "files" || !formOf(event.target)) return
  sendAll(event.target.form, event.target.files)
  event.target.value = ""
})
document.addEventListener("paste", event => {
  const form = formOf(event.target)
  if (!form || !event.clipboardData.files.length) return
  if (inText(event.target) && event.clipboardData.getData("text/plain").trim()) return // of a word processor: the text
  event.preventDefault()
  sendAll(form, event.clipboardData.files, inText(event.target))
})
// Dropped anywhere in the conversation a file is for the answer to it; in a form of its own, for that one.
const taker = target => formOf(target) ?? (target.closest?.(".talk") ? composer() : null)
const settle = () => document.querySelectorAll(".dragging").forEach(one => one.classList.remove("dragging"))

document.addEventListener("dragover", event => {
  if (!composer() || !carries(event)) return
  event.preventDefault()
  const form = taker(event.target)
  if (!form?.matches(".dragging")) settle()
  form?.classList.add("dragging")
})
document.addEventListener("dragleave", event => event.relatedTarget || settle())
document.addEventListener("drop", event => {
  if (!composer() || !carries(event)) return
  event.preventDefault() // a file dropped beside the composer must not open in place of the inbox
  settle()
  const form = taker(event.target)
  if (form) sendAll(form, event.dataTransfer.files, inText(event.target) && { x: event.clientX, y: event.clientY })
})
document.addEventListener("click", event => {
  const button = event.target.closest("[data-remove-upload]")
  const form = button && formOf(button)
  button?.closest(".file").remove()
  if (form) lock(form)
  if (form) surface(form).focus()
})
