// What a letter can hold: the parts of the editor, each paragraph with its own direction, and our own pictures alone.
import { addressOf, MARK } from "./prose.js"

const field = (form, name) => form.elements.namedItem(name)

export function extensions(kit, form, askLink) {
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
