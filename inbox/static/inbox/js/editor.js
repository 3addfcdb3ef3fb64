// Rich text for a reply by e-mail. The editor (of another package, and large) is fetched when somebody begins to write
// one; until then, where it cannot be had, and for whoever prefers it, the plain field does everything.
import { open } from "./popovers.js"
import { changed, isRich, surface, use } from "./surface.js"

const PLAIN = `plain:${document.body.dataset.me}`
const composer = () => document.getElementById("composer")
const way = () => document.getElementById("way")
const isReply = form => form.querySelector("[name=kind]:checked")?.value === "reply"
const field = (form, name) => form.elements.namedItem(name)
const prefersPlain = () => { try { return Boolean(localStorage.getItem(PLAIN)) } catch { return false } }
const may = form => Boolean(form && way()?.dataset.editor && isReply(form))

let loading
function load() {
  loading ??= import(way().dataset.editor).catch(() => (loading = undefined)) // the next word tries again
  return loading
}

// Pictures stand in mail under their content id, and in the page under the address of their file.
const MARK = /^(\d+)-[0-9a-f]+@rabta$/
const addressOf = cid => way().dataset.file.replace("/0/", `/${MARK.exec(cid)[1]}/`)

function parse(html) {
  const box = document.createElement("template")
  box.innerHTML = html
  return box
}

export function toMail(html) {
  const box = parse(html)
  for (const image of box.content.querySelectorAll("img[data-cid]")) {
    image.setAttribute("src", `cid:${image.dataset.cid}`)
    image.removeAttribute("data-cid")
  }
  return box.innerHTML
}

// Text as paragraphs, its single line breaks kept.
export function toHtml(text) {
  const holder = document.createElement("div")
  for (const block of text.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const paragraph = document.createElement("p")
    block.split("\n").forEach((line, index) => paragraph.append(...(index ? [document.createElement("br"), line] : [line])))
    holder.append(paragraph)
  }
  return holder.innerHTML
}

const SPACED = { paragraph: 2, codeBlock: 2, blockquote: 2, bulletList: 2, orderedList: 2, listItem: 1 }
function toText(doc) {
  const lines = (node, indent) => {
    if (node.type.name === "hardBreak") return "\n"
    if (node.isText) return node.text
    if (node.type.name === "image") return node.attrs.alt ? `[${node.attrs.alt}]` : ""
    let out = ""
    node.forEach((child, _at, index) => {
      let part = lines(child, indent)
      if (child.type.name === "listItem") part = `${node.type.name === "orderedList" ? `${index + 1}.` : "-"} ${part}`
      out += (index && child.isBlock ? "\n".repeat(node.type.name === "listItem" ? 1 : (SPACED[child.type.name] ?? 1)) : "") + part
    })
    return out
  }
  return lines(doc, 0)
}

function extensions(kit, form) {
  const { Extension, Node, Link } = kit
  const Direction = Extension.create({
    name: "direction",
    addGlobalAttributes: () => [{
      types: ["paragraph", "listItem", "blockquote"],
      attributes: { dir: { default: "auto", parseHTML: element => element.getAttribute("dir") || "auto", renderHTML: ({ dir }) => ({ dir }) } },
    }],
  })
  const Picture = Node.create({
    name: "image",
    group: "inline",
    inline: true,
    draggable: true,
    addAttributes: () => ({ cid: { default: null }, alt: { default: "" } }),
    parseHTML: () => [{
      tag: "img",
      getAttrs: element => {
        const cid = element.dataset.cid ?? element.getAttribute("src")?.replace(/^cid:/, "")
        return MARK.test(cid ?? "") ? { cid, alt: element.getAttribute("alt") ?? "" } : false // no other picture loads
      },
    }],
    renderHTML: ({ node }) => ["img", { src: addressOf(node.attrs.cid), alt: node.attrs.alt, "data-cid": node.attrs.cid }],
  })
  const Keys = Extension.create({
    name: "keys",
    addKeyboardShortcuts() {
      return { "Mod-k": () => !this.editor.state.selection.empty || this.editor.isActive("link") ? askLink(form) : false }
    },
  })
  return [
    kit.Document, kit.Paragraph, kit.Text, kit.HardBreak, kit.Bold, kit.Italic, kit.Strike, kit.Code, kit.CodeBlock,
    kit.Blockquote, kit.BulletList, kit.OrderedList, kit.ListItem, kit.History, kit.Dropcursor, kit.Gapcursor,
    kit.Placeholder.configure({ placeholder: field(form, "text").placeholder }),
    // What is a link is for the server to say, too; this is so that nothing else is ever offered as one.
    Link.extend({ addKeyboardShortcuts: () => ({}) }).configure({ openOnClick: false, protocols: ["mailto", "tel"], isAllowedUri: url => /^(https?:\/\/|mailto:|tel:)/i.test(url) }),
    Direction, Picture, Keys,
  ]
}

