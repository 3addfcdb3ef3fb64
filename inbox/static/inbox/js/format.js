// The buttons under a letter, and the box that asks for the address of a link.
import { open } from "./popovers.js"
import { editors } from "./rich.js"

const ACTIVE = { bold: "bold", italic: "italic", strike: "strike", link: "link", bullets: "bulletList", numbers: "orderedList", quote: "blockquote", code: "code" }
const DO = {
  bold: chain => chain.toggleBold(),
  italic: chain => chain.toggleItalic(),
  strike: chain => chain.toggleStrike(),
  bullets: chain => chain.toggleBulletList(),
  numbers: chain => chain.toggleOrderedList(),
  quote: chain => chain.toggleBlockquote(),
}

export function marks(form) {
  const editor = editors.get(form)
  if (!editor) return
  for (const button of form.querySelectorAll("[data-format]")) {
    const name = button.dataset.format
    const on = editor.isActive(ACTIVE[name]) || (name === "code" && editor.isActive("codeBlock"))
    if (button.getAttribute("aria-pressed") !== String(on)) button.setAttribute("aria-pressed", on)
  }
}

export function format(form, name) {
  const editor = editors.get(form)
  if (!editor) return
  if (name === "link") return void askLink(form)
  const chain = editor.chain().focus()
  if (name !== "code") return void DO[name](chain).run()
  const { from, to } = editor.state.selection
  const lines = editor.isActive("codeBlock") || from === to || editor.state.doc.textBetween(from, to, "\n").includes("\n")
  ;(lines && !editor.isActive("code") ? chain.toggleCodeBlock() : chain.toggleCode()).run()
}

export function askLink(form) {
  const box = form.querySelector(".link-box")
  const input = box?.querySelector("input")
  if (!input) return false
  input.value = editors.get(form).getAttributes("link").href ?? ""
  box.querySelector("[data-unlink]").hidden = !input.value
  open(box, form.querySelector("[data-format=link]").getBoundingClientRect())
  input.focus()
  input.select()
  return true
}

export function setLink(form, typed) {
  const editor = editors.get(form)
  const url = typed.trim()
  const href = !url || /^(https?:\/\/|mailto:|tel:)/i.test(url) ? url : /^[^\s@/]+@[^\s@/]+$/.test(url) ? `mailto:${url}` : `https://${url}`
  form.querySelector(".link-box").hidePopover()
  const chain = editor.chain().focus().extendMarkRange("link")
  if (!href) return void chain.unsetLink().run()
  if (editor.state.selection.empty && !editor.isActive("link"))
    return void editor.chain().focus().insertContent([{ type: "text", text: url, marks: [{ type: "link", attrs: { href } }] }, { type: "text", text: " " }]).run()
  chain.setLink({ href }).run()
}

document.addEventListener("keydown", event => {
  const form = event.target.closest?.(".link-box")?.closest("form")
  if (!form || event.key !== "Enter" || !event.target.matches("input")) return
  event.preventDefault()
  event.stopPropagation()
  setLink(form, event.target.value)
}, true)
