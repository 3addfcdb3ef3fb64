// The editor in place of the plain field: begun and ended for a form, and how the rest of the composer reaches it.
import { MARK, place, toHtml, toMail, toText } from "./prose.js"
import { extensions } from "./schema.js"
import { changed, use } from "./surface.js"

export const editors = new Map() // by form
const field = (form, name) => form.elements.namedItem(name)

export function start(form, kit, askLink, marks) {
  const area = field(form, "text")
  const source = field(form, "html")
  const had = document.activeElement === area
  const before = area.value.slice(0, area.selectionStart)
  const box = document.createElement("div") // while it stands there, the style sheet hides the plain field
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
    extensions: extensions(kit, form, askLink),
    content: source.value || (area.value ? toHtml(area.value) : ""),
    editorProps: {
      handleDOMEvents: { keydown: (_view, event) => event.key === "Escape" }, // leaves the composer, as in the plain field
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": area.labels[0]?.textContent ?? area.getAttribute("aria-label"), id: form.id === "composer" ? "prose" : `${form.id}-prose`, spellcheck: "true" },
    },
    onUpdate: () => {
      write()
      changed(form)
    },
    onTransaction: () => marks(form),
  })
  const toEnd = () => editor.commands.setTextSelection(editor.state.doc.content.size) // where a draft goes on
  editors.set(form, editor)
  use(form, {
    get: () => ({ text: area.value, html: source.value }),
    set({ text = "", html = "" }) {
      editor.commands.setContent(html || (text ? toHtml(text) : ""), { emitUpdate: false })
      toEnd()
      write()
    },
    focus() {
      editor.view.focus() // at once: a key between now and the next frame would be a shortcut
      editor.commands.focus()
    },
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
  write()
  marks(form)
  if (!had) return void toEnd()
  editor.view.focus() // as above
  editor.chain().focus().setTextSelection(place(editor.state.doc, before)).run()
}

export function stop(form) {
  const editor = editors.get(form)
  if (!editor) return
  const had = editor.isFocused
  editors.delete(form)
  use(form, null)
  editor.destroy()
  form.querySelector(".prose")?.remove()
  pictures(form)
  if (had) field(form, "text").focus()
}

// The chips of files that stand in the text as pictures say nothing new.
function pictures(form) {
  const html = editors.has(form) ? field(form, "html").value : ""
  for (const chip of form.querySelectorAll(".uploads [data-upload]")) {
    const own = chip.dataset.cid ? `cid:${chip.dataset.cid}` : `cid:${chip.querySelector("input").value}-`
    chip.hidden = html.includes(own)
  }
}