const editors = new Map()

// Where in the editor's document the text position of the plain field is.
function place(doc, before) {
  let left = before.replace(/\n/g, "").length
  let at = 1
  doc.descendants((node, pos) => {
    if (left < 0 || !node.isText) return left >= 0
    if (node.text.length >= left) {
      at = pos + left
      left = -1
    } else left -= node.text.length
    return false
  })
  return left > 0 ? doc.content.size - 1 : at
}

function start(form, kit) {
  const area = field(form, "text")
  const source = field(form, "html")
  const had = document.activeElement === area
  const before = area.value.slice(0, area.selectionStart)
  const box = document.createElement("div")
  box.className = "prose"
  area.after(box)
  const write = () => {
    const empty = editor.isEmpty
    source.value = empty ? "" : toMail(editor.getHTML())
    area.value = empty ? "" : toText(editor.state.doc)
    pictures(form)
  }
  const editor = new kit.Editor({
    element: box,
    injectCSS: false,
    extensions: extensions(kit, form),
    content: source.value || (area.value ? toHtml(area.value) : ""),
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": form.querySelector("label[for=text]").textContent, id: "prose", spellcheck: "true" },
    },
    onUpdate: () => {
      write()
      changed(form)
    },
    onTransaction: () => marks(form),
  })
  editors.set(form, editor)
  use(form, {
    get: () => ({ text: area.value, html: source.value }),
    set({ text = "", html = "" }) {
      editor.commands.setContent(html || (text ? toHtml(text) : ""), { emitUpdate: false })
      write()
    },
    focus: () => editor.commands.focus(),
    insert({ text = "", html = "" }, back = 0) {
      const { from, to, empty } = editor.state.selection
      const range = { from: empty ? Math.max(1, from - back) : from, to }
      const chain = editor.chain().focus()
      if (!text && !html) return void chain.deleteRange(range).run()
      // One line goes into the line; more than that are paragraphs of their own.
      const content = html || (text.includes("\n") ? toHtml(text) : [{ type: "text", text }])
      chain.insertContentAt(range, content).run()
    },
    lock: on => editor.setEditable(!on, false),
    before() {
      const { empty, $from } = editor.state.selection
      if (!empty || $from.parent.type.name === "codeBlock") return null
      return $from.parent.textBetween(0, $from.parentOffset, "\n", "\ufffc").split("\n").at(-1)
    },
    at: () => editor.view.coordsAtPos(editor.state.selection.from),
    // A file that was pasted or dropped into the text: it stands where it was let go, or where the cursor is.
    picture({ cid, name }, point) {
      if (!MARK.test(cid)) return
      const pos = point && editor.view.posAtCoords({ left: point.x, top: point.y })?.pos
      editor.chain().insertContentAt(pos ?? editor.state.selection.from, { type: "image", attrs: { cid, alt: name } }).focus().run()
    },
  })
  form.dataset.rich = ""
  area.hidden = true
  write()
  marks(form)
  if (had) editor.chain().focus().setTextSelection(place(editor.state.doc, before)).run()
}

function stop(form) {
  const editor = editors.get(form)
  if (!editor) return
  const had = editor.isFocused
  editors.delete(form)
  use(form, null)
  editor.destroy()
  form.querySelector(".prose")?.remove()
  delete form.dataset.rich
  field(form, "text").hidden = false
  pictures(form)
  if (had) field(form, "text").focus()
}

let composing = false
document.addEventListener("compositionstart", () => (composing = true))
document.addEventListener("compositionend", () => {
  composing = false
  begin()
})

export async function begin() {
  const form = composer()
  if (!may(form) || isRich(form) || prefersPlain()) return
  const kit = await load()
  // Meanwhile the pane may show another ticket, or the agent may have turned to a note; who composes a letter goes on.
  if (kit && !composing && form === composer() && may(form) && !isRich(form) && !form.querySelector("#text").readOnly) start(form, kit)
}

// Which surface fits now: asked for after each change of the channel, of reply or note, and of the pane.
function fit() {
  const form = composer()
  for (const [one, editor] of editors) if (!one.isConnected) editors.delete(one) && editor.destroy()
  if (!form) return
  form.toggleAttribute("data-may-rich", may(form))
  sign()
  form.querySelector("[data-plain]")?.setAttribute("aria-pressed", String(prefersPlain()))
  if (isRich(form) && !may(form)) return stop(form)
  if (may(form) && (field(form, "html").value || document.activeElement === field(form, "text"))) begin()
}

document.addEventListener("focusin", event => event.target.id === "text" && event.target.closest("#composer") && begin())
document.addEventListener("change", event => event.target.matches?.("#composer [name=kind], #composer [name=channel]") && fit())
document.addEventListener("htmx:after:swap", fit)
new MutationObserver(fit).observe(document.getElementById("conversation") ?? document.body, { childList: true })

// What will stand under the reply, by the channel that is chosen.
function sign() {
  const box = document.getElementById("signature")
  const text = way()?.dataset.signature ?? ""
  if (!box || box.querySelector(".signature-text").textContent === text) return
  box.hidden = !text
  for (const place of box.querySelectorAll(".truncate, .signature-text")) place.textContent = text
}

// The chips of files that stand in the text as pictures say nothing new.
function pictures(form) {
  const html = isRich(form) ? field(form, "html").value : ""
  for (const chip of form.querySelectorAll("#uploads [data-upload]")) {
    const own = chip.dataset.cid ? `cid:${chip.dataset.cid}` : `cid:${chip.querySelector("input").value}-`
    chip.hidden = html.includes(own)
  }
}

// The row of buttons.
const ACTIVE = { bold: "bold", italic: "italic", strike: "strike", link: "link", bullets: "bulletList", numbers: "orderedList", quote: "blockquote", code: "code" }
const DO = {
  bold: chain => chain.toggleBold(),
  italic: chain => chain.toggleItalic(),
  strike: chain => chain.toggleStrike(),
  bullets: chain => chain.toggleBulletList(),
  numbers: chain => chain.toggleOrderedList(),
  quote: chain => chain.toggleBlockquote(),
}

function marks(form) {
  const editor = editors.get(form)
  if (!editor) return
  for (const button of form.querySelectorAll("[data-format]")) {
    const name = button.dataset.format
    const on = editor.isActive(ACTIVE[name]) || (name === "code" && editor.isActive("codeBlock"))
    if (button.getAttribute("aria-pressed") !== String(on)) button.setAttribute("aria-pressed", on)
  }
}

async function format(form, name) {
  await begin()
  const editor = editors.get(form)
  if (!editor) return
  if (name === "link") return void askLink(form)
  const chain = editor.chain().focus()
  if (name !== "code") return void DO[name](chain).run()
  const { from, to } = editor.state.selection
  const lines = editor.isActive("codeBlock") || from === to || editor.state.doc.textBetween(from, to, "\n").includes("\n")
  ;(lines && !editor.isActive("code") ? chain.toggleCodeBlock() : chain.toggleCode()).run()
}

function askLink(form) {
  const box = document.getElementById("link-box")
  const input = box?.querySelector("input")
  if (!input) return false
  input.value = editors.get(form).getAttributes("link").href ?? ""
  box.querySelector("[data-unlink]").hidden = !input.value
  open(box, form.querySelector("[data-format=link]").getBoundingClientRect())
  input.focus()
  input.select()
  return true
}

function setLink(form, typed) {
  const editor = editors.get(form)
  const url = typed.trim()
  const href = !url || /^(https?:\/\/|mailto:|tel:)/i.test(url) ? url : /^[^\s@/]+@[^\s@/]+$/.test(url) ? `mailto:${url}` : `https://${url}`
  document.getElementById("link-box").hidePopover()
  const chain = editor.chain().focus().extendMarkRange("link")
  if (!href) return void chain.unsetLink().run()
  if (editor.state.selection.empty && !editor.isActive("link"))
    return void editor.chain().focus().insertContent([{ type: "text", text: url, marks: [{ type: "link", attrs: { href } }] }, { type: "text", text: " " }]).run()
  chain.setLink({ href }).run()
}

document.addEventListener("keydown", event => {
  const form = event.target.closest?.("#link-box") && composer()
  if (!form || event.key !== "Enter" || !event.target.matches("input")) return
  event.preventDefault()
  event.stopPropagation()
  setLink(form, event.target.value)
}, true)

document.addEventListener("click", event => {
  const form = event.target.closest("#composer")
  if (!form) return
  const button = event.target.closest("[data-format]")
  if (button) return void format(form, button.dataset.format)
  if (event.target.closest("[data-set-link]")) return setLink(form, document.querySelector("#link-box input").value)
  if (event.target.closest("[data-unlink]")) return setLink(form, "")
  if (!event.target.closest("[data-plain]")) return
  try { prefersPlain() ? localStorage.removeItem(PLAIN) : localStorage.setItem(PLAIN, "yes") } catch { /* for this time only */ }
  if (prefersPlain()) stop(form)
  else begin()
  fit()
  surface(form).focus()
})

fit()
